// What the chain kernels share: rows of labels, products over a semiring, the way back along the best path.
// Static, like simd.hpp: one copy in each kernel file of each instruction set.
#pragma once

#include "kernels/chain_kernel.hpp"
#include "kernels/simd.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

// A row of labels as vectors. V > 0 says at compile time how many, so that loops over them unroll; 0 means any.
template <int V>
struct Shape {
  std::size_t labels;
  std::size_t stride;
  std::size_t count;
  Lanes last;  // of the last vector

  explicit Shape(const ChainTables& tables)
      : labels(tables.labels),
        stride(tables.stride),
        count((tables.labels + kWidth - 1) / kWidth),
        last(first_lanes(tables.labels - (count - 1) * kWidth)) {}

  std::size_t vectors() const { return V > 0 ? static_cast<std::size_t>(V) : count; }

  // Vector k of a dense row, `fill` past its end.
  Vec dense(const float* row, std::size_t k, float fill) const {
    return k + 1 < vectors() ? load(row + k * kWidth) : load_lanes(row + k * kWidth, last, splat(fill));
  }
  // Vector k of a padded row, or of a row of zeros where there is none.
  Vec padded(const float* row, std::size_t k) const {
    if (row != nullptr) return load(row + k * kWidth);
    const float zeros[kWidth] = {};
    return k + 1 < vectors() ? zero() : load_lanes(zeros, last, splat(kNegInf));
  }
  void store_dense(float* row, std::size_t k, Vec a) const {
    if (k + 1 < vectors()) {
      store(row + k * kWidth, a);
    } else {
      store_lanes(row + k * kWidth, last, a);
    }
  }
};

constexpr int kUnrolled = 3;  // vectors a row up to which kernels are compiled for their number

// Calls run.template operator()<V>() for the tables' number of vectors.
template <class Run>
NLPTK_INLINE auto with_vectors(const ChainTables& tables, Run run) {
  switch ((tables.labels + kWidth - 1) / kWidth) {
    case 1: return run.template operator()<1>();
    case 2: return run.template operator()<2>();
    case kUnrolled: return run.template operator()<kUnrolled>();
    default: return run.template operator()<0>();
  }
}

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
  for (int half = 1; half < U; half *= 2)
    for (int u = 0; u + half < U; u += 2 * half)
      for (int k = 0; k < J; ++k) acc[u][k] = S::join(acc[u][k], acc[u + half][k]);
  for (int k = 0; k < J; ++k) out[k] = acc[0][k];
}

// v times the square matrix m; emit(k, value) takes each vector of the result.
template <class S, int V, class Emit>
NLPTK_INLINE void product(const Shape<V>& shape, const float* v, const float* m, Emit emit) {
  for (std::size_t done = 0; done < shape.vectors();) {
    const std::size_t rest = shape.vectors() - done;
    const std::size_t take = rest <= 6 ? rest : rest < 12 ? (rest + 1) / 2 : 6;
    const float* block = m + done * kWidth;
    Vec out[6];
    switch (take) {
      case 1: product_block<S, 1, 8>(v, block, shape.labels, shape.stride, out); break;
      case 2: product_block<S, 2, 4>(v, block, shape.labels, shape.stride, out); break;
      case 3: product_block<S, 3, 3>(v, block, shape.labels, shape.stride, out); break;
      case 4: product_block<S, 4, 2>(v, block, shape.labels, shape.stride, out); break;
      case 5: product_block<S, 5, 2>(v, block, shape.labels, shape.stride, out); break;
      default: product_block<S, 6, 2>(v, block, shape.labels, shape.stride, out); break;
    }
    for (std::size_t k = 0; k < take; ++k) emit(done + k, out[k]);
    done += take;
  }
}

// The lowest label whose lane of value(k) equals the target; 0 if there is none (NaN).
template <int V, class Value>
NLPTK_INLINE std::size_t first_equal(const Shape<V>& shape, Vec target, Value value) {
  constexpr std::size_t group = 64 / kWidth;
  for (std::size_t begin = 0; begin < shape.vectors(); begin += group) {
    const std::size_t end = begin + group < shape.vectors() ? begin + group : shape.vectors();
    std::uint64_t bits = 0;
    for (std::size_t k = begin; k < end; ++k)
      bits |= static_cast<std::uint64_t>(equal_bits(value(k), target)) << ((k - begin) * kWidth);
    if (bits != 0) return begin * kWidth + static_cast<std::size_t>(__builtin_ctzll(bits));
  }
  return 0;
}

// The score of the best path, given the scores of its last position, and that path's last label.
template <int V>
NLPTK_INLINE float best_end(const Shape<V>& shape, const ChainTables& tables, const float* score,
                            std::size_t* label) {
  const auto last = [=](std::size_t k) { return load(score + k * kWidth) + load(tables.end + k * kWidth); };
  Vec top = last(0);
  for (std::size_t k = 1; k < shape.vectors(); ++k) top = max(top, last(k));
  const float total = max_lanes(top);
  *label = first_equal(shape, splat(total), last);
  return total;
}

constexpr float kLowest = -3e38f;  // finite: -inf less it is -inf still

// Gives what an item asks of the scores at its seams; score(t, j) is that of label j at step t.
template <class Score>
NLPTK_INLINE void copy_seams(const ChainItem& item, std::size_t labels, Score score) {
  if (item.seams == nullptr) return;
  for (int side = 0; side < 2; ++side)
    if (float* const out = item.seams->scores[side]; out != nullptr)
      for (std::size_t j = 0; j < labels; ++j) out[j] = score(item.seams->step[side], j);
}

// The emission scores of step t.
NLPTK_INLINE const float* emission_row(const ChainItem& item, std::size_t labels, std::size_t t) {
  return item.emissions + labels * (item.words == nullptr ? t : static_cast<std::size_t>(item.words[t]));
}

// The lowest label from which `label` got best[label] at its position; `best` is that position's row, the row before
// it lies one stride lower, and `emission` and `shift` (what was taken from its scores) belong to the position before.
template <int V>
NLPTK_INLINE std::size_t label_before(const Shape<V>& shape, const ChainTables& tables, const float* best,
                                      const float* emission, float shift, std::size_t label) {
  const float* before = best - shape.stride;
  const float* from = tables.from + label * shape.stride;
  return first_equal(shape, splat(best[label]), [&](std::size_t k) {
    const Vec score = (load(before + k * kWidth) + shape.dense(emission, k, 0.0f)) - splat(shift);
    return score + load(from + k * kWidth);
  });
}

}  // namespace
}  // namespace NLPTK_ISA
}  // namespace nlptk
