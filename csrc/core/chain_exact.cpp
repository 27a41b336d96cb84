#include "chain_exact.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace nlptk {
namespace {

constexpr double kLogZero = -std::numeric_limits<double>::infinity();

// log sum exp of values[0..n); -inf where all are.
double log_sum(const std::vector<double>& values) {
  const double top = *std::max_element(values.begin(), values.end());
  if (top == kLogZero) return kLogZero;
  double sum = 0.0;
  for (const double value : values) sum += std::exp(value - top);
  return top + std::log(sum);
}

// One entry of an n-best list: how it came to its label. The lists are sorted, best first.
struct Step {
  std::int32_t label;  // the label before
  std::int32_t rank;   // and the place in that label's list
};

struct Candidate {
  float score;
  Step step;
};

// A heap's top is its greatest: the higher score, among equals the lower label.
bool worse(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score < b.score : a.step.label > b.step.label;
}

// The lists of one position: label j has counts[j] <= n entries at [j * n].
struct Lists {
  std::vector<float> scores;
  std::vector<std::size_t> counts;
};

// Merges the lists of the position before, each shifted by its transition, into at most n entries: a heap holds the
// next entry of each list. take(rank, candidate) receives them best first. Returns how many there are.
template <class Take>
std::size_t merge(const Lists& lists, std::size_t n, const float* transition, std::vector<Candidate>& heap,
                  Take take) {
  constexpr float forbidden = -std::numeric_limits<float>::infinity();
  heap.clear();
  const auto push = [&](std::int32_t label, std::int32_t rank) {
    const auto at = static_cast<std::size_t>(label);
    if (static_cast<std::size_t>(rank) >= lists.counts[at]) return false;
    const float score = lists.scores[at * n + static_cast<std::size_t>(rank)] + transition[at];
    if (score == forbidden) return false;
    heap.push_back({score, {label, rank}});
    return true;
  };
  for (std::size_t i = 0; i < lists.counts.size(); ++i) push(static_cast<std::int32_t>(i), 0);
  std::make_heap(heap.begin(), heap.end(), worse);
  std::size_t count = 0;
  while (count < n && !heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), worse);
    const Candidate best = heap.back();
    heap.pop_back();
    take(count++, best);
    if (push(best.step.label, best.step.rank + 1)) std::push_heap(heap.begin(), heap.end(), worse);
  }
  return count;
}

}  // namespace

double forward_backward_exact(const ChainTables& tables, const float* emissions, std::size_t length,
                              const ChainSums& sums) {
  const std::size_t n = tables.labels;
  const std::size_t stride = tables.stride;
  std::vector<double> alpha(length * n);
  std::vector<double> terms(n);
  for (std::size_t j = 0; j < n; ++j) alpha[j] = static_cast<double>(tables.start[j]) + emissions[j];
  for (std::size_t t = 1; t < length; ++t) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i < n; ++i) terms[i] = alpha[(t - 1) * n + i] + tables.to[i * stride + j];
      alpha[t * n + j] = log_sum(terms) + emissions[t * n + j];
    }
  }
  for (std::size_t j = 0; j < n; ++j) terms[j] = alpha[(length - 1) * n + j] + tables.end[j];
  const double total = log_sum(terms);
  if (total == kLogZero) {
    if (sums.marginals != nullptr) std::fill(sums.marginals, sums.marginals + length * n, 0.0f);
    return total;
  }

  // inside = emission + beta of the position after; emissions may be overwritten row by row from the last.
  std::vector<double> beta(tables.end, tables.end + n);
  std::vector<double> inside(n);
  for (std::size_t t = length; t-- > 0;) {
    if (t + 1 < length) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) terms[j] = tables.to[i * stride + j] + inside[j];
        beta[i] = log_sum(terms);
        for (std::size_t j = 0; sums.transitions != nullptr && j < n; ++j)
          sums.transitions[i * n + j] += std::exp(alpha[t * n + i] + terms[j] - total);
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      inside[j] = emissions[t * n + j] + beta[j];
      const double marginal = std::exp(alpha[t * n + j] + beta[j] - total);
      if (sums.marginals != nullptr) sums.marginals[t * n + j] = static_cast<float>(marginal);
      if (sums.start != nullptr && t == 0) sums.start[j] += marginal;
      if (sums.end != nullptr && t + 1 == length) sums.end[j] += marginal;
    }
  }
  return total;
}

std::size_t viterbi_nbest_lists(const ChainTables& tables, const float* emissions, std::size_t length,
                                std::size_t n, std::int32_t* paths, float* scores) {
  if (n == 0) return 0;
  if (length == 0) {
    scores[0] = 0.0f;
    return 1;
  }
  const std::size_t labels = tables.labels;
  std::vector<Step> steps(length * labels * n);
  std::vector<Candidate> heap;
  Lists lists{std::vector<float>(labels * n), std::vector<std::size_t>(labels, 1)};
  Lists next = lists;
  for (std::size_t j = 0; j < labels; ++j) lists.scores[j * n] = tables.start[j] + emissions[j];
  for (std::size_t t = 1; t < length; ++t) {
    for (std::size_t j = 0; j < labels; ++j) {
      Step* step = steps.data() + (t * labels + j) * n;
      const float emission = emissions[t * labels + j];
      next.counts[j] = merge(lists, n, tables.from + j * tables.stride, heap,
                             [&](std::size_t rank, const Candidate& candidate) {
                               next.scores[j * n + rank] = candidate.score + emission;
                               step[rank] = candidate.step;
                             });
    }
    std::swap(lists, next);
  }
  return merge(lists, n, tables.end, heap, [&](std::size_t rank, const Candidate& candidate) {
    scores[rank] = candidate.score;
    std::int32_t* path = paths + rank * length;
    Step at = candidate.step;
    for (std::size_t t = length; t-- > 0;) {
      path[t] = at.label;
      at = steps[(t * labels + static_cast<std::size_t>(at.label)) * n + static_cast<std::size_t>(at.rank)];
    }
  });
}

}  // namespace nlptk
