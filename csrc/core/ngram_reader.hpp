// The n-grams of a text, of words or of characters: what scikit-learn's analyzers "word", "char" and "char_wb" yield.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "term_table.hpp"
#include "text.hpp"
#include "utf8.hpp"

namespace nlptk {

// What analysis asks of characters. The caller fills it, so that it can be Python's own of any version.
class CharTable {
 public:
  static constexpr std::uint32_t kWord = 1U << 30;   // \w of what the character becomes
  static constexpr std::uint32_t kSpace = 1U << 31;  // \s
  static constexpr std::uint32_t kChar = 0x1FFFFF;   // what it becomes, itself or its lower case

  // Of code points below `size`, which those of texts must be: 2^8, 2^16 or 0x110000, by a text's kind.
  template <class Entry>
  CharTable(std::size_t size, Entry&& entry) : entries_(size) {
    for (std::size_t c = 0; c < size; ++c) entries_[c] = entry(static_cast<std::uint32_t>(c));
  }
  const std::uint32_t* data() const { return entries_.data(); }

 private:
  std::vector<std::uint32_t> entries_;
};

// A word is what \w makes up; a chunk is what stands between white space.
enum class NgramUnit { word, chunk, character, character_in_word };

struct NgramRules {
  NgramUnit unit = NgramUnit::word;
  std::size_t min_n = 1, max_n = 1;  // 1 <= min_n <= max_n
  std::size_t min_chars = 2;         // of a word or chunk
};

// A thread has one. It writes what a text becomes into a buffer in which every n-gram is one piece: words stand there
// with a space after each, as those of an n-gram are joined.
class NgramReader {
 public:
  NgramReader(const NgramRules& rules, const TermTable& stop_words) : rules_(rules), stop_words_(&stop_words) {}

  // Calls each(std::string_view) for every n-gram; lone surrogates have the three bytes that they would have.
  template <class F>
  void read(const TextSpan& text, const CharTable& chars, F&& each) {
    visit_text(text, [&](const auto* data) { split(data, text.length, chars.data()); });
    for_each_ngram(each);
  }

  // The same of a text that is words already.
  template <class F>
  void read(std::span<const TextSpan> words, F&& each) {
    join(words);
    for_each_ngram(each);
  }

 private:
  template <class T>
  void split(const T* text, std::size_t size, const std::uint32_t* chars);
  template <class T>
  void split_words(const T* text, std::size_t size, const std::uint32_t* chars);
  template <class T>
  void split_characters(const T* text, std::size_t size, const std::uint32_t* chars);
  template <class T>
  void split_padded_words(const T* text, std::size_t size, const std::uint32_t* chars);
  void join(std::span<const TextSpan> words);
  void begin(std::size_t most_bytes);
  void end_word(char* word, char*& out);
  void mark(const char* at) { starts_.push_back(static_cast<std::size_t>(at - buffer_.data())); }

  template <class F>
  void for_each_ngram(F&& each) const {
    const char* const data = buffer_.data();
    // Of units [first, last), and `gap` bytes behind each unit that are none of an n-gram that ends there.
    const auto slide = [&](std::size_t first, std::size_t last, std::size_t n, std::size_t gap) {
      for (std::size_t i = first; i + n <= last; ++i)
        each(std::string_view(data + starts_[i], starts_[i + n] - starts_[i] - gap));
    };
    if (rules_.unit == NgramUnit::character_in_word) {
      for (std::size_t w = 0; w + 1 < words_.size(); ++w) {
        // The space between two words is the last character of one and the first of the next.
        const std::size_t first = words_[w], last = words_[w + 1] + 1;
        for (std::size_t n = rules_.min_n; n <= rules_.max_n; ++n) {
          slide(first, last, std::min(n, last - first), 0);
          if (n >= last - first) break;  // a short word counts once
        }
      }
      return;
    }
    const std::size_t units = starts_.size() - 1;
    const std::size_t gap = rules_.unit == NgramUnit::character ? 0 : 1;
    for (std::size_t n = rules_.min_n; n <= std::min(rules_.max_n, units); ++n) slide(0, units, n, gap);
  }

  NgramRules rules_;
  const TermTable* stop_words_;
  std::vector<char> buffer_;
  std::vector<std::size_t> starts_;  // of units in the buffer, and where the last one ends
  std::vector<std::size_t> words_;   // in padded words: the unit that is the space before each, and the last space
};

}  // namespace nlptk
