// Tagging of sentences: features, scores and Viterbi in one pass, with a memory of words.
//
// Most templates look at one word only. What they add to the scores depends on that word alone, so the sums of their
// weights are kept for words seen of late: one for each offset that templates look from. The rest, templates of several
// words or of what is not in the word, go the long way. Sums are of integers, so the result is the same to the bit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "hash.hpp"
#include "linear_model.hpp"
#include "token_features.hpp"

namespace nlptk {

// A token of a document, as its characters, and the values of other columns, as TokenFeatures takes them.
struct TokenText {
  const char32_t* text = nullptr;
  std::size_t length = 0;
  const std::int32_t* starts = nullptr;
  const std::int32_t* ends = nullptr;
  const std::uint64_t* const* column_values = nullptr;
};

// A word as it is compared: one cache line.
struct alignas(64) WordForm {
  static constexpr std::size_t kLongest = 15;

  std::uint32_t mark = 0;  // length + 1; 0 for no word
  char32_t text[kLongest] = {};

  WordForm() = default;
  WordForm(const char32_t* word, std::size_t length) : mark(static_cast<std::uint32_t>(length) + 1) {
    std::copy_n(word, length, text);
  }
  bool operator==(const WordForm& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
  std::uint64_t hash() const {
    std::uint64_t h = kHashSeed;
    for (std::size_t at = 0; at < 4 * std::size_t{mark}; at += 8) {
      std::uint64_t value = 0;
      std::memcpy(&value, reinterpret_cast<const char*>(this) + at, sizeof value);
      h = hash_step(h, value);
    }
    return hash_finish(h);
  }
};

// Scratch memory of one thread, and the words it remembers. The last place is for a word too long to be remembered.
struct TaggerWorkspace {
  std::vector<WordForm> forms;                // [words + 1]
  std::vector<std::uint64_t> word_atoms;      // [words + 1, atoms that the rest of the templates needs]
  std::unique_ptr<std::int32_t[]> word_sums;  // [words + 1, groups, stride]

  std::vector<WordForm> sought;           // of the sentence's tokens
  std::vector<std::size_t> places;        // in the memory
  std::vector<std::uint64_t> atoms;       // all of one token
  std::vector<std::uint64_t> rest_atoms;  // [tokens, rest atoms]
  std::vector<std::uint32_t> keys;
  std::vector<std::int32_t> sums;  // [tokens, stride]
  TokenWorkspace tokens;
  LinearWorkspace linear;
};

class TokenTagger {
 public:
  // Both must outlive it.
  TokenTagger(const TokenFeatures& features, const LinearModel& model);

  const TokenFeatures& features() const { return features_; }
  const LinearModel& model() const { return model_; }

  // Scores of the tokens [first, last), one sentence, into emissions[last - first, labels].
  void emissions(const TokenText& text, std::size_t first, std::size_t last, TaggerWorkspace& workspace,
                 float* emissions) const;

  // A workspace with what earlier calls remembered, for one thread until it is given back.
  std::unique_ptr<TaggerWorkspace> lend() const;
  void give_back(std::unique_ptr<TaggerWorkspace> workspace) const;

 private:
  // Templates whose atoms are all told by the word at one offset; in `templates` the offset is 0.
  struct WordGroup {
    std::int32_t offset = 0;
    Templates templates;
    std::vector<std::int32_t> outside;  // [|offset|, stride], sums beyond the sentence: 1, 2, ... tokens outside
  };
  void make_groups();
  std::vector<std::int32_t> sums_outside(const WordGroup& group) const;
  const std::int32_t* word_sums(const TokenText& text, std::size_t token, std::size_t place, TaggerWorkspace& workspace) const;
  void add_words(const TokenText& text, std::size_t first, std::size_t last, TaggerWorkspace& workspace) const;
  void add_outside(std::size_t tokens, std::int32_t* sums) const;
  void add_rest(std::size_t tokens, TaggerWorkspace& workspace) const;

  const TokenFeatures& features_;
  const LinearModel& model_;
  std::vector<WordGroup> groups_;
  Templates rest_;                         // over a table of the atoms in rest_atoms_
  std::vector<std::size_t> rest_atoms_;    // those told by the word first
  std::size_t rest_word_atoms_ = 0;        // so many
  std::size_t words_ = 0;                  // places in a workspace's memory
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<TaggerWorkspace>> idle_;
};

}  // namespace nlptk
