// The inner loops of the fastText classifier, one table for each instruction set. Rows lie as row_layout.hpp has it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"
#include "kernels/row_layout.hpp"

namespace nlptk {

struct FastTextKernels {
  // x = share * the sum of n rows of `table`.
  void (*sum_rows)(const float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, float share, float* x);
  // These rows of `table` += dx.
  void (*add_to_rows)(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* dx);
  // scores[j] = x . the j-th of n rows of `table`; `rows` null: the first n. Scores have room for row_stride(n).
  void (*score)(const float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* x, float* scores);
  // dx = sum of g[j] row_j, of the rows as they were, and row_j += g[j] x: each row is read and written once.
  void (*learn)(float* table, std::size_t stride, const std::uint32_t* rows, std::size_t n, const float* g, const float* x,
                float* dx);
  // Probabilities in place; those beyond n, up to row_stride(n), are overwritten.
  void (*softmax)(float* scores, std::size_t n);
  void (*sigmoid)(float* scores, std::size_t n);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const FastTextKernels fasttext_kernels;
}
namespace avx512 {
extern const FastTextKernels fasttext_kernels;
}
#endif
namespace baseline {
extern const FastTextKernels fasttext_kernels;
}

inline const FastTextKernels& fasttext_kernels() {
  static const FastTextKernels& table = NLPTK_DISPATCH(fasttext_kernels);
  return table;
}

}  // namespace nlptk
