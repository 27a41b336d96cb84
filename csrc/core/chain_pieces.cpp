// Cuts a long sequence, has the pieces decoded in groups, and checks that they meet.
#include "chain_pieces.hpp"

#include <algorithm>
#include <vector>

namespace nlptk {
namespace {

constexpr std::size_t kPieceLength = 2048;  // at most; scores of 16 pieces stay in the cache for few labels

// Pieces fill whole groups, where the sequence is long enough, and begin where scores are moved.
std::size_t piece_length(std::size_t length) {
  const std::size_t groups = (length + kChainGroup * kPieceLength - 1) / (kChainGroup * kPieceLength);
  const std::size_t pieces = groups * kChainGroup;
  const std::size_t fair = (length + pieces - 1) / pieces;
  return (fair + kRescaleSteps - 1) / kRescaleSteps * kRescaleSteps;
}

struct Piece {
  std::size_t begin;    // of the sequence's steps
  std::size_t end;
  std::size_t skipped;  // steps decoded before `begin`
  ChainSeams seams;
};

// False, with the path unfinished, where pieces do not meet.
bool decode_pieces(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                   const std::int32_t* words, std::size_t length, std::size_t overlap, ChainWorkspace& workspace,
                   std::int32_t* path) {
  const std::size_t n = tables.labels;
  const std::size_t size = piece_length(length);
  const std::size_t count = (length + size - 1) / size;
  const std::size_t most = size + 2 * overlap;
  std::vector<Piece> pieces(count);
  std::vector<std::int32_t> paths(count * most);
  std::vector<float> scores(2 * count * n);  // of each piece at its begin and at its end
  std::vector<ChainItem> items;
  for (std::size_t k = 0; k < count; ++k) {
    Piece& piece = pieces[k];
    piece.begin = k * size;
    piece.end = std::min(length, piece.begin + size);
    piece.skipped = std::min(piece.begin, overlap);
    const std::size_t first = piece.begin - piece.skipped;
    const std::size_t last = std::min(length, piece.end + overlap);
    float* const at = scores.data() + 2 * k * n;
    piece.seams = {{piece.skipped, piece.end - first}, {at, piece.end < length ? at + n : nullptr}};
    items.push_back({emissions, last - first, paths.data() + k * most, nullptr, words + first, &piece.seams, first > 0});
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const ChainItem& a, const ChainItem& b) { return a.length > b.length; });
  for (std::size_t k = 0; k < count; k += kChainGroup) {
    float* floats = workspace.floats(viterbi_group_scratch(items[k].length, tables.stride));
    kernels.viterbi_group(tables, &items[k], std::min(kChainGroup, count - k), true, floats);
  }

  for (std::size_t k = 0; k < count; ++k) {
    const std::int32_t* const own = paths.data() + k * most + pieces[k].skipped;
    const std::size_t steps = pieces[k].end - pieces[k].begin;
    if (k + 1 < count) {
      const float* const end = scores.data() + (2 * k + 1) * n;
      const float* const begin = end + n;  // of the next piece
      if (!std::equal(end, end + n, begin) || own[steps] != paths[(k + 1) * most + pieces[k + 1].skipped]) return false;
    }
    std::copy(own, own + steps, path + pieces[k].begin);
  }
  return true;
}

}  // namespace

std::size_t viterbi_in_pieces(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                              const std::int32_t* words, std::size_t length, ChainWorkspace& workspace,
                              std::int32_t* path) {
  for (const std::size_t overlap : kPieceOverlaps)
    if (length >= kOverlapsPerSequence * overlap &&
        decode_pieces(tables, kernels, emissions, words, length, overlap, workspace, path))
      return overlap;
  viterbi_rescaled(tables, kernels, emissions, words, length, workspace, path);
  return 0;
}

void viterbi_rescaled(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                      const std::int32_t* words, std::size_t length, ChainWorkspace& workspace, std::int32_t* path) {
  const ChainItem item{emissions, length, path, nullptr, words};
  kernels.viterbi_group(tables, &item, 1, true, workspace.floats(viterbi_group_scratch(length, tables.stride)));
}

}  // namespace nlptk
