// The mutual information of clusters that stand n(s, t) times side by side and occur w(s) times is, but for constants,
//   sum phi(n(s, t)) - sum seen(s) log w(s),  phi(x) = x log x,  seen(s) = sum of n(s, .) and n(., s),
// and so a merge of s and t costs, with g(a, b) = phi(a + b) - phi(a) - phi(b),
//   seen(s) log (w(s) + w(t)) / w(s) + seen(t) log (w(s) + w(t)) / w(t)
//   - sum over others u of [g(n(s, u), n(t, u)) + g(n(u, s), n(u, t))] - what n of s and t among themselves gains.
// g is 0 where a or b is: only clusters next to both count. When a rare word joins or leaves, few costs change, and they
// change by few terms. Counts are integers, so that phi is mostly a look-up.
#include "brown.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::size_t kMostClusters = 10'000;
constexpr std::int32_t kNoSlot = -1;

class Phi {
 public:
  Phi() : table_(kTable) {
    for (std::size_t x = 1; x < kTable; ++x) table_[x] = of(x);
  }
  double operator()(std::uint64_t x) const { return x < kTable ? table_[x] : of(x); }
  double joint(std::uint64_t a, std::uint64_t b) const {
    return a == 0 || b == 0 ? 0.0 : (*this)(a + b) - (*this)(a) - (*this)(b);
  }

 private:
  static constexpr std::size_t kTable = std::size_t{1} << 16;
  static double of(std::uint64_t x) { return static_cast<double>(x) * std::log(static_cast<double>(x)); }
  std::vector<double> table_;
};

// The window: `size` slots that hold a cluster or nothing.
class Window {
 public:
  Window(const Bigrams& bigrams, const std::vector<std::uint64_t>& word_counts, std::size_t size);

  void insert(std::size_t word, std::size_t slot);  // a cluster of its own
  void compute_costs();                             // of all pairs, once the first clusters are in
  BrownTree::Merge merge_cheapest();
  std::vector<std::int32_t> slots_of_words() const { return slot_of_; }

 private:
  // How often a cluster is beside s, and beside t.
  struct Side {
    std::uint64_t s, t;
  };

  std::uint32_t* row(std::size_t s) { return counts_.data() + s * size_; }
  double& cost(std::size_t s, std::size_t t) { return costs_[std::min(s, t) * size_ + std::max(s, t)]; }
  double& log_joint(std::size_t s, std::size_t t) { return log_joint_[std::min(s, t) * size_ + std::max(s, t)]; }
  std::uint32_t count(std::size_t s, std::size_t t) const { return counts_[s * size_ + t]; }

  void take_counts(std::size_t word, std::size_t slot);
  void add_column(std::size_t x);
  void look_at(std::size_t s, std::size_t t);
  void replace_columns();
  void sum_terms(std::size_t s);
  void sum_terms_of_union(std::size_t s, std::size_t t);
  void set_costs(std::size_t s);
  void join(std::size_t s, std::size_t t);
  std::size_t neighbours(std::size_t s) const;
  double margin(std::size_t s, std::size_t t);
  double corner(std::size_t s, std::size_t t) const;
  BrownTree::Merge cheapest();

  const Bigrams& bigrams_;
  const std::vector<std::uint64_t>& word_counts_;
  const std::size_t size_;
  const Phi phi_;
  double tolerance_;                        // costs that differ by less are equal
  bool ready_ = false;                      // costs are kept
  std::vector<std::uint32_t> counts_;       // [size, size]
  std::vector<double> costs_;               // [size, size], above the diagonal
  std::vector<double> log_joint_;           // [size, size], above the diagonal: log of the sum of two weights
  std::vector<double> weight_;              // [size] how often a cluster occurs
  std::vector<double> seen_;                // [size] how often beside one that is in the window, on either side
  std::vector<std::vector<std::uint32_t>> members_;  // [size] words
  std::vector<std::int32_t> slot_of_;                // [words]
  std::vector<double> sums_;                         // [size] of the terms for a third cluster that merges with one cluster keep
  std::vector<double> row_least_;                    // [size] the lowest cost of each row
  std::vector<Side> first_, second_;                 // [size] before and after s and t, of all others
  std::vector<std::size_t> near_;                    // those that are next to t
};

Window::Window(const Bigrams& bigrams, const std::vector<std::uint64_t>& word_counts, std::size_t size)
    : bigrams_(bigrams),
      word_counts_(word_counts),
      size_(size),
      tolerance_(1e-12 * std::max(1.0, phi_(bigrams.total))),
      counts_(size * size),
      costs_(size * size, kNever),
      log_joint_(size * size),
      weight_(size),
      seen_(size),
      members_(size),
      slot_of_(bigrams.after.starts.size() - 1, kNoSlot),
      sums_(size),
      row_least_(size),
      first_(size),
      second_(size) {}

