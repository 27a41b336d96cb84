// What the chain kernels of each instruction set export; csrc/core/chain.cpp chooses a set and calls it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nlptk {

// Every row is padded to `stride` floats (a multiple of the widest vector): -inf in score tables, 0 in exp tables.
struct ChainTables {
  std::size_t labels;
  std::size_t stride;
  const float* to;         // [labels, stride] transition scores, row = from: to[i][j] = score(i -> j)
  const float* from;       // [labels, stride] its transpose, row = to
  const float* start;      // [stride]
  const float* end;        // [stride]
  const float* exp_to;     // exp(to - max of to), and so on: every entry in [0, 1]
  const float* exp_from;
  const float* exp_start;
  const float* exp_end;
};

// log Z = log(mantissa) + exponent * log(2) + shift + the maxima taken out of the tables.
struct ScaledSum {
  float mantissa;
  std::int64_t exponent;
  double shift;
};

// Where the sums of forward-backward go; any pointer may be null.
struct ChainSums {
  float* marginals;     // [length, labels]
  double* transitions;  // [labels, labels], added to; likewise the next two
  double* start;
  double* end;
};

// Steps whose scores the pieces of a long sequence are compared by, and where those scores go.
struct ChainSeams {
  std::size_t step[2];
  float* scores[2];  // [labels] each; null for none
};

// One sequence of a batch, or a piece of a long one.
struct ChainItem {
  const float* emissions;
  std::size_t length;  // > 0
  std::int32_t* path;
  float* score;  // may be null
  const std::int32_t* words = nullptr;  // step t has row words[t] of emissions; null for row t
  const ChainSeams* seams = nullptr;    // may be null
  bool continues = false;               // begins with all labels alike, not with the scores of a start
};

constexpr std::size_t kChainGroup = 16;
// Each so many steps scores may be moved so that the best is 0: floats near 0 are the exact ones.
constexpr std::size_t kRescaleSteps = 8;

struct ChainKernels {
  float (*viterbi)(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                   std::int32_t* path);
  // The same paths for at most kChainGroup sequences at a time, the longest first. `rescaled` moves the scores, see
  // kRescaleSteps: no item may then ask for its score.
  void (*viterbi_group)(const ChainTables& tables, const ChainItem* items, std::size_t count, bool rescaled,
                        float* scratch);
  // False, with nothing written, where float32 cannot hold the sums exactly enough.
  bool (*forward_backward)(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                           const ChainSums& sums, ScaledSum* total);
  // See chain.hpp.
  std::size_t (*first_unusable)(const float* scores, std::size_t n);
  // Does `rounds` rounds of max-adds in registers and nothing else; returns how many there were.
  std::size_t (*max_adds)(std::size_t rounds);
};

// Floats of scratch that the kernels need.
inline std::size_t viterbi_scratch(std::size_t length, std::size_t stride) { return (length + 2) * stride; }
inline std::size_t viterbi_group_scratch(std::size_t longest, std::size_t stride) {
  return kChainGroup * ((longest + 2) * stride + longest / kRescaleSteps + 1);
}
inline std::size_t forward_backward_scratch(std::size_t length, std::size_t stride) {
  return (3 * length + 2) * stride + length;
}

// Defined in chain_viterbi.cpp and chain_sums.cpp, once for each instruction set.
#define NLPTK_CHAIN_KERNELS                                                                                      \
  float viterbi(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,           \
                std::int32_t* path);                                                                             \
  void viterbi_group(const ChainTables& tables, const ChainItem* items, std::size_t count, bool rescaled,        \
                     float* scratch);                                                                            \
  std::size_t first_unusable(const float* scores, std::size_t n);                                                \
  std::size_t max_adds(std::size_t rounds);                                                                      \
  extern const ChainKernels chain_kernels;

namespace baseline {
NLPTK_CHAIN_KERNELS
}
namespace avx2 {
NLPTK_CHAIN_KERNELS
}
namespace avx512 {
NLPTK_CHAIN_KERNELS
}
#undef NLPTK_CHAIN_KERNELS

}  // namespace nlptk
