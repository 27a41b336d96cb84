// Sums over long vectors of floats, one table for each instruction set, all with the same results.
#pragma once

#include <cstddef>

#include "cpu.hpp"

namespace nlptk {

struct VectorKernels {
  // The sum of a[i] * b[i], in double.
  double (*dot)(const float* a, const float* b, std::size_t n);
  // to[i] += factor * from[i].
  void (*add_scaled)(float* to, float factor, const float* from, std::size_t n);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const VectorKernels vector_kernels;
}
namespace avx512 {
extern const VectorKernels vector_kernels;
}
#endif
namespace baseline {
extern const VectorKernels vector_kernels;
}

inline const VectorKernels& vector_kernels() {
  static const VectorKernels& table = NLPTK_DISPATCH(vector_kernels);
  return table;
}

}  // namespace nlptk
