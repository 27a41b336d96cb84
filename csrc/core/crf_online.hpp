// Training one sequence at a time. All methods use one thread: the same bytes every time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "crf_data.hpp"

namespace nlptk {

struct OnlineOptions {
  int max_iterations = 10;   // passes over the training set
  double c2 = 1.0;           // SGD: L2 as in LbfgsOptions
  double epsilon = 0.0;      // not SGD: stop when the mean loss of a pass is less (AROW: not more)
  std::uint64_t seed = 1;    // order of the sequences
};

struct PassiveAggressiveOptions {
  int type = 1;                 // 0: the step that takes the loss to 0, 1: at most c, 2: damped by 1 / 2c
  double c = 1.0;
  bool error_sensitive = true;  // the margin to be kept is sqrt(wrong units) rather than 1
  bool averaging = true;        // the mean of the weights over all steps
};

struct ArowOptions {
  double variance = 1.0;  // of each weight at first
  double gamma = 1.0;     // the larger, the smaller the steps
};

struct OnlineProgress {
  int iteration;
  double loss;  // sum over the pass. Perceptron: share of wrong units; PA and AROW: hinge; SGD: -log p plus the L2 term
};
// Called after each pass with the parameters as they would be used; returning false ends the training.
using OnlineCallback = std::function<bool(const OnlineProgress&, const float* parameters)>;

// Structured perceptron with averaging (Collins 2002).
void averaged_perceptron(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options,
                         const OnlineCallback& callback);

// Passive-aggressive updates (Crammer et al. 2006) on the best path, as CRFsuite makes them.
void passive_aggressive(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options,
                        const PassiveAggressiveOptions& more, const OnlineCallback& callback);

// Adaptive regularization of weights (Crammer et al. 2009), diagonal, as CRFsuite has it.
void arow(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options, const ArowOptions& more,
          const OnlineCallback& callback);

// SGD with L2 by scaling and a step of 1 / (lambda (t + t0)), t0 found on a sample (Bottou 2010).
void stochastic_gradient(const CrfData& data, std::vector<float>& parameters, const OnlineOptions& options,
                         const OnlineCallback& callback);

}  // namespace nlptk
