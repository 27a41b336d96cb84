#include "kernels/linear_kernel.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

void add_row_i16(const std::int16_t* row, std::size_t n, std::int32_t* sums) {
  for (std::size_t l = 0; l < n; l += 16)
    for (std::size_t k = 0; k < 16; ++k) sums[l + k] += row[l + k];
}

void add_row_f32(const float* row, std::size_t n, float* sums) {
  for (std::size_t l = 0; l < n; l += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[l + k] += row[l + k];
}

}  // namespace

extern const LinearKernels linear_kernels;
const LinearKernels linear_kernels = {add_row_i16, add_row_f32};

}  // namespace nlptk::NLPTK_ISA
