// Training one sequence at a time: the averaged perceptron and stochastic gradient descent.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "crf_data.hpp"

namespace nlptk {

struct OnlineOptions {
  int max_iterations = 10;   // passes over the training set
  double c2 = 1.0;           // SGD: L2 as in LbfgsOptions
  double epsilon = 0.0;      // perceptron: stop when fewer than this fraction of the units are wrong
  std::uint64_t seed = 1;    // order of the sequences
};

struct OnlineProgress {
  int iteration;
  double loss;  // perceptron: wrong units in the pass; SGD: negative log-likelihood plus the L2 term
};
// Called after each pass with the parameters as they would be used; returning false ends the training.
using OnlineCallback = std::function<bool(const OnlineProgress&, const float* parameters)>;

// Structured perceptron with averaging (Collins 2002). One thread: the same bytes every time.
void averaged_perceptron(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options,
                         const OnlineCallback& callback);

// SGD with L2 by scaling and a step of 1 / (lambda (t + t0)), t0 found on a sample (Bottou 2010).
void stochastic_gradient(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options,
                         const OnlineCallback& callback);

}  // namespace nlptk
