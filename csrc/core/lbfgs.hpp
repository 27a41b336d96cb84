// L-BFGS (Nocedal 1980) and, where there is an L1 term, OWL-QN (Andrew and Gao 2007).
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace nlptk {

struct LbfgsOptions {
  double c1 = 0.0;               // weight of sum |x|
  double c2 = 0.0;               // weight of sum x^2 (as CRFsuite counts it: no half)
  int max_iterations = 100;
  int memory = 6;                // pairs of differences kept
  double epsilon = 1e-5;         // stop when |gradient| < epsilon * max(1, |x|)
  int period = 10;               // and when over this many iterations
  double delta = 1e-5;           // the objective falls by less than this fraction
  int max_linesearch = 20;
  int threads = 1;
  bool precondition = false;     // by the diagonal, which is then asked for at iterations 1, 2, 4, 8 ...
};

// The smooth part of the objective; writes its gradient and, where it is asked for (not null), the diagonal of its Hessian
// or an estimate of it that is nowhere negative.
using SmoothObjective = std::function<double(const float* x, float* gradient, float* diagonal)>;

struct LbfgsProgress {
  int iteration;
  double objective;
  double gradient_norm;
  std::size_t active;  // parameters that are not zero
};
// Called after each iteration with the parameters so far; returning false ends the search.
using LbfgsCallback = std::function<bool(const LbfgsProgress&, const float* x)>;

// Minimises objective(x) + c1 |x|_1 + c2 |x|_2^2 from x, in place. Vectors are float32, sums over them double and taken
// in a fixed order, so that the result does not depend on the number of threads.
void minimize(const SmoothObjective& objective, std::vector<float>& x, const LbfgsOptions& options,
              const LbfgsCallback& callback);

}  // namespace nlptk
