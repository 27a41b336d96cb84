#include "kernels/vector_kernel.hpp"

#include "kernels/partial_sums.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

double dot(const float* a, const float* b, std::size_t n) {
  double sums[kSums] = {};
  for_sums(n, [&](std::size_t j, std::size_t i) { sums[j] += static_cast<double>(a[i]) * static_cast<double>(b[i]); });
  return total(sums);
}

void add_scaled(float* to, float factor, const float* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

}  // namespace

extern const VectorKernels vector_kernels;
const VectorKernels vector_kernels = {dot, add_scaled};

}  // namespace nlptk::NLPTK_ISA
