// Inner loops of linear models, one table for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// A row of 16-bit weights: the number of its first block (of eight values) above, how it is laid out below. Dense rows
// have a weight for each label; the others as many blocks of four (label, weight) pairs as the low bits say. A row of one
// pair is its own reference: kind 0, the label, the weight.
inline constexpr std::uint32_t kRowKindBits = 6;
inline constexpr std::uint32_t kDenseKind = (1U << kRowKindBits) - 1;
inline constexpr std::size_t kMostInlineLabels = std::size_t{1} << (16 - kRowKindBits);

inline std::uint32_t inline_row(std::uint16_t label, std::int16_t weight) {
  return std::uint32_t{static_cast<std::uint16_t>(weight)} << 16 | std::uint32_t{label} << kRowKindBits;
}
inline bool is_inline(std::uint32_t ref) { return (ref & kDenseKind) == 0; }
inline std::size_t inline_label(std::uint32_t ref) { return (ref & 0xFFFF) >> kRowKindBits; }
inline std::int16_t inline_weight(std::uint32_t ref) { return static_cast<std::int16_t>(ref >> 16); }

struct LinearKernels {
  // Adds the rows of blocks that `refs` name to sums[8 * dense_blocks].
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
