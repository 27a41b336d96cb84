// Forward-backward of one sequence in scaled float32, and the table of this instruction set's kernels.
//
// No std:: template or shared inline function may be used here: the file is compiled once per instruction set.
#include "kernels/chain_parts.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

// Sums are kept near 1 by powers of two, which costs no rounding and no logarithm.
NLPTK_INLINE int exponent_of(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return static_cast<int>(bits >> 23) - 127;
}

NLPTK_INLINE float power_of_two(int exponent) {
  const std::uint32_t bits = static_cast<std::uint32_t>(exponent + 127) << 23;
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// Below this, what underflow has lost (at most 1e-38 for each label and step) could show in the result.
constexpr float kSmallest = 1e-20f;

// transitions[i][j] += exp_to[i][j] * sum over t of a[t][i] * b[t][j], for I rows from i and J vectors from k.
template <int I, int J>
NLPTK_INLINE void outer_block(const ChainTables& tables, const float* a, const float* b, std::size_t steps,
                              std::size_t i, std::size_t k, double* transitions) {
  const std::size_t n = tables.labels;
  const std::size_t stride = tables.stride;
  Vec acc[I][J];
  for (int r = 0; r < I; ++r)
    for (int c = 0; c < J; ++c) acc[r][c] = zero();
  for (std::size_t t = 0; t < steps; ++t) {
    Vec right[J];
    for (int c = 0; c < J; ++c) right[c] = load(b + t * stride + (k + c) * kWidth);
    for (int r = 0; r < I; ++r) {
      const Vec left = splat(a[t * stride + i + r]);
      for (int c = 0; c < J; ++c) acc[r][c] = fma(left, right[c], acc[r][c]);
    }
  }
  const std::size_t begin = k * kWidth;
  const std::size_t count = begin + J * kWidth < n ? J * kWidth : n - begin;
  for (int r = 0; r < I; ++r) {
    alignas(64) float sums[J * kWidth];
    for (int c = 0; c < J; ++c)
      store(sums + c * kWidth, acc[r][c] * load(tables.exp_to + (i + r) * stride + begin + c * kWidth));
    double* out = transitions + (i + r) * n + begin;
    for (std::size_t j = 0; j < count; ++j) out[j] += static_cast<double>(sums[j]);
  }
}

template <int I, int J>
NLPTK_INLINE void outer_columns(const ChainTables& tables, const float* a, const float* b, std::size_t steps,
                                std::size_t k, double* transitions) {
  std::size_t i = 0;
  for (; i + I <= tables.labels; i += I) outer_block<I, J>(tables, a, b, steps, i, k, transitions);
  for (; i < tables.labels; ++i) outer_block<1, J>(tables, a, b, steps, i, k, transitions);
}

void add_transitions(const ChainTables& tables, const float* a, const float* b, std::size_t steps,
                     double* transitions) {
  constexpr bool many = kWidth == 16;  // AVX-512 has 32 registers, the others 16
  const std::size_t vectors = (tables.labels + kWidth - 1) / kWidth;
  for (std::size_t k = 0; k < vectors;) {
    const std::size_t rest = vectors - k;
    const std::size_t take = rest <= 3 ? rest : rest == 4 ? 2 : 3;
    switch (take) {
      case 1: outer_columns<many ? 12 : 8, 1>(tables, a, b, steps, k, transitions); break;
      case 2: outer_columns<many ? 8 : 5, 2>(tables, a, b, steps, k, transitions); break;
      default: outer_columns<many ? 6 : 3, 3>(tables, a, b, steps, k, transitions); break;
    }
    k += take;
  }
}

// Where one call keeps its rows, each [length, stride].
struct SumRows {
  float* alpha;   // sums over the paths up to here, scaled; later times what makes expected transitions of them
  float* inside;  // exp(emission - the row's maximum); later times beta
  float* beta;    // sums over the paths from here on, scaled; later the marginals
  float* scale;   // [length] the factor that scaled beta

  SumRows(float* scratch, std::size_t length, std::size_t stride)
      : alpha(scratch),
        inside(alpha + length * stride),
        beta(inside + length * stride),
        scale(beta + length * stride) {}
};

// Fills `inside`; false where a row has no allowed label.
template <int V>
NLPTK_INLINE bool exponentiate(const Shape<V>& shape, const float* emissions, std::size_t length, float* inside,
                               double* shift) {
  for (std::size_t t = 0; t < length; ++t) {
    const float* row = emissions + t * shape.labels;
    Vec top = shape.dense(row, 0, kNegInf);
    for (std::size_t k = 1; k < shape.vectors(); ++k) top = max(top, shape.dense(row, k, kNegInf));
    const float highest = max_lanes(top);
    if (!(highest > kNegInf)) return false;
    *shift += static_cast<double>(highest);
    for (std::size_t k = 0; k < shape.vectors(); ++k)
      store(inside + t * shape.stride + k * kWidth, exp_negative(shape.dense(row, k, kNegInf) - splat(highest)));
  }
  return true;
}

// Fills alpha from the left and beta from the right in one loop: neither waits for the other, so the processor
// overlaps them. The scale of a step is that of the row before: no step waits for its own sum.
template <int V>
NLPTK_INLINE bool sweep(const Shape<V>& shape, const ChainTables& tables, std::size_t length, const SumRows& rows,
                        float* inside_beta, std::int64_t* exponent) {
  const std::size_t stride = shape.stride;
  const float* last = rows.inside + (length - 1) * stride;
  Vec alpha_sum = zero();
  Vec beta_sum = zero();
  for (std::size_t k = 0; k < shape.vectors(); ++k) {
    const Vec alpha = load(tables.exp_start + k * kWidth) * load(rows.inside + k * kWidth);
    const Vec beta = load(tables.exp_end + k * kWidth);
    const Vec both = beta * load(last + k * kWidth);
    store(rows.alpha + k * kWidth, alpha);
    store(rows.beta + (length - 1) * stride + k * kWidth, beta);
    store(inside_beta + k * kWidth, both);
    alpha_sum = alpha_sum + alpha;
    beta_sum = beta_sum + both;
  }
  rows.scale[length - 1] = 1.0f;
  float* next = inside_beta + stride;
  for (std::size_t t = 1; t < length; ++t) {
    const float alpha_before = sum_lanes(alpha_sum);
    const float beta_before = sum_lanes(beta_sum);
    if (!(alpha_before >= kSmallest && beta_before >= kSmallest)) return false;
    const int power = exponent_of(alpha_before);
    *exponent += power;
    const Vec alpha_scale = splat(power_of_two(-power));
    float* alpha = rows.alpha + t * stride;
    const float* inside = rows.inside + t * stride;
    alpha_sum = zero();
    product<SumProduct>(shape, alpha - stride, tables.exp_to, [&](std::size_t k, Vec value) {
      const Vec scaled = value * (load(inside + k * kWidth) * alpha_scale);
      store(alpha + k * kWidth, scaled);
      alpha_sum = alpha_sum + scaled;
    });

    const std::size_t u = length - 1 - t;
    rows.scale[u] = power_of_two(-exponent_of(beta_before));
    const Vec beta_scale = splat(rows.scale[u]);
    float* beta = rows.beta + u * stride;
    const float* inside_u = rows.inside + u * stride;
    beta_sum = zero();
    product<SumProduct>(shape, inside_beta, tables.exp_from, [&](std::size_t k, Vec value) {
      const Vec scaled = value * beta_scale;
      const Vec both = scaled * load(inside_u + k * kWidth);
      store(beta + k * kWidth, scaled);
      store(next + k * kWidth, both);
      beta_sum = beta_sum + both;
    });
    float* swap = inside_beta;
    inside_beta = next;
    next = swap;
  }
  return true;
}

// Makes marginals of beta, and of alpha and `inside` the two sides of the expected transitions. alpha . beta at t is
// Z up to the scales, so each row is made to sum to 1 by its own. Returns alpha . beta at the end; 0 is failure.
template <int V>
NLPTK_INLINE float combine(const Shape<V>& shape, std::size_t length, const SumRows& rows) {
  float z = 0.0f;
  for (std::size_t t = 0; t < length; ++t) {
    float* alpha = rows.alpha + t * shape.stride;
    float* beta = rows.beta + t * shape.stride;
    float* inside = rows.inside + t * shape.stride;
    Vec overlap = zero();
    for (std::size_t k = 0; k < shape.vectors(); ++k)
      overlap = fma(load(alpha + k * kWidth), load(beta + k * kWidth), overlap);
    z = sum_lanes(overlap);
    if (!(z >= kSmallest)) return 0.0f;
    const Vec inverse = splat(1.0f / z);
    const Vec scale = splat(rows.scale[t]);
    for (std::size_t k = 0; k < shape.vectors(); ++k) {
      const Vec a = load(alpha + k * kWidth) * inverse;
      const Vec b = load(beta + k * kWidth);
      store(beta + k * kWidth, a * b);
      store(alpha + k * kWidth, a * scale);
      store(inside + k * kWidth, load(inside + k * kWidth) * b);
    }
  }
  return z;
}

template <int V>
bool forward_backward_rows(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                           const ChainSums& sums, ScaledSum* total) {
  const Shape<V> shape(tables);
  const std::size_t n = shape.labels;
  const std::size_t stride = shape.stride;
  float* turn = scratch;  // two rows, taken in turn
  const SumRows rows(scratch + 2 * stride, length, stride);
  ScaledSum result{0.0f, 0, 0.0};
  if (!exponentiate(shape, emissions, length, rows.inside, &result.shift)) return false;
  if (!sweep(shape, tables, length, rows, turn, &result.exponent)) return false;
  result.mantissa = combine(shape, length, rows);
  if (result.mantissa == 0.0f) return false;
  *total = result;

  if (sums.marginals != nullptr)
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t k = 0; k < shape.vectors(); ++k)
        shape.store_dense(sums.marginals + t * n, k, load(rows.beta + t * stride + k * kWidth));
  const float* final_row = rows.beta + (length - 1) * stride;
  for (std::size_t j = 0; sums.start != nullptr && j < n; ++j) sums.start[j] += static_cast<double>(rows.beta[j]);
  for (std::size_t j = 0; sums.end != nullptr && j < n; ++j) sums.end[j] += static_cast<double>(final_row[j]);
  if (sums.transitions != nullptr) {
    constexpr std::size_t chunk = 256;  // float32 sums stay short
    for (std::size_t t = 0; t + 1 < length; t += chunk) {
      const std::size_t steps = length - 1 - t < chunk ? length - 1 - t : chunk;
      add_transitions(tables, rows.alpha + t * stride, rows.inside + (t + 1) * stride, steps, sums.transitions);
    }
  }
  return true;
}

__attribute__((noinline)) bool forward_backward_any(const ChainTables& tables, const float* emissions,
                                                    std::size_t length, float* scratch, const ChainSums& sums,
                                                    ScaledSum* total) {
  return with_vectors(tables, [&]<int V>() {
    return forward_backward_rows<V>(tables, emissions, length, scratch, sums, total);
  });
}

bool forward_backward(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                      const ChainSums& sums, ScaledSum* total) {
#if defined(__SSE2__)
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | 0x8040u);  // denormals are zero: they are too small to matter and cost 150 cycles each
  const bool fine = forward_backward_any(tables, emissions, length, scratch, sums, total);
  _mm_setcsr(control);
  return fine;
#else
  return forward_backward_any(tables, emissions, length, scratch, sums, total);
#endif
}

}  // namespace

extern const ChainKernels chain_kernels;
const ChainKernels chain_kernels = {viterbi, viterbi_group, forward_backward, first_unusable, max_adds};

}  // namespace NLPTK_ISA
}  // namespace nlptk
