// The linear-chain kernel against every path there is, for sizes round the vector widths; runs under ASan and UBSan.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "chain.hpp"
#include "check.hpp"
#include "cpu.hpp"
#include "random.hpp"

namespace {

constexpr float kNegInf = -std::numeric_limits<float>::infinity();

struct Random : nlptk::Random {
  using nlptk::Random::Random;
  float score(bool forbid) {
    const std::uint64_t bits = next();
    if (forbid && bits % 8 == 0) return kNegInf;
    return static_cast<float>(bits >> 32 & 7) - 3.0f;  // small integers: exact sums and many ties
  }
  std::vector<float> scores(std::size_t n, bool forbid) {
    std::vector<float> result(n);
    for (float& value : result) value = score(forbid);
    return result;
  }
};

struct Case {
  std::size_t labels;
  std::size_t length;
  std::vector<float> emissions, transitions, start, end;

  Case(std::uint64_t seed, std::size_t n, std::size_t size, bool forbid) : labels(n), length(size) {
    Random random{seed};
    emissions = random.scores(n * size, forbid);  // exactly as long as it must be: ASan sees one float too many
    transitions = random.scores(n * n, forbid);
    start = random.scores(n, forbid);
    end = random.scores(n, forbid);
  }
  nlptk::ChainScores scores() const { return {labels, transitions.data(), start.data(), end.data()}; }
  float score(const std::vector<std::int32_t>& path) const {
    float sum = start[path[0]] + emissions[path[0]];
    for (std::size_t t = 1; t < length; ++t)
      sum = (sum + transitions[path[t - 1] * labels + path[t]]) + emissions[t * labels + path[t]];
    return sum + end[path[length - 1]];
  }
};

// Visits all paths so that the first of equals is the one that the kernel must choose: the last label varies slowest.
struct Truth {
  float best = kNegInf;
  std::vector<std::int32_t> path;
  double total = 0.0;
  std::vector<double> marginals, transitions;

