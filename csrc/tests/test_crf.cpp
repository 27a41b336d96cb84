// CRF training data, likelihood, gradient and curvature against brute force.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "check.hpp"
#include "crf_data.hpp"
#include "crf_objective.hpp"
#include "crf_online.hpp"
#include "crf_set.hpp"
#include "random.hpp"

namespace {

using nlptk::CrfData;

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
      const CrfSet set(labels * 10 + dense_freq, labels, 12, labels == 9 ? 3 : 4);
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
    CrfSet set(8, 5, 40, 1);
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

// The same set as [units, width] keys and as lists with values, where each value stands for so many equal keys.
void lists_with_values_are_keys_said_several_times() {
  nlptk::Random random(11);
  for (const bool all : {false, true}) {
    CrfSet set(21, 5, 30, 6, 4);
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
    for (const OnlineMethod train : kOnlineMethods) {
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

}  // namespace

int main() {
  features_are_counted_and_dropped();
  bad_sets_are_rejected();
  likelihood_and_gradient_are_right();
  curvature_is_the_gradients_slope();
  lists_with_values_are_keys_said_several_times();
  rare_pairs_have_no_weight();
  std::printf("ok\n");
  return 0;
}
