// Inner loops of linear models, one table for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

struct LinearKernels {
  // sums[l] += row[l] for l < n; n is a multiple of 16.
  void (*add_row_i16)(const std::int16_t* row, std::size_t n, std::int32_t* sums);
  // sums[l] += row[l] for l < n; n is a multiple of 8.
  void (*add_row_f32)(const float* row, std::size_t n, float* sums);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const LinearKernels linear_kernels;
}
namespace avx512 {
extern const LinearKernels linear_kernels;
}
#endif
namespace baseline {
extern const LinearKernels linear_kernels;
}

inline const LinearKernels& linear_kernels() {
  static const LinearKernels& table = NLPTK_DISPATCH(linear_kernels);
  return table;
}

}  // namespace nlptk
