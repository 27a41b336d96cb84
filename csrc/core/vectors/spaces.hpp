// Words between white space, as Python's str.split() finds them, in valid UTF-8.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace nlptk::utf8 {

// 1: white space; 2: begins a sequence that may be white space (U+0085, U+00A0, U+1680, U+2000..3000); 0: neither.
inline constexpr std::array<unsigned char, 256> kSpaceKind = [] {
  std::array<unsigned char, 256> kind{};
  for (const int c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20}) kind[static_cast<std::size_t>(c)] = 1;
  for (const int c : {0xC2, 0xE1, 0xE2, 0xE3}) kind[static_cast<std::size_t>(c)] = 2;
  return kind;
}();

// Bytes of the white space character at p < end, 0 if there is none; also where the text is no valid UTF-8.
inline std::size_t space_at(const char* p, const char* end) {
  const auto at = [p](int i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char kind = kSpaceKind[at(0)];
  if (kind < 2) return kind;
  if (at(0) == 0xC2) return end - p >= 2 && (at(1) == 0x85 || at(1) == 0xA0) ? 2 : 0;
  if (end - p < 3) return 0;
  if (at(0) == 0xE1) return at(1) == 0x9A && at(2) == 0x80 ? 3 : 0;
  if (at(0) == 0xE3) return at(1) == 0x80 && at(2) == 0x80 ? 3 : 0;
  if (at(1) == 0x80) return (at(2) >= 0x80 && at(2) <= 0x8A) || at(2) == 0xA8 || at(2) == 0xA9 || at(2) == 0xAF ? 3 : 0;
  return at(1) == 0x81 && at(2) == 0x9F ? 3 : 0;
}

// The next word of `text` from `at` on, which moves behind it; empty where there is none.
inline std::string_view next_word(std::string_view text, std::size_t& at) {
  const char* const end = text.data() + text.size();
  const char* p = text.data() + at;
  while (p < end) {
    const std::size_t space = space_at(p, end);
    if (space == 0) break;
    p += space;
  }
  const char* const begin = p;
  while (p < end && space_at(p, end) == 0) ++p;
  at = static_cast<std::size_t>(p - text.data());
  return {begin, static_cast<std::size_t>(p - begin)};
}

}  // namespace nlptk::utf8
