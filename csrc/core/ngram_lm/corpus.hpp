// The text that an n-gram model is estimated from, as numbers of words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "huge_pages.hpp"
#include "term_table.hpp"

namespace nlptk {

inline constexpr std::uint32_t kUnknown = 0, kBegin = 1, kEnd = 2;  // <unk>, <s>, </s>

// A table that knows these three and nothing else.
TermTable special_words();

// Whether words are parted by this byte, as KenLM does it: ASCII white space and NUL.
inline bool parts_words(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

template <class F>
void for_each_word(std::string_view line, F&& f) {
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    while (end < line.size() && !parts_words(line[end])) ++end;
    if (end > at) f(line.substr(at, end - at));
    at = end + 1;
  }
}

// Sentences one after another, each from <s> to </s>.
class NgramCorpus {
 public:
  NgramCorpus() : table_(special_words()) {}
  // Of these words alone; others are read as <unk>.
  explicit NgramCorpus(const std::vector<std::string_view>& vocabulary);

  // Throw std::invalid_argument for the words <s> and </s>, and for more words than 32 bits number.
  void begin_sentence() { add(kBegin); }
  void add_word(std::string_view word);
  void end_sentence() { add(kEnd); }
  // Sentences that end at LF; so may the last one.
  void add_lines(std::string_view text);

  std::uint64_t sentences() const { return sentences_; }
  std::uint64_t tokens() const { return text_.size(); }

  // Numbers words by falling frequency, equal ones by their bytes, those with fewer than `min_count` as <unk>.
  void finish(std::uint64_t min_count);

  const TermTable& table() const { return table_; }
  TermTable take_table() { return std::move(table_); }
  HugeVector<std::uint32_t> take_text() { return std::move(text_); }

 private:
  void add(std::uint32_t number);

  TermTable table_;
  HugeVector<std::uint32_t> text_;
  std::uint64_t sentences_ = 0;
  bool closed_ = false;  // the vocabulary is given
};

}  // namespace nlptk
