// CRF training against brute force: data layout, likelihood and gradient, L-BFGS, OWL-QN and the online methods.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "crf_batch.hpp"
#include "crf_data.hpp"
#include "crf_objective.hpp"
#include "crf_online.hpp"
#include "lbfgs.hpp"
#include "random.hpp"

namespace {

using nlptk::CrfData;

// A small random training set; the label of a unit shows in its first key.
struct Set {
  std::size_t labels, width;
  std::vector<std::uint32_t> keys;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> gold;

  Set(std::uint64_t seed, std::size_t n, std::size_t sequences, std::size_t longest, std::size_t w = 3)
      : labels(n), width(w) {
    nlptk::Random random(seed);
    for (std::size_t s = 0; s < sequences; ++s) {
      const std::size_t length = random.below(longest + 1);  // some are empty
      for (std::size_t u = 0; u < length; ++u) {
        gold.push_back(static_cast<std::int32_t>(random.below(n)));
        keys.push_back(1 + static_cast<std::uint32_t>(gold.back()));
        for (std::size_t k = 1; k < width; ++k) keys.push_back(static_cast<std::uint32_t>(random.below(12)) * 7);
      }
      offsets.push_back(static_cast<std::int64_t>(gold.size()));
    }
  }
  nlptk::CrfInput input() const {
    return {keys.data(), gold.size(), width, offsets.data(), offsets.size() - 1, gold.data(), labels};
  }
};

void features_are_counted_and_dropped() {
  const std::vector<std::uint32_t> keys{5, 9, 5, 0, 5, 7, 9, 0};  // two keys a unit
  const std::vector<std::int64_t> offsets{0, 3, 3, 4};
  const std::vector<std::int32_t> gold{0, 1, 0, 2};
  const nlptk::CrfInput input{keys.data(), 4, 2, offsets.data(), 3, gold.data(), 3};
  const CrfData data(input, {1, 0, 1});
  CHECK(data.keys == (std::vector<std::uint32_t>{5, 9, 7}));
  CHECK(data.unit_starts == (std::vector<std::uint32_t>{0, 2, 3, 5, 6}));
  CHECK(data.unit_rows == (std::vector<std::uint32_t>{0, 2, 0, 0, 4, 2}));
  CHECK(data.row_starts == (std::vector<std::uint32_t>{0, 2, 4, 5}));
  constexpr std::uint16_t last = nlptk::kLastLabel;
  CHECK(data.row_labels == (std::vector<std::uint16_t>{0, 1 | last, 0, 2 | last, 0 | last}));
  CHECK(data.parameters() == 5 + 9 + 3 + 3);
  CHECK(CrfData(input, {2, 0, 1}).keys == (std::vector<std::uint32_t>{5, 9}));
  CHECK(CrfData(input, {9, 0, 1}).keys.empty());
  const CrfData dense(input, {1, 3, 1});
  CHECK(dense.dense(0) && !dense.dense(1));
  CHECK(dense.row_starts == (std::vector<std::uint32_t>{0, 8, 10, 11}));
  CHECK(dense.unit_rows == (std::vector<std::uint32_t>{nlptk::kDenseRow, 8, nlptk::kDenseRow, nlptk::kDenseRow, 10, 8}));
  std::vector<double> counts(9 + 3 + 3);
  data.gold_chain(counts.data());
  CHECK(counts == (std::vector<double>{0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1}));
}

void bad_sets_are_rejected() {
  const std::uint32_t key = 1;
  const std::int64_t offsets[] = {0, 1};
  for (const std::int32_t gold : {-1, 2, std::numeric_limits<std::int32_t>::max()})
    CHECK(rejects([&] { CrfData({&key, 1, 1, offsets, 1, &gold, 2}, {}); }, "gold label"));
  const std::int32_t zero = 0;
  CHECK(rejects([&] { CrfData({&key, 1, 1, offsets, 1, &zero, 0}, {}); }, "labels"));
  CHECK(rejects([&] { CrfData({&key, 1, 1, offsets, 1, &zero, 4097}, {}); }, "labels"));
}

// -log p of one sequence by enumeration of all label sequences.
double brute_force(const CrfData& data, const std::vector<float>& w, std::size_t s) {
  const auto first = static_cast<std::size_t>(data.offsets[s]);
  const auto length = static_cast<std::size_t>(data.offsets[s + 1]) - first;
  if (length == 0) return 0;
  const float* transitions = w.data() + data.row_parameters();
  const float* start = transitions + data.labels * data.labels;
  const float* end = start + data.labels;
  std::vector<std::size_t> path(length);
  const auto score = [&] {
    double sum = start[path[0]] + end[path[length - 1]];
    for (std::size_t u = 0; u < length; ++u) {
      if (u > 0) sum += transitions[path[u - 1] * data.labels + path[u]];
      for (std::uint32_t i = data.unit_starts[first + u]; i < data.unit_starts[first + u + 1]; ++i) {
        const std::uint32_t row = data.unit_rows[i] & ~nlptk::kDenseRow;
        const auto f = std::upper_bound(data.row_starts.begin(), data.row_starts.end(), row) - data.row_starts.begin();
        for (std::size_t p = row; p < data.row_starts[static_cast<std::size_t>(f)]; ++p)
          if (data.label(p) == path[u]) sum += w[p];
      }
    }
    return sum;
  };
  double total = 0;
  double gold = 0;
  for (bool more = true; more;) {
    total += std::exp(score());
    bool right = true;
    for (std::size_t u = 0; u < length; ++u) right &= static_cast<std::size_t>(data.gold[first + u]) == path[u];
    if (right) gold = score();
    more = false;
    for (std::size_t u = 0; u < length && !more; ++u) {
      more = ++path[u] < data.labels;
      if (!more) path[u] = 0;
    }
  }
  return std::log(total) - gold;
}

void likelihood_and_gradient_are_right() {
  for (const std::size_t labels : {1, 2, 3, 9})
    for (const std::size_t dense_freq : {0, 4}) {
      const Set set(labels * 10 + dense_freq, labels, 12, labels == 9 ? 3 : 4);
      const CrfData data(set.input(), {1, dense_freq, 2});
      nlptk::Random random(labels);
      std::vector<float> w(data.parameters());
      for (float& value : w) value = static_cast<float>(random.below(2001)) / 1000.0F - 1.0F;
      nlptk::CrfObjective objective(data);
      std::vector<float> gradient(w.size()), unused(w.size()), diagonal(w.size());
      const double loss = objective(w.data(), gradient.data(), diagonal.data());
      CHECK(objective(w.data(), unused.data()) == loss && unused == gradient);
      CHECK(*std::min_element(diagonal.begin(), diagonal.end()) >= 0);
      double expected = 0;
      for (std::size_t s = 0; s < data.sequences; ++s) expected += brute_force(data, w, s);
      CHECK(std::abs(loss - expected) < 1e-4 * std::max(1.0, expected));
      for (std::size_t p = 0; p < w.size(); p += 1 + w.size() / 40) {
        const float kept = w[p];
        w[p] = kept + 0.01F;
        const double above = objective(w.data(), unused.data());
        w[p] = kept - 0.01F;
        const double below = objective(w.data(), unused.data());
        w[p] = kept;
        CHECK(std::abs((above - below) / 0.02 - gradient[p]) < 5e-3);
      }
      const CrfData alone(set.input(), {1, dense_freq, 1});  // the same bytes from any number of threads
      nlptk::CrfObjective single(alone);
      CHECK(single(w.data(), unused.data()) == loss && unused == gradient);
    }
}

// For sequences of one unit the diagonal is that of the Hessian itself.
void curvature_is_the_gradients_slope() {
  for (const std::size_t dense_freq : {0, 3}) {
    Set set(8, 5, 40, 1);
    std::vector<std::int64_t> starts{0};
    std::vector<float> values;
    for (std::size_t u = 0; u < set.gold.size(); ++u) {
      starts.push_back(static_cast<std::int64_t>(3 * u + 3));
      set.keys[3 * u + 2] += 1000;  // no feature twice in a unit
      values.insert(values.end(), {1.0F, 0.5F, 2.0F});
    }
    nlptk::CrfInput input = set.input();
    input.starts = starts.data();
    input.values = values.data();
    const CrfData data(input, {1, dense_freq, 1});
    nlptk::CrfObjective objective(data);
    std::vector<float> w(data.parameters()), above(w.size()), below(w.size()), diagonal(w.size());
    nlptk::Random random(2);
    for (float& value : w) value = static_cast<float>(random.below(2001)) / 1000.0F - 1.0F;
    objective(w.data(), below.data(), diagonal.data());
    double largest = 0;
    for (std::size_t p = 0; p < data.row_parameters(); ++p) {
      const float kept = w[p];
      w[p] = kept + 0.01F;
      objective(w.data(), above.data());
      w[p] = kept - 0.01F;
      objective(w.data(), below.data());
      w[p] = kept;
      if (data.label(p) < data.labels) CHECK(std::abs((above[p] - below[p]) / 0.02F - diagonal[p]) < 1e-3F * std::max(1.0F, diagonal[p]));
      largest = std::max(largest, static_cast<double>(diagonal[p]));
    }
    CHECK(largest > 0.5);
  }
}

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
  const Set set(9, 4, 80, 6);
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

double loss_at(const CrfData& data, const std::vector<float>& w) {
  nlptk::CrfObjective objective(data);
  std::vector<float> gradient(w.size());
  return objective(w.data(), gradient.data());
}

using Train = void (*)(const CrfData&, std::vector<float>&, const nlptk::OnlineOptions&, const nlptk::OnlineCallback&);

void passive_aggressive(const CrfData& data, std::vector<float>& w, const nlptk::OnlineOptions& options,
                        const nlptk::OnlineCallback& callback) {
  nlptk::passive_aggressive(data, w, options, {}, callback);
}

void arow(const CrfData& data, std::vector<float>& w, const nlptk::OnlineOptions& options,
          const nlptk::OnlineCallback& callback) {
  nlptk::arow(data, w, options, {}, callback);
}

constexpr Train kOnline[] = {nlptk::stochastic_gradient, nlptk::averaged_perceptron, passive_aggressive, arow};

void online_methods_learn_and_repeat() {
  const Set set(3, 4, 60, 6);
  const CrfData data(set.input(), {1, 1, 1});
  const std::vector<float> zero(data.parameters());
  for (const Train train : kOnline) {
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

// The same set as [units, width] keys and as lists with values, where each value stands for so many equal keys.
void lists_with_values_are_keys_said_several_times() {
  nlptk::Random random(11);
  for (const bool all : {false, true}) {
    Set set(21, 5, 30, 6, 4);
    std::vector<std::int64_t> starts{0};
    std::vector<std::uint32_t> ids;
    std::vector<float> values;
    for (std::size_t u = 0; u < set.gold.size(); ++u) {
      std::uint32_t* const keys = set.keys.data() + u * 4;
      const auto once = static_cast<std::uint32_t>(random.below(9)), thrice = static_cast<std::uint32_t>(10 + random.below(5));
      ids.insert(ids.end(), {once, thrice});
      values.insert(values.end(), {1.0F, 3.0F});
      keys[0] = once + 1, keys[1] = keys[2] = keys[3] = thrice + 1;  // 0 is no key, but an id
      starts.push_back(static_cast<std::int64_t>(ids.size()));
    }
    nlptk::CrfInput lists{ids.data(), set.gold.size(), 0, set.offsets.data(), set.offsets.size() - 1, set.gold.data(), 5};
    lists.starts = starts.data();
    lists.values = values.data();
    nlptk::CrfOptions options{1, all ? std::size_t{1} : 0, 2};
    const CrfData dense(set.input(), {1, 1, 2});
    options.only_seen = true;
    options.all_transitions = all;
    options.boundaries = all;
    const CrfData sparse(lists, options);
    // One weight for each pair in both; those that the lists leave out are 0.
    std::vector<float> w(dense.parameters()), v(sparse.parameters());
    std::vector<std::size_t> place;  // in w of each parameter of v
    for (std::size_t f = 0; f < sparse.features(); ++f) {
      const auto at = std::find(dense.keys.begin(), dense.keys.end(), sparse.keys[f] + 1) - dense.keys.begin();
      for (std::uint32_t p = sparse.row_starts[f]; p < sparse.row_starts[f + 1]; ++p)
        place.push_back(dense.row_starts[static_cast<std::size_t>(at)] + (sparse.label(p) < 5 ? sparse.label(p) : 7));
    }
    for (std::size_t i = 0; i < sparse.chain_free.size(); ++i) place.push_back(dense.row_parameters() + i);
    for (std::size_t p = 0; p < v.size(); ++p) {
      const bool free = p < sparse.row_parameters() ? sparse.label(p) < 5 : sparse.chain_free[p - sparse.row_parameters()] != 0;
      if (free) v[p] = w[place[p]] = static_cast<float>(random.below(2001)) / 1000.0F - 1.0F;
    }
    std::vector<float> dw(w.size()), dv(v.size());
    const double loss = nlptk::CrfObjective(dense)(w.data(), dw.data());
    CHECK(std::abs(nlptk::CrfObjective(sparse)(v.data(), dv.data()) - loss) < 1e-4 * loss);
    std::size_t frozen = 0;
    for (std::size_t p = 0; p < v.size(); ++p) {
      const bool free = p < sparse.row_parameters() ? sparse.label(p) < 5 : sparse.chain_free[p - sparse.row_parameters()] != 0;
      frozen += free ? 0 : 1;
      CHECK(free ? std::abs(dv[p] - dw[place[p]]) < 1e-3F : dv[p] == 0);
    }
    CHECK(all ? sparse.chain_free == std::vector<std::uint8_t>(35, 1) : frozen > 10);
    for (const Train train : kOnline) {
      std::vector<float> x(v.size());
      train(sparse, x, {}, [](const nlptk::OnlineProgress&, const float*) { return true; });
      for (std::size_t p = 0; p < v.size(); ++p)
        if (p < sparse.row_parameters() ? sparse.label(p) >= 5 : sparse.chain_free[p - sparse.row_parameters()] == 0) CHECK(x[p] == 0);
      CHECK(*std::max_element(x.begin(), x.end()) > 0);
    }
  }
}

void rare_pairs_have_no_weight() {
  const std::vector<std::uint32_t> ids{0, 1, 0, 0};
  const std::vector<float> values{1, 1, 0.5F, 2};
  const std::vector<std::int64_t> starts{0, 2, 3, 4}, offsets{0, 3};
  const std::vector<std::int32_t> gold{0, 0, 1};
  nlptk::CrfInput input{ids.data(), 3, 0, offsets.data(), 1, gold.data(), 2};
  input.starts = starts.data();
  input.values = values.data();
  nlptk::CrfOptions options{1, 0, 1};
  options.only_seen = true;
  options.all_transitions = false;
  options.pair_freq = 1.5;
  const CrfData data(input, options);
  std::vector<std::uint16_t> kept;
  for (std::size_t p = 0; p < data.row_parameters(); ++p)
    if (data.label(p) < 2) kept.push_back(static_cast<std::uint16_t>(data.label(p)));
  CHECK(kept == (std::vector<std::uint16_t>{0, 1}));  // of feature 0: 1.5 and 2; feature 1 has 1
  CHECK(std::count(data.chain_free.begin(), data.chain_free.begin() + 4, 1) == 0);  // each pair of labels is there once
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

// An L2 term so strong that the first steps could scale the weights by nothing or less.
void sgd_is_finite_for_every_l2() {
  const Set set(5, 3, 1, 6);
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
  features_are_counted_and_dropped();
  bad_sets_are_rejected();
  likelihood_and_gradient_are_right();
  curvature_is_the_gradients_slope();
  lbfgs_finds_the_optimum();
  preconditioning_finds_the_optimum_sooner();
  batch_training_ends_at_the_optimum();
  lbfgs_survives_odd_objectives();
  online_methods_learn_and_repeat();
  one_step_on_a_mistake_is_as_computed_by_hand();
  a_mistake_without_weights_is_passed_over();
  lists_with_values_are_keys_said_several_times();
  rare_pairs_have_no_weight();
  large_values_do_not_mislead_batch_training();
  sgd_is_finite_for_every_l2();
  std::printf("ok\n");
  return 0;
}
