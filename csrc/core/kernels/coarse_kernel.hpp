// 4-bit rows: their dot products with 8-bit queries, one table for each instruction set; see vectors/nearest.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"
#include "kernels/nearest_kernel.hpp"

namespace nlptk {

// Rows lie in groups, so that a lane is a row and no sum goes across lanes. A step is 4 values of all rows of a group:
// byte 2 r + j has value j of row r in its low half and value 2 + j in its high half.
inline constexpr std::size_t kGroupRows = 64;  // bits of a mask
inline constexpr std::size_t kStepValues = 4;
inline constexpr std::size_t kStepBytes = kGroupRows * kStepValues / 2;

struct CoarseQuery {
  const std::int8_t* values;  // [steps * kStepValues]
  std::size_t steps;
  std::int32_t offset;  // 15 times the sum of the values
  float scale;          // of half a product
  float norm;           // of the query, and
  float slack;          // of what its values are off by
};

struct CoarseKernels {
  // What the scores of a group's rows are at most, from the dot products of their codes, 0 to 15, and the query: bounds[r]
  // = (2 * product - query.offset) * query.scale * inverse[r] + slack[r] * query.norm + query.slack. Returns the largest.
  float (*bound_group)(const std::uint8_t* group, const CoarseQuery& query, const float* inverse, const float* slack,
                       float* bounds);
  // Bit r: whether bounds[r] is `low` or more; 64 rows.
  std::uint64_t (*at_least)(const float* bounds, float low);
  // Value k is about (codes[k] - 7.5) * scale * sizes[k], where `sizes` are how large values usually are there (and
  // `inverse` is about 1 / size): the multiple that leaves the least.
  NarrowRow (*quantize)(const float* x, const float* sizes, const float* inverse, std::size_t dim, std::uint8_t* codes);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const CoarseKernels coarse_kernels;
}
namespace avx512 {
extern const CoarseKernels coarse_kernels;
}
#endif
namespace baseline {
extern const CoarseKernels coarse_kernels;
}

inline const CoarseKernels& coarse_kernels() {
  static const CoarseKernels& table = NLPTK_DISPATCH(coarse_kernels);
  return table;
}

}  // namespace nlptk
