// The first half of training: counts the pieces of a stream of text in several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bpe/pretokenize.hpp"
#include "word_counts.hpp"

namespace nlptk {

class BpeCounter {
 public:
  explicit BpeCounter(Pattern pattern, bool prefix_space = false, int threads = 0);

  // Counts the pieces of each line, a line feed belonging to the line that it ends. The text must be valid UTF-8;
  // `add_text` takes it as one line whatever it holds.
  void add_lines(std::string_view text);
  void add_text(std::string_view text) { count(text, tables_[0]); }
  void add_piece(std::string_view piece) { tables_[0].add(piece); }

  // Distinct pieces of each thread, summed.
  std::size_t size() const;
  // The counts of all threads together; the counter is empty afterwards.
  WordCounts take();

 private:
  void count(std::string_view text, WordCounts& table);

  Pattern pattern_;
  bool prefix_space_;
  int threads_;
  std::vector<WordCounts> tables_;  // one for each thread
};

}  // namespace nlptk
