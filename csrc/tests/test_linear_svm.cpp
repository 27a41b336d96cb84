// The linear SVM: conditions of the optimum (Karush, Kuhn, Tucker) on random rows, costs of 0, bad rows.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "linear_svm.hpp"
#include "random.hpp"

using namespace nlptk;

namespace {

struct Problem {
  std::vector<std::int32_t> offsets{0}, columns;
  std::vector<double> values, costs;
  std::vector<std::int8_t> labels;
};

Problem random_problem(std::size_t rows, std::size_t width) {
  Random random(5);
  Problem p;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < width; ++c) {
      if (random.uniform() > 0.3) continue;
      p.columns.push_back(static_cast<std::int32_t>(c));
      p.values.push_back(static_cast<float>(random.uniform()));
    }
    p.offsets.push_back(static_cast<std::int32_t>(p.columns.size()));
    p.labels.push_back(random.uniform() < 0.5 ? 1 : -1);
    p.costs.push_back(r % 7 == 0 ? 0 : 1 + random.uniform());
  }
  return p;
}

// Of the squared hinge: w = sum of 2 cost max(0, 1 - margin) label row.
void test_the_optimum_of_the_squared_hinge() {
  const std::size_t width = 6;
  const Problem p = random_problem(100, width);
  const SparseRows rows(p.offsets, p.columns, p.values, width);
  std::vector<double> w(width + 1), sum(width + 1);
  SvmRules rules;
  rules.tolerance = 1e-10;
  rules.most_passes = 100000;
  CHECK(fit_linear_svm(rows, p.labels, p.costs, rules, w) < rules.most_passes);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    double margin = w[width];
    for (const auto& [column, value] : rows.row(r)) margin += w[static_cast<std::size_t>(column)] * value;
    const double alpha = 2 * p.costs[r] * std::max(0.0, 1 - margin * p.labels[r]) * p.labels[r];
    for (const auto& [column, value] : rows.row(r)) sum[static_cast<std::size_t>(column)] += alpha * value;
    sum[width] += alpha;
  }
  for (std::size_t c = 0; c <= width; ++c) CHECK(std::abs(w[c] - sum[c]) < 1e-7);
}

void test_a_margin_of_the_hinge() {
  const std::vector<std::int32_t> offsets{0, 1, 2, 2}, columns{0, 0};
  const std::vector<double> values{2, -2}, costs{10, 10, 10};
  const std::vector<std::int8_t> labels{1, -1, 1};
  const SparseRows rows(offsets, columns, values, 1);
  std::vector<double> w(2);
  SvmRules rules{false, 0, 1e-9, 1000, 3};
  fit_linear_svm(rows, labels, costs, rules, w);
  CHECK(std::abs(w[0] - 0.5) < 1e-9 && w[1] == 0);  // the third row is empty: it changes nothing
  const SparseRows none(std::vector<std::int32_t>{0}, {}, {}, 1);
  CHECK(fit_linear_svm(none, {}, {}, rules, w) == 1 && w[0] == 0);
}

void test_rejections() {
  const std::vector<std::int32_t> columns{0, 1};
  const std::vector<double> values{1, 1};
  const auto make = [&](std::vector<std::int32_t> offsets, std::size_t width) {
    return SparseRows(offsets, columns, values, width);
  };
  CHECK(rejects([&] { make({0, 2}, 1); }, "column"));
  CHECK(rejects([&] { make({0, 1}, 2); }, "offsets"));
  CHECK(rejects([&] { make({}, 2); }, "offsets"));
  const SparseRows rows = make({0, 2}, 2);
  std::vector<double> w(2);
  const std::vector<std::int8_t> labels{1};
  const std::vector<double> costs{1};
  CHECK(rejects([&] { fit_linear_svm(rows, labels, costs, {}, w); }, "as many"));
}

}  // namespace

int main() {
  test_the_optimum_of_the_squared_hinge();
  test_a_margin_of_the_hinge();
  test_rejections();
}
