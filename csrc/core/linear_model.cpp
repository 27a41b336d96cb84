#include "linear_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/linear_kernel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kBlock = 8;           // units looked up together, so that their memory reads overlap
// A filter of so many bits for each row: one in eight unknown keys gets past it, so slots can stand close. Models of up to
// eight labels, such as the segmenter's, know most of their features: a filter costs them more than slots that stand apart.
constexpr std::size_t kFilterBits = 8;
constexpr float kLargest = 1e30F;    // of a score: sums over 10^8 units stay finite
constexpr std::size_t kMostKeys = 65535;  // of a unit: sums of so many 16-bit weights fit 32 bits

void check(const LinearArrays& a) {
  if (a.labels == 0 || a.labels > 65535) throw std::invalid_argument("linear model: 1 to 65535 labels are possible");
  if (!(a.scale > 0) || a.scale > kLargest / 32768 / kMostKeys)
    throw std::invalid_argument("linear model: scale must be positive, and not so large that scores overflow");
  if (a.pairs > std::numeric_limits<std::uint32_t>::max() / 2)
    throw std::invalid_argument("linear model: over 2^31 weights");
  const auto usable = [](const float* values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
      if (!(std::abs(values[i]) <= kLargest) && values[i] != -std::numeric_limits<float>::infinity())
        throw std::invalid_argument("linear model: a transition score is NaN, +infinity or too large to add up");
  };
  usable(a.transitions, a.labels * a.labels);
  usable(a.start, a.labels);
  usable(a.end, a.labels);
}

// Row r, whose pairs begin at `pair`.
void check_row(const LinearArrays& a, std::size_t r, std::size_t pair) {
  const auto refuse = [&](const char* what) {
    throw std::invalid_argument("linear model: row " + std::to_string(r) + what);
  };
  if (a.keys[r] == 0) throw std::invalid_argument("linear model: key 0 is reserved");
  if (r > 0 && a.keys[r] <= a.keys[r - 1]) throw std::invalid_argument("linear model: keys are not increasing");
  const std::size_t size = a.row_sizes[r];
  if (size == 0 || size > a.labels || pair + size > a.pairs) refuse(" has an impossible size");
  const std::uint16_t* labels = a.pair_labels + pair;
  bool ordered = labels[size - 1] < a.labels;
  for (std::size_t k = 1; k < size; ++k) ordered &= labels[k] > labels[k - 1];
  if (!ordered) refuse(" has labels out of order or range");
}

}  // namespace

