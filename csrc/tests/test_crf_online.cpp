// CRF training sequence by sequence: SGD, averaged perceptron, passive-aggressive, AROW.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include "check.hpp"
#include "crf_data.hpp"
#include "crf_objective.hpp"
#include "crf_online.hpp"
#include "crf_set.hpp"

namespace {

using nlptk::CrfData;

double loss_at(const CrfData& data, const std::vector<float>& w) {
  nlptk::CrfObjective objective(data);
  std::vector<float> gradient(w.size());
  return objective(w.data(), gradient.data());
}

void online_methods_learn_and_repeat() {
  const CrfSet set(3, 4, 60, 6);
  const CrfData data(set.input(), {1, 1, 1});
  const std::vector<float> zero(data.parameters());
  for (const OnlineMethod train : kOnlineMethods) {
    nlptk::OnlineOptions options;
    options.max_iterations = 8;
    options.c2 = 0.01;
    double last = 0;
    int passes = 0;
    const nlptk::OnlineCallback watch = [&](const nlptk::OnlineProgress& progress, const float*) {
      last = progress.loss;
      return progress.iteration == ++passes;
    };
    std::vector<float> w = zero, again = zero, other = zero;
    train(data, w, options, watch);
    CHECK(train == nlptk::stochastic_gradient ? last < 0.2 * loss_at(data, zero) : last == 0);
    passes = 0;
    train(data, again, options, watch);
    CHECK(again == w);
    passes = 0;
    options.seed = 2;
    train(data, other, options, watch);
    CHECK(other != w);
    passes = 0;
    std::vector<float> stopped = zero;
    train(data, stopped, options, [&](const nlptk::OnlineProgress&, const float*) { return ++passes < 2; });
    CHECK(passes <= 2);
  }
}

// Two units with a feature each, labels 0 and 1: at first both get label 0, so one is wrong.
void one_step_on_a_mistake_is_as_computed_by_hand() {
  const std::vector<std::uint32_t> keys{5, 9};
  const std::vector<std::int64_t> offsets{0, 2};
  const std::vector<std::int32_t> gold{0, 1};
  const CrfData data({keys.data(), 2, 1, offsets.data(), 1, gold.data(), 2}, {1, 1, 1});
  const auto after = [&](const auto& train) {
    nlptk::OnlineOptions once;
    once.max_iterations = 1;
    std::vector<float> w(data.parameters());
    double loss = 0;
    train(w, once, [&](const nlptk::OnlineProgress& progress, const float*) {
      loss = progress.loss;
      return true;
    });
    const std::size_t chain = data.row_parameters();
    const float step = w[chain + 1];  // transition 0 -> 1; as far down: 0 -> 0, and label 0 at the second unit and the end
    CHECK(w[chain] == -step && w[data.row_starts[1]] == -step && w[data.row_starts[1] + 1] == step);
    CHECK(w[data.row_starts[0]] == 0 && w[chain + 6] == -step && w[chain + 7] == step);
    CHECK(std::abs(loss - 1) < 1e-6);  // one miss, no margin yet
    return step;
  };
  for (const int type : {0, 1, 2})
    for (const double c : {0.1, 1.0})
      for (const bool averaging : {false, true}) {
        const float step = after([&](std::vector<float>& w, const nlptk::OnlineOptions& options, const nlptk::OnlineCallback& callback) {
          nlptk::passive_aggressive(data, w, options, {type, c, true, averaging}, callback);
        });
        // Six differences of 1; the mean is over the weights before and after the step.
        const double tau = type == 0 ? 1.0 / 6 : type == 1 ? std::min(c, 1.0 / 6) : 1 / (6 + 0.5 / c);
        CHECK(std::abs(step - (averaging ? tau / 2 : tau)) < 1e-6);
      }
  const float step = after([&](std::vector<float>& w, const nlptk::OnlineOptions& options, const nlptk::OnlineCallback& callback) {
    nlptk::arow(data, w, options, {0.5, 2.0}, callback);
  });
  CHECK(std::abs(step - 0.5 / (2 + 6 * 0.5)) < 1e-6);
  std::vector<float> w(data.parameters());
  const nlptk::OnlineCallback go = [](const nlptk::OnlineProgress&, const float*) { return true; };
  CHECK(rejects([&] { nlptk::passive_aggressive(data, w, {}, {3, 1, true, true}, go); }, "0, 1 or 2"));
  CHECK(rejects([&] { nlptk::passive_aggressive(data, w, {}, {1, 0, true, true}, go); }, "c must be"));
  CHECK(rejects([&] { nlptk::arow(data, w, {}, {1, 0}, go); }, "above 0"));
}

// Paths that no weight tells apart: nothing to learn, and nothing divided by 0.
void a_mistake_without_weights_is_passed_over() {
  const std::uint32_t key = 5;
  const std::int64_t offsets[] = {0, 1};
  const std::int32_t gold = 1;
  nlptk::CrfOptions options{2, 0, 1};  // the feature is too rare
  options.boundaries = false;
  const CrfData data({&key, 1, 1, offsets, 1, &gold, 2}, options);
  for (const int type : {0, 1, 2}) {
    std::vector<float> w(data.parameters());
    nlptk::passive_aggressive(data, w, {}, {type, 1, true, true}, [](const nlptk::OnlineProgress& progress, const float*) {
      return std::isfinite(progress.loss);
    });
    CHECK(std::count(w.begin(), w.end(), 0.0F) == static_cast<std::ptrdiff_t>(w.size()));
  }
}

// An L2 term so strong that the first steps could scale the weights by nothing or less.
void sgd_is_finite_for_every_l2() {
  const CrfSet set(5, 3, 1, 6);
  const CrfData data(set.input(), {1, 0, 1});
  for (const double c2 : {0.0, 1e-9, 0.5, 2.5, 5.0, 50.0, 1e6, 1e9}) {
    nlptk::OnlineOptions options;
    options.c2 = c2;
    std::vector<float> w(data.parameters());
    nlptk::stochastic_gradient(data, w, options, [](const nlptk::OnlineProgress& p, const float*) {
      CHECK(std::isfinite(p.loss));
      return true;
    });
    CHECK(std::all_of(w.begin(), w.end(), [](float value) { return std::isfinite(value); }));
  }
}

}  // namespace

int main() {
  online_methods_learn_and_repeat();
  one_step_on_a_mistake_is_as_computed_by_hand();
  a_mistake_without_weights_is_passed_over();
  sgd_is_finite_for_every_l2();
  std::printf("ok\n");
  return 0;
}
