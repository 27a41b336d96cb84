#include "crf_batch.hpp"

#include "crf_objective.hpp"
#include "crf_online.hpp"

namespace nlptk {

void batch_training(const CrfData& data, std::vector<float>& parameters, const BatchOptions& options,
                    const LbfgsCallback& callback) {
  if (options.warm_passes > 0 && options.lbfgs.c1 == 0) {
    OnlineOptions warm;
    warm.max_iterations = options.warm_passes;
    warm.c2 = options.lbfgs.c2;
    warm.seed = options.seed;
    stochastic_gradient(data, parameters, warm, [](const OnlineProgress&, const float*) { return true; });
  }
  CrfObjective objective(data);
  LbfgsOptions search = options.lbfgs;
  search.threads = data.threads;
  search.precondition = true;
  minimize([&](const float* x, float* gradient, float* diagonal) { return objective(x, gradient, diagonal); }, parameters,
           search, callback);
}

}  // namespace nlptk