// Reads the counts of a word with the clusters that are there.
void Window::take_counts(std::size_t word, std::size_t slot) {
  slot_of_[word] = static_cast<std::int32_t>(slot);
  members_[slot] = {static_cast<std::uint32_t>(word)};
  weight_[slot] = static_cast<double>(word_counts_[word]);
  const auto each = [&](const BigramRows& rows, auto put) {
    for (std::size_t k = rows.starts[word]; k < rows.starts[word + 1]; ++k)
      if (const std::int32_t other = slot_of_[rows.others[k]]; other != kNoSlot)
        put(static_cast<std::size_t>(other), rows.counts[k]);
  };
  each(bigrams_.after, [&](std::size_t u, std::uint32_t n) { row(slot)[u] += n; });
  each(bigrams_.before, [&](std::size_t u, std::uint32_t n) {
    if (u != slot) row(u)[slot] += n;
  });
  seen_[slot] = 2.0 * count(slot, slot);
  for (std::size_t u = 0; u < size_; ++u) {
    if (u == slot) continue;
    const double more = static_cast<double>(count(slot, u)) + count(u, slot);
    seen_[slot] += more;
    seen_[u] += more;
  }
}

void Window::insert(std::size_t word, std::size_t slot) {
  take_counts(word, slot);
  if (!ready_) return;
  add_column(slot);
  sum_terms(slot);
  set_costs(slot);
}

void Window::compute_costs() {
  ready_ = true;
  InterruptPoll poll;
  for (std::size_t s = 0; s < size_; ++s) {
    poll();
    if (members_[s].empty()) continue;
    sum_terms(s);
    set_costs(s);
  }
}

// The costs of all pairs beside the new cluster x know of it.
void Window::add_column(std::size_t x) {
  std::vector<std::size_t> first, second;
  for (std::size_t u = 0; u < size_; ++u) {
    if (u == x) continue;
    if (const double more = static_cast<double>(count(u, x)) + count(x, u); more > 0) {
      const double log_weight = std::log(weight_[u]);
      for (std::size_t v = 0; v < size_; ++v)
        if (v != u && !members_[v].empty()) cost(u, v) += more * (log_joint(u, v) - log_weight);
    }
    if (count(u, x) > 0) first.push_back(u);
    if (count(x, u) > 0) second.push_back(u);
  }
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t k = i + 1; k < first.size(); ++k)
      cost(first[i], first[k]) -= phi_.joint(count(first[i], x), count(first[k], x));
  for (std::size_t i = 0; i < second.size(); ++i)
    for (std::size_t k = i + 1; k < second.size(); ++k)
      cost(second[i], second[k]) -= phi_.joint(count(x, second[i]), count(x, second[k]));
}

// What s and t among themselves gain.
double Window::corner(std::size_t s, std::size_t t) const {
  const std::uint64_t ss = count(s, s), st = count(s, t), ts = count(t, s), tt = count(t, t);
  return phi_(ss + st + ts + tt) - phi_(ss) - phi_(st) - phi_(ts) - phi_(tt);
}

// What merging s with each other cluster keeps of the terms for a third one, from nothing.
void Window::sum_terms(std::size_t s) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::vector<std::size_t> after;
  for (std::size_t u = 0; u < size_; ++u)
    if (u != s && count(s, u) > 0) after.push_back(u);
  for (std::size_t t = 0; t < size_; ++t) {
    if (t == s || members_[t].empty()) continue;
    for (const std::size_t u : after)
      if (u != t) sums_[t] += phi_.joint(count(s, u), count(t, u));
  }
  for (std::size_t u = 0; u < size_; ++u) {
    const std::uint32_t n = count(u, s);
    if (u == s || n == 0) continue;
    for (std::size_t t = 0; t < size_; ++t)
      if (t != s && t != u && count(u, t) > 0) sums_[t] += phi_.joint(n, count(u, t));
  }
}

// The same for the union of s and t, from the costs of s: only terms for what is next to t change.
void Window::sum_terms_of_union(std::size_t s, std::size_t t) {
  for (std::size_t v = 0; v < size_; ++v) {
    sums_[v] = 0.0;
    if (v == s || v == t || members_[v].empty()) continue;
    sums_[v] = margin(s, v) - corner(s, v) - cost(s, v) -
               phi_.joint(count(s, t), count(v, t)) - phi_.joint(count(t, s), count(t, v));
    for (const std::size_t u : near_) {
      if (u == v || count(v, u) == 0) continue;
      const std::uint64_t n = count(v, u);
      sums_[v] += phi_.joint(second_[u].s + second_[u].t, n) - phi_.joint(second_[u].s, n);
    }
  }
  for (const std::size_t u : near_) {
    const Side& side = first_[u];
    for (std::size_t v = 0; v < size_; ++v)
      if (const std::uint64_t n = count(u, v); n > 0 && v != u)
        sums_[v] += phi_.joint(side.s + side.t, n) - phi_.joint(side.s, n);
  }
}

void Window::set_costs(std::size_t s) {
  for (std::size_t t = 0; t < size_; ++t) {
    if (t == s || members_[t].empty()) continue;
    log_joint(s, t) = std::log(weight_[s] + weight_[t]);
    cost(s, t) = margin(s, t) - sums_[t] - corner(s, t);
  }
}

double Window::margin(std::size_t s, std::size_t t) {
  return seen_[s] * (log_joint(s, t) - std::log(weight_[s])) + seen_[t] * (log_joint(s, t) - std::log(weight_[t]));
}

