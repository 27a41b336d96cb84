// The negative conditional log-likelihood of a CRF, its gradient and its curvature.
#pragma once

#include <cstddef>
#include <vector>

#include "chain.hpp"
#include "crf_data.hpp"

namespace nlptk {

// Sequences are summed in parts, each by one thread and in order; the data decide what the parts are, so that any number of
// threads gives the same bytes.
class CrfObjective {
 public:
  explicit CrfObjective(const CrfData& data);

  // -log p(gold | units) over all sequences; its gradient goes into gradient[data.parameters()]. Where `diagonal` is not
  // null, also the diagonal of its Hessian, as if the labels of a sequence did not depend on each other.
  double operator()(const float* parameters, float* gradient, float* diagonal = nullptr);

 private:
  struct Part {
    std::size_t begin = 0, end = 0;         // sequences
    double loss = 0;
    std::vector<float> gradient, diagonal;  // [row parameters]
    std::vector<double> chain;              // expected transitions, starts and ends
    std::vector<float> scores, sums, by;    // scratch
    ChainWorkspace workspace;
  };
  void run(const Chain& chain, const float* parameters, bool curved, Part& part) const;
  void gather(float* gradient, float* diagonal) const;

  const CrfData& data_;
  std::vector<float> squares_;      // of the values of units
  std::vector<double> gold_chain_;  // how often each transition, start and end is in the gold labels
  std::vector<Part> parts_;
};

}  // namespace nlptk
