#include "trigram.hpp"

#include <limits>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// The candidates of one token; outside the sequence that is the boundary state alone.
struct Slot {
  const std::int32_t* states;
  const float* scores;
  std::size_t size;
};

struct Best {
  float score;
  std::size_t index;
};

// max over i of before[i, j] + transitions[class of i, j, k]; `before` has `stride` columns.
inline Best best_two_back(const TrigramScores& model, const float* before, std::size_t stride, const Slot& two_back,
                          std::size_t j, std::size_t state_j, std::size_t state_k) {
  const std::size_t n = model.states;
  const float* row = model.transitions + state_j * n + state_k;
  Best best{kNone, 0};
  for (std::size_t i = 0; i < two_back.size; ++i) {
    const auto context = static_cast<std::size_t>(model.contexts[two_back.states[i]]);
    const float score = before[i * stride + j] + row[context * n * n];
    if (score > best.score) best = {score, i};
  }
  return best;
}

}  // namespace

float trigram_viterbi(const TrigramScores& model, const Candidates& candidates, std::size_t begin, std::size_t end,
                      TrigramWorkspace& ws, std::int32_t* path) {
  const std::int32_t boundary_state = static_cast<std::int32_t>(model.states) - 1;
  const float zero = 0.0f;
  const Slot boundary{&boundary_state, &zero, 1};
  const std::size_t length = end - begin;
  auto slot = [&](std::size_t t) {  // t counts from the two boundaries before the sequence
    if (t < 2 || t >= length + 2) return boundary;
    const auto first = static_cast<std::size_t>(candidates.offsets[begin + t - 2]);
    const auto last = static_cast<std::size_t>(candidates.offsets[begin + t - 1]);
    return Slot{candidates.states + first, candidates.scores + first, last - first};
  };

  ws.before.assign(1, 0.0f);
  ws.back.clear();
  ws.back_offsets.assign(2, 0);
  for (std::size_t t = 2; t < length + 3; ++t) {
    const Slot two_back = slot(t - 2), one_back = slot(t - 1), here = slot(t);
    ws.back_offsets.push_back(ws.back.size());
    ws.here.resize(one_back.size * here.size);
    for (std::size_t j = 0; j < one_back.size; ++j) {
      for (std::size_t k = 0; k < here.size; ++k) {
        const Best best = best_two_back(model, ws.before.data(), one_back.size, two_back, j,
                                        static_cast<std::size_t>(one_back.states[j]),
                                        static_cast<std::size_t>(here.states[k]));
        ws.here[j * here.size + k] = best.score + here.scores[k];
        ws.back.push_back(static_cast<std::int32_t>(best.index));
      }
    }
    ws.before.swap(ws.here);
  }

  // The last step ended on the boundary alone, so `before` is one score for each candidate of the last token.
  const std::size_t last_size = slot(length + 1).size;
  std::size_t one_back = 0;
  for (std::size_t j = 1; j < last_size; ++j)
    if (ws.before[j] > ws.before[one_back]) one_back = j;
  const float score = ws.before[one_back];
  std::size_t here = 0;
  for (std::size_t t = length + 2; t > 2; --t) {
    const auto two_back = static_cast<std::size_t>(ws.back[ws.back_offsets[t] + one_back * slot(t).size + here]);
    path[t - 3] = slot(t - 1).states[one_back];
    here = one_back;
    one_back = two_back;
  }
  return score;
}

void trigram_viterbi_batch(const TrigramScores& model, const Candidates& candidates, const std::int64_t* offsets,
                           std::size_t sequences, int threads, std::int32_t* path, float* path_scores) {
  threads = resolve_threads(threads);
  std::vector<TrigramWorkspace> workspaces(static_cast<std::size_t>(threads));
  parallel_for(sequences, threads, 16, [&](std::size_t first, std::size_t last, int thread) {
    for (std::size_t s = first; s < last; ++s) {
      const auto begin = static_cast<std::size_t>(offsets[s]), end = static_cast<std::size_t>(offsets[s + 1]);
      path_scores[s] = trigram_viterbi(model, candidates, begin, end, workspaces[static_cast<std::size_t>(thread)],
                                       path + begin);
    }
  });
}

}  // namespace nlptk
