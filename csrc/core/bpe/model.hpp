// A byte-pair-encoding model: its tokens, its merges, and the tables that both ways of applying them read.
//
// Inside, everything is bytes. A character-level model with an end-of-word suffix or a continuing prefix keeps its
// tokens with a mark that no UTF-8 text holds (kWordStart, kWordEnd) in the place of what the suffix or the missing
// prefix says, so that one kernel serves byte level and character level.
//
// Sources: Sennrich et al. 2016 (BPE); Provilkov et al. 2020 (dropout); the linear-time encoder follows the idea of
// the `bpe` crate of rust-gems (van Antwerpen and Neubeck 2024, "So many tokens, so little time").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpe/token_trie.hpp"
#include "bpe/pair_table.hpp"

namespace nlptk {

using TokenId = std::uint32_t;
inline constexpr TokenId kNoToken = 0xFFFFFFFF;
inline constexpr char kWordStart = '\xFE';
inline constexpr char kWordEnd = '\xFF';

struct BpeMerge {
  TokenId left, right, merged;
};

struct BpeOptions {
  bool byte_level = true;      // units are bytes, else characters
  bool marks_start = false;    // pieces begin with kWordStart (a continuing prefix is in use)
  bool marks_end = false;      // pieces end with kWordEnd (an end-of-word suffix is in use)
  bool ignore_merges = false;  // a piece that is a token stays whole, whatever the merges would do
  bool byte_fallback = false;  // a unit that is no token becomes the tokens "<0xNN>" of its bytes
  bool fuse_unknown = false;   // a run of unknown units is one unknown token
  TokenId unknown = kNoToken;  // kNoToken: unknown units are left out
  std::vector<TokenId> fallback;  // of each byte, kNoToken where there is none; empty without byte_fallback
};

// Immutable, so that threads may share it. Tokens are named by their internal number: first all that no merge makes,
// then the others in the order in which merges make them.
class BpeModel {
 public:
  // tokens[i]: bytes of the token with id ids[i]; ids need not be dense. Merges name tokens by their place in
  // `tokens`, best first. Throws std::invalid_argument for a merge that names no token or whose result is not the
  // concatenation of its parts, and for two tokens of equal bytes.
  BpeModel(std::vector<std::string> tokens, std::vector<TokenId> ids, const std::vector<BpeMerge>& merges,
           BpeOptions options);

  const BpeOptions& options() const { return options_; }
  std::size_t size() const { return tokens_.size(); }
  // Whether pieces are encoded in linear time; otherwise merges stand in an order that no training gives (a merge
  // before one that makes its part), and a heap replays them.
  bool linear() const { return linear_; }

  std::string_view bytes(TokenId id) const { return id < place_.size() && place_[id] != kNoToken
                                                        ? std::string_view(tokens_[place_[id]])
                                                        : std::string_view(); }
  bool has(TokenId id) const { return id < place_.size() && place_[id] != kNoToken; }
  TokenId external(TokenId token) const { return ids_[token]; }
  std::uint32_t width(TokenId id) const { return nodes_[place_[id]].length; }  // bytes of a token that there is
  std::uint32_t length(TokenId token) const { return nodes_[token].length; }

  // The internal number of the token of exactly these bytes, or kNoToken.
  TokenId find(std::string_view bytes) const { return all_.find(bytes); }
  TokenId unit(std::uint8_t byte) const { return byte_units_[byte]; }
  // Whether every byte is a token, so that no text holds anything unknown.
  bool complete() const { return complete_; }
  const PairTable& pairs() const { return pairs_; }

  // Whether merging leaves these two side by side where their bytes meet (internal numbers).
  bool compatible(TokenId left, TokenId right) const;
  // The longest token that can come out of merging and that `text` begins with.
  TokenTrie::Match longest(const char* text, std::size_t size) const { return reachable_.longest(text, size); }
  // The next shorter such token that this one begins with, or kNoToken.
  TokenId shorter(TokenId token) const { return shorter_[token]; }
  // Whether merging the token's own bytes gives the token.
  bool is_reachable(TokenId token) const { return nodes_[token].time != kNever; }

 private:
  static constexpr std::uint32_t kNever = 0xFFFFFFFF;

  void order_tokens(std::vector<std::string> tokens, std::vector<TokenId> ids, std::vector<BpeMerge>& merges);
  void add_merges(const std::vector<BpeMerge>& merges);
  void build_searches();
  bool is_unit(TokenId token) const;  // one byte or character, with its marks

  BpeOptions options_;
  std::vector<std::string> tokens_;     // by internal number
  std::vector<TokenId> ids_;            // internal number -> id
  std::vector<TokenId> place_;          // id -> internal number
  struct Node {                         // what compatible() reads of a token, side by side
    std::uint32_t time = 0;             // 0: not made by a merge; else 1 + rank of the merge that makes it
    TokenId left = 0, right = 0;        // the parts that the merge joins
    std::uint32_t length = 0;           // bytes
  };
  std::vector<Node> nodes_;
  std::vector<TokenId> shorter_;
  TokenId byte_units_[256];
  bool complete_ = true;
  bool linear_ = true;
  PairTable pairs_;
  TokenTrie all_, reachable_;
};

}  // namespace nlptk
