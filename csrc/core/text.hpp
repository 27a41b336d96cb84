// A text as kernels see it: code points in the width in which Python keeps them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace nlptk {

struct TextSpan {
  const void* data = nullptr;
  int kind = 1;            // bytes for each code point: 1, 2 or 4
  std::size_t length = 0;  // code points
};

// Calls f with a typed pointer to the code points (const uint8_t*, uint16_t* or uint32_t*).
template <class F>
decltype(auto) visit_text(const TextSpan& text, F&& f) {
  switch (text.kind) {
    case 1: return f(static_cast<const std::uint8_t*>(text.data));
    case 2: return f(static_cast<const std::uint16_t*>(text.data));
    default: return f(static_cast<const std::uint32_t*>(text.data));
  }
}

// Copies the code points to out[text.length].
inline void widen(const TextSpan& text, char32_t* out) {
  visit_text(text, [&](const auto* data) { std::copy(data, data + text.length, out); });
}

}  // namespace nlptk
