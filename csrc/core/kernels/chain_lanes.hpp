// Viterbi of 16 sequences at once, one in each lane of an AVX-512 register: no lane is lost to padding of labels.
//
// With 17 labels in vectors of 16 nearly half of each second vector is padding; here every addition serves 16
// sequences. The price is turning the emissions from rows of labels into rows of sequences. Transition scores come
// as broadcast operands of the addition, and on the way back from registers by permutation, so labels are at most 64.
#pragma once

#include "kernels/chain_parts.hpp"

#if defined(__AVX512F__)

namespace nlptk {
namespace NLPTK_ISA {
namespace {

constexpr std::size_t kMostLaneLabels = 64;

// Whether this beats vectors of labels: fewer vectors of additions, and enough lanes in use. Measured, see
// docs/chain.md.
NLPTK_INLINE bool lanes_pay(std::size_t labels, std::size_t sequences) {
  const std::size_t padded = (labels + 15) / 16 * 16;
  return labels <= kMostLaneLabels && sequences * padded * 4 >= 16 * labels * 5;
}

// Turns 16 rows of 16 floats into columns: log2(16) rounds of exchanging halves.
NLPTK_INLINE void transpose(__m512* r) {
  __m512 a[16];
  for (int k = 0; k < 16; k += 2) {
    a[k] = _mm512_unpacklo_ps(r[k], r[k + 1]);
    a[k + 1] = _mm512_unpackhi_ps(r[k], r[k + 1]);
  }
  for (int k = 0; k < 16; k += 4) {
    r[k] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[k]), _mm512_castps_pd(a[k + 2])));
    r[k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[k]), _mm512_castps_pd(a[k + 2])));
    r[k + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[k + 1]), _mm512_castps_pd(a[k + 3])));
    r[k + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[k + 1]), _mm512_castps_pd(a[k + 3])));
  }
  for (int k = 0; k < 4; ++k) {
    a[k] = _mm512_shuffle_f32x4(r[k], r[k + 4], 0x88);
    a[k + 4] = _mm512_shuffle_f32x4(r[k], r[k + 4], 0xdd);
    a[k + 8] = _mm512_shuffle_f32x4(r[k + 8], r[k + 12], 0x88);
    a[k + 12] = _mm512_shuffle_f32x4(r[k + 8], r[k + 12], 0xdd);
  }
  for (int k = 0; k < 8; ++k) {
    r[k] = _mm512_shuffle_f32x4(a[k], a[k + 8], 0x88);
    r[k + 8] = _mm512_shuffle_f32x4(a[k], a[k + 8], 0xdd);
  }
}

// columns[j][s] = rows[s][j] for j < labels.
NLPTK_INLINE void turn_rows(const float* const* rows, std::size_t labels, float* columns) {
  for (std::size_t j = 0; j < labels; j += 16) {
    const std::size_t rest = labels - j < 16 ? labels - j : 16;
    if (rest <= 2) {  // copying a few is cheaper than turning mostly nothing
      for (std::size_t k = j; k < labels; ++k)
        for (std::size_t s = 0; s < 16; ++s) columns[k * 16 + s] = rows[s][k];
      return;
    }
    const Lanes lanes = first_lanes(rest);
    __m512 r[16];
    for (std::size_t s = 0; s < 16; ++s) r[s] = load_lanes(rows[s] + j, lanes, zero());
    transpose(r);
    for (std::size_t k = 0; k < 16; ++k) store(columns + (j + k) * 16, r[k]);
  }
}

// next[j] = max over i of (score[i] + to[i][j]) + emission[j] for J labels from `first`; a row is 16 sequences.
template <int J>
NLPTK_INLINE void lane_block(const ChainTables& tables, const float* score, const float* emission, float* next,
                             std::size_t first) {
  const float* to = tables.to + first;
  Vec acc[J];
  const Vec v = load(score);
  for (int k = 0; k < J; ++k) acc[k] = v + splat(to[k]);
  for (std::size_t i = 1; i < tables.labels; ++i) {
    const Vec a = load(score + i * 16);
    const float* row = to + i * tables.stride;
    for (int k = 0; k < J; ++k) acc[k] = max(acc[k], a + splat(row[k]));
  }
  for (int k = 0; k < J; ++k) store(next + (first + k) * 16, acc[k] + load(emission + (first + k) * 16));
}

