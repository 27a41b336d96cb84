#include "kernels/crf_rows.hpp"

#include <cstring>

namespace nlptk::NLPTK_ISA {
namespace {

using Eight = float __attribute__((vector_size(32)));

inline Eight load(const float* p) {
  Eight x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

constexpr std::size_t kMostVectors = 6;  // that are held in registers, of eight labels

// Calls f(integral constant V) for the number of vectors of eight, 0 where they are too many.
template <std::size_t V = kMostVectors, class F>
inline void with_vectors(std::size_t vectors, F f) {
  if constexpr (V == 0) {
    f.template operator()<0>();
  } else {
    if (vectors == V) return f.template operator()<V>();
    with_vectors<V - 1>(vectors, f);
  }
}

// Calls f(integral constant V, offset) for groups of V vectors that make up `padded` labels.
template <class F>
inline void each_group(std::size_t padded, F f) {
  std::size_t offset = 0;
  for (; offset + 8 * kMostVectors < padded; offset += 8 * kMostVectors) f.template operator()<kMostVectors>(offset);
  with_vectors((padded - offset) / 8, [&]<std::size_t V>() {
    if constexpr (V > 0) f.template operator()<V>(offset);
  });
}

constexpr std::size_t kAhead = 16;  // rows that are fetched before they are read

inline std::size_t dense_rows(const std::uint32_t* rows, std::size_t n) {
  std::size_t dense = 0;
  while (dense < n && (rows[dense] & kDenseRow) != 0) ++dense;
  return dense;
}

void sum_rows(const CrfRows& table, const float* parameters, const std::uint32_t* rows, const float* values, std::size_t n,
              std::size_t known, float* sums) {
  const std::size_t dense = dense_rows(rows, n);
  each_group(table.padded, [&]<std::size_t V>(std::size_t offset) {
    Eight acc[V] = {};
    for (std::size_t i = 0; i < dense; ++i) {
      if (i + kAhead < known) __builtin_prefetch(parameters + (rows[i + kAhead] & ~kDenseRow) + offset);
      const float* const row = parameters + (rows[i] & ~kDenseRow) + offset;
      const float value = values == nullptr ? 1.0f : values[i];
      for (std::size_t v = 0; v < V; ++v) acc[v] += value * load(row + 8 * v);
    }
    std::memcpy(sums + offset, acc, sizeof acc);
  });
  for (std::size_t i = dense; i < n; ++i) {
    if (i + kAhead < known) {
      __builtin_prefetch(parameters + (rows[i + kAhead] & ~kDenseRow));
      __builtin_prefetch(table.labels + (rows[i + kAhead] & ~kDenseRow));
    }
    const float value = values == nullptr ? 1.0f : values[i];
    std::uint16_t label;
    std::uint32_t p = rows[i];
    do {
      label = table.labels[p];
      sums[label & kLabelMask] += value * parameters[p++];
    } while ((label & kLastLabel) == 0);
  }
}

// Which of eight labels are used: all bits or none.
using Bits = std::int32_t __attribute__((vector_size(32)));
inline Bits used(const std::uint16_t* labels) {
  std::uint16_t eight __attribute__((vector_size(16)));
  std::memcpy(&eight, labels, sizeof eight);
  return __builtin_convertvector(eight, Bits) != kNoLabel;
}

template <bool All>
void add(const CrfRows& table, float* parameters, const std::uint32_t* rows, const float* values, std::size_t n,
         std::size_t known, const float* by) {
  const std::size_t dense = dense_rows(rows, n);
  each_group(table.padded, [&]<std::size_t V>(std::size_t offset) {
    Eight step[V];
    std::memcpy(step, by + offset, sizeof step);
    for (std::size_t i = 0; i < dense; ++i) {
      if (i + kAhead < known) __builtin_prefetch(parameters + (rows[i + kAhead] & ~kDenseRow) + offset, 1);
      const std::uint32_t begin = (rows[i] & ~kDenseRow) + static_cast<std::uint32_t>(offset);
      const float value = values == nullptr ? 1.0f : values[i];
      for (std::size_t v = 0; v < V; ++v) {
        float* const to = parameters + begin + 8 * v;
        const Eight before = load(to);
        Eight after = before + value * step[v];
        if constexpr (!All) after = used(table.labels + begin + 8 * v) ? after : before;
        std::memcpy(to, &after, sizeof after);
      }
    }
  });
  for (std::size_t i = dense; i < n; ++i) {
    if (i + kAhead < known) __builtin_prefetch(parameters + (rows[i + kAhead] & ~kDenseRow), 1);
    const float value = values == nullptr ? 1.0f : values[i];
    std::uint16_t label;
    std::uint32_t p = rows[i];
    do {
      label = table.labels[p];
      parameters[p++] += value * by[label & kLabelMask];
    } while ((label & kLastLabel) == 0);
  }
}

}  // namespace

extern const CrfRowKernels crf_row_kernels;
const CrfRowKernels crf_row_kernels = {sum_rows, add<true>, add<false>};

}  // namespace nlptk::NLPTK_ISA
