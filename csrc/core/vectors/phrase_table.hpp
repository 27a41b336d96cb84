// Phrases: words that stand together more often than chance has it, joined as gensim's Phrases joins them (Mikolov et al.
// 2013, "Distributed Representations of Words and Phrases and their Compositionality"; word2phrase.c).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hash.hpp"
#include "vectors/spaces.hpp"

namespace nlptk {

struct PhraseRules {
  std::string delimiter = "_";
  std::vector<std::string> connectors;  // may stand within a phrase, not at its ends
  bool npmi = false;                    // score by normalised pointwise mutual information, else by Mikolov's formula
  double threshold = 10;                // a phrase's score is above it
  double min_count = 5;
};

// The phrases of one pass. A word is any bytes.
class PhraseTable {
 public:
  struct Phrase {
    std::string text;
    std::uint32_t first = 0, last = 0;  // bytes of the first word and of the last
    double score = 0;
  };
  struct Group {
    std::size_t begin, end;  // words
    const Phrase* phrase;    // null: one word by itself
  };

  // Throws std::invalid_argument for a phrase that is shorter than its words.
  PhraseTable(PhraseRules rules, std::vector<Phrase> phrases);

  const PhraseRules& rules() const { return rules_; }
  const std::vector<Phrase>& phrases() const { return phrases_; }
  bool connects(std::string_view word) const { return connects(word, hash_word(word)); }
  bool connects(std::string_view word, std::uint32_t hash) const;
  // Cuts a sentence into words and phrases from left to right, the first that is found; `joined` is scratch memory.
  void group(const std::vector<std::string_view>& words, std::vector<Group>& out, std::string& joined) const;

 private:
  const Phrase* find(std::string_view text, std::size_t first, std::size_t last) const;

  struct Slot {
    std::uint32_t hash = 0, index = 0;  // of a phrase, plus 1; 0: a free place
  };
  PhraseRules rules_;
  std::vector<Phrase> phrases_;
  std::vector<Slot> slots_;
  std::vector<std::string> connectors_;  // by hash; empty: a free place
};

// The tables of several passes, each for what the one before it made.
using PhrasePasses = std::vector<std::shared_ptr<const PhraseTable>>;

// Applies all passes to one sentence after another, in memory that is kept.
class PhraseJoiner {
 public:
  explicit PhraseJoiner(PhrasePasses passes) : passes_(std::move(passes)) {}
  // The words, where phrases are one; valid until the next call.
  const std::vector<std::string_view>& join(const std::vector<std::string_view>& words);

 private:
  PhrasePasses passes_;
  std::vector<std::string_view> words_;
  std::vector<PhraseTable::Group> groups_;
  std::string joined_;
};

// A longer line is read as several sentences, as gensim's LineSentence does.
inline constexpr std::size_t kMostWords = 10000;

// Calls f(words, whether a line feed follows) for each sentence of the lines.
template <class F>
void for_each_sentence(std::string_view text, std::vector<std::string_view>& words, F&& f) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t feed = text.find('\n', begin);
    const std::string_view line = text.substr(begin, feed == std::string_view::npos ? feed : feed - begin);
    words.clear();
    for (std::size_t at = 0;;) {
      const std::string_view word = utf8::next_word(line, at);
      if (word.empty()) break;
      if (words.size() == kMostWords) f(words, false), words.clear();
      words.push_back(word);
    }
    f(words, feed != std::string_view::npos);
    begin = feed == std::string_view::npos ? text.size() : feed + 1;
  }
}

// The next share of a text for a thread, from `at` on, which moves behind it: whole lines, or kMostWords words of a line
// that is too long for one thread.
std::string_view next_share(std::string_view text, std::size_t& at);

// The text with its phrases joined, one space between words; lines stay lines. It must be valid UTF-8.
std::string join_phrases(const PhrasePasses& passes, std::string_view text, int threads);

}  // namespace nlptk
