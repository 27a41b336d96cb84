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

// Blocks of eight weights in a row of all labels.
inline std::size_t dense_blocks(std::size_t labels) { return (labels + 7) / 8; }
inline bool has_inline_rows(std::size_t labels) { return dense_blocks(labels) > 1 && labels <= kMostInlineLabels; }

inline std::uint32_t inline_row(std::uint16_t label, std::int16_t weight) {
  return std::uint32_t{static_cast<std::uint16_t>(weight)} << 16 | std::uint32_t{label} << kRowKindBits;
}
inline bool is_inline(std::uint32_t ref) { return (ref & kDenseKind) == 0; }
inline std::size_t inline_label(std::uint32_t ref) { return (ref & 0xFFFF) >> kRowKindBits; }
inline std::int16_t inline_weight(std::uint32_t ref) { return static_cast<std::int16_t>(ref >> 16); }

// Where the rows of a range of keys are. Keys are hashes, so equal ranges hold about equally many.
struct RowRange {
  std::uint32_t bits = 0;   // one for each part of the range that holds a key
  std::uint32_t start = 0;  // number of its first row
};
struct RowIndex {
  const RowRange* ranges = nullptr;
  std::size_t count = 0;
  const std::uint32_t* rows = nullptr;  // [rows, 2], key and reference

  // The bit of a key among those of all ranges; never less than that of a smaller key.
  std::size_t bit(std::uint32_t key) const { return static_cast<std::size_t>(std::uint64_t{key} * (32 * count) >> 32); }
};

struct LinearKernels {
  // Keys that may have a row, which is the one in `places` or, rarely, a few behind it. What is there is asked for in
  // memory. `kept` and `places` have room for n; `kept` may be `keys`.
  std::size_t (*find_places)(const RowIndex& index, const std::uint32_t* keys, std::size_t n, std::uint32_t* kept,
                             std::uint32_t* places);
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
