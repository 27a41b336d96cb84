// Viterbi and forward-backward of one sequence: vectors over the labels, several accumulators to hide latency.
//
// No std:: template or shared inline function may be used here: the file is compiled once per instruction set.
#include "kernels/chain_kernel.hpp"

#include "kernels/simd.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

struct MaxPlus {
  NLPTK_INLINE Vec identity() { return splat(kNegInf); }
  NLPTK_INLINE Vec step(Vec sum, Vec a, Vec b) { return max(sum, a + b); }
  NLPTK_INLINE Vec join(Vec a, Vec b) { return max(a, b); }
};

struct SumProduct {
  NLPTK_INLINE Vec identity() { return zero(); }
  NLPTK_INLINE Vec step(Vec sum, Vec a, Vec b) { return fma(a, b, sum); }
  NLPTK_INLINE Vec join(Vec a, Vec b) { return a + b; }
};

// out[k] = sum over i < n of v[i] * m[i][k], for J vectors k and in the semiring S.
// U rows at a time into accumulators of their own: one alone would wait 4 cycles for each step.
template <class S, int J, int U>
NLPTK_INLINE void product_block(const float* v, const float* m, std::size_t n, std::size_t stride, Vec* out) {
  Vec acc[U][J];
  for (int u = 0; u < U; ++u)
    for (int k = 0; k < J; ++k) acc[u][k] = S::identity();
  std::size_t i = 0;
  for (; i + U <= n; i += U) {
    for (int u = 0; u < U; ++u) {
      const Vec a = splat(v[i + u]);
      for (int k = 0; k < J; ++k) acc[u][k] = S::step(acc[u][k], a, load(m + (i + u) * stride + k * kWidth));
    }
  }
  for (; i < n; ++i) {
    const Vec a = splat(v[i]);
    for (int k = 0; k < J; ++k) acc[0][k] = S::step(acc[0][k], a, load(m + i * stride + k * kWidth));
  }
  for (int k = 0; k < J; ++k) {
    for (int u = 1; u < U; ++u) acc[0][k] = S::join(acc[0][k], acc[u][k]);
    out[k] = acc[0][k];
  }
}

// v times the matrix m[n, stride], `vectors` vectors wide; emit(k, value) takes each vector of the result.
template <class S, class Emit>
NLPTK_INLINE void product(const float* v, const float* m, std::size_t n, std::size_t stride, std::size_t vectors,
                          Emit emit) {
  for (std::size_t done = 0; done < vectors;) {
    const std::size_t rest = vectors - done;
    const std::size_t take = rest <= 6 ? rest : rest < 12 ? (rest + 1) / 2 : 6;
    const float* block = m + done * kWidth;
    Vec out[6];
    switch (take) {
      case 1: product_block<S, 1, 8>(v, block, n, stride, out); break;
      case 2: product_block<S, 2, 4>(v, block, n, stride, out); break;
      case 3: product_block<S, 3, 3>(v, block, n, stride, out); break;
      case 4: product_block<S, 4, 2>(v, block, n, stride, out); break;
      case 5: product_block<S, 5, 2>(v, block, n, stride, out); break;
      default: product_block<S, 6, 2>(v, block, n, stride, out); break;
    }
    for (std::size_t k = 0; k < take; ++k) emit(done + k, out[k]);
    done += take;
  }
}

// Vector k of a dense row of n floats.
NLPTK_INLINE Vec load_dense(const float* row, std::size_t k, std::size_t n, float fill) {
  const std::size_t at = k * kWidth;
  return at + kWidth <= n ? load(row + at) : load_first(row + at, n - at, splat(fill));
}

NLPTK_INLINE void store_dense(float* row, std::size_t k, std::size_t n, Vec a) {
  const std::size_t at = k * kWidth;
  if (at + kWidth <= n) {
    store(row + at, a);
  } else {
    store_first(row + at, n - at, a);
  }
}

// The lowest i < n with value(vector of i) == target in its lane; 0 if there is none (NaN).
template <class Value>
NLPTK_INLINE std::size_t first_equal(std::size_t vectors, Vec target, Value value) {
  constexpr std::size_t group = 64 / kWidth;
  for (std::size_t begin = 0; begin < vectors; begin += group) {
    const std::size_t end = begin + group < vectors ? begin + group : vectors;
    std::uint64_t bits = 0;
    for (std::size_t k = begin; k < end; ++k)
      bits |= static_cast<std::uint64_t>(equal_bits(value(k), target)) << ((k - begin) * kWidth);
    if (bits != 0) return begin * kWidth + static_cast<std::size_t>(__builtin_ctzll(bits));
  }
  return 0;
}

