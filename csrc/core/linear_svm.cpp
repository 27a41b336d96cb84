#include "linear_svm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "parallel.hpp"
#include "random.hpp"

namespace nlptk {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kAhead = 8;  // rows between asking for one and reading it

void prefetch(std::span<const SparseRows::Entry> row) {
  for (std::size_t at = 0; at < std::min<std::size_t>(row.size(), 32); at += 8) __builtin_prefetch(row.data() + at);
}

}  // namespace

SparseRows::SparseRows(std::span<const std::int32_t> offsets, std::span<const std::int32_t> columns,
                       std::span<const double> values, std::size_t width)
    : offsets_(offsets.begin(), offsets.end()), entries_(columns.size()), width_(width) {
  if (offsets.empty() || offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end()) ||
      static_cast<std::size_t>(offsets.back()) != columns.size() || values.size() != columns.size())
    throw std::invalid_argument("the offsets of rows must rise from 0 to the number of entries");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] < 0 || static_cast<std::size_t>(columns[i]) >= width)
      throw std::invalid_argument("a column is not within the width of the rows");
    entries_[i] = {columns[i], static_cast<float>(values[i])};
  }
}

int fit_linear_svm(const SparseRows& rows, std::span<const std::int8_t> labels, std::span<const double> costs,
                   const SvmRules& rules, std::span<double> weights) {
  if (labels.size() != rows.size() || costs.size() != rows.size() || weights.size() != rows.width() + 1)
    throw std::invalid_argument("labels, costs and weights must be as many as rows and columns");
  std::fill(weights.begin(), weights.end(), 0.0);
  double* const w = weights.data();
  double& bias = weights.back();
  const auto diagonal = [&](std::size_t r) { return rules.squared ? 0.5 / costs[r] : 0.0; };
  const auto most = [&](std::size_t r) { return rules.squared ? kInfinity : costs[r]; };

  std::vector<double> alpha(rows.size()), curvature(rows.size());
  std::vector<std::uint32_t> order;  // the first `active` are looked at
  for (std::uint32_t r = 0; r < rows.size(); ++r) {
    if (!(costs[r] > 0)) continue;
    order.push_back(r);
    curvature[r] = diagonal(r) + rules.bias * rules.bias;
    for (const auto& [column, value] : rows.row(r)) curvature[r] += double{value} * value;
  }
  Random random(rules.seed);
  std::size_t active = order.size();
  double highest_before = kInfinity, lowest_before = -kInfinity;
  int passes = 0;
  while (passes < rules.most_passes) {
    ++passes;
    poll_interrupt();
    double highest = -kInfinity, lowest = kInfinity;  // projected gradient
    for (std::size_t i = 0; i < active; ++i) std::swap(order[i], order[i + random.below(active - i)]);
    for (std::size_t s = 0; s < active;) {
      if (s + kAhead < active) prefetch(rows.row(order[s + kAhead]));
      const std::uint32_t r = order[s];
      const std::span<const SparseRows::Entry> row = rows.row(r);
      const double label = labels[r], cost = most(r), before = alpha[r];
      double margin = bias * rules.bias;
      for (const auto& [column, value] : row) margin += w[column] * value;
      const double gradient = margin * label - 1 + before * diagonal(r);
      double projected = gradient;
      if (before == 0 ? gradient > highest_before : before == cost && gradient < lowest_before) {
        std::swap(order[s], order[--active]);  // stays at its bound
        continue;
      }
      if (before == 0)
        projected = std::min(gradient, 0.0);
      else if (before == cost)
        projected = std::max(gradient, 0.0);
      highest = std::max(highest, projected);
      lowest = std::min(lowest, projected);
      if (std::abs(projected) > 1e-12 && curvature[r] > 0) {
        alpha[r] = std::clamp(before - gradient / curvature[r], 0.0, cost);
        const double step = (alpha[r] - before) * label;
        for (const auto& [column, value] : row) w[column] += step * value;
        bias += step * rules.bias;
      }
      ++s;
    }
    if (highest - lowest <= rules.tolerance) {
      if (active == order.size()) break;
      active = order.size();  // once more with all
      highest_before = kInfinity;
      lowest_before = -kInfinity;
      continue;
    }
    highest_before = highest <= 0 ? kInfinity : highest;
    lowest_before = lowest >= 0 ? -kInfinity : lowest;
  }
  return passes;
}

}  // namespace nlptk
