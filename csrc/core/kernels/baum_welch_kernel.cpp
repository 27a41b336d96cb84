// The sequences of a group share each load of the transition matrix: a step is a small matrix product.
//
// Sums run in float32. Each row of alpha is scaled by the power of two that brings the row before it near 1 (no
// rounding, no logarithm, no wait for its own sum), and beta by the same powers (Rabiner 1989, section V.A), so that
// alpha . beta is the same at every step: beta begins at its inverse and nothing is divided again.
//
// No std:: template or shared inline function may be used here: the file is compiled once per instruction set.
#include "kernels/baum_welch_kernel.hpp"

#include "kernels/simd.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

constexpr bool kManyRegisters = kWidth == 16;  // AVX-512 has 32, the others 16
constexpr int kRows = kManyRegisters ? 8 : 4;

// What underflow has lost is at most 1e-38 for each state and step. It cannot show in the result where a row's sum
// keeps above the one and beta, which says what a unit of alpha is worth, below the other.
constexpr float kSmallestSum = 1e-20f;
constexpr float kHighestBeta = 1e20f;

NLPTK_INLINE float inverse_power(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits = (254u << 23) - (bits & 0x7f800000u);
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return power;
}

NLPTK_INLINE int exponent_of(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return static_cast<int>(bits >> 23) - 127;
}

