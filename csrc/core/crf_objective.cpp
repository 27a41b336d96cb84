#include "crf_objective.hpp"

#include <algorithm>

#include "crf_sequence.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kUnitsInPart = 1 << 15;  // so many that adding its gradient up costs little beside
constexpr std::size_t kMostParts = 16;
constexpr std::size_t kBlock = 1 << 14;
constexpr std::size_t kPollEvery = 64;  // sequences

}  // namespace

CrfObjective::CrfObjective(const CrfData& data)
    : data_(data),
      squares_(data.unit_values),
      gold_chain_(chain_size(data.labels)),
      parts_(std::clamp<std::size_t>(data.units / kUnitsInPart, 1, kMostParts)) {
  for (float& value : squares_) value *= value;
  data.gold_chain(gold_chain_.data());
  std::size_t s = 0;
  for (std::size_t p = 0; p < parts_.size(); ++p) {  // of about as many units each
    parts_[p].begin = s;
    while (s < data.sequences && static_cast<std::size_t>(data.offsets[s]) * parts_.size() < data.units * (p + 1)) ++s;
    parts_[p].end = s;
  }
  parts_.back().end = data.sequences;
}

double CrfObjective::operator()(const float* parameters, float* gradient, float* diagonal) {
  const Chain chain(chain_scores(data_.labels, parameters + data_.row_parameters()));
  parallel_for(parts_.size(), data_.threads, 1, [&](std::size_t begin, std::size_t stop, int) {
    for (std::size_t p = begin; p < stop; ++p) run(chain, parameters, diagonal != nullptr, parts_[p]);
  });
  gather(gradient, diagonal);
  double loss = 0;
  for (const Part& part : parts_) loss += part.loss;
  return loss;
}

void CrfObjective::run(const Chain& chain, const float* parameters, bool curved, Part& part) const {
  const std::size_t labels = data_.labels;
  part.gradient.assign(data_.row_parameters(), 0.0F);
  if (curved) part.diagonal.assign(data_.row_parameters(), 0.0F);
  part.chain.assign(gold_chain_.size(), 0.0);
  part.sums.resize(data_.padded);
  part.by.assign(data_.padded, 0.0F);
  part.loss = 0;
  ChainExpectations expected = chain_expectations(labels, part.chain.data());
  for (std::size_t s = part.begin; s < part.end; ++s) {
    if (s % kPollEvery == 0) poll_interrupt();
    const auto first = static_cast<std::size_t>(data_.offsets[s]);
    const auto last = static_cast<std::size_t>(data_.offsets[s + 1]);
    if (first == last) continue;
    part.scores.resize((last - first) * labels);
    float* const scores = part.scores.data();
    for (std::size_t u = first; u < last; ++u)
      data_.emissions(parameters, u, part.sums.data(), scores + (u - first) * labels);
    part.loss -= path_score(data_.path(first, last), labels, scores, parameters + data_.row_parameters());
    part.loss += forward_backward(chain, scores, last - first, part.workspace, scores, &expected);
    // The unit's rows are still in the cache.
    for (std::size_t u = first; u < last; ++u) {
      const float* const marginals = scores + (u - first) * labels;
      if (curved) {
        for (std::size_t l = 0; l < labels; ++l) part.by[l] = marginals[l] * (1.0F - marginals[l]);
        data_.add(part.diagonal.data(), u, part.by.data(), squares_, false);
      }
      std::copy_n(marginals, labels, part.by.data());
      part.by[static_cast<std::size_t>(data_.gold[u])] -= 1.0F;
      data_.add(part.gradient.data(), u, part.by.data(), data_.unit_values, false);
    }
  }
}

// The sums over the parts, for parameters that are used.
void CrfObjective::gather(float* gradient, float* diagonal) const {
  const std::size_t rows = data_.row_parameters();
  parallel_for(rows, data_.threads, kBlock, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      float sum = 0;
      for (const Part& part : parts_) sum += part.gradient[i];
      gradient[i] = data_.label(i) < data_.labels ? sum : 0.0F;
    }
    for (std::size_t i = begin; i < end && diagonal != nullptr; ++i) {
      float sum = 0;
      for (const Part& part : parts_) sum += part.diagonal[i];
      diagonal[i] = data_.label(i) < data_.labels ? sum : 0.0F;
    }
  });
  for (std::size_t i = 0; i < gold_chain_.size(); ++i) {
    double expected = 0;
    for (const Part& part : parts_) expected += part.chain[i];
    gradient[rows + i] = data_.chain_free[i] != 0 ? static_cast<float>(expected - gold_chain_[i]) : 0.0F;
    if (diagonal != nullptr) diagonal[rows + i] = static_cast<float>(expected);  // counts vary about as much as they expect
  }
}

}  // namespace nlptk
