// One sequence of a CRF: the score of its gold path, and the gradient for methods that step after each sequence.
//
// The chain's own scores, here and elsewhere, are one array: transitions [labels, labels], start [labels], end [labels].
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain.hpp"

namespace nlptk {

// Labels of a sequence that is not empty.
struct GoldPath {
  const std::int32_t* gold = nullptr;  // [length]
  std::size_t length = 0;

  std::size_t label(std::size_t t) const { return static_cast<std::size_t>(gold[t]); }
};

inline std::size_t chain_size(std::size_t labels) { return labels * labels + 2 * labels; }
inline ChainScores chain_scores(std::size_t labels, const float* chain) {
  return {labels, chain, chain + labels * labels, chain + labels * labels + labels};
}
inline ChainExpectations chain_expectations(std::size_t labels, double* chain) {
  return {chain, chain + labels * labels, chain + labels * labels + labels};
}

// The path's score, with emissions [length, labels].
double path_score(const GoldPath& path, std::size_t labels, const float* emissions, const float* chain);
// Adds `by` to counts[chain_size] for each transition of the path, its start and its end.
void add_path(const GoldPath& path, std::size_t labels, double by, double* counts);

class SequenceGradient {
 public:
  // -log p(path). Scores are `scale` times emissions[length, labels] and chain; emissions become marginals.
  double operator()(const GoldPath& path, std::size_t labels, float scale, const float* chain, float* emissions);
  // Of the chain's scores, as left by that: expected less gold counts.
  const std::vector<double>& chain() const { return chain_; }

 private:
  ChainWorkspace workspace_;
  std::vector<float> scores_;
  std::vector<double> chain_;
};

}  // namespace nlptk
