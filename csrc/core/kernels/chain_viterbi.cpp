// Viterbi of one sequence, and of several at once, which then do not wait for the last step of each other.
//
// No back pointers: the loop over label pairs only adds and takes maxima, best[t][j] is kept, and the way back looks
// for the label that gave the maximum, by the same additions, at one label per position instead of all.
// No std:: template or shared inline function may be used here: the file is compiled once per instruction set.
#include "kernels/chain_lanes.hpp"
#include "kernels/chain_parts.hpp"

namespace nlptk {
namespace NLPTK_ISA {
namespace {

template <int V>
NLPTK_INLINE void begin_row(const Shape<V>& shape, const float* start_scores, const float* emission, float* best,
                            float* score) {
  for (std::size_t k = 0; k < shape.vectors(); ++k) {
    const Vec start = shape.padded(start_scores, k);
    store(best + k * kWidth, start);
    store(score + k * kWidth, start + shape.dense(emission, k, 0.0f));
  }
}

template <int V>
float viterbi_one(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
                  std::int32_t* path) {
  const Shape<V> shape(tables);
  float* best = scratch;                            // [length, stride] before the emission of t is added
  float* score = scratch + length * shape.stride;   // after it, for t - 1
  float* next = score + shape.stride;

  begin_row(shape, tables.start, emissions, best, score);
  for (std::size_t t = 1; t < length; ++t) {
    float* row = best + t * shape.stride;
    const float* emission = emissions + t * shape.labels;
    product<MaxPlus>(shape, score, tables.to, [&](std::size_t k, Vec value) {
      store(row + k * kWidth, value);
      store(next + k * kWidth, value + shape.dense(emission, k, 0.0f));
    });
    float* swap = score;
    score = next;
    next = swap;
  }

  std::size_t label = 0;
  const float total = best_end(shape, tables, score, &label);
  path[length - 1] = static_cast<std::int32_t>(label);
  for (std::size_t t = length - 1; t > 0; --t) {
    label = label_before(shape, tables, best + t * shape.stride, emissions + (t - 1) * shape.labels, 0.0f, label);
    path[t - 1] = static_cast<std::int32_t>(label);
  }
  return total;
}

constexpr std::size_t kTogether = 4;  // sequences that share each load of the transitions

// Where the sequences that are decoded together read and write in one step.
struct Rows {
  const float* score[kTogether];
  const float* emission[kTogether];
  float* best[kTogether];
  float* next[kTogether];
};

// One step of K sequences for J vectors of labels from `first`.
template <int K, int J, int V>
NLPTK_INLINE void step_block(const Shape<V>& shape, const float* to, const Rows& rows, std::size_t first) {
  Vec acc[K][J];
  for (int s = 0; s < K; ++s)
    for (int k = 0; k < J; ++k) acc[s][k] = splat(rows.score[s][0]) + load(to + (first + k) * kWidth);
  for (std::size_t i = 1; i < shape.labels; ++i) {
    const float* row = to + i * shape.stride + first * kWidth;
    for (int s = 0; s < K; ++s) {
      const Vec a = splat(rows.score[s][i]);
      for (int k = 0; k < J; ++k) acc[s][k] = max(acc[s][k], a + load(row + k * kWidth));
    }
  }
  for (int s = 0; s < K; ++s) {
    for (int k = 0; k < J; ++k) {
      const std::size_t vector = first + k;
      store(rows.best[s] + vector * kWidth, acc[s][k]);
      store(rows.next[s] + vector * kWidth, acc[s][k] + shape.dense(rows.emission[s], vector, 0.0f));
    }
  }
}

template <int K, int V>
NLPTK_INLINE void step(const Shape<V>& shape, const float* to, const Rows& rows) {
  constexpr std::size_t most = kWidth == 16 ? 4 : 3;  // K * most accumulators and their operands fit the registers
  for (std::size_t done = 0; done < shape.vectors();) {
    const std::size_t rest = shape.vectors() - done;
    const std::size_t take = rest <= most ? rest : rest < 2 * most ? (rest + 1) / 2 : most;
    switch (take) {
      case 1: step_block<K, 1>(shape, to, rows, done); break;
      case 2: step_block<K, 2>(shape, to, rows, done); break;
      case 3: step_block<K, 3>(shape, to, rows, done); break;
      default: step_block<K, 4>(shape, to, rows, done); break;
    }
    done += take;
  }
}

// Takes the highest score from all; returns it.
template <int V>
NLPTK_INLINE float rescale(const Shape<V>& shape, float* score) {
  Vec top = splat(kLowest);  // where no label is allowed
  for (std::size_t k = 0; k < shape.vectors(); ++k) top = max(top, load(score + k * kWidth));
  const float shift = max_lanes(top);
  for (std::size_t k = 0; k < shape.vectors(); ++k) store(score + k * kWidth, load(score + k * kWidth) - splat(shift));
  return shift;
}

template <int V>
void viterbi_together(const ChainTables& tables, const ChainItem* items, std::size_t count, bool rescaled,
                      float* scratch) {
  const Shape<V> shape(tables);
  const std::size_t n = shape.labels;
  const std::size_t stride = shape.stride;
  float* best[kTogether];
  float* score[kTogether];
  float* next[kTogether];
  float* shifts[kTogether];  // taken from the scores of each kRescaleSteps-th step
  for (std::size_t s = 0; s < count; ++s) {
    best[s] = scratch;
    score[s] = scratch + items[s].length * stride;
    next[s] = score[s] + stride;
    scratch = next[s] + stride;
    begin_row(shape, items[s].continues ? nullptr : tables.start, emission_row(items[s], n, 0), best[s], score[s]);
  }
  for (std::size_t s = 0; s < count; ++s) {
    shifts[s] = scratch;
    scratch += items[s].length / kRescaleSteps + 1;
    shifts[s][0] = 0.0f;
  }
  const auto shift = [&](std::size_t s, std::size_t t) {
    return rescaled && t % kRescaleSteps == 0 ? shifts[s][t / kRescaleSteps] : 0.0f;
  };

  std::size_t active = count;
  for (std::size_t t = 1; t < items[0].length; ++t) {
    while (items[active - 1].length <= t) --active;
    Rows rows;
    for (std::size_t s = 0; s < active; ++s) {
      rows.score[s] = score[s];
      rows.emission[s] = emission_row(items[s], n, t);
      rows.best[s] = best[s] + t * stride;
      rows.next[s] = next[s];
      next[s] = score[s];
      score[s] = rows.next[s];
    }
    switch (active) {
      case 1: step<1>(shape, tables.to, rows); break;
      case 2: step<2>(shape, tables.to, rows); break;
      case 3: step<3>(shape, tables.to, rows); break;
      default: step<4>(shape, tables.to, rows); break;
    }
    if (rescaled && t % kRescaleSteps == 0)
      for (std::size_t s = 0; s < active; ++s) shifts[s][t / kRescaleSteps] = rescale(shape, score[s]);
  }
  for (std::size_t s = 0; s < count; ++s)
    copy_seams(items[s], n, [&](std::size_t t, std::size_t j) {
      return (best[s][t * stride + j] + emission_row(items[s], n, t)[j]) - shift(s, t);
    });

  std::size_t label[kTogether];
  for (std::size_t s = 0; s < count; ++s) {
    const float total = best_end(shape, tables, score[s], &label[s]);
    if (items[s].score != nullptr) *items[s].score = total;
    items[s].path[items[s].length - 1] = static_cast<std::int32_t>(label[s]);
  }
  for (std::size_t t = items[0].length - 1; t > 0; --t) {
    while (active < count && items[active].length > t) ++active;
    for (std::size_t s = 0; s < active; ++s) {
      label[s] = label_before(shape, tables, best[s] + t * stride, emission_row(items[s], n, t - 1), shift(s, t - 1),
                              label[s]);
      items[s].path[t - 1] = static_cast<std::int32_t>(label[s]);
    }
  }
}

}  // namespace

float viterbi(const ChainTables& tables, const float* emissions, std::size_t length, float* scratch,
              std::int32_t* path) {
  return with_vectors(tables, [&]<int V>() { return viterbi_one<V>(tables, emissions, length, scratch, path); });
}

void viterbi_group(const ChainTables& tables, const ChainItem* items, std::size_t count, bool rescaled,
                   float* scratch) {
#if defined(__AVX512F__)
  if (lanes_pay(tables.labels, count)) return viterbi_lanes(tables, items, count, rescaled, scratch);
#endif
  for (std::size_t s = 0; s < count; s += kTogether) {
    const std::size_t take = count - s < kTogether ? count - s : kTogether;
    with_vectors(tables, [&]<int V>() { viterbi_together<V>(tables, items + s, take, rescaled, scratch); });
  }
}

std::size_t first_unusable(const float* scores, std::size_t n) {
  constexpr float largest = 1e30f;
  const auto usable = [](float x) { return ((x >= -largest) & (x <= largest)) | (x == kNegInf); };
  constexpr std::size_t block = 256;  // no way out inside, so that the compiler makes vectors of it
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t end = n - begin < block ? n : begin + block;
    int bad = 0;
    for (std::size_t k = begin; k < end; ++k) bad |= !usable(scores[k]);
    if (bad != 0)
      for (std::size_t k = begin; k < end; ++k)
        if (!usable(scores[k])) return k;
  }
  return n;
}

// What one core can do at best: independent chains of add and max whose operands never leave the registers.
std::size_t max_adds(std::size_t rounds) {
  constexpr int chains = kWidth == 16 ? 16 : 10;
  Vec acc[chains];
  for (int k = 0; k < chains; ++k) acc[k] = splat(static_cast<float>(k));
  Vec a = splat(1.0f);
  const Vec b = splat(2.0f);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int k = 0; k < chains; ++k) {
      NLPTK_OPAQUE(a);  // or the compiler would add only once
      acc[k] = max(acc[k], a + b);
    }
  }
  for (int k = 0; k < chains; ++k) NLPTK_OPAQUE(acc[k]);
  return rounds * chains * kWidth;
}

}  // namespace NLPTK_ISA
}  // namespace nlptk