NLPTK_INLINE void lane_step(const ChainTables& tables, const float* score, const float* emission, float* next) {
  const std::size_t n = tables.labels;
  std::size_t done = 0;
  for (; n - done >= 16; done += 8) lane_block<8>(tables, score, emission, next, done);
  if (n - done >= 12) {
    lane_block<6>(tables, score, emission, next, done);
    done += 6;
  }
  switch (n - done) {
    case 11: return lane_block<11>(tables, score, emission, next, done);
    case 10: return lane_block<10>(tables, score, emission, next, done);
    case 9: return lane_block<9>(tables, score, emission, next, done);
    case 8: return lane_block<8>(tables, score, emission, next, done);
    case 7: return lane_block<7>(tables, score, emission, next, done);
    case 6: return lane_block<6>(tables, score, emission, next, done);
    case 5: return lane_block<5>(tables, score, emission, next, done);
    case 4: return lane_block<4>(tables, score, emission, next, done);
    case 3: return lane_block<3>(tables, score, emission, next, done);
    case 2: return lane_block<2>(tables, score, emission, next, done);
    default: return lane_block<1>(tables, score, emission, next, done);
  }
}

// For each lane the best of value(i), begin <= i < end, and the lowest i that has it.
struct LaneBest {
  __m512 top;
  __m512i at;
};

template <class Value>
NLPTK_INLINE LaneBest lane_best(std::size_t begin, std::size_t end, Value value) {
  LaneBest best{value(begin), _mm512_set1_epi32(static_cast<int>(begin))};
  __m512i index = best.at;
  for (std::size_t i = begin + 1; i < end; ++i) {
    const __m512 x = value(i);
    index = _mm512_add_epi32(index, _mm512_set1_epi32(1));
    best.at = _mm512_mask_mov_epi32(best.at, _mm512_cmp_ps_mask(x, best.top, _CMP_GT_OQ), index);
    best.top = _mm512_max_ps(best.top, x);
  }
  return best;
}

// The same of all labels, in two halves that do not wait for each other.
template <class Value>
NLPTK_INLINE LaneBest lane_argmax(std::size_t labels, Value value) {
  if (labels < 4) return lane_best(0, labels, value);
  const LaneBest low = lane_best(0, labels / 2, value);
  const LaneBest high = lane_best(labels / 2, labels, value);
  const __mmask16 higher = _mm512_cmp_ps_mask(high.top, low.top, _CMP_GT_OQ);
  return {_mm512_max_ps(low.top, high.top), _mm512_mask_mov_epi32(low.at, higher, high.at)};
}

// Takes the highest of each sequence's scores from all of them.
NLPTK_INLINE void lane_rescale(std::size_t labels, float* score) {
  Vec top = splat(kLowest);  // where no label is allowed
  for (std::size_t j = 0; j < labels; ++j) top = max(top, load(score + j * 16));
  for (std::size_t j = 0; j < labels; ++j) store(score + j * 16, load(score + j * 16) - top);
}

// Of a row of N * 16 scores that of each lane's label.
template <int N>
NLPTK_INLINE __m512 lane_lookup(const float* row, __m512i label) {
  if constexpr (N == 1) return _mm512_permutexvar_ps(label, load(row));
  const __m512 low = _mm512_permutex2var_ps(load(row), label, load(row + 16));
  if constexpr (N == 2) return low;
  const __m512 third = load(row + 32);
  const __m512 high = _mm512_permutex2var_ps(third, label, N == 3 ? third : load(row + 48));
  return _mm512_mask_mov_ps(low, _mm512_test_epi32_mask(label, _mm512_set1_epi32(32)), high);
}

