#include "crf_batch.hpp"

#include <cmath>
#include <limits>

#include "crf_objective.hpp"
#include "crf_online.hpp"

namespace nlptk {
namespace {

// To where a few passes of SGD end; false where they ended no better than a model that knows nothing, and `parameters` stay
// at zero: features of large values make SGD's steps too long.
bool warm_up(const CrfData& data, std::vector<float>& parameters, const BatchOptions& options) {
  OnlineOptions warm;
  warm.max_iterations = options.warm_passes;
  warm.c2 = options.lbfgs.c2;
  warm.seed = options.seed;
  std::vector<float> found(parameters);
  double loss = std::numeric_limits<double>::infinity();
  stochastic_gradient(data, found, warm, [&](const OnlineProgress& progress, const float*) {
    loss = progress.loss;
    return true;
  });
  const double at_zero = static_cast<double>(data.units) * std::log(static_cast<double>(data.labels));
  if (!(loss < at_zero)) return false;  // NaN too
  parameters.swap(found);
  return true;
}

}  // namespace

void batch_training(const CrfData& data, std::vector<float>& parameters, const BatchOptions& options,
                    const LbfgsCallback& callback) {
  LbfgsOptions search = options.lbfgs;
  search.threads = data.threads;
  // The curvature at zero is not that of where the search ends: there it would lead astray.
  search.precondition = options.warm_passes > 0 && warm_up(data, parameters, options);
  CrfObjective objective(data);
  minimize([&](const float* x, float* gradient, float* diagonal) { return objective(x, gradient, diagonal); }, parameters,
           search, callback);
}

}  // namespace nlptk
