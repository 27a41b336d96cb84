// Skip-gram and CBOW in blocks (Mikolov et al. 2013; negatives shared as in Ji et al. 2016, "Parallelizing Word2Vec in
// Shared and Distributed Memory", but by a whole block): the work is small matrix products over rows in L1 and L2.
#include "kernels/sgns_kernel.hpp"

#include <cmath>
#include <cstring>

#include "kernels/simd.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

constexpr std::size_t kCols = kWidth == 4 ? 2 : 4;  // vectors of a row that one pass keeps in registers
static_assert(kSgnsLanes % kWidth == 0);

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

// m is a multiple of 4.
template <std::size_t N>
void dot_rows(const float* x, std::size_t stride, const float* const* o, std::size_t m, float* scores, std::size_t ld) {
  for (std::size_t j = 0; j < m; j += 4) dot_tile<N>(x, stride, o + j, scores + j, ld);
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

template <std::size_t N>
void add_rows(float* const* dst, const float* g, std::size_t gi, std::size_t gj, const float* const* src, std::size_t m,
              std::size_t stride) {
  std::size_t k = 0;
  for (; k + kCols * kWidth <= stride; k += kCols * kWidth) add_tile<N, kCols>(dst, g, gi, gj, src, m, k);
  switch ((stride - k) / kWidth) {
    case 1: return add_tile<N, 1>(dst, g, gi, gj, src, m, k);
    case 2: return add_tile<N, 2>(dst, g, gi, gj, src, m, k);
    case 3: return add_tile<N, 3>(dst, g, gi, gj, src, m, k);
  }
}

void add_product(float* const* dst, std::size_t n, const float* g, std::size_t gi, std::size_t gj,
                 const float* const* src, std::size_t m, std::size_t stride) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) add_rows<4>(dst + i, g + i * gi, gi, gj, src, m, stride);
  for (; i < n; ++i) add_rows<1>(dst + i, g + i * gi, gi, gj, src, m, stride);
}

NLPTK_INLINE void add_scaled(float* dst, float scale, const float* src, std::size_t stride) {
  const Vec weight = splat(scale);
  for (std::size_t k = 0; k < stride; k += kWidth) store(dst + k, fma(weight, load(src + k), load(dst + k)));
}

// 1 / (1 + exp(-x)), from exp of a number that is not positive.
NLPTK_INLINE Vec sigmoid(Vec x) {
  const Vec e = exp_negative(zero() - max(x, zero() - x));
  const Vec high = splat(1.0f) / (e + splat(1.0f));
  return max(x, zero()) == zero() ? e * high : high;
}

// g[j] = -rate * sigmoid(g[j]) for all of n, a multiple of kWidth: the error against label 0.
NLPTK_INLINE void errors_of_zero(float* g, std::size_t n, float rate) {
  for (std::size_t k = 0; k < n; k += kWidth) store(g + k, splat(-rate) * sigmoid(load(g + k)));
}

void gather(const SgnsBlock& b, const SgnsWorkspace& w) {
  for (std::size_t i = 0; i < b.size; ++i) {
    const std::uint32_t begin = b.input_offsets[i], end = b.input_offsets[i + 1];
    float* x = w.x + i * b.stride;
    std::memcpy(x, b.in + std::size_t{b.inputs[begin]} * b.stride, b.stride * sizeof(float));
    if (end - begin == 1) continue;
    for (std::uint32_t r = begin + 1; r < end; ++r) add_scaled(x, 1.0f, b.in + std::size_t{b.inputs[r]} * b.stride, b.stride);
    const Vec share = splat(1.0f / static_cast<float>(end - begin));
    for (std::size_t k = 0; k < b.stride; k += kWidth) store(x + k, load(x + k) * share);
  }
}

void scatter(const SgnsBlock& b, const SgnsWorkspace& w) {
  for (std::size_t i = 0; i < b.size; ++i)
    for (std::uint32_t r = b.input_offsets[i]; r < b.input_offsets[i + 1]; ++r)
      add_scaled(b.in + std::size_t{b.inputs[r]} * b.stride, 1.0f, w.dx + i * b.stride, b.stride);
}

// Scores of one input against `m` of its targets, at most kSgnsMostRows, into w.row; by fours, the last row again for those
// that are missing.
NLPTK_INLINE void score_targets(const SgnsBlock& b, const SgnsWorkspace& w, std::size_t i, std::uint32_t begin,
                                std::size_t m, float** rows) {
  for (std::size_t j = 0; j < m; ++j) rows[j] = b.out + std::size_t{b.targets[begin + j]} * b.stride;
  const std::size_t whole = (m + 3) / 4 * 4;
  for (std::size_t j = m; j < whole; ++j) rows[j] = rows[m - 1];
  dot_rows<1>(w.x + i * b.stride, b.stride, rows, whole, w.row, 0);
}

