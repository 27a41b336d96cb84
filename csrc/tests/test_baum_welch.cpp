// Expected counts of a hidden Markov model against forward-backward in double precision; runs under ASan and UBSan.
#include <cmath>
#include <cstdio>
#include <vector>

#include "baum_welch.hpp"
#include "check.hpp"
#include "random.hpp"

namespace {

using Doubles = std::vector<double>;

struct Counts {
  Doubles start, transitions, emission, log_likelihoods;
};

struct Case {
  std::size_t states, words;
  Doubles start, transitions, emission;
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets{0};

  static void normalise(Doubles& table, std::size_t columns) {
    for (std::size_t begin = 0; begin < table.size(); begin += columns) {
      double sum = 0;
      for (std::size_t k = 0; k < columns; ++k) sum += table[begin + k];
      for (std::size_t k = 0; k < columns; ++k) table[begin + k] /= sum;
    }
  }

  Case(std::uint64_t seed, std::size_t n, std::size_t vocabulary, const std::vector<std::size_t>& lengths, bool forbid)
      : states(n), words(vocabulary), start(n), transitions(n * n), emission(n * vocabulary) {
    nlptk::Random random{seed};
    const auto draw = [&](Doubles& table, std::size_t columns) {
      for (std::size_t k = 0; k < table.size(); ++k)
        table[k] = forbid && k % columns != 0 && random.next() % 3 == 0 ? 0.0 : static_cast<double>(1 + random.next() % 1000);
      normalise(table, columns);
    };
    draw(start, n);
    draw(transitions, n);
    draw(emission, vocabulary);
    for (const std::size_t length : lengths) {
      for (std::size_t t = 0; t < length; ++t) ids.push_back(static_cast<std::int32_t>(random.next() % (words + 1)));
      offsets.push_back(static_cast<std::int64_t>(ids.size()));
    }
  }

  double chance(std::size_t state, std::size_t t) const {
    const auto word = static_cast<std::size_t>(ids[t]);
    return word == words ? 1.0 : emission[state * words + word];
  }

  Counts run(int threads) const {
    Counts c{Doubles(states), Doubles(states * states), Doubles(words * states), Doubles(offsets.size() - 1)};
    nlptk::hmm_expected_counts({states, words, start.data(), transitions.data(), emission.data()}, ids.data(),
                               offsets.data(), offsets.size() - 1, threads,
                               {c.start.data(), c.transitions.data(), c.emission.data()}, c.log_likelihoods.data());
    return c;
  }

  // Rabiner's scaling: alpha sums to 1 at each step, beta is divided by the same numbers.
  Counts truth() const {
    Counts c{Doubles(states), Doubles(states * states), Doubles(words * states), Doubles(offsets.size() - 1)};
    for (std::size_t s = 0; s + 1 < offsets.size(); ++s)
      add_truth(static_cast<std::size_t>(offsets[s]), static_cast<std::size_t>(offsets[s + 1]), c, &c.log_likelihoods[s]);
    return c;
  }

  void add_truth(std::size_t begin, std::size_t end, Counts& c, double* log_likelihood) const {
    const std::size_t length = end - begin;
    if (length == 0) return;
    std::vector<Doubles> alpha(length, Doubles(states)), beta(length, Doubles(states, 1.0));
    Doubles scale(length);
    for (std::size_t t = 0; t < length; ++t) {
      for (std::size_t j = 0; j < states; ++j) {
        double sum = t == 0 ? start[j] : 0.0;
        for (std::size_t i = 0; t > 0 && i < states; ++i) sum += alpha[t - 1][i] * transitions[i * states + j];
        alpha[t][j] = sum * chance(j, begin + t);
        scale[t] += alpha[t][j];
      }
      *log_likelihood += std::log(scale[t]);
      if (scale[t] == 0) return;
      for (double& a : alpha[t]) a /= scale[t];
    }
    for (std::size_t t = length - 1; t > 0; --t)
      for (std::size_t i = 0; i < states; ++i) {
        beta[t - 1][i] = 0;
        for (std::size_t j = 0; j < states; ++j) {
          const double step = transitions[i * states + j] * chance(j, begin + t) * beta[t][j] / scale[t];
          beta[t - 1][i] += step;
          c.transitions[i * states + j] += alpha[t - 1][i] * step;
        }
      }
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t j = 0; j < states; ++j) {
        const double share = alpha[t][j] * beta[t][j];
        if (t == 0) c.start[j] += share;
        if (const auto word = static_cast<std::size_t>(ids[begin + t]); word < words) c.emission[word * states + j] += share;
      }
  }
};

