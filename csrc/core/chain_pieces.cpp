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
  std::size_t begin, end;   // of the sequence's steps
  std::size_t first, last;  // the same with the overlap
  ChainSeams seams;
  std::int32_t labels[2];  // at the seams

  std::size_t length() const { return last - first; }
};

// `scores` is for what is compared at the seams, [pieces, 2, labels].
std::vector<Piece> cut(std::size_t length, std::size_t overlap, std::size_t labels, std::vector<float>& scores) {
  const std::size_t size = piece_length(length);
  std::vector<Piece> pieces((length + size - 1) / size);
  scores.resize(2 * pieces.size() * labels);
  float* at = scores.data();
  for (std::size_t k = 0; k < pieces.size(); ++k, at += 2 * labels) {
    Piece& piece = pieces[k];
    piece.begin = k * size;
    piece.end = std::min(length, piece.begin + size);
    piece.first = piece.begin - std::min(piece.begin, overlap);
    piece.last = std::min(length, piece.end + overlap);
    piece.seams = {{piece.begin - piece.first, piece.end - piece.first},
                   {at, piece.end < length ? at + labels : nullptr}};
  }
  return pieces;
}

// Whether the first piece's end is the second one's begin.
bool meet(const Piece& first, const Piece& second, std::size_t labels) {
  const float* const end = first.seams.scores[1];
  return first.labels[1] == second.labels[0] && std::equal(end, end + labels, second.seams.scores[0]);
}

// False, with the path of no use, where pieces do not meet.
bool decode_pieces(const ChainTables& tables, const ChainKernels& kernels, const float* emissions,
                   const std::int32_t* words, std::size_t length, std::size_t overlap, ChainWorkspace& workspace,
                   std::int32_t* path) {
  std::vector<float> scores;
  std::vector<Piece> pieces = cut(length, overlap, tables.labels, scores);
  std::vector<Piece*> order;
  for (Piece& piece : pieces) order.push_back(&piece);
  std::stable_sort(order.begin(), order.end(), [](const Piece* a, const Piece* b) { return a->length() > b->length(); });
  const std::size_t most = order[0]->length();
  std::vector<std::int32_t> paths(kChainGroup * most);
  float* const floats = workspace.floats(viterbi_group_scratch(most, tables.stride));
  for (std::size_t k = 0; k < order.size(); k += kChainGroup) {
    const std::size_t count = std::min(kChainGroup, order.size() - k);
    ChainItem items[kChainGroup];
    for (std::size_t s = 0; s < count; ++s) {
      const Piece& piece = *order[k + s];
      items[s] = {emissions,           piece.length(), paths.data() + s * most, nullptr,
                  words + piece.first, &piece.seams,   piece.first > 0};
    }
    kernels.viterbi_group(tables, items, count, true, floats);
    for (std::size_t s = 0; s < count; ++s) {
      Piece& piece = *order[k + s];
      const std::int32_t* const own = items[s].path + piece.seams.step[0];
      std::copy(own, own + (piece.end - piece.begin), path + piece.begin);
      piece.labels[0] = own[0];
      if (piece.end < length) piece.labels[1] = items[s].path[piece.seams.step[1]];
    }
  }
  for (std::size_t k = 1; k < pieces.size(); ++k)
    if (!meet(pieces[k - 1], pieces[k], tables.labels)) return false;
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
