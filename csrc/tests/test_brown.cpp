// Brown clustering against merges chosen by computing all mutual information anew; runs under ASan and UBSan.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <vector>

#include "brown.hpp"
#include "check.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace {

using nlptk::Bigrams;
using nlptk::BrownTree;

double phi(double x) { return x > 0 ? x * std::log(x) : 0; }

// Slots as the window has them: a cluster keeps the lower of two, and the other is free for the next word.
struct Naive {
  std::vector<Bigrams::Pair> pairs;
  std::vector<std::uint64_t> counts;  // of words
  double tolerance = 0;

  // Mutual information of the clusters, up to constants; pairs with words that are still to come do not count.
  double information(const std::vector<int>& slots) const {
    std::map<std::pair<int, int>, double> both;
    std::map<int, double> weight;
    for (std::size_t w = 0; w < counts.size(); ++w) weight[slots[w]] += static_cast<double>(counts[w]);
    for (const auto& [first, second, count] : pairs)
      if (slots[first] >= 0 && slots[second] >= 0) both[{slots[first], slots[second]}] += count;
    double sum = 0;
    for (const auto& [key, count] : both) sum += count * std::log(count / weight[key.first] / weight[key.second]);
    return sum;
  }

  BrownTree::Merge merge(std::vector<int>& slots, int size) const {
    const auto joined = [&](int s, int t) {
      std::vector<int> after = slots;
      for (int& slot : after)
        if (slot == t) slot = s;
      return after;
    };
    std::vector<char> used(static_cast<std::size_t>(size));
    for (const int slot : slots)
      if (slot >= 0) used[static_cast<std::size_t>(slot)] = 1;
    double best = -INFINITY;
    for (int round = 0;; ++round)
      for (int s = 0; s < size; ++s)
        for (int t = s + 1; t < size; ++t) {
          if (!used[static_cast<std::size_t>(s)] || !used[static_cast<std::size_t>(t)]) continue;
          const double value = information(joined(s, t));
          if (round == 0) best = std::max(best, value);
          if (round == 0 || value < best - tolerance) continue;
          slots = joined(s, t);
          return {s, t};
        }
  }

  BrownTree run(std::size_t clusters) {
    double total = 0;
    for (const auto& pair : pairs) total += pair.count;
    tolerance = 1e-10 * std::max(1.0, phi(total));
    const std::size_t words = counts.size();
    std::vector<int> slots(words, -1);
    const std::size_t first = std::min(words, clusters);
    int free_slot = static_cast<int>(first);
    BrownTree tree;
    for (std::size_t w = 0; w < words; ++w) {
      if (w < first) {
        slots[w] = static_cast<int>(w);
        continue;
      }
      slots[w] = free_slot;
      free_slot = merge(slots, static_cast<int>(first) + 1).second;
    }
    tree.clusters.assign(slots.begin(), slots.end());
    for (std::size_t k = 1; k < first; ++k) tree.merges.push_back(merge(slots, static_cast<int>(first) + 1));
    return tree;
  }
};

std::vector<Bigrams::Pair> random_pairs(nlptk::Random& random, std::size_t words) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> counts;
  for (std::size_t k = 0; k < 6 * words; ++k) {
    // The square of a uniform number: low words are more frequent.
    const auto draw = [&] {
      const double u = random.uniform();
      return static_cast<std::uint32_t>(u * u * static_cast<double>(words));
    };
    const std::uint32_t first = draw();
    ++counts[{first, draw()}];
  }
  std::vector<Bigrams::Pair> pairs;
  for (const auto& [key, count] : counts) pairs.push_back({key.first, key.second, count});
  return pairs;
}

void test_against_naive() {
  nlptk::Random random{7};
  for (int round = 0; round < 60; ++round) {
    const std::size_t words = 1 + random.next() % 14;
    const std::size_t clusters = 1 + random.next() % 8;
    std::vector<std::uint64_t> counts(words);
    for (std::size_t w = 0; w < words; ++w) counts[w] = 20 * (words - w) + random.below(20);
    Naive naive{random_pairs(random, words), counts};
    const BrownTree expected = naive.run(clusters);
    const BrownTree found = nlptk::brown_clusters(Bigrams(naive.pairs, words), counts, clusters, {});
    CHECK(found.clusters == expected.clusters);
    CHECK(found.merges.size() == expected.merges.size());
    for (std::size_t k = 0; k < found.merges.size(); ++k) {
      CHECK(found.merges[k].first == expected.merges[k].first);
      CHECK(found.merges[k].second == expected.merges[k].second);
    }
  }
}

void test_bad_calls() {
  const auto cluster = [](std::size_t words, std::size_t clusters) {
    return [=] { nlptk::brown_clusters(Bigrams({}, words), std::vector<std::uint64_t>(words, 1), clusters, {}); };
  };
  CHECK(rejects(cluster(0, 3), "no words"));
  CHECK(rejects(cluster(2, 0), "from 1 to"));
  CHECK(rejects(cluster(2, 10'001), "from 1 to"));
  const BrownTree alone = nlptk::brown_clusters(Bigrams({}, 3), {1, 1, 1}, 2, {});  // words without neighbours
  CHECK(alone.clusters.size() == 3 && alone.merges.size() == 1);
}

// The costs of the first clusters, which no word has joined yet, take minutes with thousands of them.
void test_interrupt_before_the_first_merge() {
  constexpr std::uint32_t words = 2000;
  nlptk::Random random(4);
  std::vector<Bigrams::Pair> pairs;
  for (std::uint32_t first = 0; first < words; ++first)
    for (std::uint32_t second = 0; second < words; ++second)
      if (random.below(4) == 0) pairs.push_back({first, second, 1});
  nlptk::interrupt_hook() = [] { return true; };
  bool reported = false, stopped = false;
  try {
    nlptk::brown_clusters(Bigrams(pairs, words), std::vector<std::uint64_t>(words, 500), words,
                          [&](std::size_t) { reported = true; });
  } catch (const nlptk::Interrupted&) {
    stopped = true;
  }
  nlptk::interrupt_hook() = nullptr;
  CHECK(stopped && !reported);
}

}  // namespace

int main() {
  test_against_naive();
  test_bad_calls();
  test_interrupt_before_the_first_merge();
  std::puts("brown: ok");
}
