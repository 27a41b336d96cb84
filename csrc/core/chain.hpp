// The linear-chain kernel: Viterbi, n-best and forward-backward over one shared transition matrix.
//
// Every tagger decodes here: jieba's HMM, the HMM tagger, the CRF, the segmenter and the Bi-LSTM-CRF.
// A score of -infinity forbids a label, a transition, a start or an end. NaN is the caller's to reject, see first_unusable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace nlptk {

struct ChainScores {
  std::size_t labels = 0;
  const float* transitions = nullptr;  // [labels, labels], row = from, column = to
  const float* start = nullptr;        // [labels] or nullptr for zeros
  const float* end = nullptr;          // [labels] or nullptr for zeros
};

// The scores made ready for the kernels (padded, transposed, exponentiated). Immutable: threads share it.
class Chain {
 public:
  explicit Chain(const ChainScores& scores);
  ~Chain();
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  std::size_t labels() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  Impl* impl_;
};

// Scratch memory of one thread; grows to the longest sequence seen and is reused.
class ChainWorkspace {
 public:
  float* floats(std::size_t n);  // at least n floats, 64-byte aligned, contents unspecified
  void shrink(std::size_t n);    // gives memory of more than n floats back

 private:
  std::unique_ptr<float[]> buffer_;
  std::size_t size_ = 0;
};

// Sums that training needs, over all sequences given so far. Arrays belong to the caller.
struct ChainExpectations {
  double* transitions = nullptr;  // [labels, labels]
  double* start = nullptr;        // [labels]
  double* end = nullptr;          // [labels]
};

// The first of n scores that is NaN, +inf or beyond 1e30 in magnitude (sums of up to 10^8 others stay finite);
// n if there is none. The functions below take such scores unchecked: no crash, but no promise of a good path.
std::size_t first_unusable(const float* scores, std::size_t n);

// One sequence of `length` rows of `labels` emission scores, row-major and dense.
// Best path into path[length]; returns its score. The lowest label wins a tie. length 0 gives 0.
float viterbi(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
              std::int32_t* path);

// log of the sum over all paths of exp(score).
double log_partition(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace);

// Also p(label at t | emissions) into marginals[length, labels] (may be the emissions array itself) and, where
// `expectations` is not null, adds expected counts of transitions, starts and ends to it.
double forward_backward(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
                        float* marginals, ChainExpectations* expectations);

// The n best paths, best first, into paths[n, length] and scores[n]; returns how many there are (<= n).
std::size_t viterbi_nbest(const Chain& chain, const float* emissions, std::size_t length, std::size_t n,
                          ChainWorkspace& workspace, std::int32_t* paths, float* scores);

// Best paths of several sequences on this thread: sequence s is rows [offsets[s], offsets[s + 1]), of which emissions and
// paths hold those from offsets[0] on. Quicker than one by one. scores may be null.
void viterbi_sequences(const Chain& chain, const float* emissions, const std::int64_t* offsets, std::size_t sequences,
                       std::int32_t* paths, float* scores);

// Ragged batch: sequence s is rows [offsets[s], offsets[s + 1]). scores may be null.
void viterbi_batch(const Chain& chain, const float* emissions, const std::int64_t* offsets, std::size_t sequences,
                   int threads, std::int32_t* paths, float* scores);

// As viterbi_batch, for scores that depend on the word alone: position t has row words[t] of emissions[rows, labels].
// The best score is moved to 0 every few steps, which keeps float32 exact enough for long sequences, and sequences of
// thousands of words are decoded in pieces side by side, which changes no path (chain_pieces.hpp).
void viterbi_words(const Chain& chain, const float* emissions, const std::int32_t* words, const std::int64_t* offsets,
                   std::size_t sequences, int threads, std::int32_t* paths);

// Pairs of one addition and one maximum that one core does in a second when all operands stay in registers: the
// best of runs over `seconds`. What viterbi is measured against.
double max_add_peak(double seconds);

}  // namespace nlptk
