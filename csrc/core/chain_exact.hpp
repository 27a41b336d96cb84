// The parts of the chain that need no vectors: sums in log space and the n best paths.
#pragma once

#include "kernels/chain_kernel.hpp"

namespace nlptk {

// Forward-backward in double precision and log space, for sequences whose range float32 cannot hold.
// Slow (an exp for each pair of labels) and never wrong; where no path is allowed it returns -inf and all sums are 0.
double forward_backward_exact(const ChainTables& tables, const float* emissions, std::size_t length,
                              const ChainSums& sums);

// The n best paths by n-best lists at every label; see viterbi_nbest in chain.hpp.
std::size_t viterbi_nbest_lists(const ChainTables& tables, const float* emissions, std::size_t length,
                                std::size_t n, std::int32_t* paths, float* scores);

}  // namespace nlptk
