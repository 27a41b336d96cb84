// Second-order Viterbi over candidate lists: the decoder of a trigram HMM (Brants 2000).
//
// A trigram chain over n states is a first-order chain over n * n pairs. Dense pairs are wasteful: a word of the
// lexicon has two or three tags, so every token brings its own short list of candidate states and only those
// are visited. The result is exact for the lists given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlptk {

// State `states - 1` is the boundary: two of them stand before each sequence and one after it.
// The state two back counts only by its class, so that many refined states need no cube of scores.
struct TrigramScores {
  std::size_t states = 0;
  const std::int32_t* contexts = nullptr;  // [states]: the class of each state
  const float* transitions = nullptr;      // [classes, states, states]: class two back, state one back, state here
};

// Token t has the candidates [offsets[t], offsets[t + 1]), at least one, each an increasing state below
// states - 1 with its emission score. -infinity forbids.
struct Candidates {
  const std::int64_t* offsets = nullptr;
  const std::int32_t* states = nullptr;
  const float* scores = nullptr;
};

// Scratch memory of one thread; grows to the longest sequence seen and is reused.
struct TrigramWorkspace {
  std::vector<float> before, here;         // best score of each pair (candidate one back, candidate here)
  std::vector<std::int32_t> back;          // which candidate two back it came from
  std::vector<std::size_t> back_offsets;   // where the pairs of each token begin in `back`
};

// Best path of tokens [begin, end) into path[end - begin], as states; returns its score. On a tie the lowest
// state wins, decided at the last token first, then one back and so on. No tokens give the boundary's own score.
float trigram_viterbi(const TrigramScores& scores, const Candidates& candidates, std::size_t begin, std::size_t end,
                      TrigramWorkspace& workspace, std::int32_t* path);

// Ragged batch: sequence s is tokens [offsets[s], offsets[s + 1]).
void trigram_viterbi_batch(const TrigramScores& scores, const Candidates& candidates, const std::int64_t* offsets,
                           std::size_t sequences, int threads, std::int32_t* path, float* path_scores);

}  // namespace nlptk
