// The E-step of Baum-Welch for a hidden Markov model over words (Rabiner 1989, section III.C).
#pragma once

#include <cstddef>
#include <cstdint>

namespace nlptk {

// Probabilities, row-major.
struct HmmParameters {
  std::size_t states = 0;
  std::size_t words = 0;
  const double* start = nullptr;        // [states]
  const double* transitions = nullptr;  // [states, states], row = from
  const double* emission = nullptr;     // [states, words]
};

// Expected numbers of starts, steps and words over all sequences.
struct HmmCounts {
  double* start = nullptr;        // [states]
  double* transitions = nullptr;  // [states, states]
  double* emission = nullptr;     // [words, states]: a row for each word, unlike the parameters
};

// Fills `counts` and the natural log of each sequence's probability, -inf and no counts where that is 0. Sequence s is
// words [offsets[s], offsets[s + 1]); the word `words` is missing: every state gives it probability 1.
//
// Sums run in float32 and are gathered in double; a sequence whose range float32 cannot hold is done again in log
// space. The same bytes from any number of threads.
void hmm_expected_counts(const HmmParameters& parameters, const std::int32_t* words, const std::int64_t* offsets,
                         std::size_t sequences, int threads, const HmmCounts& counts, double* log_likelihoods);

}  // namespace nlptk