// No back pointers: the loop over label pairs only adds and takes maxima, best[t][j] is kept, and the way back
// looks for the label that gave the maximum, by the same additions, at one label per position instead of all.
float viterbi(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
              std::int32_t* path) {
  const std::size_t n = tables.labels;
  const std::size_t stride = tables.stride;
  const std::size_t vectors = (n + kWidth - 1) / kWidth;
  float* best = scratch;                      // [length, stride] before the emission of t is added
  float* score = scratch + length * stride;   // after it, for t - 1
  float* next = score + stride;

  for (std::size_t k = 0; k < vectors; ++k) {
    const Vec start = load(tables.start + k * kWidth);
    store(best + k * kWidth, start);
    store(score + k * kWidth, start + load_dense(emissions, k, n, 0.0f));
  }
  for (std::size_t t = 1; t < length; ++t) {
    float* row = best + t * stride;
    const float* emission = emissions + t * n;
    product<MaxPlus>(score, tables.to, n, stride, vectors, [=](std::size_t k, Vec value) {
      store(row + k * kWidth, value);
      store(next + k * kWidth, value + load_dense(emission, k, n, 0.0f));
    });
    float* swap = score;
    score = next;
    next = swap;
  }

  const auto last = [=](std::size_t k) { return load(score + k * kWidth) + load(tables.end + k * kWidth); };
  Vec top = last(0);
  for (std::size_t k = 1; k < vectors; ++k) top = max(top, last(k));
  const float total = max_lanes(top);
  std::size_t label = first_equal(vectors, splat(total), last);
  path[length - 1] = static_cast<std::int32_t>(label);
  for (std::size_t t = length - 1; t > 0; --t) {
    const float* row = best + (t - 1) * stride;
    const float* emission = emissions + (t - 1) * n;
    const float* from = tables.from + label * stride;
    label = first_equal(vectors, splat(best[t * stride + label]), [=](std::size_t k) {
      return (load(row + k * kWidth) + load_dense(emission, k, n, 0.0f)) + load(from + k * kWidth);
    });
    path[t - 1] = static_cast<std::int32_t>(label);
  }
  return total;
}

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

