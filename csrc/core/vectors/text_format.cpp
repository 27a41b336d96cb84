#include "vectors/text_format.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};
constexpr std::uint32_t kIntPowers[] = {1,       10,        100,        1'000,       10'000,
                                        100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

struct Pairs {
  char of[200];
  constexpr Pairs() : of{} {
    for (int i = 0; i < 100; ++i) of[2 * i] = static_cast<char>('0' + i / 10), of[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
};
constexpr Pairs kPairs;

// `digits` digits of m that end at `end`.
void put_digits(std::uint32_t m, int digits, char* end) {
  for (; digits >= 2; digits -= 2, m /= 100) std::memcpy(end -= 2, kPairs.of + 2 * (m % 100), 2);
  if (digits == 1) *--end = static_cast<char>('0' + m);
}

// Of x in [1e-4, 1e9): the largest e with 10^e <= x. No float lies between a power of ten and the double nearest to it.
int decimal_exponent(double x) {
  static constexpr double kBounds[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  const int binary = static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 52) - 1023;  // 2^binary <= x
  const int e = (binary * 1233) >> 12;  // log10(2) is about 1233 / 4096: right or one too low
  return e + (x >= kBounds[e + 5]);
}

constexpr std::size_t kBlockNumbers = 1 << 15, kBlocksPerThread = 8;

char* put_row(const VectorRows& rows, std::size_t row, int digits, char* out) {
  const char* const word = rows.words + rows.offsets[row];
  const auto length = static_cast<std::size_t>(rows.offsets[row + 1] - rows.offsets[row]);
  if (length != 0) std::memcpy(out, word, length);
  out += length;
  const float* const x = rows.matrix + row * rows.stride;
  for (std::size_t d = 0; d < rows.dim; ++d) {
    if (!std::isfinite(x[d]))
      throw std::invalid_argument("row " + std::to_string(row) + " (" + std::string(word, length) +
                                  ") holds NaN or an infinity");
    *out++ = ' ';
    out = put_number(x[d], digits, out);
  }
  *out++ = '\n';
  return out;
}

}  // namespace

char* put_number(float x, int digits, char* out) {
  if (digits == 0) return std::to_chars(out, out + kNumberBytes, x).ptr;
  const double size = std::fabs(static_cast<double>(x));
  if (size >= 1e-4 && size < kPowers[digits]) {
    int e = decimal_exponent(size);
    // Exact: 24 bits by a power of ten of at most 28 bits (5^12). Adding 1.5 * 2^52 then rounds half to even.
    const double shifted = size * kPowers[digits - 1 - e] + 0x1.8p52;
    auto m = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted));
    if (m == kIntPowers[digits]) m /= 10, ++e;
    if (e < digits) {
      *out = '-';
      out += std::signbit(x);  // no branch: it would be mispredicted every other time
      char* end;
      if (e < 0) {
        std::memcpy(out, "0.000", 5);
        end = out + 1 - e + digits;
        put_digits(m, digits, end);
      } else {
        end = out + 1 + digits;
        put_digits(m, digits, end);
        std::memmove(out, out + 1, static_cast<std::size_t>(e) + 1);
        out[e + 1] = '.';
      }
      while (end[-1] == '0') --end;
      return end[-1] == '.' ? end - 1 : end;
    }
  }
  return std::to_chars(out, out + kNumberBytes, x, std::chars_format::general, digits).ptr;
}

void format_rows(const VectorRows& rows, int digits, int threads, const std::function<void(std::string_view)>& sink) {
  if (digits < 0 || digits > kMostDigits)
    throw std::invalid_argument("digits must be 0 (as many as are needed) to " + std::to_string(kMostDigits));
  // Blocks of about 300 KB of text in buffers that every window uses again: new pages cost more than the digits.
  const std::size_t grain = std::max<std::size_t>(1, kBlockNumbers / (rows.dim + 1));
  const int workers = resolve_threads(threads);
  const std::size_t window = grain * kBlocksPerThread * static_cast<std::size_t>(workers);
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0, size = 0;
  };
  std::vector<Block> blocks((std::min(window, rows.rows) + grain - 1) / grain);
  for (std::size_t first = 0; first < rows.rows; first += window) {
    const std::size_t count = std::min(window, rows.rows - first);
    parallel_for(count, workers, grain, [&](std::size_t begin, std::size_t end, int) {
      Block& block = blocks[begin / grain];
      begin += first, end += first;
      const std::size_t most = static_cast<std::size_t>(rows.offsets[end] - rows.offsets[begin]) +
                               (end - begin) * (rows.dim * (kNumberBytes + 1) + 1);
      if (block.capacity < most) {
        block.bytes = std::make_unique_for_overwrite<char[]>(most);
        block.capacity = most;
      }
      char* out = block.bytes.get();
      for (std::size_t row = begin; row < end; ++row) out = put_row(rows, row, digits, out);
      block.size = static_cast<std::size_t>(out - block.bytes.get());
    });
    for (std::size_t b = 0; b * grain < count; ++b) sink({blocks[b].bytes.get(), blocks[b].size});
  }
}

}  // namespace nlptk
