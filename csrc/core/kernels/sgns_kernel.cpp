// Skip-gram and CBOW in blocks (Mikolov et al. 2013; negatives shared as in Ji et al. 2016, "Parallelizing Word2Vec in
// Shared and Distributed Memory", but by a whole block): the work is small matrix products over rows in L1 and L2.
#include "kernels/sgns_kernel.hpp"

#include <cmath>
#include <cstring>

#include "kernels/row_tiles.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

constexpr std::size_t kPairs = kSgnsPairs;

// m is a multiple of 4.
template <std::size_t N>
void dot_rows(const float* x, std::size_t stride, const float* const* o, std::size_t m, float* scores, std::size_t ld) {
  for (std::size_t j = 0; j < m; j += 4) dot_tile<N>(x, stride, o + j, scores + j, ld);
}

void add_product(float* const* dst, std::size_t n, const float* g, std::size_t gi, std::size_t gj,
                 const float* const* src, std::size_t m, std::size_t stride) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) add_rows<4>(dst + i, g + i * gi, gi, gj, src, m, stride);
  for (; i < n; ++i) add_rows<1>(dst + i, g + i * gi, gi, gj, src, m, stride);
}

// g[j] = -rate * sigmoid(g[j]) for all of n, a multiple of kWidth: the error against label 0.
NLPTK_INLINE void errors_of_zero(float* g, std::size_t n, float rate) {
  for (std::size_t k = 0; k < n; k += kWidth) store(g + k, splat(-rate) * sigmoid(load(g + k)));
}

void gather(const SgnsBlock& b, const SgnsWorkspace& w) {
  for (std::size_t i = 0; i < b.size; ++i) {
    const std::uint32_t begin = b.input_offsets[i], end = b.input_offsets[i + 1];
    float* x = w.x + i * b.stride;
    if (end - begin == 1) {
      std::memcpy(x, b.in + std::size_t{b.inputs[begin]} * b.stride, b.stride * sizeof(float));
      continue;
    }
    sum_rows(b.in, b.stride, b.inputs + begin, end - begin, 1.0f / static_cast<float>(end - begin), x);
  }
}

void scatter(const SgnsBlock& b, const SgnsWorkspace& w) {
  for (std::size_t i = 0; i < b.size; ++i)
    for (std::uint32_t r = b.input_offsets[i]; r < b.input_offsets[i + 1]; ++r)
      add_scaled(b.in + std::size_t{b.inputs[r]} * b.stride, b.input_weights[i], w.dx + i * b.stride, b.stride);
}

// Inputs and their targets, pair by pair. All of them are scored before any row changes.
struct Pairs {
  std::size_t count = 0;
  std::size_t input[kPairs];
  const float* x[kPairs];
  float* row[kPairs];
  float label[kPairs];
};

void score_pairs(Pairs& p, std::size_t stride, float* scores) {
  for (std::size_t j = p.count; j % 4 != 0; ++j) p.x[j] = p.x[j - 1], p.row[j] = p.row[j - 1];
  for (std::size_t j = 0; j < p.count; j += 4) {
    Vec sums[4] = {zero(), zero(), zero(), zero()};
    for (std::size_t k = 0; k < stride; k += kWidth)
      for (std::size_t i = 0; i < 4; ++i) sums[i] = fma(load(p.x[j + i] + k), load(p.row[j + i] + k), sums[i]);
    store_sums(sums[0], sums[1], sums[2], sums[3], scores + j);
  }
}

void learn_pairs(Pairs& p, const SgnsBlock& b, const SgnsWorkspace& w) {
  float g[kPairs] = {};
  score_pairs(p, b.stride, g);
  for (std::size_t k = 0; k < kPairs; k += kWidth) store(g + k, splat(b.rate) * (load(p.label + k) - sigmoid(load(g + k))));
  for (std::size_t j = 0, n; j < p.count; j += n) {
    for (n = 1; j + n < p.count && p.input[j + n] == p.input[j];) ++n;
    float* dx = w.dx + p.input[j] * b.stride;
    add_rows<1>(&dx, g + j, 0, 1, p.row + j, n, b.stride);
  }
  for (std::size_t j = 0; j < p.count; ++j) add_scaled(p.row[j], g[j], p.x[j], b.stride);
}

// Calls learn(pairs) for all pairs of the block, so many at a time, and before(i) before those of input i.
template <class Learn, class Before>
NLPTK_INLINE void for_pairs(const SgnsBlock& b, const SgnsWorkspace& w, Learn learn, Before before) {
  Pairs pairs = {};
  for (std::size_t i = 0; i < b.size; ++i) {
    before(i);
    for (std::uint32_t t = b.target_offsets[i]; t < b.target_offsets[i + 1]; ++t) {
      const std::size_t j = pairs.count++;
      pairs.input[j] = i;
      pairs.x[j] = w.x + i * b.stride;
      pairs.row[j] = b.out + std::size_t{b.targets[t]} * b.stride;
      pairs.label[j] = b.labels == nullptr ? 1.0f : static_cast<float>(b.labels[t]);
      if (pairs.count < kPairs) continue;
      learn(pairs);
      pairs.count = 0;
    }
  }
  if (pairs.count > 0) learn(pairs);
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

void learn_negatives(const SgnsBlock& b, const SgnsWorkspace& w) {
  float* rows[kSgnsMostRows];
  float* dx[kSgnsMostRows];
  const float* x[kSgnsMostRows];
  for (std::size_t i = 0; i < b.size; ++i) x[i] = w.x + i * b.stride, dx[i] = w.dx + i * b.stride;
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
  std::size_t fetched = 0;
  for_pairs(
      b, w, [&](Pairs& pairs) { learn_pairs(pairs, b, w); },
      // A share of the next block's rows with each input, so that the lines on their way never pile up.
      [&](std::size_t i) {
        for (const std::size_t until = b.prefetch_count * (i + 1) / b.size; fetched < until; ++fetched)
          for (std::size_t k = 0; k < b.stride; k += 16) __builtin_prefetch(b.prefetch[fetched] + k, 1, 2);
      });
  if (b.negative_count > 0) learn_negatives(b, w);
  scatter(b, w);
}

double log_sigmoid(double x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }

double loss(const SgnsBlock& b, const SgnsWorkspace& w) {
  gather(b, w);
  double total = 0;
  const auto add = [&](Pairs& pairs) {
    float scores[kPairs];
    score_pairs(pairs, b.stride, scores);
    for (std::size_t j = 0; j < pairs.count; ++j) total -= log_sigmoid(pairs.label[j] != 0 ? scores[j] : -scores[j]);
  };
  for_pairs(b, w, add, [](std::size_t) {});
  float* rows[kSgnsMostRows];
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
