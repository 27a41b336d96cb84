// Sums in so many parts that they fill vectors, in one order on every instruction set.
#pragma once

#include <cstddef>

#include "kernels/simd.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

constexpr std::size_t kSums = 8;

// Calls f(sum, k) for every k < dim, where sum is the partial sum that value k belongs to.
template <class F>
NLPTK_INLINE void for_sums(std::size_t dim, F f) {
  std::size_t k = 0;
  for (; k + kSums <= dim; k += kSums)
    for (std::size_t j = 0; j < kSums; ++j) f(j, k + j);
  for (std::size_t j = 0; k + j < dim; ++j) f(j, k + j);
}

template <class T>
NLPTK_INLINE double total(const T (&parts)[kSums]) {
  double sum = 0;
  for (const T part : parts) sum += static_cast<double>(part);
  return sum;
}

}  // namespace
}  // namespace NLPTK_ISA
}  // namespace nlptk
