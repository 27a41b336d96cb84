// The second-order decoder against every path there is; runs under ASan and UBSan.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "check.hpp"
#include "random.hpp"
#include "trigram.hpp"

namespace {

constexpr float kNegInf = -std::numeric_limits<float>::infinity();

struct Random : nlptk::Random {
  using nlptk::Random::Random;
  float score() {  // small integers: exact sums and many ties
    const std::uint64_t bits = next();
    return bits % 8 == 0 ? kNegInf : static_cast<float>(bits >> 32 & 3) - 1.0f;
  }
};

struct Case {
  std::size_t states, length;
  std::vector<std::int32_t> contexts;
  std::vector<float> transitions;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> candidates;
  std::vector<float> scores;

  Case(std::uint64_t seed, std::size_t n, std::size_t size) : states(n), length(size) {
    Random random{seed};
    const std::size_t classes = 2;
    for (std::size_t s = 0; s < states; ++s) contexts.push_back(static_cast<std::int32_t>(random.next() % classes));
    for (std::size_t i = 0; i < classes * states * states; ++i) transitions.push_back(random.score());
    for (std::size_t t = 0; t < length; ++t) {
      for (std::size_t s = 0; s + 1 < states; ++s)
        if (random.next() % 2 == 0 || (s + 2 == states && candidates.size() == std::size_t(offsets.back()))) {
          candidates.push_back(static_cast<std::int32_t>(s));
          scores.push_back(random.score());
        }
      offsets.push_back(static_cast<std::int64_t>(candidates.size()));
    }
  }

  nlptk::TrigramScores model() const { return {states, contexts.data(), transitions.data()}; }
  nlptk::Candidates lists() const { return {offsets.data(), candidates.data(), scores.data()}; }

  // choice[t]: which of its candidates token t takes.
  float score_of(const std::vector<std::size_t>& choice) const {
    std::size_t two_back = states - 1, one_back = states - 1;
    float total = 0.0f;
    for (std::size_t t = 0; t <= length; ++t) {
      const std::size_t at = t < length ? std::size_t(offsets[t]) + choice[t] : 0;
      const std::size_t here = t < length ? std::size_t(candidates[at]) : states - 1;
      total += transitions[(std::size_t(contexts[two_back]) * states + one_back) * states + here];
      if (t < length) total += scores[at];
      two_back = one_back;
      one_back = here;
    }
    return total;
  }

  // The best path that comes first when paths are compared from their last token on.
  std::vector<std::size_t> best_of_all() const {
    std::vector<std::size_t> choice(length, 0), best = choice;
    float best_score = score_of(choice);
    for (;;) {
      std::size_t t = 0;  // counts up with the first token running fastest
      while (t < length && ++choice[t] == std::size_t(offsets[t + 1] - offsets[t])) choice[t++] = 0;
      if (t == length) return best;
      const float score = score_of(choice);
      if (score > best_score) best_score = score, best = choice;
    }
  }
};

void check_against_all_paths() {
  nlptk::TrigramWorkspace workspace;
  int possible = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Case c(seed, 2 + seed % 4, 1 + seed % 6);
    std::vector<std::int32_t> path(c.length, -1);
    const float score = nlptk::trigram_viterbi(c.model(), c.lists(), 0, c.length, workspace, path.data());
    const std::vector<std::size_t> best = c.best_of_all();
    CHECK(score == c.score_of(best));
    for (std::int32_t state : path) CHECK(state >= 0 && state < static_cast<std::int32_t>(c.states) - 1);
    if (score == kNegInf) continue;
    ++possible;
    for (std::size_t t = 0; t < c.length; ++t)
      CHECK(path[t] == c.candidates[std::size_t(c.offsets[t]) + best[t]]);
  }
  CHECK(possible > 500);
}

void check_batch() {
  const Case c(7, 5, 300);
  std::vector<std::int64_t> bounds{0};
  Random random{11};
  while (bounds.back() < 300) bounds.push_back(std::min<std::int64_t>(300, bounds.back() + random.next() % 9));
  std::vector<std::int32_t> one(300), many(300);
  std::vector<float> one_scores(bounds.size() - 1), many_scores(bounds.size() - 1);
  nlptk::trigram_viterbi_batch(c.model(), c.lists(), bounds.data(), bounds.size() - 1, 1, one.data(),
                               one_scores.data());
  nlptk::trigram_viterbi_batch(c.model(), c.lists(), bounds.data(), bounds.size() - 1, 4, many.data(),
                               many_scores.data());
  CHECK(one == many && one_scores == many_scores);
  nlptk::TrigramWorkspace workspace;
  CHECK(nlptk::trigram_viterbi(c.model(), c.lists(), 5, 5, workspace, nullptr) == c.transitions[
      (std::size_t(c.contexts[4]) * 5 + 4) * 5 + 4]);
}

}  // namespace

int main() {
  check_against_all_paths();
  check_batch();
  return 0;
}
