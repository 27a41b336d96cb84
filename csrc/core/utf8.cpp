#include "utf8.hpp"

#include <bit>
#include <cstring>

namespace nlptk::utf8 {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t load64(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

bool is_ascii(const char* text, std::size_t size) {
  std::uint64_t high = 0;
  std::size_t i = 0;
  for (; i + 64 <= size && (high & kHighBits) == 0; i += 64)
    for (std::size_t j = 0; j < 64; j += 8) high |= load64(text + i + j);
  if ((high & kHighBits) != 0) return false;
  for (; i < size; ++i) high |= static_cast<unsigned char>(text[i]);
  return (high & kHighBits) == 0;
}

// Bytes of the valid sequence that begins at p with a byte from 0x80 on, or 0.
std::size_t sequence(const unsigned char* p, std::size_t left) {
  const unsigned lead = p[0];
  const auto in = [&](std::size_t i, unsigned low, unsigned high) { return i < left && p[i] >= low && p[i] <= high; };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return tail(1) ? 2 : 0;
  if (lead < 0xF0) return in(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  return in(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
}

bool is_three_bytes(std::uint32_t c) { return c >= 0x800 && c < 0x10000 && !is_surrogate(c); }

// `out` has a byte to spare.
template <class T>
char* convert_wide(const T* text, std::size_t size, char* out) {
  for (std::size_t i = 0; i < size;) {
    for (; i < size && text[i] < 0x80; ++i) *out++ = static_cast<char>(text[i]);
    if constexpr (sizeof(T) > 1) {
      // Chinese text is here: one store of four bytes, of which three count.
      for (; i < size && is_three_bytes(text[i]); ++i) {
        const std::uint32_t c = text[i];
        const std::uint32_t bytes = 0x8080E0 | c >> 12 | (c & 0xFC0) << 2 | (c & 63) << 16;
        if constexpr (std::endian::native == std::endian::little)
          std::memcpy(out, &bytes, sizeof bytes);
        else
          for (int k = 0; k < 3; ++k) out[k] = static_cast<char>(bytes >> 8 * k);
        out += 3;
      }
    }
    if (i < size && text[i] >= 0x80) {
      const Joined joined = join_surrogates(text, i, size);
      out = encode(joined.c, out);
      i += joined.count;
    }
  }
  return out;
}

template <class T>
std::size_t bytes_of(char32_t c) {
  if (c < 0x80) return 1;
  if (sizeof(T) == 1 || c < 0x800) return 2;
  return c < 0x10000 ? 3 : 4;
}

}  // namespace

std::size_t find_invalid(const char* text, std::size_t size) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text);
  std::size_t i = 0;
  while (i < size) {
    while (i + 8 <= size && (load64(text + i) & kHighBits) == 0) i += 8;
    while (i < size && bytes[i] < 0x80) ++i;
    // Chinese text is here: the lead bytes of three bytes but for E0 and ED, which ask more of the second.
    while (i + 3 <= size && (bytes[i] & 0xF0) == 0xE0 && bytes[i] != 0xE0 && bytes[i] != 0xED &&
           ((bytes[i + 1] & 0xC0) | (bytes[i + 2] & 0xC0) << 8) == 0x8080)
      i += 3;
    if (i < size && bytes[i] >= 0x80) {
      const std::size_t length = sequence(bytes + i, size - i);
      if (length == 0) return i;
      i += length;
    }
  }
  return size;
}

std::string_view Buffer::convert(const TextSpan& text) {
  const char* narrow = static_cast<const char*>(text.data);
  if (text.kind == 1 && is_ascii(narrow, text.length)) return {narrow, text.length};
  const std::size_t most = text.length * (text.kind == 1 ? 2 : text.kind == 2 ? 3 : 4) + 1;
  if (most > capacity_) {
    bytes_.reset(new char[most]);
    capacity_ = most;
  }
  char* end = visit_text(text, [&](const auto* data) { return convert_wide(data, text.length, bytes_.get()); });
  return {bytes_.get(), static_cast<std::size_t>(end - bytes_.get())};
}

std::size_t Offsets::to_chars(std::size_t byte) {
  if (ascii_) return byte;
  visit_text(text_, [&](const auto* data) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(data)>>;
    while (byte_ < byte && char_ < text_.length) {
      const Joined joined = join_surrogates(data, char_, text_.length);
      byte_ += bytes_of<T>(joined.c);
      char_ += joined.count;
    }
  });
  return char_;
}

}  // namespace nlptk::utf8
