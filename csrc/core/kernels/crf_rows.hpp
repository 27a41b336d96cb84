// Inner loops of CRF training over rows of weights and of marginals, one table for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// A row of parameters is given by where it begins. A dense one, marked by kDenseRow, has `padded` parameters, a multiple of
// eight, the first for label 0 and so on. In others labels[p] is what parameter p is for, and kLastLabel marks the last.
constexpr std::uint32_t kDenseRow = 1U << 31;
constexpr std::uint16_t kLastLabel = 1U << 15;
constexpr std::uint16_t kLabelMask = kLastLabel - 1;
constexpr std::uint16_t kNoLabel = kLabelMask;  // of a parameter in a dense row that is not used

struct CrfRows {
  const std::uint16_t* labels;  // [parameters]
  std::size_t padded;
};

// A unit has `n` rows, dense ones first, and one value for each; `values` null: all are 1.
struct CrfRowKernels {
  // sums[l] = the sum of values[i] times what row i has for label l; sums is [padded]. `known` is how many entries of `rows`
  // there are, n or more: what comes behind the unit's is fetched ahead.
  void (*sum_rows)(const CrfRows& table, const float* parameters, const std::uint32_t* rows, const float* values,
                   std::size_t n, std::size_t known, float* sums);
  // Adds values[i] * by[l] to what row i has for label l; `by` is [padded].
  void (*add_rows)(const CrfRows& table, float* parameters, const std::uint32_t* rows, const float* values, std::size_t n,
                   std::size_t known, const float* by);
  // The same, but unused parameters stay as they are.
  void (*add_used)(const CrfRows& table, float* parameters, const std::uint32_t* rows, const float* values, std::size_t n,
                   std::size_t known, const float* by);
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
