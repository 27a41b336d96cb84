// Inner loops of the search for nearest rows, one table for each instruction set; see vectors/nearest.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// What bounds the score of a row from above, given its approximate dot products.
struct UpperBound {
  std::size_t positives = 1, negatives = 0;  // terms of a query
  bool multiply = false;                     // 3CosMul; else there is one term
  float slack = 1;                           // times a row's own slack: the largest norm of a term
};

inline constexpr std::size_t kDotChunk = 32;

// A row in 8 bits: value k is about codes[k] * scale.
struct NarrowRow {
  float scale;     // 0: so small that it counts as zeros
  double square;   // of the row's length; not finite where a value is not
  double residue;  // of what the copy is off by
};

struct NearestKernels {
  std::size_t lanes;  // queries of a tile; products and thresholds below have so many
  // out[r] = the dot product of rows[r], of 8-bit values, and a query of 16-bit ones; 127 times the sum of their sizes
  // must be below 2^31. The query's last dim % kDotChunk values, if any, end a chunk of their own after zeros.
  void (*dot_rows)(const std::int8_t* const* rows, std::size_t count, std::size_t dim, const std::int16_t* query,
                   std::int32_t* out);
  // out[r * lanes + j] = the dot product of row r and query j; queries is [dim, lanes].
  void (*dot_tile)(const std::int8_t* rows, std::size_t count, std::size_t dim, const float* queries, float* scratch,
                   float* out);
  // Bit r is set where the upper bound of row r is not below the threshold; products is [terms][count], count at most 64
  // and a multiple of 16.
  std::uint64_t (*rows_above)(const UpperBound& bound, const float* const* products, const float* inverse,
                              const float* slack, std::size_t count, float threshold);
  // Bit j: the same of one row and each query; products is [terms][lanes].
  std::uint64_t (*queries_above)(const UpperBound& bound, const float* const* products, float inverse, float slack,
                                 const float* thresholds);
  NarrowRow (*quantize)(const float* x, std::size_t dim, std::int8_t* codes);
  // Sums of x * y and x * x in double, in one order on every instruction set.
  void (*exact_f32)(const float* x, const float* y, std::size_t dim, double* xy, double* xx);
  void (*exact_i8)(const std::int8_t* x, const float* y, std::size_t dim, double* xy, double* xx);
};


#ifdef NLPTK_X86
namespace avx2 {
extern const NearestKernels nearest_kernels;
}
namespace avx512 {
extern const NearestKernels nearest_kernels;
}
#endif
namespace baseline {
extern const NearestKernels nearest_kernels;
}

inline const NearestKernels& nearest_kernels() {
  static const NearestKernels& table = NLPTK_DISPATCH(nearest_kernels);
  return table;
}

}  // namespace nlptk
