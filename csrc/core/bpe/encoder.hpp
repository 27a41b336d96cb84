// From texts to token ids: special tokens, pieces, and each piece's tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpe/merge.hpp"
#include "bpe/model.hpp"
#include "bpe/piece_cache.hpp"
#include "bpe/pretokenize.hpp"
#include "bpe/special_tokens.hpp"
#include "utf8.hpp"
#include "random.hpp"

namespace nlptk {

struct BpeTokens {
  std::vector<TokenId> ids;
  std::vector<std::size_t> begins, ends;  // bytes of the text's UTF-8; left empty unless they are asked for
};

struct BpeTextOptions {
  Pattern pattern = Pattern::gpt2;
  bool prefix_space = false;  // a stretch of text that begins with no space is given one
  std::vector<SpecialToken> special;
};

// Immutable but for the workspaces, of which each call takes one: threads may share an encoder.
class BpeEncoder {
 public:
  // Which special tokens are looked for.
  enum Look : unsigned { kNone = 0, kGiven = 1, kNormalized = 2, kAll = 3 };

  struct Request {
    bool offsets = false;
    unsigned look = kAll;
    double dropout = 0;
    std::uint64_t seed = 0;
  };

  BpeEncoder(BpeModel model, BpeTextOptions options);

  const BpeModel& model() const { return model_; }
  const SpecialTokens& special(bool normalized) const { return normalized ? normalized_ : given_; }

  // What encoding one text needs beside the model: caches that warm up, and memory that is kept.
  struct Workspace {
    utf8::Buffer utf8;
    Backtracker backtracker;
    HeapMerger merger;
    PieceCache cache;
    Random random{0};
    std::vector<TokenId> tokens, units;
    std::vector<std::size_t> origins;
    std::string buffer, prefixed;
  };
  class Lease {  // gives the workspace back at the end of its life
   public:
    explicit Lease(const BpeEncoder& owner) : owner_(owner), workspace_(owner.take()) {}
    ~Lease() { owner_.give(std::move(workspace_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() { return *workspace_; }

   private:
    const BpeEncoder& owner_;
    std::unique_ptr<Workspace> workspace_;
  };

  // Appends the tokens of valid UTF-8.
  void encode(std::string_view text, const Request& request, Workspace& workspace, BpeTokens& out) const;

  // The bytes of these tokens one after another; word marks become spaces between words. Throws std::invalid_argument
  // for an id that is no token's.
  std::string decode(const TokenId* ids, std::size_t count, bool skip_special) const;

 private:
  friend class Lease;
  std::unique_ptr<Workspace> take() const;
  void give(std::unique_ptr<Workspace> workspace) const noexcept;

  void encode_rest(std::string_view text, std::size_t shift, const Request&, Workspace&, BpeTokens&) const;
  void encode_stretch(std::string_view text, std::size_t shift, const Request&, Workspace&, BpeTokens&) const;
  void encode_plain(std::string_view text, std::size_t shift, const Request&, Workspace&, BpeTokens&) const;
  void encode_fast(std::string_view piece, std::size_t readable, Workspace&, std::vector<TokenId>& ids) const;
  void encode_any(std::string_view piece, std::size_t shift, const Request&, Workspace&, BpeTokens&) const;
  void flush(std::size_t shift, const Request&, Workspace&, BpeTokens&) const;
  bool known_unit(std::string_view unit, bool first, bool last, Workspace&) const;
  void add(TokenId id, std::size_t begin, std::size_t end, const Request&, BpeTokens&) const;

  BpeModel model_;
  BpeTextOptions options_;
  SpecialTokens given_, normalized_;
  std::unordered_map<TokenId, std::size_t> special_of_;  // id -> place in options_.special
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace nlptk
