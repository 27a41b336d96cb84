// The inner loop of word2vec, one table for each instruction set: what one block of inputs learns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"
#include "kernels/row_layout.hpp"

namespace nlptk {

// Inputs of a block, and noise words, at most.
inline constexpr std::size_t kSgnsMostRows = 128;
// Pairs of an input and a target that are scored before any row changes.
inline constexpr std::size_t kSgnsPairs = 16;

// A block of inputs; rows lie as kernels/row_layout.hpp has it. Input i is the mean of the rows inputs[input_offsets[i] .. input_offsets[i + 1]) of `in`: a word,
// with its subwords, or the words of a window (CBOW). It is to predict each of targets[target_offsets[i] ..
// target_offsets[i + 1]), rows of `out` with labels 0 or 1 (a word: 1; nodes of a Huffman tree: their codes), and
// label 0 for all of `negatives`, which the whole block shares, with the weight negative_weights[i].
struct SgnsBlock {
  float* in = nullptr;
  float* out = nullptr;
  std::size_t stride = 0;
  std::size_t size = 0;  // inputs
  const std::uint32_t* inputs = nullptr;
  const std::uint32_t* input_offsets = nullptr;  // [size + 1]
  const float* input_weights = nullptr;          // [size] how much of what it learns each of its rows takes
  const std::uint32_t* targets = nullptr;
  const std::uint32_t* target_offsets = nullptr;  // [size + 1]
  const std::uint8_t* labels = nullptr;           // of targets; null: all 1
  const std::uint32_t* negatives = nullptr;
  std::size_t negative_count = 0;             // a multiple of 16
  const float* negative_weights = nullptr;    // [size]
  float rate = 0;                             // learning rate
  const float* const* prefetch = nullptr;     // rows of the next block
  std::size_t prefetch_count = 0;
};

// Memory of a thread, aligned to 64 bytes.
struct SgnsWorkspace {
  float* x = nullptr;       // [size, stride] inputs
  float* dx = nullptr;      // [size, stride] what they learn
  float* scores = nullptr;  // [size, negative_count]
};

struct SgnsKernels {
  // One step of stochastic gradient ascent on log sigmoid, from the inputs as they were when the block began.
  void (*step)(const SgnsBlock& block, const SgnsWorkspace& workspace);
  // Sums of -log sigmoid of the block as it stands: of its targets, and of its negatives with their weights.
  double (*loss)(const SgnsBlock& block, const SgnsWorkspace& workspace);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const SgnsKernels sgns_kernels;
}
namespace avx512 {
extern const SgnsKernels sgns_kernels;
}
#endif
namespace baseline {
extern const SgnsKernels sgns_kernels;
}

inline const SgnsKernels& sgns_kernels() {
  static const SgnsKernels& table = NLPTK_DISPATCH(sgns_kernels);
  return table;
}

}  // namespace nlptk
