// One vector of floats as wide as the instruction set this file is compiled for, and what the kernels do with it.
//
// Everything here is static: each kernel file keeps its own copy, so the linker can never pick another set's code.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC's own AVX-512 header starts results from an undefined vector and then warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

namespace nlptk {
namespace NLPTK_ISA {
namespace {

#define NLPTK_INLINE static inline __attribute__((always_inline))
// The compiler must take the vector for changed, without an instruction.
#if defined(__x86_64__) || defined(__i386__)
#define NLPTK_OPAQUE(vector) asm volatile("" : "+v"(vector))
#elif defined(__aarch64__)
#define NLPTK_OPAQUE(vector) asm volatile("" : "+w"(vector))
#else
#define NLPTK_OPAQUE(vector) asm volatile("" : "+m"(vector))
#endif

constexpr float kNegInf = -__builtin_inff();

#if defined(__AVX512F__)

using Vec = __m512;
using VecI = std::int32_t __attribute__((vector_size(64)));
constexpr std::size_t kWidth = 16;
NLPTK_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
NLPTK_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a); }
// The first so many lanes of a vector, 1 to kWidth.
using Lanes = __mmask16;
NLPTK_INLINE Lanes first_lanes(std::size_t n) { return static_cast<Lanes>((1u << n) - 1u); }
// The floats at p in these lanes, `fill` in the others. No float beyond them is touched.
NLPTK_INLINE Vec load_lanes(const float* p, Lanes lanes, Vec fill) { return _mm512_mask_loadu_ps(fill, lanes, p); }
NLPTK_INLINE void store_lanes(float* p, Lanes lanes, Vec a) { _mm512_mask_storeu_ps(p, lanes, a); }
NLPTK_INLINE Vec splat(float x) { return _mm512_set1_ps(x); }
NLPTK_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
NLPTK_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
// One bit for each lane, lane 0 lowest.
NLPTK_INLINE unsigned equal_bits(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
NLPTK_INLINE unsigned less_bits(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }

#elif defined(__AVX2__)

using Vec = __m256;
using VecI = std::int32_t __attribute__((vector_size(32)));
constexpr std::size_t kWidth = 8;
NLPTK_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
NLPTK_INLINE void store(float* p, Vec a) { _mm256_storeu_ps(p, a); }
using Lanes = __m256i;
NLPTK_INLINE Lanes first_lanes(std::size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
NLPTK_INLINE Vec load_lanes(const float* p, Lanes lanes, Vec fill) {
  return _mm256_blendv_ps(fill, _mm256_maskload_ps(p, lanes), _mm256_castsi256_ps(lanes));
}
NLPTK_INLINE void store_lanes(float* p, Lanes lanes, Vec a) { _mm256_maskstore_ps(p, lanes, a); }
NLPTK_INLINE Vec splat(float x) { return _mm256_set1_ps(x); }
NLPTK_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
NLPTK_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
NLPTK_INLINE unsigned equal_bits(Vec a, Vec b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
}
NLPTK_INLINE unsigned less_bits(Vec a, Vec b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}

#else

using Vec = float __attribute__((vector_size(16)));
using VecI = std::int32_t __attribute__((vector_size(16)));
constexpr std::size_t kWidth = 4;
NLPTK_INLINE Vec load(const float* p) {
  Vec a;
  __builtin_memcpy(&a, p, sizeof a);
  return a;
}
NLPTK_INLINE void store(float* p, Vec a) { __builtin_memcpy(p, &a, sizeof a); }
using Lanes = std::size_t;
NLPTK_INLINE Lanes first_lanes(std::size_t n) { return n; }
NLPTK_INLINE Vec load_lanes(const float* p, Lanes lanes, Vec fill) {
  switch (lanes) {
    case 1: return Vec{p[0], fill[1], fill[2], fill[3]};
    case 2: return Vec{p[0], p[1], fill[2], fill[3]};
    case 3: return Vec{p[0], p[1], p[2], fill[3]};
    default: return load(p);
  }
}
NLPTK_INLINE void store_lanes(float* p, Lanes lanes, Vec a) {
  for (std::size_t k = 0; k < lanes; ++k) p[k] = a[k];
}
NLPTK_INLINE Vec splat(float x) { return Vec{x, x, x, x}; }
NLPTK_INLINE unsigned lane_bits(VecI m) {
#if defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128>(m)));
#else
  return (m[0] & 1u) | (m[1] & 2u) | (m[2] & 4u) | (m[3] & 8u);
#endif
}
#if defined(__SSE2__)
NLPTK_INLINE Vec max(Vec a, Vec b) { return _mm_max_ps(a, b); }
#else
NLPTK_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
#endif
NLPTK_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
NLPTK_INLINE unsigned equal_bits(Vec a, Vec b) { return lane_bits(a == b); }
NLPTK_INLINE unsigned less_bits(Vec a, Vec b) { return lane_bits(a < b); }

#endif

NLPTK_INLINE Vec zero() { return splat(0.0f); }

#if defined(__AVX512F__)

NLPTK_INLINE float sum_lanes(Vec a) { return _mm512_reduce_add_ps(a); }
NLPTK_INLINE float max_lanes(Vec a) { return _mm512_reduce_max_ps(a); }

#elif defined(__SSE2__)

// join(a, b) is applied to the halves until one lane is left.
template <class Join>
NLPTK_INLINE float fold_lanes(Vec a, Join join) {
#if defined(__AVX2__)
  __m128 x = join(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
#else
  __m128 x = a;
#endif
  x = join(x, _mm_movehl_ps(x, x));
  x = join(x, _mm_shuffle_ps(x, x, 1));
  return _mm_cvtss_f32(x);
}
NLPTK_INLINE float sum_lanes(Vec a) {
  return fold_lanes(a, [](__m128 x, __m128 y) { return _mm_add_ps(x, y); });
}
NLPTK_INLINE float max_lanes(Vec a) {
  return fold_lanes(a, [](__m128 x, __m128 y) { return _mm_max_ps(x, y); });
}

#else

NLPTK_INLINE float sum_lanes(Vec a) { return (a[0] + a[1]) + (a[2] + a[3]); }
NLPTK_INLINE float max_lanes(Vec a) {
  const float x = a[0] > a[1] ? a[0] : a[1];
  const float y = a[2] > a[3] ? a[2] : a[3];
  return x > y ? x : y;
}

#endif

// out[0 .. 4) = the sums of the lanes of a, b, c and d: a third of the shuffles of four sums one by one.
NLPTK_INLINE void store_sums(Vec a, Vec b, Vec c, Vec d, float* out) {
#if defined(__AVX512F__)
  const Vec ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
  const Vec cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
  const Vec all = _mm512_shuffle_ps(ab, cd, 0x44) + _mm512_shuffle_ps(ab, cd, 0xEE);
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
#elif defined(__AVX2__)
  const Vec ab = _mm256_unpacklo_ps(a, b) + _mm256_unpackhi_ps(a, b);
  const Vec cd = _mm256_unpacklo_ps(c, d) + _mm256_unpackhi_ps(c, d);
  const Vec all = _mm256_shuffle_ps(ab, cd, 0x44) + _mm256_shuffle_ps(ab, cd, 0xEE);
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
#else
  out[0] = sum_lanes(a), out[1] = sum_lanes(b), out[2] = sum_lanes(c), out[3] = sum_lanes(d);
#endif
}

// exp(x) for x <= 0, relative error below 2e-7; exactly 0 below -87 (and for -inf).
// Cephes expf: x = n ln 2 + r with |r| <= ln 2 / 2, a degree 5 polynomial in r, and n added to the exponent.
NLPTK_INLINE Vec exp_negative(Vec x) {
  const Vec clamped = max(x, splat(-88.0f));
  const Vec magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest integer
  const Vec shifted = fma(clamped, splat(1.44269504088896341f), magic);
  const Vec n = shifted - magic;
  Vec r = fma(n, splat(-0.693359375f), clamped);
  r = fma(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r + splat(1.0f));
  const VecI power = (reinterpret_cast<VecI>(shifted) << 23) + reinterpret_cast<VecI>(p);
#if defined(__AVX512F__)
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, splat(-87.0f), _CMP_GE_OQ), reinterpret_cast<Vec>(power));
#else
  return reinterpret_cast<Vec>(power & reinterpret_cast<VecI>(x >= splat(-87.0f)));
#endif
}

}  // namespace
}  // namespace NLPTK_ISA
}  // namespace nlptk
