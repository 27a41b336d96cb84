// UTF-8: one code point at a time, and from the widths in which Python keeps a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "text.hpp"

namespace nlptk::utf8 {

// Bytes of the sequence that begins with `lead`, which begins a valid one.
inline std::size_t length_of(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

// The code point at p, which begins a valid sequence.
inline char32_t decode(const char* p) {
  const auto at = [p](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  if (at(0) < 0x80) return at(0);
  if (at(0) < 0xE0) return (at(0) & 31) << 6 | (at(1) & 63);
  if (at(0) < 0xF0) return (at(0) & 15) << 12 | (at(1) & 63) << 6 | (at(2) & 63);
  return (at(0) & 7) << 18 | (at(1) & 63) << 12 | (at(2) & 63) << 6 | (at(3) & 63);
}

// Writes a code point that is no surrogate and returns the end of what was written, at most four bytes on.
inline char* encode(char32_t c, char* out) {
  const auto byte_out = [&out](char32_t byte) { *out++ = static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    byte_out(c);
  } else if (c < 0x800) {
    byte_out(0xC0 | c >> 6), byte_out(0x80 | (c & 63));
  } else if (c < 0x10000) {
    byte_out(0xE0 | c >> 12), byte_out(0x80 | (c >> 6 & 63)), byte_out(0x80 | (c & 63));
  } else {
    byte_out(0xF0 | c >> 18), byte_out(0x80 | (c >> 12 & 63)), byte_out(0x80 | (c >> 6 & 63)), byte_out(0x80 | (c & 63));
  }
  return out;
}

// The same, but the number of bytes.
inline std::size_t put(char32_t c, char* out) { return static_cast<std::size_t>(encode(c, out) - out); }

inline void append(std::string& out, char32_t c) {
  char bytes[4];
  out.append(bytes, put(c, bytes));
}

// Offset of the first byte that begins no valid sequence (RFC 3629), or `size` where there is none.
std::size_t find_invalid(const char* text, std::size_t size);

inline constexpr char32_t kReplacement = 0xFFFD;
inline bool is_surrogate(char32_t c) { return (c & 0xFFFFF800) == 0xD800; }

// Code points that make one character, 1 or 2, and that character: a high surrogate and the low one after it are
// joined, any other surrogate is U+FFFD, as tiktoken has it.
struct Joined {
  char32_t c;
  std::size_t count;
};
template <class T>
Joined join_surrogates(const T* text, std::size_t at, std::size_t size) {
  const char32_t c = text[at];
  if (!is_surrogate(c)) return {c, 1};
  if (c < 0xDC00 && at + 1 < size && (text[at + 1] & ~static_cast<char32_t>(0x3FF)) == 0xDC00)
    return {0x10000 + ((c & 0x3FF) << 10 | (text[at + 1] & 0x3FF)), 2};
  return {kReplacement, 1};
}

// The UTF-8 of one text after another in memory that is kept.
class Buffer {
 public:
  // Valid until the next call, and as long as `text` is: ASCII is not copied.
  std::string_view convert(const TextSpan& text);
  std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

// From byte offsets into the UTF-8 of a text to offsets into its code points.
class Offsets {
 public:
  Offsets(const TextSpan& text, std::string_view bytes) : text_(text), ascii_(bytes.data() == text.data) {}

  // `byte` is where a character begins or the text ends, and not before that of the last call.
  std::size_t to_chars(std::size_t byte);

 private:
  TextSpan text_;
  bool ascii_;
  std::size_t byte_ = 0, char_ = 0;
};

}  // namespace nlptk::utf8
