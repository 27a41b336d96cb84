// L-BFGS, OWL-QN and batch training: optima that are known, odd objectives, preconditioning.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "check.hpp"
#include "crf_batch.hpp"
#include "crf_set.hpp"
#include "lbfgs.hpp"

namespace {

using nlptk::CrfData;

// f(x) = sum (x_i - i)^2 / 2, whose minimum with L1 and L2 terms is known.
void lbfgs_finds_the_optimum() {
  const nlptk::SmoothObjective bowl = [](const float* x, float* gradient, float* diagonal) {
    double value = 0;
    for (int i = 0; i < 6; ++i) {
      if (diagonal != nullptr) diagonal[i] = 1;
      gradient[i] = x[i] - static_cast<float>(i);
      value += 0.5 * gradient[i] * gradient[i];
    }
    return value;
  };
  int calls = 0;
  const nlptk::LbfgsCallback count = [&](const nlptk::LbfgsProgress& progress, const float*) {
    return progress.iteration == ++calls;
  };
  nlptk::LbfgsOptions options;
  options.epsilon = 1e-6;
  options.delta = 0;
  std::vector<float> x(6);
  nlptk::minimize(bowl, x, options, count);
  for (int i = 0; i < 6; ++i) CHECK(std::abs(x[static_cast<std::size_t>(i)] - static_cast<float>(i)) < 1e-4);
  CHECK(calls > 0 && calls < 50);
  options.c1 = 1.5;
  options.c2 = 0.5;  // 2 c2 x is the gradient: x = (i - c1) / (1 + 2 c2), 0 where that is negative
  std::fill(x.begin(), x.end(), -3.0F);
  calls = 0;
  nlptk::minimize(bowl, x, options, count);
  CHECK(x[0] == 0 && x[1] == 0);
  for (int i = 2; i < 6; ++i)
    CHECK(std::abs(x[static_cast<std::size_t>(i)] - (static_cast<float>(i) - 1.5F) / 2) < 1e-4);
}

void lbfgs_survives_odd_objectives() {
  const nlptk::LbfgsCallback go = [](const nlptk::LbfgsProgress&, const float*) { return true; };
  std::vector<float> x{0.1F};
  // Infinite beyond 1: the search must step back, not end in NaN.
  const nlptk::SmoothObjective barrier = [](const float* p, float* gradient, float*) {
    if (p[0] >= 1) return std::numeric_limits<double>::quiet_NaN();
    gradient[0] = -10 + 1 / (1 - p[0]);
    return -10.0 * p[0] - std::log(1.0 - p[0]);
  };
  nlptk::minimize(barrier, x, {}, go);
  CHECK(std::abs(x[0] - 0.9F) < 1e-3);
  bool stopped = false;
  try {
    x = {2.0F};
    nlptk::minimize(barrier, x, {}, go);
  } catch (const std::domain_error&) {
    stopped = true;
  }
  CHECK(stopped);
  nlptk::LbfgsOptions options;
  options.memory = 0;
  CHECK(rejects([&] { nlptk::minimize(barrier, x, options, go); }, "at least 1"));
  options.memory = 6;
  options.period = 0;
  CHECK(rejects([&] { nlptk::minimize(barrier, x, options, go); }, "at least 1"));
  std::vector<float> none;
  nlptk::minimize([](const float*, float*, float*) { return 1.0; }, none, {}, go);
}

// Curvatures from 1 to 10^4: without a preconditioner the search needs many steps more.
void preconditioning_finds_the_optimum_sooner() {
  const nlptk::SmoothObjective valley = [](const float* x, float* gradient, float* diagonal) {
    double value = 0;
    for (int i = 0; i < 50; ++i) {
      const double steep = std::pow(10.0, 0.08 * i);
      gradient[i] = static_cast<float>(steep * (x[i] - 1.0F));
      value += 0.5 * steep * (x[i] - 1.0) * (x[i] - 1.0);
      if (diagonal != nullptr) diagonal[i] = static_cast<float>(steep);
    }
    return value;
  };
  int steps[2] = {0, 0};
  for (const bool precondition : {false, true}) {
    nlptk::LbfgsOptions options;
    options.memory = 3;
    options.delta = 0;
    options.max_iterations = 500;
    options.precondition = precondition;
    std::vector<float> x(50);
    double value = 0;
    nlptk::minimize(valley, x, options, [&](const nlptk::LbfgsProgress& progress, const float*) {
      value = progress.objective;
      steps[precondition] = progress.iteration;
      return value > 1e-3;
    });
    CHECK(value <= 1e-3);
  }
  CHECK(2 * steps[1] < steps[0]);
}

void batch_training_ends_at_the_optimum() {
  const CrfSet set(9, 4, 80, 6);
  const CrfData data(set.input(), {1, 3, 2});
  for (const double c1 : {0.0, 0.5}) {
    std::vector<float> found[2];
    double value[2] = {0, 0};
    for (const int passes : {0, 4}) {
      nlptk::BatchOptions options;
      options.lbfgs.c1 = c1;
      options.lbfgs.c2 = 0.5;
      options.lbfgs.delta = 0;
      options.lbfgs.epsilon = 1e-4;
      options.lbfgs.max_iterations = 500;
      options.warm_passes = passes;
      std::vector<float>& w = found[passes > 0];
      w.resize(data.parameters());
      nlptk::batch_training(data, w, options, [&](const nlptk::LbfgsProgress& progress, const float*) {
        value[passes > 0] = progress.objective;
        return true;
      });
    }
    CHECK(std::abs(value[0] - value[1]) < 1e-4 * value[0]);
    for (std::size_t p = 0; p < found[0].size(); ++p) CHECK(std::abs(found[0][p] - found[1][p]) < 2e-2F);
    for (const std::vector<float>& w : found)
      if (c1 > 0) CHECK(std::count(w.begin(), w.end(), 0.0F) > 20);
  }
}

// One feature of values so large that no step of SGD suits it and the others: L-BFGS must not begin where that ends.
void large_values_do_not_mislead_batch_training() {
  nlptk::Random random(3);
  std::vector<std::uint32_t> ids;
  std::vector<float> values;
  std::vector<std::int64_t> starts{0}, offsets{0};
  std::vector<std::int32_t> gold;
  for (std::size_t s = 0; s < 40; ++s) {
    for (std::size_t u = 0; u < 5; ++u) {
      gold.push_back(static_cast<std::int32_t>(random.below(3)));
      ids.insert(ids.end(), {static_cast<std::uint32_t>(1 + random.below(6)), 0});
      values.insert(values.end(), {1.0F, 1e4F * static_cast<float>(gold.back()) + static_cast<float>(random.below(8000))});
      starts.push_back(static_cast<std::int64_t>(ids.size()));
    }
    offsets.push_back(static_cast<std::int64_t>(gold.size()));
  }
  nlptk::CrfInput input{ids.data(), gold.size(), 0, offsets.data(), offsets.size() - 1, gold.data(), 3};
  input.starts = starts.data();
  input.values = values.data();
  const CrfData data(input, {1, 0, 1});
  double value[2] = {0, 0};
  for (const int passes : {0, 4}) {
    nlptk::BatchOptions options;
    options.lbfgs.c2 = 0.1;
    options.warm_passes = passes;
    std::vector<float> w(data.parameters());
    nlptk::batch_training(data, w, options, [&](const nlptk::LbfgsProgress& progress, const float*) {
      value[passes > 0] = progress.objective;
      return true;
    });
  }
  CHECK(value[0] > 0 && value[0] < 200 * std::log(3.0));
  CHECK(value[1] > 0 && value[1] < 1.01 * value[0]);
}

}  // namespace

int main() {
  lbfgs_finds_the_optimum();
  lbfgs_survives_odd_objectives();
  preconditioning_finds_the_optimum_sooner();
  batch_training_ends_at_the_optimum();
  large_values_do_not_mislead_batch_training();
  std::printf("ok\n");
  return 0;
}