// Fills first_, second_ and near_ for a merge of s and t.
void Window::look_at(std::size_t s, std::size_t t) {
  near_.clear();
  for (std::size_t u = 0; u < size_; ++u) {
    first_[u] = second_[u] = {0, 0};
    if (u == s || u == t || members_[u].empty()) continue;
    first_[u] = {count(u, s), count(u, t)};
    second_[u] = {count(s, u), count(t, u)};
    if (first_[u].t > 0 || second_[u].t > 0) near_.push_back(u);
  }
}

// The costs of pairs beside s and t, once those are one: their terms for s and t give way to one. A pair of which
// neither is next to t keeps its cost.
void Window::replace_columns() {
  const auto gain = [this](const Side& u, const Side& v) {
    return phi_.joint(u.s + u.t, v.s + v.t) - phi_.joint(u.s, v.s) - phi_.joint(u.t, v.t);
  };
  const auto update = [&](std::size_t u, std::size_t v) {  // of what is no cluster, or s or t, the sides are 0
    costs_[u * size_ + v] -= gain(first_[u], first_[v]) + gain(second_[u], second_[v]);
  };
  auto next = near_.begin();
  for (std::size_t u = 0; u < size_; ++u) {
    if (next != near_.end() && *next == u) {
      ++next;
      for (std::size_t v = u + 1; v < size_; ++v) update(u, v);
    } else {
      for (auto v = next; v != near_.end(); ++v) update(u, *v);
    }
  }
}

std::size_t Window::neighbours(std::size_t s) const {
  std::size_t n = 0;
  for (std::size_t u = 0; u < size_; ++u) n += (count(s, u) > 0) + (count(u, s) > 0);
  return n;
}

// t goes into s.
void Window::join(std::size_t s, std::size_t t) {
  for (std::size_t u = 0; u < size_; ++u) {
    row(s)[u] += row(t)[u];
    row(t)[u] = 0;
  }
  for (std::size_t u = 0; u < size_; ++u) {
    row(u)[s] += row(u)[t];
    row(u)[t] = 0;
    if (u != t) cost(u, t) = kNever;
  }
  weight_[s] += weight_[t];
  seen_[s] += std::exchange(seen_[t], 0.0);
  for (const std::uint32_t word : members_[t]) slot_of_[word] = static_cast<std::int32_t>(s);
  members_[s].insert(members_[s].end(), members_[t].begin(), members_[t].end());
  members_[t].clear();
}

BrownTree::Merge Window::cheapest() {
  double least = kNever;
  for (std::size_t s = 0; s < size_; ++s) {
    const double* costs = costs_.data() + s * size_;
    row_least_[s] = *std::min_element(costs, costs + size_);
    least = std::min(least, row_least_[s]);
  }
  const auto within = [&](double cost) { return cost <= least + tolerance_; };
  const auto s = std::find_if(row_least_.begin(), row_least_.end(), within) - row_least_.begin();
  const auto row = costs_.begin() + s * static_cast<std::ptrdiff_t>(size_);
  const auto t = std::find_if(row, row + static_cast<std::ptrdiff_t>(size_), within) - row;
  return {static_cast<std::int32_t>(s), static_cast<std::int32_t>(t)};
}

BrownTree::Merge Window::merge_cheapest() {
  const BrownTree::Merge merge = cheapest();
  const auto s = static_cast<std::size_t>(merge.first), t = static_cast<std::size_t>(merge.second);
  const bool first_is_larger = neighbours(s) >= neighbours(t);
  const std::size_t larger = first_is_larger ? s : t, smaller = first_is_larger ? t : s;
  look_at(larger, smaller);
  sum_terms_of_union(larger, smaller);
  replace_columns();
  join(s, t);
  set_costs(s);
  return merge;
}

}  // namespace

BrownTree brown_clusters(const Bigrams& bigrams, const std::vector<std::uint64_t>& word_counts, std::size_t clusters,
                         const std::function<void(std::size_t)>& report) {
  const std::size_t words = word_counts.size();
  if (words == 0) throw std::invalid_argument("there are no words to cluster");
  if (clusters == 0 || clusters > kMostClusters)
    throw std::invalid_argument("clusters must be from 1 to " + std::to_string(kMostClusters));
  const std::size_t first = std::min(words, clusters);
  Window window(bigrams, word_counts, first + 1);
  for (std::size_t word = 0; word < first; ++word) window.insert(word, word);
  window.compute_costs();
  if (report) report(first);
  InterruptPoll poll;
  std::size_t free_slot = first;
  for (std::size_t word = first; word < words; ++word) {
    window.insert(word, free_slot);
    free_slot = static_cast<std::size_t>(window.merge_cheapest().second);
    poll();
    if (report && (word + 1) % 64 == 0) report(word + 1);
  }
  BrownTree tree;
  tree.clusters = window.slots_of_words();
  for (std::size_t k = 1; k < first; ++k) {
    tree.merges.push_back(window.merge_cheapest());
    poll();
  }
  if (report) report(words);
  return tree;
}

}  // namespace nlptk
