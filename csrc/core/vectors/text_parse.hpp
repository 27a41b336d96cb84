// Lines "word number number ..." to a matrix, and word2vec's binary rows: both in one pass over the file's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nlptk {

// Where words lie in the text that was read.
struct WordPlace {
  std::int64_t begin, end;
};

// What is wrong with a file: of all such places the first.
struct TextFault {
  std::size_t line = 0;  // counted from 0 in what was read
  std::string message;   // empty: nothing
};

// Where lines begin, and where the last one ends: [lines + 1]. Lines end at LF; a last line without one counts.
std::vector<std::size_t> find_lines(std::string_view text, int threads);

// How many fields at the end of a line, the first one apart, are numbers.
std::size_t count_numbers(std::string_view line);

// Lines `first` to `lines.size() - 1` as rows of [rows, dim]. Fields are parted by spaces or tabs; a word may hold spaces
// if what follows them is no number (GloVe's do). Words are not checked for UTF-8 here.
TextFault parse_lines(std::string_view text, const std::vector<std::size_t>& lines, std::size_t first, std::size_t dim,
                      int threads, float* matrix, WordPlace* words);

// Rows of a word, a space and dim floats (little-endian), each perhaps before or after an LF; line is the row's number.
TextFault parse_binary(std::string_view data, std::size_t rows, std::size_t dim, float* matrix, WordPlace* words);

}  // namespace nlptk
