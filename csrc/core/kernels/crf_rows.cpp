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

// V vectors of eight from `offset` on; dense rows only go into registers, the others, with the first part, into sums.
template <std::size_t V>
void sum_some(const CrfRows& rows, const float* parameters, const std::uint32_t* features, const float* values,
              std::size_t n, std::size_t offset, float* sums) {
  Eight acc[V] = {};
  for (std::size_t i = 0; i < n; ++i) {
    if (i + 8 < n) __builtin_prefetch(parameters + rows.starts[features[i + 8]]);
    const std::uint32_t begin = rows.starts[features[i]], end = rows.starts[features[i] + 1];
    const float value = values == nullptr ? 1.0f : values[i];
    if (end - begin == rows.padded) {
      for (std::size_t v = 0; v < V; ++v) acc[v] += value * load(parameters + begin + offset + 8 * v);
    } else if (offset == 0) {
      for (std::uint32_t p = begin; p < end; ++p) sums[rows.labels[p]] += value * parameters[p];
    }
  }
  for (std::size_t v = 0; v < V; ++v) {
    const Eight sum = load(sums + offset + 8 * v) + acc[v];
    std::memcpy(sums + offset + 8 * v, &sum, sizeof sum);
  }
}

void sum_rows(const CrfRows& rows, const float* parameters, const std::uint32_t* features, const float* values,
              std::size_t n, float* sums) {
  std::memset(sums, 0, rows.padded * sizeof *sums);
  std::size_t offset = 0;
  for (; offset + 8 * kMostVectors < rows.padded; offset += 8 * kMostVectors)
    sum_some<kMostVectors>(rows, parameters, features, values, n, offset, sums);
  with_vectors((rows.padded - offset) / 8, [&]<std::size_t V>() {
    if constexpr (V > 0) sum_some<V>(rows, parameters, features, values, n, offset, sums);
  });
}

// The lanes of eight labels that are used: all bits or none.
using Bits = std::int32_t __attribute__((vector_size(32)));
inline Bits used(const std::uint16_t* labels) {
  std::uint16_t eight __attribute__((vector_size(16)));
  std::memcpy(&eight, labels, sizeof eight);
  return __builtin_convertvector(eight, Bits) != kUnusedLabel;
}

template <std::size_t V>
void add_some(const CrfRows& rows, float* parameters, const std::uint32_t* features, const float* values, std::size_t n,
              std::size_t offset, const float* by) {
  Eight step[V > 0 ? V : 1];
  for (std::size_t v = 0; v < V; ++v) step[v] = load(by + offset + 8 * v);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t begin = rows.starts[features[i]], end = rows.starts[features[i] + 1];
    const float value = values == nullptr ? 1.0f : values[i];
    if (end - begin == rows.padded) {
      for (std::size_t v = 0; v < V; ++v) {
        float* const to = parameters + begin + offset + 8 * v;
        const Eight moved = load(to) + value * step[v];
        const Eight kept = used(rows.labels + begin + offset + 8 * v) ? moved : load(to);
        std::memcpy(to, &kept, sizeof kept);
      }
    } else if (offset == 0) {
      for (std::uint32_t p = begin; p < end; ++p) parameters[p] += value * by[rows.labels[p]];
    }
  }
}

void add_rows(const CrfRows& rows, float* parameters, const std::uint32_t* features, const float* values, std::size_t n,
              const float* by) {
  std::size_t offset = 0;
  for (; offset + 8 * kMostVectors < rows.padded; offset += 8 * kMostVectors)
    add_some<kMostVectors>(rows, parameters, features, values, n, offset, by);
  with_vectors((rows.padded - offset) / 8, [&]<std::size_t V>() {
    if constexpr (V > 0) add_some<V>(rows, parameters, features, values, n, offset, by);
  });
}

// Sums of so few float32 are good enough; they are added up in double.
constexpr std::size_t kFlush = 256;

template <std::size_t V>
void sum_some_units(const float* marginals, std::size_t stride, const std::uint32_t* units, const float* values,
                    std::size_t n, double* totals) {
  for (std::size_t begin = 0; begin < n; begin += kFlush) {
    const std::size_t end = begin + kFlush < n ? begin + kFlush : n;
    Eight acc[V] = {};
    for (std::size_t i = begin; i < end; ++i) {
      if (i + 8 < n) __builtin_prefetch(marginals + std::size_t{units[i + 8]} * stride);
      const float* const row = marginals + std::size_t{units[i]} * stride;
      const float value = values == nullptr ? 1.0f : values[i];
      for (std::size_t v = 0; v < V; ++v) acc[v] += value * load(row + 8 * v);
    }
    for (std::size_t v = 0; v < V; ++v)
      for (std::size_t k = 0; k < 8; ++k) totals[8 * v + k] += static_cast<double>(acc[v][k]);
  }
}

void sum_units(const float* marginals, std::size_t stride, const std::uint32_t* units, const float* values,
               std::size_t n, std::size_t padded, double* totals) {
  for (std::size_t l = 0; l < padded; ++l) totals[l] = 0;
  std::size_t offset = 0;
  for (; offset + 8 * kMostVectors < padded; offset += 8 * kMostVectors)
    sum_some_units<kMostVectors>(marginals + offset, stride, units, values, n, totals + offset);
  with_vectors((padded - offset) / 8, [&]<std::size_t V>() {
    if constexpr (V > 0) sum_some_units<V>(marginals + offset, stride, units, values, n, totals + offset);
  });
}

}  // namespace

extern const CrfRowKernels crf_row_kernels;
const CrfRowKernels crf_row_kernels = {sum_rows, add_rows, sum_units};

}  // namespace nlptk::NLPTK_ISA
