// Word vectors as lines of text, "word number number ...": writing and reading numbers in threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace nlptk {

// Words and their rows. Word i is the UTF-8 bytes offsets[i] to offsets[i + 1] of `words`; its row begins at
// matrix + i * stride.
struct VectorRows {
  const char* words;
  const std::int64_t* offsets;
  const float* matrix;
  std::size_t rows, dim, stride;
};

inline constexpr int kMostDigits = 9;  // as many as any float needs to be read back as it was

// x, which must be finite, as printf("%.{digits}g") writes it: `digits` significant digits, 1 to kMostDigits, correctly
// rounded, no zeros at the end. 0 digits: as many as read back as the same float. Returns the end, at most kNumberBytes on.
inline constexpr std::size_t kNumberBytes = 16;
char* put_number(float x, int digits, char* out);

// Writes the rows as lines and hands them to `sink`, a few megabytes at a time, in order, on the calling thread.
// std::invalid_argument for NaN or an infinity, naming the row and its word.
void format_rows(const VectorRows& rows, int digits, int threads, const std::function<void(std::string_view)>& sink);

}  // namespace nlptk
