#include "linear_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/linear_kernel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kVector = 16;  // dense rows are padded to whole vectors of 16-bit weights
constexpr std::size_t kBlock = 8;    // units looked up together, so that their memory reads overlap
constexpr float kLargest = 1e30F;    // of a score: sums over 10^8 units stay finite
constexpr std::size_t kMostKeys = 65535;  // of a unit: sums of so many 16-bit weights fit 32 bits

void check(const LinearArrays& a) {
  if (a.labels == 0 || a.labels > 65535) throw std::invalid_argument("linear model: 1 to 65535 labels are possible");
  if (!(a.scale > 0) || a.scale > kLargest / 32768 / kMostKeys)
    throw std::invalid_argument("linear model: scale must be positive, and not so large that scores overflow");
  if (a.pairs > std::numeric_limits<std::uint32_t>::max() / 2)
    throw std::invalid_argument("linear model: over 2^31 weights");
  std::size_t pair = 0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    if (r > 0 && a.keys[r] <= a.keys[r - 1]) throw std::invalid_argument("linear model: keys are not increasing");
    if (a.keys[r] == 0) throw std::invalid_argument("linear model: key 0 is reserved");
    const std::size_t size = a.row_sizes[r];
    if (size == 0 || size > a.labels || pair + size > a.pairs)
      throw std::invalid_argument("linear model: row " + std::to_string(r) + " has an impossible size");
    for (std::size_t k = 0; k < size; ++k) {
      const std::uint16_t label = a.pair_labels[pair + k];
      if (label >= a.labels || (k > 0 && label <= a.pair_labels[pair + k - 1]))
        throw std::invalid_argument("linear model: row " + std::to_string(r) + " has labels out of order or range");
    }
    pair += size;
  }
  if (pair != a.pairs) throw std::invalid_argument("linear model: row sizes do not add up to the pairs");
  const auto usable = [](const float* values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
      if (!(std::abs(values[i]) <= kLargest) && values[i] != -std::numeric_limits<float>::infinity())
        throw std::invalid_argument("linear model: a transition score is NaN, +infinity or too large to add up");
  };
  usable(a.transitions, a.labels * a.labels);
  usable(a.start, a.labels);
  usable(a.end, a.labels);
}

}  // namespace

LinearModel::LinearModel(const LinearArrays& arrays)
    : labels_(arrays.labels), padded_((arrays.labels + kVector - 1) / kVector * kVector), scale_(arrays.scale) {
  check(arrays);
  std::size_t capacity = 16;
  while (capacity < 2 * arrays.rows) capacity *= 2;
  slots_.resize(capacity);
  mask_ = capacity - 1;
  row_starts_.reserve(arrays.rows + 2);
  data_.reserve(2 * arrays.pairs);
  row_starts_.assign(2, 0);  // row 0 is the empty row of unknown features
  std::size_t pair = 0;
  for (std::size_t r = 0; r < arrays.rows; ++r) {
    const std::size_t size = arrays.row_sizes[r];
    if (2 * size >= padded_) {
      const std::size_t start = data_.size();
      data_.resize(start + padded_);
      for (std::size_t k = pair; k < pair + size; ++k)
        data_[start + arrays.pair_labels[k]] = arrays.pair_weights[k];
    } else {
      for (std::size_t k = pair; k < pair + size; ++k) {
        data_.push_back(static_cast<std::int16_t>(arrays.pair_labels[k]));
        data_.push_back(arrays.pair_weights[k]);
      }
    }
    pair += size;
    row_starts_.push_back(static_cast<std::uint32_t>(data_.size()));
    std::size_t slot = arrays.keys[r] & mask_;
    while (slots_[slot].row != 0) slot = (slot + 1) & mask_;
    slots_[slot] = {arrays.keys[r], static_cast<std::uint32_t>(r + 1)};
  }
  chain_ = std::make_unique<Chain>(ChainScores{labels_, arrays.transitions, arrays.start, arrays.end});
}

void LinearModel::emissions(const std::uint32_t* keys, std::size_t units, std::size_t width,
                            LinearWorkspace& workspace, float* emissions) const {
  if (width > kMostKeys) throw std::invalid_argument("linear model: over 65535 features for one unit");
  workspace.rows.resize(kBlock * width);
  workspace.sums.resize(padded_);
  const auto add_row = linear_kernels().add_row_i16;
  std::int32_t* sums = workspace.sums.data();
  for (std::size_t block = 0; block < units; block += kBlock) {
    const std::size_t count = std::min(kBlock, units - block);
    const std::uint32_t* block_keys = keys + block * width;
    for (std::size_t i = 0; i < count * width; ++i) __builtin_prefetch(&slots_[block_keys[i] & mask_]);
    for (std::size_t i = 0; i < count * width; ++i) {
      workspace.rows[i] = block_keys[i] == 0 ? 0 : find(block_keys[i]);
      __builtin_prefetch(&row_starts_[workspace.rows[i]]);
    }
    for (std::size_t i = 0; i < count * width; ++i)
      __builtin_prefetch(data_.data() + row_starts_[workspace.rows[i]]);
    for (std::size_t u = 0; u < count; ++u) {
      std::fill_n(sums, padded_, 0);
      for (std::size_t k = 0; k < width; ++k) {
        const std::uint32_t row = workspace.rows[u * width + k];
        const std::int16_t* data = data_.data() + row_starts_[row];
        const std::size_t size = row_starts_[row + 1] - row_starts_[row];
        if (size == padded_) {
          add_row(data, padded_, sums);
        } else {
          for (std::size_t p = 0; p < size; p += 2) sums[static_cast<std::uint16_t>(data[p])] += data[p + 1];
        }
      }
      float* out = emissions + (block + u) * labels_;
      for (std::size_t l = 0; l < labels_; ++l) out[l] = static_cast<float>(sums[l]) * scale_;
    }
  }
}

}  // namespace nlptk
