// Inner loops of linear models, one table for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// A row of 16-bit weights: the number of its first block (of eight values) above, how it is laid out below. Dense rows
// have a weight for each label; the others as many blocks of four (label, weight) pairs as the low bits say.
inline constexpr std::uint32_t kRowKindBits = 6;
inline constexpr std::uint32_t kDenseRow = (1U << kRowKindBits) - 1;

struct LinearKernels {
  // Adds the rows that `refs` name (see LinearModel) to sums[8 * dense_blocks].
  void (*add_rows_i16)(const std::int16_t* blocks, const std::uint32_t* refs, std::size_t n, std::size_t dense_blocks,
                       std::int32_t* sums);
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
