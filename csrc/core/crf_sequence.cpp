#include "crf_sequence.hpp"

namespace nlptk {

double path_score(const GoldPath& path, std::size_t labels, const float* emissions, const float* chain) {
  const ChainScores scores = chain_scores(labels, chain);
  double score = static_cast<double>(scores.start[path.label(0)]) + static_cast<double>(scores.end[path.label(path.length - 1)]);
  for (std::size_t t = 0; t < path.length; ++t) {
    score += static_cast<double>(emissions[t * labels + path.label(t)]);
    if (t > 0) score += static_cast<double>(scores.transitions[path.label(t - 1) * labels + path.label(t)]);
  }
  return score;
}

void add_path(const GoldPath& path, std::size_t labels, double by, double* counts) {
  const ChainExpectations to = chain_expectations(labels, counts);
  to.start[path.label(0)] += by;
  to.end[path.label(path.length - 1)] += by;
  for (std::size_t t = 1; t < path.length; ++t) to.transitions[path.label(t - 1) * labels + path.label(t)] += by;
}

double SequenceGradient::operator()(const GoldPath& path, std::size_t labels, float scale, const float* chain,
                                    float* emissions) {
  scores_.assign(chain, chain + chain_size(labels));
  for (float& score : scores_) score *= scale;
  for (std::size_t i = 0; i < path.length * labels; ++i) emissions[i] *= scale;
  const double gold = path_score(path, labels, emissions, scores_.data());
  chain_.assign(scores_.size(), 0.0);
  ChainExpectations expected = chain_expectations(labels, chain_.data());
  const Chain ready(chain_scores(labels, scores_.data()));
  const double log_z = forward_backward(ready, emissions, path.length, workspace_, emissions, &expected);
  add_path(path, labels, -1.0, chain_.data());
  return log_z - gold;
}

}  // namespace nlptk
