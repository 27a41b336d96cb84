// Products of a few rows of floats, `stride` apart, a multiple of kRowLanes: what word2vec and fastText learn by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/row_layout.hpp"
#include "kernels/simd.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

// Vectors of a row that one pass over N rows keeps in registers: 32 there are with AVX-512, else 16.
template <std::size_t N>
constexpr std::size_t kCols = (kWidth == 16 ? 16 : 8) / (N == 1 ? 2 : N);
static_assert(kRowLanes % kWidth == 0);

// scores[i * ld + j] = x_i . o_j for N inputs and four outputs.
template <std::size_t N>
void dot_tile(const float* x, std::size_t stride, const float* const* o, float* scores, std::size_t ld) {
  constexpr std::size_t M = 4;
  Vec sums[N][M];
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t j = 0; j < M; ++j) sums[i][j] = zero();
  for (std::size_t k = 0; k < stride; k += kWidth) {
    Vec b[M];
    for (std::size_t j = 0; j < M; ++j) b[j] = load(o[j] + k);
    for (std::size_t i = 0; i < N; ++i) {
      const Vec a = load(x + i * stride + k);
      for (std::size_t j = 0; j < M; ++j) sums[i][j] = fma(a, b[j], sums[i][j]);
    }
  }
  for (std::size_t i = 0; i < N; ++i) store_sums(sums[i][0], sums[i][1], sums[i][2], sums[i][3], scores + i * ld);
}

// dst_i += sum over j of g[i * gi + j * gj] src_j, for N rows dst and m rows src, C vectors of each from k on. Rows of
// dst may be one row twice: each is read again before it is written.
template <std::size_t N, std::size_t C>
void add_tile(float* const* dst, const float* g, std::size_t gi, std::size_t gj, const float* const* src,
              std::size_t m, std::size_t k) {
  Vec sums[N][C];
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t c = 0; c < C; ++c) sums[i][c] = zero();
  for (std::size_t j = 0; j < m; ++j) {
    Vec s[C];
    for (std::size_t c = 0; c < C; ++c) s[c] = load(src[j] + k + c * kWidth);
    for (std::size_t i = 0; i < N; ++i) {
      const Vec weight = splat(g[i * gi + j * gj]);
      for (std::size_t c = 0; c < C; ++c) sums[i][c] = fma(weight, s[c], sums[i][c]);
    }
  }
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t c = 0; c < C; ++c) {
      float* p = dst[i] + k + c * kWidth;
      store(p, load(p) + sums[i][c]);
    }
}

// The last vectors of the rows, at most C.
template <std::size_t N, std::size_t C>
NLPTK_INLINE void add_rest(float* const* dst, const float* g, std::size_t gi, std::size_t gj, const float* const* src,
                           std::size_t m, std::size_t k, std::size_t stride) {
  if constexpr (C > 0) {
    if (k + C * kWidth == stride) return add_tile<N, C>(dst, g, gi, gj, src, m, k);
    add_rest<N, C - 1>(dst, g, gi, gj, src, m, k, stride);
  }
}

template <std::size_t N>
void add_rows(float* const* dst, const float* g, std::size_t gi, std::size_t gj, const float* const* src, std::size_t m,
              std::size_t stride) {
  std::size_t k = 0;
  for (; k + kCols<N> * kWidth <= stride; k += kCols<N> * kWidth) add_tile<N, kCols<N>>(dst, g, gi, gj, src, m, k);
  add_rest<N, kCols<N> - 1>(dst, g, gi, gj, src, m, k, stride);
}

NLPTK_INLINE void add_scaled(float* dst, float scale, const float* src, std::size_t stride) {
  const Vec weight = splat(scale);
  for (std::size_t k = 0; k < stride; k += kWidth) store(dst + k, fma(weight, load(src + k), load(dst + k)));
}

// x = share * the sum of n rows of a table; an input of many rows.
NLPTK_INLINE void sum_rows(const float* table, std::size_t stride, const std::uint32_t* ids, std::size_t n, float share,
                           float* x) {
  constexpr std::size_t kAtOnce = 16;
  std::memset(x, 0, stride * sizeof(float));
  const float* rows[kAtOnce];
  for (std::size_t r = 0; r < n;) {
    std::size_t m = 0;
    for (; m < kAtOnce && r < n; ++m, ++r) rows[m] = table + std::size_t{ids[r]} * stride;
    add_rows<1>(&x, &share, 0, 0, rows, m, stride);
  }
}

// 1 / (1 + exp(-x)), from exp of a number that is not positive.
NLPTK_INLINE Vec sigmoid(Vec x) {
  const Vec e = exp_negative(zero() - max(x, zero() - x));
  const Vec high = splat(1.0f) / (e + splat(1.0f));
  return max(x, zero()) == zero() ? e * high : high;
}

}  // namespace
}  // namespace nlptk::NLPTK_ISA
