#include "kernels/fasttext_kernel.hpp"

#include <algorithm>

#include "kernels/row_tiles.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

// Vectors of a row that `learn` keeps in registers, of x and of dx each.
constexpr std::size_t kLearnCols = kWidth == 16 ? 8 : 4;

std::size_t number_of(const std::uint32_t* rows, std::size_t j) { return rows == nullptr ? j : rows[j]; }

void sum(const float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, float share, float* x) {
  sum_rows(table, stride, rows, n, share, x);
}

void add_to_rows(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* dx) {
  for (std::size_t r = 0; r < n; ++r) add_scaled(table + std::size_t{rows[r]} * stride, 1.0f, dx, stride);
}

void score(const float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* x, float* scores) {
  for (std::size_t j = 0; j < n; j += 4) {
    const float* o[4];
    for (std::size_t i = 0; i < 4; ++i) o[i] = table + number_of(rows, std::min(j + i, n - 1)) * stride;
    dot_tile<1>(x, stride, o, scores + j, 0);
  }
}

template <std::size_t C>
void learn_tile(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* g, const float* x,
                float* dx, std::size_t k) {
  Vec input[C], sums[C];
  for (std::size_t c = 0; c < C; ++c) input[c] = load(x + k + c * kWidth), sums[c] = zero();
  for (std::size_t j = 0; j < n; ++j) {
    float* const row = table + number_of(rows, j) * stride + k;
    const Vec weight = splat(g[j]);
    for (std::size_t c = 0; c < C; ++c) {
      const Vec before = load(row + c * kWidth);
      sums[c] = fma(weight, before, sums[c]);
      store(row + c * kWidth, fma(weight, input[c], before));
    }
  }
  for (std::size_t c = 0; c < C; ++c) store(dx + k + c * kWidth, sums[c]);
}

// The last vectors of the rows, at most C.
template <std::size_t C>
void learn_rest(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* g, const float* x,
                float* dx, std::size_t k) {
  if constexpr (C > 0) {
    if (k + C * kWidth == stride) return learn_tile<C>(table, stride, rows, n, g, x, dx, k);
    learn_rest<C - 1>(table, stride, rows, n, g, x, dx, k);
  }
}

void learn(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* g, const float* x, float* dx) {
  std::size_t k = 0;
  for (; k + kLearnCols * kWidth <= stride; k += kLearnCols * kWidth) learn_tile<kLearnCols>(table, stride, rows, n, g, x, dx, k);
  learn_rest<kLearnCols - 1>(table, stride, rows, n, g, x, dx, k);
}

void softmax(float* scores, std::size_t n) {
  const std::size_t padded = row_stride(n);
  std::fill(scores + n, scores + padded, kNegInf);
  Vec most = splat(kNegInf);
  for (std::size_t k = 0; k < padded; k += kWidth) most = max(most, load(scores + k));
  const Vec top = splat(max_lanes(most));
  Vec total = zero();
  for (std::size_t k = 0; k < padded; k += kWidth) {
    const Vec e = exp_negative(load(scores + k) - top);
    store(scores + k, e);
    total = total + e;
  }
  const Vec share = splat(1.0f / sum_lanes(total));
  for (std::size_t k = 0; k < padded; k += kWidth) store(scores + k, load(scores + k) * share);
}

void sigmoids(float* scores, std::size_t n) {
  const std::size_t padded = row_stride(n);
  std::fill(scores + n, scores + padded, 0.0f);
  for (std::size_t k = 0; k < padded; k += kWidth) store(scores + k, sigmoid(load(scores + k)));
}

}  // namespace

extern const FastTextKernels fasttext_kernels;
const FastTextKernels fasttext_kernels = {sum, add_to_rows, score, learn, softmax, sigmoids};

}  // namespace nlptk::NLPTK_ISA
