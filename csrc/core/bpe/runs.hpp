// How far a run of one kind goes in the next 16 bytes, without a branch for each character: where a word ends cannot
// be foretold, and a wrongly foretold branch costs as much as the rest of a piece.
#pragma once

#include <bit>
#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nlptk::runs {

inline constexpr std::size_t kBlock = 16;  // bytes that must be readable at p

#if defined(__SSE2__)

inline __m128i load(const unsigned char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m128i all(int byte) { return _mm_set1_epi8(static_cast<char>(byte)); }

// Bytes before the first that is not in `inside`, a mask of 0 and 0xFF.
inline std::size_t leading(__m128i inside) {
  return static_cast<std::size_t>(std::countr_one(static_cast<unsigned>(_mm_movemask_epi8(inside))));
}

// ASCII letters: lower case only, or either.
inline std::size_t letters(const unsigned char* p, bool either) {
  const __m128i folded = either ? _mm_or_si128(load(p), all(0x20)) : load(p);
  return leading(_mm_cmplt_epi8(_mm_add_epi8(folded, all(0x80 - 'a')), all(-128 + 26)));
}

// Bytes of whole characters from U+4E00 to U+9FFF (E4 B8 80 to E9 BF BF), the first of which begins at p.
inline std::size_t han(const unsigned char* p) {
  const __m128i bytes = load(p);
  const __m128i tail = _mm_cmplt_epi8(bytes, all(0xC0));
  const __m128i lead = _mm_and_si128(_mm_cmpgt_epi8(bytes, all(0xE3)), _mm_cmplt_epi8(bytes, all(0xEA)));
  const __m128i low_next = _mm_cmplt_epi8(_mm_srli_si128(bytes, 1), all(0xB8));
  const __m128i below = _mm_and_si128(_mm_cmpeq_epi8(bytes, all(0xE4)), low_next);
  const __m128i inside = _mm_andnot_si128(below, _mm_or_si128(tail, lead));
  return static_cast<std::size_t>(std::countr_one(static_cast<unsigned>(_mm_movemask_epi8(inside)) & 0x7FFF));
}

#else

template <class F>
std::size_t leading(const unsigned char* p, F&& inside) {
  std::size_t count = 0;
  while (count < kBlock && inside(p[count])) ++count;
  return count;
}

inline std::size_t letters(const unsigned char* p, bool either) {
  return leading(p, [=](unsigned c) { return (either ? c | 0x20u : c) - 'a' < 26u; });
}

inline std::size_t han(const unsigned char* p) {
  std::size_t count = 0;
  while (count + 3 < kBlock && ((p[count] << 8 | p[count + 1]) - 0xE4B8u) < 0xEA00u - 0xE4B8u) count += 3;
  return count;
}

#endif

}  // namespace nlptk::runs
