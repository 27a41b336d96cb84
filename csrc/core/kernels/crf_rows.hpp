// Inner loops of CRF training over rows of weights and of marginals, one table for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// Rows of parameters: row f is [starts[f], starts[f + 1]). One of `padded` parameters, a multiple of eight, has one for
// each label, those of unused labels marked by labels[p] = kUnusedLabel; in others labels[p] is what parameter p is for.
constexpr std::uint16_t kUnusedLabel = 0xffff;
struct CrfRows {
  const std::uint32_t* starts;
  const std::uint16_t* labels;
  std::size_t padded;
};

struct CrfRowKernels {
  // sums[l] = the sum of values[i] times what row features[i] has for label l; sums is [padded]. `values` null: all 1.
  void (*sum_rows)(const CrfRows& rows, const float* parameters, const std::uint32_t* features, const float* values,
                   std::size_t n, float* sums);
  // Adds values[i] * by[l] to what row features[i] has for label l; `by` is [padded]. Parameters of no label stay.
  void (*add_rows)(const CrfRows& rows, float* parameters, const std::uint32_t* features, const float* values,
                   std::size_t n, const float* by);
  // totals[l] = the sum over i of values[i] * marginals[units[i] * stride + l], l < padded; floats past the last label of
  // a row are read.
  void (*sum_units)(const float* marginals, std::size_t stride, const std::uint32_t* units, const float* values,
                    std::size_t n, std::size_t padded, double* totals);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const CrfRowKernels crf_row_kernels;
}
namespace avx512 {
extern const CrfRowKernels crf_row_kernels;
}
#endif
namespace baseline {
extern const CrfRowKernels crf_row_kernels;
}

inline const CrfRowKernels& crf_row_kernels() {
  static const CrfRowKernels& table = NLPTK_DISPATCH(crf_row_kernels);
  return table;
}

}  // namespace nlptk
