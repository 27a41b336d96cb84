// The negative conditional log-likelihood of a CRF and its gradient.
#pragma once

#include <vector>

#include "chain.hpp"
#include "crf_data.hpp"

namespace nlptk {

// The result does not depend on the number of threads: sums are taken per sequence and per feature, in a fixed order.
class CrfObjective {
 public:
  explicit CrfObjective(const CrfData& data);

  // -log p(gold | units) over all sequences; its gradient goes into gradient[data.parameters()].
  double operator()(const float* parameters, float* gradient);

  // The diagonal of the Hessian where it was evaluated last, as if the labels of a sequence did not depend on each
  // other; into diagonal[data.parameters()]. Once after each evaluation: the marginals are used up.
  void curvature(float* diagonal);

 private:
  double expectations(const float* parameters);
  // row[k] of each feature = the sum over its units of value * marginal, less `less` where it is not null.
  void sum_by_feature(const std::vector<float>& values, const float* less, float* rows) const;

  const CrfData& data_;
  std::vector<float> gold_counts_;
  std::vector<float> marginals_;  // [units, labels] and a vector's slack
  std::vector<double> losses_;    // [blocks of sequences]
  struct Sums {
    std::vector<double> values;  // transitions, start, end
  };
  std::vector<Sums> sums_;  // one for each block of sequences
};

}  // namespace nlptk