__attribute__((noinline)) bool forward_backward_rows(const ChainTables& tables, const float* emissions,
                                                     std::size_t length, float* scratch, const ChainSums& sums,
                                                     ScaledSum* total) {
  const std::size_t n = tables.labels;
  const std::size_t stride = tables.stride;
  const std::size_t vectors = (n + kWidth - 1) / kWidth;
  float* alpha = scratch;                     // [length, stride]
  float* inside = alpha + length * stride;    // exp(emission), then times beta
  float* marginal = inside + length * stride;
  float* beta = marginal + length * stride;

  // exp(emission - its row's maximum)
  double shift = 0.0;
  for (std::size_t t = 0; t < length; ++t) {
    const float* row = emissions + t * n;
    Vec top = load_dense(row, 0, n, kNegInf);
    for (std::size_t k = 1; k < vectors; ++k) top = max(top, load_dense(row, k, n, kNegInf));
    const float highest = max_lanes(top);
    if (!(highest > kNegInf)) return false;
    shift += static_cast<double>(highest);
    for (std::size_t k = 0; k < vectors; ++k)
      store(inside + t * stride + k * kWidth, exp_negative(load_dense(row, k, n, kNegInf) - splat(highest)));
  }

  // Forward. The scale of step t is that of row t - 1: no step waits for its own sum.
  Vec sum = zero();
  for (std::size_t k = 0; k < vectors; ++k) {
    const Vec value = load(tables.exp_start + k * kWidth) * load(inside + k * kWidth);
    store(alpha + k * kWidth, value);
    sum = sum + value;
  }
  std::int64_t exponent = 0;
  for (std::size_t t = 1; t < length; ++t) {
    const float previous = sum_lanes(sum);
    if (!(previous >= kSmallest)) return false;
    const int power = exponent_of(previous);
    exponent += power;
    const Vec scale = splat(power_of_two(-power));
    const float* row = inside + t * stride;
    float* out = alpha + t * stride;
    sum = zero();
    product<SumProduct>(out - stride, tables.exp_to, n, stride, vectors, [=, &sum](std::size_t k, Vec value) {
      const Vec scaled = value * (load(row + k * kWidth) * scale);
      store(out + k * kWidth, scaled);
      sum = sum + scaled;
    });
  }

  // Backward; alpha . beta at t is Z up to the scales, so each row is made to sum to 1 by its own.
  float final_sum = 0.0f;
  Vec inside_sum = zero();
  for (std::size_t t = length; t-- > 0;) {
    float scale = 1.0f;
    if (t + 1 == length) {
      for (std::size_t k = 0; k < vectors; ++k) store(beta + k * kWidth, load(tables.exp_end + k * kWidth));
    } else {
      const float previous = sum_lanes(inside_sum);
      if (!(previous >= kSmallest)) return false;
      scale = power_of_two(-exponent_of(previous));
      const Vec factor = splat(scale);
      product<SumProduct>(inside + (t + 1) * stride, tables.exp_from, n, stride, vectors,
                          [=](std::size_t k, Vec value) { store(beta + k * kWidth, value * factor); });
    }
    float* left = alpha + t * stride;
    float* right = inside + t * stride;
    float* row = marginal + t * stride;
    Vec overlap = zero();
    inside_sum = zero();
    for (std::size_t k = 0; k < vectors; ++k) {
      const Vec b = load(beta + k * kWidth);
      const Vec both = load(left + k * kWidth) * b;
      const Vec in = load(right + k * kWidth) * b;
      store(row + k * kWidth, both);
      store(right + k * kWidth, in);
      overlap = overlap + both;
      inside_sum = inside_sum + in;
    }
    const float z = sum_lanes(overlap);
    if (!(z >= kSmallest)) return false;
    if (t + 1 == length) final_sum = z;
    const Vec inverse = splat(1.0f / z);
    const Vec weight = splat(scale / z);
    for (std::size_t k = 0; k < vectors; ++k) {
      store(row + k * kWidth, load(row + k * kWidth) * inverse);
      store(left + k * kWidth, load(left + k * kWidth) * weight);
    }
  }

  if (sums.marginals != nullptr)
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t k = 0; k < vectors; ++k)
        store_dense(sums.marginals + t * n, k, n, load(marginal + t * stride + k * kWidth));
  for (std::size_t j = 0; sums.start != nullptr && j < n; ++j) sums.start[j] += static_cast<double>(marginal[j]);
  for (std::size_t j = 0; sums.end != nullptr && j < n; ++j)
    sums.end[j] += static_cast<double>(marginal[(length - 1) * stride + j]);
  if (sums.transitions != nullptr) {
    constexpr std::size_t chunk = 256;  // float32 sums stay short
    for (std::size_t t = 0; t + 1 < length; t += chunk) {
      const std::size_t steps = length - 1 - t < chunk ? length - 1 - t : chunk;
      add_transitions(tables, alpha + t * stride, inside + (t + 1) * stride, steps, sums.transitions);
    }
  }
  *total = ScaledSum{final_sum, exponent, shift};
  return true;
}

bool forward_backward(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                      const ChainSums& sums, ScaledSum* total) {
#if defined(__SSE2__)
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | 0x8040u);  // denormals are zero: they are too small to matter and cost 150 cycles each
  const bool fine = forward_backward_rows(tables, emissions, length, scratch, sums, total);
  _mm_setcsr(control);
  return fine;
#else
  return forward_backward_rows(tables, emissions, length, scratch, sums, total);
#endif
}

// What one core can do at best: independent chains of add and max whose operands never leave the registers.
std::size_t max_adds(std::size_t rounds) {
  constexpr int chains = kWidth == 16 ? 16 : 10;
  Vec acc[chains];
  for (int k = 0; k < chains; ++k) acc[k] = splat(static_cast<float>(k));
  Vec a = splat(1.0f);
  const Vec b = splat(2.0f);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int k = 0; k < chains; ++k) {
      NLPTK_OPAQUE(a);  // or the compiler would add only once
      acc[k] = max(acc[k], a + b);
    }
  }
  for (int k = 0; k < chains; ++k) NLPTK_OPAQUE(acc[k]);
  return rounds * chains * kWidth;
}

}  // namespace

extern const ChainKernels chain_kernels;
const ChainKernels chain_kernels = {viterbi, forward_backward, max_adds};

}  // namespace NLPTK_ISA
}  // namespace nlptk
