// Forward, backward and expected counts of several sequences of a hidden Markov model at once, one table for each
// instruction set; csrc/core/baum_welch.cpp calls it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.hpp"

namespace nlptk {

// Rows are padded with 0 to `stride` floats, a multiple of the widest vector.
struct HmmTables {
  std::size_t states;
  std::size_t stride;
  const float* to;        // [states, stride] p(to | from), row = from
  const float* from;      // [states, stride] its transpose
  const float* start;     // [stride]
  const float* emission;  // [words + 1, stride] p(word | state) over the word's maximum; the last row is ones
};

constexpr std::size_t kMostHmmRows = 8;  // sequences of a group
constexpr std::size_t kHmmPairs = 256;   // steps whose expected transitions are summed in float32

// Sequences that go through the model side by side, the longest first. Rows of alpha and beta are [length, stride].
struct HmmGroup {
  std::size_t count;
  const std::int32_t* words[kMostHmmRows];
  std::size_t lengths[kMostHmmRows];
  const float* start[kMostHmmRows];  // [stride] what alpha begins with
  float* alpha[kMostHmmRows];
  float* beta[kMostHmmRows];
  float* scale[kMostHmmRows];  // [length] the power of two that alpha's row was multiplied by
  float* right;                // [kMostHmmRows, stride] emission * beta * scale of the step after
  float sum[kMostHmmRows];     // of the last row of alpha
  std::int64_t exponent[kMostHmmRows];
  float highest[kMostHmmRows];  // beta so far
  bool failed[kMostHmmRows];    // float32 cannot hold its sums exactly enough
};

struct HmmKernels {
  std::size_t rows;  // sequences in a group that suit the registers
  // Rows [begin, end) of alpha, of the sequences that are so long; calls go forward in time.
  void (*forward)(const HmmTables& tables, HmmGroup& group, std::size_t begin, std::size_t end);
  // The same rows of beta, divided by the probability of the sequence; calls go back in time.
  void (*backward)(const HmmTables& tables, HmmGroup& group, std::size_t begin, std::size_t end);
  // Adds p(state) of `count` steps to the rows [stride] of their words.
  void (*add_emissions)(const HmmTables& tables, const float* alpha, const float* beta, const std::int32_t* words,
                        std::size_t count, double* emission);
  // Copies the two sides of the transitions out of `count` steps: alpha, and emission * beta * scale of the next.
  void (*copy_pairs)(const HmmTables& tables, const float* alpha, const float* beta, const float* scale,
                     const std::int32_t* words, std::size_t count, float* left, float* right);
  // pairs[i][j] += sum over `count` rows of left[i] * right[j]; pairs is [states, stride].
  void (*add_pairs)(const HmmTables& tables, const float* left, const float* right, std::size_t count, double* pairs);
};

#ifdef NLPTK_X86
namespace avx2 {
extern const HmmKernels hmm_kernels;
}
namespace avx512 {
extern const HmmKernels hmm_kernels;
}
#endif
namespace baseline {
extern const HmmKernels hmm_kernels;
}

inline const HmmKernels& hmm_kernels() {
  static const HmmKernels& table = NLPTK_DISPATCH(hmm_kernels);
  return table;
}

}  // namespace nlptk