// The label before each lane's on its best path.
template <int N>
NLPTK_INLINE __m512i labels_before(const ChainTables& tables, const float* score, __m512i label) {
  return lane_argmax(tables.labels, [&](std::size_t i) {
           return load(score + i * 16) + lane_lookup<N>(tables.to + i * tables.stride, label);
         }).at;
}

// Scratch: scores[longest][labels][16] and the emissions of one step.
void viterbi_lanes(const ChainTables& tables, const ChainItem* items, std::size_t count, bool rescaled,
                   float* scratch) {
  const std::size_t n = tables.labels;
  const std::size_t longest = items[0].length;
  const std::size_t size = n * 16;
  alignas(64) float emission[kMostLaneLabels * 16];
  const float* rows[16];
  __mmask16 starts = 0;
  for (std::size_t s = 0; s < 16; ++s) {
    const ChainItem& item = items[s < count ? s : 0];
    rows[s] = emission_row(item, n, 0);
    if (!item.continues) starts = static_cast<__mmask16>(starts | 1u << s);
  }

  turn_rows(rows, n, emission);
  for (std::size_t j = 0; j < n; ++j)
    store(scratch + j * 16, _mm512_maskz_mov_ps(starts, splat(tables.start[j])) + load(emission + j * 16));

  alignas(64) std::int32_t label[16];
  __m512i labels = _mm512_setzero_si512();
  std::size_t active = count;
  for (std::size_t t = 1;; ++t) {
    const float* score = scratch + (t - 1) * size;
    std::size_t going = active;
    while (going > 0 && items[going - 1].length <= t) --going;
    if (going < active) {  // sequences that end at t - 1
      const LaneBest last =
          lane_argmax(n, [&](std::size_t j) { return load(score + j * 16) + splat(tables.end[j]); });
      const __mmask16 ended = static_cast<__mmask16>(((1u << active) - 1u) & ~((1u << going) - 1u));
      labels = _mm512_mask_mov_epi32(labels, ended, last.at);
      alignas(64) float totals[16];
      store(totals, last.top);
      for (std::size_t s = going; s < active; ++s)
        if (items[s].score != nullptr) *items[s].score = totals[s];
      active = going;
    }
    if (t == longest) break;
    for (std::size_t s = 0; s < active; ++s) rows[s] = emission_row(items[s], n, t);
    turn_rows(rows, n, emission);
    lane_step(tables, score, emission, scratch + t * size);
    if (rescaled && t % kRescaleSteps == 0) lane_rescale(n, scratch + t * size);
  }
  for (std::size_t s = 0; s < count; ++s)
    copy_seams(items[s], n, [&](std::size_t t, std::size_t j) { return scratch[t * size + j * 16 + s]; });

  _mm512_store_si512(label, labels);
  for (std::size_t s = 0; s < count; ++s) items[s].path[items[s].length - 1] = label[s];
  for (std::size_t t = longest - 1; t > 0; --t) {
    const float* score = scratch + (t - 1) * size;
    while (active < count && items[active].length > t) ++active;
    __m512i previous;
    switch (tables.stride) {
      case 16: previous = labels_before<1>(tables, score, labels); break;
      case 32: previous = labels_before<2>(tables, score, labels); break;
      case 48: previous = labels_before<3>(tables, score, labels); break;
      default: previous = labels_before<4>(tables, score, labels); break;
    }
    // A lane whose sequence has not begun (seen from the end) keeps its last label.
    labels = _mm512_mask_mov_epi32(labels, static_cast<__mmask16>((1u << active) - 1u), previous);
    _mm512_store_si512(label, labels);
    for (std::size_t s = 0; s < active; ++s) items[s].path[t - 1] = label[s];
  }
}

}  // namespace
}  // namespace NLPTK_ISA
}  // namespace nlptk

#endif