  explicit Truth(const Case& c) : marginals(c.length * c.labels), transitions(c.labels * c.labels) {
    std::vector<std::int32_t> current(c.length, 0);
    for (bool more = true; more;) {
      const float score = c.score(current);
      if (path.empty() || score > best) {
        best = score;
        path = current;
      }
      const double weight = std::exp(static_cast<double>(score));
      total += weight;
      for (std::size_t t = 0; t < c.length; ++t) {
        marginals[t * c.labels + current[t]] += weight;
        if (t > 0) transitions[current[t - 1] * c.labels + current[t]] += weight;
      }
      more = false;
      for (std::size_t t = 0; t < c.length && !more; ++t) {
        more = static_cast<std::size_t>(++current[t]) < c.labels;
        if (!more) current[t] = 0;
      }
    }
    for (double& value : marginals) value = total > 0 ? value / total : 0;
    for (double& value : transitions) value = total > 0 ? value / total : 0;
  }
};

bool close(double a, double b) { return std::fabs(a - b) <= 1e-5 * (1.0 + std::fabs(b)); }

void check_sums(const Case& c, const Truth& truth, const nlptk::Chain& chain, nlptk::ChainWorkspace& workspace) {
  std::vector<double> transitions(c.labels * c.labels), start(c.labels), end(c.labels);
  nlptk::ChainExpectations sums{transitions.data(), start.data(), end.data()};
  std::vector<float> marginals = c.emissions;  // in place
  const double log_z =
      nlptk::forward_backward(chain, marginals.data(), c.length, workspace, marginals.data(), &sums);
  CHECK(log_z == nlptk::log_partition(chain, c.emissions.data(), c.length, workspace));
  if (truth.total == 0.0) {
    CHECK(log_z == -std::numeric_limits<double>::infinity());
  } else {
    CHECK(close(log_z, std::log(truth.total)));
  }
  for (std::size_t k = 0; k < marginals.size(); ++k) CHECK(close(marginals[k], truth.marginals[k]));
  for (std::size_t k = 0; k < transitions.size(); ++k) CHECK(close(transitions[k], truth.transitions[k]));
  for (std::size_t j = 0; j < c.labels; ++j) {
    CHECK(close(start[j], truth.marginals[j]));
    CHECK(close(end[j], truth.marginals[(c.length - 1) * c.labels + j]));
  }
}

void check_case(const Case& c) {
  const nlptk::Chain chain(c.scores());
  nlptk::ChainWorkspace workspace;
  const Truth truth(c);
  std::vector<std::int32_t> path(c.length);
  const float score = nlptk::viterbi(chain, c.emissions.data(), c.length, workspace, path.data());
  CHECK(score == truth.best);
  if (truth.best > kNegInf) CHECK(path == truth.path);
  check_sums(c, truth, chain, workspace);

  constexpr std::size_t n = 4;
  std::vector<std::int32_t> paths(n * c.length);
  std::vector<float> scores(n);
  const std::size_t found =
      nlptk::viterbi_nbest(chain, c.emissions.data(), c.length, n, workspace, paths.data(), scores.data());
  CHECK((found > 0) == (truth.best > kNegInf));
  for (std::size_t k = 0; k < found; ++k) {
    const std::vector<std::int32_t> one(paths.begin() + static_cast<std::ptrdiff_t>(k * c.length),
                                        paths.begin() + static_cast<std::ptrdiff_t>((k + 1) * c.length));
    CHECK(c.score(one) == scores[k]);
    if (k == 0) CHECK(one == truth.path);
    if (k > 0) CHECK(scores[k] <= scores[k - 1]);
  }
}

// A ragged batch gives what each sequence gives alone, for every number of threads.
void check_batch(std::size_t labels, std::size_t sequences) {
  Random random{labels * 1000 + sequences};
  std::vector<std::int64_t> offsets{0};
  for (std::size_t s = 0; s < sequences; ++s)
    offsets.push_back(offsets.back() + static_cast<std::int64_t>(random.next() % 20));
  const auto positions = static_cast<std::size_t>(offsets.back());
  const Case c(labels, labels, positions, true);
  const nlptk::Chain chain(c.scores());
  nlptk::ChainWorkspace workspace;
  std::vector<std::int32_t> expected(positions), paths(positions);
  std::vector<float> expected_scores(sequences), scores(sequences);
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto first = static_cast<std::size_t>(offsets[s]);
    expected_scores[s] =
        nlptk::viterbi(chain, c.emissions.data() + first * labels,
                       static_cast<std::size_t>(offsets[s + 1]) - first, workspace, expected.data() + first);
  }
  for (const int threads : {1, 3}) {
    nlptk::viterbi_batch(chain, c.emissions.data(), offsets.data(), sequences, threads, paths.data(),
                         scores.data());
    CHECK(paths == expected);
    CHECK(scores == expected_scores);
    nlptk::viterbi_batch(chain, c.emissions.data(), offsets.data(), sequences, threads, paths.data(), nullptr);
    CHECK(paths == expected);
  }
}

}  // namespace

int main() {
  std::printf("instruction set: %s\n", nlptk::isa_name(nlptk::active_isa()));
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    check_case(Case(seed, 1, 1 + seed % 5, seed % 2 == 1));
    check_case(Case(seed, 2 + seed % 3, 1 + seed % 5, seed % 2 == 1));
  }
  for (const std::size_t labels : {5, 7, 8, 9, 15, 16, 17, 31, 33, 44, 65, 130})
    for (std::size_t length = 1; length <= (labels < 20 ? 3u : 2u); ++length) {
      check_case(Case(labels, labels, length, false));
      check_case(Case(labels + 1, labels, length, true));
    }
  for (const std::size_t labels : {1, 2, 4, 9, 16, 17, 22, 31, 32, 33, 44, 50, 100, 128})
    for (const std::size_t sequences : {0, 1, 2, 15, 16, 17, 70}) check_batch(labels, sequences);
  std::printf("ok\n");
  return 0;
}
