// Viterbi of a long sequence in pieces against a plain loop over it, bit for bit; runs under ASan and UBSan.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include "chain_pieces.hpp"
#include "check.hpp"
#include "cpu.hpp"
#include "random.hpp"

namespace {

constexpr float kNegInf = -std::numeric_limits<float>::infinity();
constexpr std::size_t kWords = 30;

enum class Kind { random, ties, slow, sticky, forbidding };

struct Case {
  std::size_t labels;
  std::vector<float> emissions, transitions, start;
  std::vector<std::int32_t> words;

  Case(std::size_t n, std::size_t length, Kind kind) : labels(n) {
    nlptk::Random random{n * 10 + static_cast<std::size_t>(kind)};
    const auto score = [&] {
      if (kind == Kind::forbidding && random.below(4) == 0) return kNegInf;
      if (kind == Kind::ties) return -static_cast<float>(random.below(4));
      return static_cast<float>(-3.0 * random.uniform());
    };
    const auto fill = [&](std::vector<float>& scores, std::size_t size) {
      scores.resize(size);
      for (float& value : scores) value = score();
    };
    fill(emissions, kWords * n);
    fill(transitions, n * n);
    fill(start, n);
    if (kind == Kind::slow)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) transitions[i * n + j] = i == j ? 0.0f : -20.0f;
    if (kind == Kind::sticky)  // words tell next to nothing and a change costs much: the first scores are remembered
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) transitions[i * n + j] = i == j ? -1e-4f : -40000.0f;
    for (std::size_t t = 0; t < length; ++t) words.push_back(static_cast<std::int32_t>(random.below(kWords)));
  }
};

// The kernel's contract: float32, the lowest label of equals, the best score moved to 0 each kRescaleSteps steps.
std::vector<std::int32_t> plain_viterbi(const Case& c) {
  const std::size_t n = c.labels, length = c.words.size();
  const auto emission = [&](std::size_t t, std::size_t j) {
    return c.emissions[static_cast<std::size_t>(c.words[t]) * n + j];
  };
  std::vector<float> scores(n), next(n);
  std::vector<std::int32_t> before(length * n), path(length);
  for (std::size_t j = 0; j < n; ++j) scores[j] = c.start[j] + emission(0, j);
  for (std::size_t t = 1; t < length; ++t) {
    for (std::size_t j = 0; j < n; ++j) {
      std::size_t from = 0;
      for (std::size_t i = 1; i < n; ++i)
        if (scores[i] + c.transitions[i * n + j] > scores[from] + c.transitions[from * n + j]) from = i;
      before[t * n + j] = static_cast<std::int32_t>(from);
      next[j] = (scores[from] + c.transitions[from * n + j]) + emission(t, j);
    }
    if (t % nlptk::kRescaleSteps == 0) {
      const float top = std::max(-3e38f, *std::max_element(next.begin(), next.end()));
      for (float& value : next) value -= top;
    }
    scores.swap(next);
  }
  path[length - 1] = static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  for (std::size_t t = length - 1; t > 0; --t)
    path[t - 1] = before[t * n + static_cast<std::size_t>(path[t])];
  return path;
}

// Padded as the kernels want them.
struct Tables {
  std::size_t stride;
  std::vector<float> to, from, start, end;

  explicit Tables(const Case& c)
      : stride((c.labels + 15) / 16 * 16),
        to(c.labels * stride, kNegInf),
        from(c.labels * stride, kNegInf),
        start(stride, kNegInf),
        end(stride, kNegInf) {
    for (std::size_t i = 0; i < c.labels; ++i) {
      start[i] = c.start[i];
      end[i] = 0.0f;
      for (std::size_t j = 0; j < c.labels; ++j)
        to[i * stride + j] = from[j * stride + i] = c.transitions[i * c.labels + j];
    }
  }
  nlptk::ChainTables view(std::size_t labels) const {
    return {labels, stride, to.data(), from.data(), start.data(), end.data(), nullptr, nullptr, nullptr, nullptr};
  }
};

// Returns the overlap with which the pieces met.
std::size_t check_long(const Case& c) {
  const Tables padded(c);
  const nlptk::ChainTables tables = padded.view(c.labels);
  const nlptk::ChainKernels& kernels = NLPTK_DISPATCH(chain_kernels);
  nlptk::ChainWorkspace workspace;
  const std::vector<std::int32_t> expected = plain_viterbi(c);
  std::vector<std::int32_t> path(c.words.size(), -1);
  nlptk::viterbi_rescaled(tables, kernels, c.emissions.data(), c.words.data(), path.size(), workspace, path.data());
  CHECK(path == expected);
  std::fill(path.begin(), path.end(), -1);
  const std::size_t met = nlptk::viterbi_in_pieces(tables, kernels, c.emissions.data(), c.words.data(), path.size(),
                                                   workspace, path.data());
  CHECK(path == expected);
  return met;
}

void check_many(const Case& c, const std::vector<std::int64_t>& offsets) {
  const nlptk::Chain chain({c.labels, c.transitions.data(), c.start.data(), nullptr});
  std::vector<std::int32_t> expected, path(c.words.size(), -1);
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    if (offsets[s] == offsets[s + 1]) continue;
    Case one = c;
    one.words.assign(c.words.begin() + offsets[s], c.words.begin() + offsets[s + 1]);
    const std::vector<std::int32_t> part = plain_viterbi(one);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  for (const int threads : {1, 3}) {
    std::fill(path.begin(), path.end(), -1);
    nlptk::viterbi_words(chain, c.emissions.data(), c.words.data(), offsets.data(), offsets.size() - 1, threads,
                         path.data());
    CHECK(path == expected);
  }
}

}  // namespace

int main() {
  std::printf("instruction set: %s\n", nlptk::isa_name(nlptk::active_isa()));
  for (const std::size_t labels : {1, 2, 5, 10, 16, 17, 33, 38, 50, 51, 64, 70}) {
    const std::size_t length = nlptk::kSplitLength + 13 * labels;
    CHECK(check_long(Case(labels, length, Kind::random)) == nlptk::kPieceOverlaps[0]);
    check_long(Case(labels, length, Kind::ties));
    check_long(Case(labels, length, Kind::forbidding));
    if (labels > 1) CHECK(check_long(Case(labels, length, Kind::sticky)) == 0);
    const auto middle = static_cast<std::int64_t>(nlptk::kSplitLength);
    std::vector<std::int64_t> offsets{0, 1, 1, 9, 26};
    for (int s = 0; s < 40; ++s) offsets.push_back(offsets.back() + s * 7 % 31);
    offsets.push_back(offsets.back() + middle);
    offsets.push_back(offsets.back() + 17);
    for (const Kind kind : {Kind::random, Kind::ties})
      check_many(Case(labels, static_cast<std::size_t>(offsets.back()), kind), offsets);
  }
  CHECK(check_long(Case(3, 50000, Kind::random)) == nlptk::kPieceOverlaps[0]);  // several groups of pieces
  CHECK(check_long(Case(3, 50000, Kind::slow)) == nlptk::kPieceOverlaps[1]);
  std::puts("ok");
}
