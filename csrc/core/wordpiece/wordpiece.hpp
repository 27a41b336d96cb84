// BERT's tokenizer: text to word piece ids, with Hugging Face tokenizers' results for every text.
//
// Two ways to the same ids. The general one normalizes the text as the definition has it, step by step, and knows
// where each piece comes from. The short one reads each character once, by a table of what becomes of it, and serves
// every text that has no character which canonical ordering moves.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "text.hpp"
#include "wordpiece/added_tokens.hpp"
#include "wordpiece/normalizer.hpp"
#include "wordpiece/vocabulary.hpp"

namespace nlptk::wordpiece {

// The pieces of a text, with where they come from.
struct Pieces {
  std::vector<std::int32_t> ids;           // [pieces]
  std::vector<std::int32_t> starts, ends;  // [pieces], code points of the text
  std::vector<std::int32_t> words;         // [pieces], number of the word or added token that it belongs to

  void clear() {
    ids.clear();
    starts.clear();
    ends.clear();
    words.clear();
  }
};

// Tokens that cover all of a text but white space, and the pieces of each.
struct WordSpans {
  std::vector<std::int32_t> starts, ends;  // [tokens]
  std::vector<std::int32_t> first_piece;   // [tokens + 1]
};

// Scratch memory of one thread.
struct Workspace {
  WordCache cache;
  std::vector<char> word;
  std::vector<Piece> pieces;
  std::vector<Symbol> symbols;
  NormalizerScratch normalizer;
  std::vector<std::int32_t> origins, ids;
};

class WordPiece {
 public:
  // std::invalid_argument for an id that is negative or above kMaxId, or a vocabulary without the unknown token.
  WordPiece(const NormalizerOptions& options, Vocabulary vocabulary, std::vector<AddedToken> added_tokens);

  static constexpr std::int32_t kMaxId = (1 << 28) - 1;

  // Appends the ids of a text. std::invalid_argument for a text of 2^31 code points or more.
  void encode(const TextSpan& text, Workspace& workspace, std::vector<std::int32_t>& ids) const;

  // Fills `pieces`, which is cleared first.
  void encode(const TextSpan& text, Workspace& workspace, Pieces& pieces) const;

  // Batch over threads (<= 0: one for each core): ids[texts], which are appended to.
  void encode_batch(const TextSpan* texts, std::size_t count, int threads, std::vector<std::int32_t>* ids) const;

  // A workspace of the pool, given back when the lease ends.
  class Lease {
   public:
    explicit Lease(const WordPiece& owner);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() const { return *workspace_; }

   private:
    const WordPiece& owner_;
    std::unique_ptr<Workspace> workspace_;
  };

 private:
  // What becomes of a character, in the low bits of an action; the rest is its payload.
  enum Kind : std::uint32_t {
    kDrop,     // nothing
    kBlank,    // ends the word
    kLetter,   // goes on with the word as the code point of the payload
    kSingle,   // is a word of its own, whose id is the payload
    kLetters,  // goes on with the word as several characters
    kAdded,    // may begin an added token
    kGeneral,  // needs the general way
  };
  static constexpr int kKindBits = 3;
  using Action = std::uint32_t;
  static constexpr std::size_t kTable = 0x10000;

  NormalizerOptions options_;
  Vocabulary vocabulary_;
  AddedTokens added_, normalized_added_;
  std::vector<Action> actions_;        // [kTable]
  std::vector<char32_t> far_starts_;   // of added tokens, beyond the table
  bool plain_ascii_ = false;           // ASCII letters and digits go on with a word, and begin no added token
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> free_;

  Action classify(char32_t c, Workspace& workspace) const;
  Action action(char32_t c, Workspace& workspace) const;
  template <class Char>
  bool short_way(const Char* text, std::size_t length, Workspace& workspace, std::vector<std::int32_t>& ids) const;
  template <class Char>
  bool ascii_word(const Char* text, std::size_t length, std::size_t& at, Workspace& workspace,
                  std::vector<std::int32_t>& ids) const;
  void emit_word(std::size_t bytes, std::size_t chars, Workspace& workspace, std::vector<std::int32_t>& ids) const;
  void general_words(std::size_t begin, std::size_t end, std::int32_t& word, Workspace& workspace, Pieces& pieces) const;
};

// The words of `pieces` as tokens of a Doc: characters that no piece comes from join the word they touch or, where they
// touch none, become tokens without pieces; white space that leads the text is one, too.
WordSpans word_spans(const TextSpan& text, const Pieces& pieces);

}  // namespace nlptk::wordpiece
