// Viterbi of one long sequence in pieces that are decoded side by side: the same path as in one go.
//
// Each piece begins some steps early with all labels alike and goes on as many steps too far. Scores are moved
// at the same steps of the sequence in every piece, so that once all best paths have one label in common the scores of
// a piece become, bit for bit, those of the sequence in one go. That is checked, not hoped for: the scores of
// neighbours must be equal where they meet, and so must their labels; otherwise the pieces overlap by more, and if that
// does not help the sequence is decoded in one go.
// Scores are a function of those one step before, and labels of those one step after, so equality at every seam is
// equality everywhere, ties included.
#pragma once

#include <cstddef>
#include <cstdint>

#include "chain.hpp"
#include "kernels/chain_kernel.hpp"

namespace nlptk {

constexpr std::size_t kPieceOverlaps[] = {64, 512};  // tried in turn; multiples of kRescaleSteps
constexpr std::size_t kOverlapsPerSequence = 64;     // at least, or pieces would be mostly overlap
constexpr std::size_t kSplitLength = kOverlapsPerSequence * kPieceOverlaps[0];

// Step t has row words[t] of emissions[rows, labels]; length is at least kSplitLength. Returns by how many steps the
// pieces overlapped that met, 0 if none did; the path is right either way.
std::size_t viterbi_in_pieces(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                              const std::int32_t* words, std::size_t length, ChainWorkspace& workspace,
                              std::int32_t* path);

// The same path in one go.
void viterbi_rescaled(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                      const std::int32_t* words, std::size_t length, ChainWorkspace& workspace, std::int32_t* path);

}  // namespace nlptk