LinearModel::LinearModel(const LinearArrays& arrays)
    : labels_(arrays.labels),
      dense_blocks_((arrays.labels + 7) / 8),
      inline_singles_(dense_blocks_ > 1 && arrays.labels <= kMostInlineLabels),
      scale_(arrays.scale),
      homes_((dense_blocks_ == 1 ? 6 : 3) * arrays.rows / 2 + 1) {
  check(arrays);
  std::size_t pair = 0;
  std::size_t free = 0;  // the slot after the last one taken
  slots_.resize(homes_ + 1);
  if (dense_blocks_ > 1) filter_.resize(arrays.rows * kFilterBits / 64 + 1);
  blocks_.reserve(2 * arrays.pairs);
  for (std::size_t r = 0; r < arrays.rows; ++r) {
    check_row(arrays, r, pair);
    const std::size_t size = arrays.row_sizes[r];
    const std::uint32_t ref = add_row(arrays.pair_labels + pair, arrays.pair_weights + pair, size);
    pair += size;
    const std::size_t slot = std::max(home(arrays.keys[r]), free);
    free = slot + 1;
    if (free == slots_.size()) slots_.resize(free + 1);  // the last slot stays empty, so that a search ends
    slots_[slot] = {arrays.keys[r], ref};
    if (filter_.empty()) continue;
    const std::size_t bit = filter_bit(arrays.keys[r]);
    filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  if (pair != arrays.pairs) throw std::invalid_argument("linear model: row sizes do not add up to the pairs");
  chain_ = std::make_unique<Chain>(ChainScores{labels_, arrays.transitions, arrays.start, arrays.end});
}

// A row of few pairs is read pair by pair; from about half the labels on, adding whole blocks is quicker.
std::uint32_t LinearModel::add_row(const std::uint16_t* labels, const std::int16_t* weights, std::size_t size) {
  if (size == 1 && inline_singles_) return inline_row(labels[0], weights[0]);
  const std::size_t first = blocks_.size() / 8;
  if (first >= std::size_t{1} << (32 - kRowKindBits))
    throw std::invalid_argument("linear model: too many weights for one model");
  const std::size_t pair_blocks = (size + 3) / 4;
  if (2 * pair_blocks < dense_blocks_ && pair_blocks < kDenseKind) {
    blocks_.resize(blocks_.size() + 8 * pair_blocks);
    for (std::size_t k = 0; k < size; ++k) {
      blocks_[8 * first + 2 * k] = static_cast<std::int16_t>(labels[k]);
      blocks_[8 * first + 2 * k + 1] = weights[k];
    }
    return static_cast<std::uint32_t>(first << kRowKindBits | pair_blocks);
  }
  blocks_.resize(blocks_.size() + 8 * dense_blocks_);
  for (std::size_t k = 0; k < size; ++k) blocks_[8 * first + labels[k]] = weights[k];
  return static_cast<std::uint32_t>(first << kRowKindBits | kDenseKind);
}

// Keys that may have a row, and where they are in memory asked for. Whether a key is known is hard to predict, so here
// and below they are put in their places without a branch.
std::size_t LinearModel::filter_keys(const std::uint32_t* keys, std::size_t n, std::uint32_t* kept) const {
  if (filter_.empty()) {
    for (std::size_t i = 0; i < n; ++i) __builtin_prefetch(&slots_[home(kept[i] = keys[i])]);
    return n;
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t bit = filter_bit(keys[i]);
    const std::size_t known = filter_[bit / 64] >> bit % 64 & 1;
    kept[count] = keys[i];
    __builtin_prefetch(&slots_[known * home(keys[i])]);
    count += known;
  }
  return count;
}

// Refs of the keys that have a row, and where they are in memory asked for; `refs` may be `keys`.
LinearModel::Found LinearModel::find_rows(const std::uint32_t* keys, std::size_t n, std::uint32_t* refs,
                                          std::uint32_t* singles) const {
  Found found;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t key = keys[i];
    std::size_t slot = home(key);
    while (slots_[slot].key != key && slots_[slot].key != 0) ++slot;
    const Slot entry = slots_[slot];
    const bool known = entry.key == key && key != 0;
    const bool single = inline_singles_ && is_inline(entry.ref);
    refs[found.rows] = entry.ref;
    singles[found.singles] = entry.ref;
    __builtin_prefetch(blocks_.data() + (single ? 0 : 8 * static_cast<std::size_t>(entry.ref >> kRowKindBits)));
    found.rows += static_cast<std::size_t>(known && !single);
    found.singles += static_cast<std::size_t>(known && single);
  }
  return found;
}

void LinearModel::add_scores(const std::uint32_t* keys, std::size_t units, std::size_t width,
                             LinearWorkspace& workspace, std::int32_t* sums) const {
  if (width > kMostKeys) throw std::invalid_argument("linear model: over 65535 features for one unit");
  if (workspace.refs.size() < 2 * kBlock * width) workspace.refs.resize(2 * kBlock * width);
  std::uint32_t* const refs = workspace.refs.data();
  std::uint32_t* const singles = refs + kBlock * width;
  const auto add_rows = linear_kernels().add_rows_i16;
  for (std::size_t block = 0; block < units; block += kBlock) {
    const std::size_t count = std::min(kBlock, units - block);
    std::size_t kept[kBlock];
    Found found[kBlock];
    for (std::size_t u = 0; u < count; ++u) kept[u] = filter_keys(keys + (block + u) * width, width, refs + u * width);
    for (std::size_t u = 0; u < count; ++u)
      found[u] = find_rows(refs + u * width, kept[u], refs + u * width, singles + u * width);
    for (std::size_t u = 0; u < count; ++u) {
      std::int32_t* out = sums + (block + u) * stride();
      add_rows(blocks_.data(), refs + u * width, found[u].rows, dense_blocks_, out);
      for (std::size_t k = 0; k < found[u].singles; ++k) {
        const std::uint32_t ref = singles[u * width + k];
        out[inline_label(ref)] += inline_weight(ref);
      }
    }
  }
}

void LinearModel::scale_scores(const std::int32_t* sums, std::size_t units, float* emissions) const {
  for (std::size_t u = 0; u < units; ++u)
    for (std::size_t l = 0; l < labels_; ++l)
      emissions[u * labels_ + l] = static_cast<float>(sums[u * stride() + l]) * scale_;
}

void LinearModel::emissions(const std::uint32_t* keys, std::size_t units, std::size_t width,
                            LinearWorkspace& workspace, float* emissions) const {
  workspace.sums.assign(units * stride(), 0);
  add_scores(keys, units, width, workspace, workspace.sums.data());
  scale_scores(workspace.sums.data(), units, emissions);
}

}  // namespace nlptk