bool close(const Doubles& a, const Doubles& b) {
  for (std::size_t k = 0; k < a.size(); ++k)
    if (!(a[k] == b[k] || std::abs(a[k] - b[k]) <= 3e-5 * (1.0 + std::abs(b[k])))) return false;
  return a.size() == b.size();
}

void check(const Case& c) {
  const Counts expected = c.truth();
  const Counts found = c.run(1);
  for (std::size_t s = 0; s < found.log_likelihoods.size(); ++s)
    CHECK(found.log_likelihoods[s] == expected.log_likelihoods[s] ||
          std::abs(found.log_likelihoods[s] - expected.log_likelihoods[s]) <= 1e-6 * std::abs(expected.log_likelihoods[s]) + 1e-6);
  CHECK(close(found.start, expected.start));
  CHECK(close(found.transitions, expected.transitions));
  CHECK(close(found.emission, expected.emission));
}

void test_sizes() {
  std::uint64_t seed = 1;
  for (const std::size_t states : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 50, 64, 65, 70, 81})
    for (const bool forbid : {false, true}) {
      check(Case(++seed, states, 7, {3, 1, 0, 12, 12, 5, 2, 40, 9, 9, 1, 6, 23}, forbid));
      check(Case(++seed, states, 3, {700}, forbid));  // more steps than are summed at once
    }
}

// Two states that never mix: the one that explains the end is far behind by then, beyond float32.
void test_ranges_that_float32_cannot_hold() {
  Case c(1, 2, 2, {}, false);
  c.start = {0.5, 0.5};
  c.transitions = {1, 0, 0, 1};
  c.emission = {0.999, 0.001, 0.001, 0.999};
  for (const std::size_t half : {10, 30, 90}) {
    for (std::size_t t = 0; t < half; ++t) c.ids.push_back(0);
    for (std::size_t t = 0; t < half + 1; ++t) c.ids.push_back(1);
    c.offsets.push_back(static_cast<std::int64_t>(c.ids.size()));
  }
  check(c);
  c.emission = {1, 0, 1, 0};  // word 1 cannot be: probability 0 and no counts
  const Counts found = c.run(1);
  for (const double value : found.log_likelihoods) CHECK(std::isinf(value) && value < 0);
  for (const double value : found.transitions) CHECK(value == 0);
}

// Long enough to be cut to pieces; where states hardly mix, pieces do not agree and it is done in one.
void test_long_sequences() {
  for (const std::size_t states : {2, 10, 17}) {
    check(Case(states, states, 9, {9000, 5, 8200}, false));
    check(Case(states, states, 9, {9000}, true));
  }
  Case slow(2, 2, 2, {20000}, false);
  slow.transitions = {1 - 0x1p-16, 0x1p-16, 0x1p-16, 1 - 0x1p-16};
  slow.emission = {2.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3};  // exact in float32 over their maximum: errors add up here
  check(slow);
}

void test_threads() {
  std::vector<std::size_t> lengths(3000, 30);
  lengths[7] = 4000;
  const Case c(3, 5, 20, lengths, false);
  const Counts one = c.run(1), four = c.run(4);
  CHECK(one.transitions == four.transitions && one.emission == four.emission && one.start == four.start);
  CHECK(one.log_likelihoods == four.log_likelihoods);
}

}  // namespace

int main() {
  test_sizes();
  test_ranges_that_float32_cannot_hold();
  test_long_sequences();
  test_threads();
  std::puts("baum_welch: ok");
}