// Denormals are zero while it lives: they are too small to matter and cost 150 cycles each.
class FlushDenormals {
#if defined(__SSE2__)
 public:
  FlushDenormals() : control_(_mm_getcsr()) { _mm_setcsr(control_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(control_); }

 private:
  unsigned control_;
#else
 public:
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif
};

// Calls f(integral constant R) for the number of rows.
template <int R = kRows, class F>
NLPTK_INLINE void with_rows(std::size_t rows, F f) {
  if constexpr (R > 0) {
    if (rows == R) return f.template operator()<R>();
    with_rows<R - 1>(rows, f);
  }
}

// Vectors of a panel of columns; the widest that the registers hold for a full group is 3.
NLPTK_INLINE std::size_t panel(std::size_t rest) { return rest <= 3 ? rest : rest == 4 ? 2 : 3; }

// emit(r, k, sum over i of v[r][i] * m[i][k]) for R rows and J vectors k.
// Few sums at once would wait for each other: they are taken in U parts.
template <int R, int J, class Emit>
NLPTK_INLINE void product_block(const float* const* v, const float* m, std::size_t n, std::size_t stride, Emit emit) {
  constexpr int U = R * J >= 8 ? 1 : R * J >= 4 ? 2 : R * J >= 2 ? 4 : 8;
  Vec acc[U][R][J];
  for (int u = 0; u < U; ++u)
    for (int r = 0; r < R; ++r)
      for (int k = 0; k < J; ++k) acc[u][r][k] = zero();
  std::size_t i = 0;
  for (; i + U <= n; i += U)
    for (int u = 0; u < U; ++u) {
      Vec row[J];
      for (int k = 0; k < J; ++k) row[k] = load(m + (i + u) * stride + k * kWidth);
      for (int r = 0; r < R; ++r)
        for (int k = 0; k < J; ++k) acc[u][r][k] = fma(splat(v[r][i + u]), row[k], acc[u][r][k]);
    }
  for (; i < n; ++i)
    for (int r = 0; r < R; ++r)
      for (int k = 0; k < J; ++k)
        acc[0][r][k] = fma(splat(v[r][i]), load(m + i * stride + k * kWidth), acc[0][r][k]);
  for (int half = 1; half < U; half *= 2)
    for (int u = 0; u + half < U; u += 2 * half)
      for (int r = 0; r < R; ++r)
        for (int k = 0; k < J; ++k) acc[u][r][k] = acc[u][r][k] + acc[u + half][r][k];
  for (int r = 0; r < R; ++r)
    for (int k = 0; k < J; ++k) emit(r, k, acc[0][r][k]);
}

// The same for all columns.
template <int R, class Emit>
NLPTK_INLINE void product(const HmmTables& tables, const float* const* v, const float* m, Emit emit) {
  const std::size_t n = tables.states;
  const std::size_t stride = tables.stride;
  const std::size_t vectors = (n + kWidth - 1) / kWidth;
  for (std::size_t done = 0; done < vectors;) {
    const std::size_t take = panel(vectors - done);
    const float* block = m + done * kWidth;
    const auto put = [&](int r, int k, Vec value) { emit(r, done + static_cast<std::size_t>(k), value); };
    switch (take) {
      case 1: product_block<R, 1>(v, block, n, stride, put); break;
      case 2: product_block<R, 2>(v, block, n, stride, put); break;
      default: product_block<R, 3>(v, block, n, stride, put); break;
    }
    done += take;
  }
}

NLPTK_INLINE const float* emission_row(const HmmTables& tables, const HmmGroup& group, std::size_t r, std::size_t t) {
  return tables.emission + static_cast<std::size_t>(group.words[r][t]) * tables.stride;
}

NLPTK_INLINE std::size_t longer_than(const HmmGroup& group, std::size_t t, std::size_t active) {
  while (active > 0 && group.lengths[active - 1] <= t) --active;
  return active;
}

void first_row(const HmmTables& tables, HmmGroup& group) {
  for (std::size_t r = 0; r < group.count; ++r) {
    const float* emission = emission_row(tables, group, r, 0);
    Vec sum = zero();
    for (std::size_t k = 0; k < tables.stride; k += kWidth) {
      const Vec alpha = load(group.start[r] + k) * load(emission + k);
      store(group.alpha[r] + k, alpha);
      sum = sum + alpha;
    }
    group.scale[r][0] = 1.0f;
    group.exponent[r] = 0;
    group.sum[r] = sum_lanes(sum);
    group.failed[r] = !(group.sum[r] >= kSmallestSum);
  }
}

template <int R>
NLPTK_INLINE void forward_step(const HmmTables& tables, HmmGroup& group, std::size_t t) {
  const float* before[R];
  const float* emission[R];
  Vec scale[R];
  Vec sum[R];
  for (int r = 0; r < R; ++r) {
    before[r] = group.alpha[r] + (t - 1) * tables.stride;
    emission[r] = emission_row(tables, group, static_cast<std::size_t>(r), t);
    const float power = inverse_power(group.sum[r]);
    group.exponent[r] += exponent_of(group.sum[r]);
    group.scale[r][t] = power;
    scale[r] = splat(power);
    sum[r] = zero();
  }
  product<R>(tables, before, tables.to, [&](int r, std::size_t k, Vec value) {
    const Vec alpha = value * (load(emission[r] + k * kWidth) * scale[r]);
    store(group.alpha[r] + t * tables.stride + k * kWidth, alpha);
    sum[r] = sum[r] + alpha;
  });
  for (int r = 0; r < R; r += 4) {
    float sums[4];
    store_sums(sum[r], sum[r + 1 < R ? r + 1 : r], sum[r + 2 < R ? r + 2 : r], sum[r + 3 < R ? r + 3 : r], sums);
    for (int s = r; s < R && s < r + 4; ++s) {
      group.sum[s] = sums[s - r];
      group.failed[s] |= !(sums[s - r] >= kSmallestSum);
    }
  }
}

void forward(const HmmTables& tables, HmmGroup& group, std::size_t begin, std::size_t end) {
  const FlushDenormals flush;
  if (begin == 0) first_row(tables, group);
  std::size_t active = group.count;
  for (std::size_t t = begin == 0 ? 1 : begin; t < end; ++t) {
    active = longer_than(group, t, active);
    with_rows(active, [&]<int R>() { forward_step<R>(tables, group, t); });
  }
}

// Where sequence r ends.
NLPTK_INLINE void last_row(const HmmTables& tables, HmmGroup& group, std::size_t r) {
  const float value = group.failed[r] ? 0.0f : 1.0f / group.sum[r];
  float* beta = group.beta[r] + (group.lengths[r] - 1) * tables.stride;
  for (std::size_t k = 0; k < tables.stride; k += kWidth) store(beta + k, splat(value));
  group.highest[r] = value;
}

template <int R>
NLPTK_INLINE void backward_step(const HmmTables& tables, HmmGroup& group, std::size_t t) {
  const float* after[R];
  Vec highest[R];
  for (int r = 0; r < R; ++r) {
    after[r] = group.right + static_cast<std::size_t>(r) * tables.stride;
    highest[r] = splat(group.highest[r]);
  }
  product<R>(tables, after, tables.from, [&](int r, std::size_t k, Vec value) {
    store(group.beta[r] + t * tables.stride + k * kWidth, value);
    highest[r] = max(value, highest[r]);
  });
  for (int r = 0; r < R; ++r) {
    group.highest[r] = max_lanes(highest[r]);
    group.failed[r] |= !(group.highest[r] <= kHighestBeta);
  }
}

NLPTK_INLINE void right_side(const HmmTables& tables, const float* emission, const float* beta, float scale,
                             float* right) {
  const Vec factor = splat(scale);
  for (std::size_t k = 0; k < tables.stride; k += kWidth)
    store(right + k, load(emission + k) * load(beta + k) * factor);
}

void backward(const HmmTables& tables, HmmGroup& group, std::size_t begin, std::size_t end) {
  const FlushDenormals flush;
  for (std::size_t t = end; t-- > begin;) {
    const std::size_t active = longer_than(group, t, group.count);
    const std::size_t going = longer_than(group, t + 1, active);
    with_rows(going, [&]<int R>() { backward_step<R>(tables, group, t); });
    for (std::size_t r = going; r < active; ++r) last_row(tables, group, r);
    if (t == 0) return;
    for (std::size_t r = 0; r < active; ++r)
      right_side(tables, emission_row(tables, group, r, t), group.beta[r] + t * tables.stride, group.scale[r][t],
                 group.right + r * tables.stride);
  }
}

void add_emissions(const HmmTables& tables, const float* alpha, const float* beta, const std::int32_t* words,
                   std::size_t count, double* emission) {
  const std::size_t n = tables.states;
  for (std::size_t t = 0; t < count; ++t) {
    double* __restrict out = emission + static_cast<std::size_t>(words[t]) * tables.stride;
    const float* a = alpha + t * tables.stride;
    const float* b = beta + t * tables.stride;
    for (std::size_t j = 0; j < n; ++j) out[j] += static_cast<double>(a[j] * b[j]);
  }
}

void copy_pairs(const HmmTables& tables, const float* alpha, const float* beta, const float* scale,
                const std::int32_t* words, std::size_t count, float* left, float* right) {
  const FlushDenormals flush;
  const std::size_t stride = tables.stride;
  for (std::size_t t = 0; t < count; ++t) {
    for (std::size_t k = 0; k < stride; k += kWidth) store(left + t * stride + k, load(alpha + t * stride + k));
    right_side(tables, tables.emission + static_cast<std::size_t>(words[t + 1]) * stride, beta + (t + 1) * stride,
               scale[t + 1], right + t * stride);
  }
}

// I rows from i and J vectors from k.
template <int I, int J>
NLPTK_INLINE void outer_block(const HmmTables& tables, const float* left, const float* right, std::size_t count,
                              std::size_t i, std::size_t k, double* pairs) {
  const std::size_t stride = tables.stride;
  Vec acc[I][J];
  for (int r = 0; r < I; ++r)
    for (int c = 0; c < J; ++c) acc[r][c] = zero();
  for (std::size_t t = 0; t < count; ++t) {
    Vec row[J];
    for (int c = 0; c < J; ++c) row[c] = load(right + t * stride + (k + c) * kWidth);
    for (int r = 0; r < I; ++r) {
      const Vec a = splat(left[t * stride + i + r]);
      for (int c = 0; c < J; ++c) acc[r][c] = fma(a, row[c], acc[r][c]);
    }
  }
  for (int r = 0; r < I; ++r) {
    alignas(64) float sums[J * kWidth];
    for (int c = 0; c < J; ++c) store(sums + c * kWidth, acc[r][c]);
    double* __restrict out = pairs + (i + r) * stride + k * kWidth;
    for (std::size_t j = 0; j < J * kWidth; ++j) out[j] += static_cast<double>(sums[j]);
  }
}

template <int J>
NLPTK_INLINE void outer_columns(const HmmTables& tables, const float* left, const float* right, std::size_t count,
                                std::size_t k, double* pairs) {
  constexpr int I = kManyRegisters ? (J == 1 ? 12 : 8) : J == 1 ? 8 : J == 2 ? 5 : 3;
  std::size_t i = 0;
  for (; i + I <= tables.states; i += I) outer_block<I, J>(tables, left, right, count, i, k, pairs);
  if (tables.states - i >= I / 2) {
    outer_block<I / 2, J>(tables, left, right, count, i, k, pairs);
    i += I / 2;
  }
  for (; i < tables.states; ++i) outer_block<1, J>(tables, left, right, count, i, k, pairs);
}

void add_pairs(const HmmTables& tables, const float* left, const float* right, std::size_t count, double* pairs) {
  const FlushDenormals flush;
  const std::size_t vectors = (tables.states + kWidth - 1) / kWidth;
  for (std::size_t k = 0; k < vectors;) {
    const std::size_t take = panel(vectors - k);
    switch (take) {
      case 1: outer_columns<1>(tables, left, right, count, k, pairs); break;
      case 2: outer_columns<2>(tables, left, right, count, k, pairs); break;
      default: outer_columns<3>(tables, left, right, count, k, pairs); break;
    }
    k += take;
  }
}

}  // namespace

extern const HmmKernels hmm_kernels;
const HmmKernels hmm_kernels = {kRows, forward, backward, add_emissions, copy_pairs, add_pairs};

}  // namespace NLPTK_ISA
}  // namespace nlptk