void learn_targets(const SgnsBlock& b, const SgnsWorkspace& w, std::size_t i) {
  float* rows[kSgnsMostRows];
  const float* x = w.x + i * b.stride;
  float* dx = w.dx + i * b.stride;
  std::size_t m = 0;
  for (std::uint32_t begin = b.target_offsets[i]; begin < b.target_offsets[i + 1]; begin += static_cast<std::uint32_t>(m)) {
    m = b.target_offsets[i + 1] - begin;
    if (m > kSgnsMostRows) m = kSgnsMostRows;
    score_targets(b, w, i, begin, m, rows);
    for (std::size_t k = 0; k < m; k += kWidth) store(w.row + k, sigmoid(load(w.row + k)));
    for (std::size_t j = 0; j < m; ++j) {
      const float label = b.labels == nullptr ? 1.0f : static_cast<float>(b.labels[begin + j]);
      w.row[j] = b.rate * (label - w.row[j]);
    }
    add_rows<1>(&dx, w.row, 0, 1, rows, m, b.stride);
    for (std::size_t j = 0; j < m; ++j) add_scaled(rows[j], w.row[j], x, b.stride);
  }
}

NLPTK_INLINE void score_negatives(const SgnsBlock& b, const SgnsWorkspace& w, float* const* rows) {
  std::size_t i = 0;
  const std::size_t m = b.negative_count;
  for (; i + 4 <= b.size; i += 4) dot_rows<4>(w.x + i * b.stride, b.stride, rows, m, w.scores + i * m, m);
  for (; i < b.size; ++i) dot_rows<1>(w.x + i * b.stride, b.stride, rows, m, w.scores + i * m, m);
}

NLPTK_INLINE void name_negatives(const SgnsBlock& b, float** rows) {
  for (std::size_t j = 0; j < b.negative_count; ++j) rows[j] = b.out + std::size_t{b.negatives[j]} * b.stride;
}

void learn_negatives(const SgnsBlock& b, const SgnsWorkspace& w, float* const* dx, const float* const* x) {
  float* rows[kSgnsMostRows];
  name_negatives(b, rows);
  score_negatives(b, w, rows);
  const std::size_t m = b.negative_count;
  for (std::size_t i = 0; i < b.size; ++i) errors_of_zero(w.scores + i * m, m, b.rate * b.negative_weights[i]);
  add_product(dx, b.size, w.scores, m, 1, rows, m, b.stride);
  add_product(rows, m, w.scores, 1, m, x, b.size, b.stride);
}

void step(const SgnsBlock& b, const SgnsWorkspace& w) {
  gather(b, w);
  std::memset(w.dx, 0, b.size * b.stride * sizeof(float));
  float* dx[kSgnsMostRows];
  const float* x[kSgnsMostRows];
  std::size_t fetched = 0;
  for (std::size_t i = 0; i < b.size; ++i) {
    // A share of the next block's rows with each input, so that the lines on their way never pile up.
    for (const std::size_t until = b.prefetch_count * (i + 1) / b.size; fetched < until; ++fetched)
      for (std::size_t k = 0; k < b.stride; k += 16) __builtin_prefetch(b.prefetch[fetched] + k, 1, 2);
    x[i] = w.x + i * b.stride;
    dx[i] = w.dx + i * b.stride;
    learn_targets(b, w, i);
  }
  if (b.negative_count > 0) learn_negatives(b, w, dx, x);
  scatter(b, w);
}

double log_sigmoid(double x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }

double loss(const SgnsBlock& b, const SgnsWorkspace& w) {
  gather(b, w);
  float* rows[kSgnsMostRows];
  double total = 0;
  for (std::size_t i = 0; i < b.size; ++i) {
    std::size_t m = 0;
    for (std::uint32_t begin = b.target_offsets[i]; begin < b.target_offsets[i + 1]; begin += static_cast<std::uint32_t>(m)) {
      m = b.target_offsets[i + 1] - begin;
      if (m > kSgnsMostRows) m = kSgnsMostRows;
      score_targets(b, w, i, begin, m, rows);
      for (std::size_t j = 0; j < m; ++j) {
        const bool is_one = b.labels == nullptr || b.labels[begin + j] != 0;
        total -= log_sigmoid(is_one ? w.row[j] : -w.row[j]);
      }
    }
  }
  name_negatives(b, rows);
  score_negatives(b, w, rows);
  for (std::size_t i = 0; i < b.size; ++i)
    for (std::size_t j = 0; j < b.negative_count; ++j)
      total -= static_cast<double>(b.negative_weights[i]) * log_sigmoid(-w.scores[i * b.negative_count + j]);
  return total;
}

}  // namespace

extern const SgnsKernels sgns_kernels;
const SgnsKernels sgns_kernels = {step, loss};

}  // namespace nlptk::NLPTK_ISA
