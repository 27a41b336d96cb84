#include "crf_objective.hpp"

#include <algorithm>

#include "kernels/crf_rows.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::uint32_t kAhead = 16;   // units whose marginals are fetched ahead
constexpr std::size_t kBlocks = 64;  // sequences are summed in this many blocks whatever the number of threads

double path_score(const CrfData& data, const float* emissions, std::size_t first, std::size_t last,
                  const float* transitions, const float* start, const float* end) {
  double score = 0;
  for (std::size_t u = first; u < last; ++u) {
    const auto label = static_cast<std::size_t>(data.gold[u]);
    score += emissions[(u - first) * data.labels + label];
    score += u == first ? start[label] : transitions[static_cast<std::size_t>(data.gold[u - 1]) * data.labels + label];
  }
  return score + end[data.gold[last - 1]];
}

}  // namespace

CrfObjective::CrfObjective(const CrfData& data)
    : data_(data),
      gold_counts_(data.parameters()),
      marginals_(data.units * data.labels + 16),
      losses_(kBlocks),
      sums_(kBlocks) {
  data.gold_counts(gold_counts_.data());
  for (Sums& sums : sums_) sums.values.resize(data.labels * data.labels + 2 * data.labels);
}

double CrfObjective::operator()(const float* parameters, float* gradient) {
  const double loss = expectations(parameters);
  sum_by_feature(data_.feature_values, gold_counts_.data(), gradient);
  const std::size_t rows = data_.row_parameters();
  for (std::size_t i = rows; i < data_.parameters(); ++i) {
    double expected = 0;
    for (const Sums& sums : sums_) expected += sums.values[i - rows];
    gradient[i] = data_.chain_free[i - rows] != 0 ? static_cast<float>(expected - gold_counts_[i]) : 0.0F;
  }
  return loss;
}

double CrfObjective::expectations(const float* parameters) {
  const std::size_t labels = data_.labels;
  const float* transitions = parameters + data_.row_parameters();
  const float* start = transitions + labels * labels;
  const float* end = start + labels;
  const Chain chain(ChainScores{labels, transitions, start, end});
  struct Worker {
    ChainWorkspace chain;
    std::vector<float> sums;
  };
  std::vector<Worker> workers(static_cast<std::size_t>(data_.threads));

  parallel_for(kBlocks, data_.threads, 1, [&](std::size_t begin, std::size_t stop, int thread) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    worker.sums.resize(data_.padded);
    for (std::size_t block = begin; block < stop; ++block) {
      std::vector<double>& totals = sums_[block].values;
      std::fill(totals.begin(), totals.end(), 0.0);
      ChainExpectations expected{totals.data(), totals.data() + labels * labels,
                                 totals.data() + labels * labels + labels};
      double loss = 0;
      for (std::size_t s = data_.sequences * block / kBlocks; s < data_.sequences * (block + 1) / kBlocks; ++s) {
        const auto first = static_cast<std::size_t>(data_.offsets[s]);
        const auto last = static_cast<std::size_t>(data_.offsets[s + 1]);
        if (first == last) continue;
        float* scores = marginals_.data() + first * labels;
        for (std::size_t u = first; u < last; ++u)
          data_.emissions(parameters, u, worker.sums.data(), scores + (u - first) * labels);
        loss -= path_score(data_, scores, first, last, transitions, start, end);
        loss += forward_backward(chain, scores, last - first, worker.chain, scores, &expected);
      }
      losses_[block] = loss;
    }
  });
  double loss = 0;
  for (const double block : losses_) loss += block;
  return loss;
}

void CrfObjective::sum_by_feature(const std::vector<float>& values, const float* less, float* rows) const {
  const std::size_t labels = data_.labels, padded = data_.padded;
  const CrfRowKernels& kernels = crf_row_kernels();
  const std::vector<std::uint32_t>& units = data_.feature_units;
  parallel_for(data_.features(), data_.threads, 256, [&](std::size_t begin, std::size_t stop, int) {
    std::vector<double> totals(padded);
    for (std::size_t f = begin; f < stop; ++f) {
      const std::uint32_t row = data_.row_starts[f], first = data_.feature_starts[f], last = data_.feature_starts[f + 1];
      const std::size_t size = data_.row_starts[f + 1] - row;
      if (size == padded) {
        kernels.sum_units(marginals_.data(), labels, units.data() + first, values.empty() ? nullptr : values.data() + first,
                          last - first, padded, totals.data());
      } else {
        std::fill_n(totals.begin(), size, 0.0);
        for (std::uint32_t i = first; i < last; ++i) {
          // Most of these features are rare: their units lie apart, so those of the features to come are fetched.
          if (i + kAhead < units.size()) __builtin_prefetch(marginals_.data() + std::size_t{units[i + kAhead]} * labels);
          const float* marginals = marginals_.data() + std::size_t{units[i]} * labels;
          const double value = values.empty() ? 1.0 : static_cast<double>(values[i]);
          for (std::size_t k = 0; k < size; ++k) totals[k] += value * static_cast<double>(marginals[data_.row_labels[row + k]]);
        }
      }
      for (std::size_t k = 0; k < size; ++k) {
        const double gold = less == nullptr ? 0.0 : static_cast<double>(less[row + k]);
        rows[row + k] = data_.row_labels[row + k] < labels ? static_cast<float>(totals[k] - gold) : 0.0F;
      }
    }
  });
}

void CrfObjective::curvature(float* diagonal) {
  for (float& m : marginals_) m *= 1.0F - m;
  std::vector<float> squares(data_.feature_values);
  for (float& value : squares) value *= value;
  sum_by_feature(squares, nullptr, diagonal);
  const std::size_t rows = data_.row_parameters();
  for (std::size_t i = rows; i < data_.parameters(); ++i) {
    double expected = 0;  // the variance is at most that: a sum of Poisson-like counts
    for (const Sums& sums : sums_) expected += sums.values[i - rows];
    diagonal[i] = static_cast<float>(expected);
  }
}

}  // namespace nlptk
