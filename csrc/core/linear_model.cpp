#include "linear_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace nlptk {
namespace {

constexpr std::size_t kBlock = 8;          // units looked up together, so that their memory reads overlap
constexpr std::size_t kBitsOfRow = 6;      // of the index: one in seven unknown keys gets past it
constexpr float kLargest = 1e30F;          // of a score: sums over 10^8 units stay finite
constexpr std::size_t kMostKeys = 65535;   // of a unit: sums of so many 16-bit weights fit 32 bits

void check(const LinearArrays& a) {
  check_label_count(a.labels);
  if (!(a.scale > 0) || a.scale > kLargest / 32768 / kMostKeys)
    throw std::invalid_argument("linear model: scale must be positive, and not so large that scores overflow");
  if (a.rows > std::numeric_limits<std::uint32_t>::max() / 2 / kBitsOfRow)
    throw std::invalid_argument("linear model: too many rows for one model");
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
    : arrays_(arrays), dense_blocks_(dense_blocks(arrays.labels)), inline_singles_(has_inline_rows(arrays.labels)) {
  check(arrays);
  make_index();
  chain_ = std::make_unique<Chain>(ChainScores{arrays.labels, arrays.transitions, arrays.start, arrays.end});
}

// Whether what add_scores reads for a row of blocks, and where it adds it, lies inside the blocks and the sums.
bool LinearModel::usable(std::uint32_t ref) const {
  const std::uint32_t kind = ref & kDenseKind;
  const std::size_t first = ref >> kRowKindBits;
  if (kind == kDenseKind) return first + dense_blocks_ <= arrays_.blocks;
  if (dense_blocks_ == 1 || first + kind > arrays_.blocks) return false;
  const std::int16_t* pairs = arrays_.block_table + 8 * first;
  bool good = true;
  std::uint32_t least = 0;  // labels increase, but for padding
  for (std::size_t k = 0; k < 4 * kind; ++k) {
    const std::uint32_t label = static_cast<std::uint16_t>(pairs[2 * k]);
    good &= (label >= least && label < arrays_.labels) || (k > 0 && label == 0 && pairs[2 * k + 1] == 0);
    least = label + 1;
  }
  return good;
}

// One pass over the rows. Where a range ends and which rows are of blocks is hard to predict, so no branch asks for it.
void LinearModel::make_index() {
  ranges_.resize(arrays_.rows * kBitsOfRow / 32 + 1);
  index_ = {ranges_.data(), ranges_.size(), arrays_.row_table};
  const auto labels = static_cast<std::uint32_t>(inline_singles_ ? arrays_.labels : 0);
  std::array<std::uint32_t, 512> refs;
  std::uint32_t before = 0;
  std::size_t last_range = 0;
  RowRange range;
  for (std::size_t begin = 0; begin < arrays_.rows; begin += refs.size()) {
    const std::size_t end = std::min(begin + refs.size(), arrays_.rows);
    std::size_t of_blocks = 0;
    bool increasing = true, good = true;
    for (std::size_t r = begin; r < end; ++r) {
      const std::uint32_t key = arrays_.row_table[2 * r], ref = arrays_.row_table[2 * r + 1];
      increasing &= key > before;
      before = key;
      const std::size_t bit = index_.bit(key);
      const bool same = bit / 32 == last_range;
      last_range = bit / 32;
      range.bits = (same ? range.bits : 0) | std::uint32_t{1} << bit % 32;
      range.start = same ? range.start : static_cast<std::uint32_t>(r);
      ranges_[last_range] = range;
      good &= !is_inline(ref) || inline_label(ref) < labels;
      refs[of_blocks] = ref;
      of_blocks += static_cast<std::size_t>(!is_inline(ref));
    }
    if (!increasing) throw std::invalid_argument("linear model: keys are not increasing, or one is 0");
    good &= std::all_of(refs.begin(), refs.begin() + static_cast<std::ptrdiff_t>(of_blocks),
                        [this](std::uint32_t ref) { return usable(ref); });
    if (!good) throw std::invalid_argument("linear model: a row refers to weights that are not there");
  }
}

// References of the keys that have a row, in the place of the keys, and where they are in memory asked for. Two keys may
// share a bit, so a row may lie a few behind its place.
LinearModel::Found LinearModel::find_rows(std::uint32_t* keys, const std::uint32_t* places, std::size_t n,
                                          std::uint32_t* singles) const {
  Found found;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t key = keys[i];
    std::size_t row = places[i];
    while (row + 1 < arrays_.rows && arrays_.row_table[2 * row] < key) ++row;
    const std::uint32_t ref = arrays_.row_table[2 * row + 1];
    const bool known = arrays_.row_table[2 * row] == key;
    const bool single = inline_singles_ && is_inline(ref);
    keys[found.rows] = ref;
    singles[found.singles] = ref;
    __builtin_prefetch(arrays_.block_table + (single ? 0 : 8 * static_cast<std::size_t>(ref >> kRowKindBits)));
    found.rows += static_cast<std::size_t>(known && !single);
    found.singles += static_cast<std::size_t>(known && single);
  }
  return found;
}

void LinearModel::add_scores(const std::uint32_t* keys, std::size_t units, std::size_t width,
                             LinearWorkspace& workspace, std::int32_t* sums) const {
  if (width > kMostKeys) throw std::invalid_argument("linear model: over 65535 features for one unit");
  if (workspace.keys.size() < kBlock * width)
    for (auto* values : {&workspace.keys, &workspace.places, &workspace.singles}) values->resize(kBlock * width);
  const auto [find_places, add_rows] = linear_kernels();
  for (std::size_t block = 0; block < units; block += kBlock) {
    const std::size_t count = std::min(kBlock, units - block);
    std::size_t kept[kBlock];
    Found found[kBlock];
    for (std::size_t u = 0; u < count; ++u)
      kept[u] = find_places(index_, keys + (block + u) * width, width, workspace.keys.data() + u * width,
                            workspace.places.data() + u * width);
    for (std::size_t u = 0; u < count; ++u)
      found[u] = find_rows(workspace.keys.data() + u * width, workspace.places.data() + u * width, kept[u],
                           workspace.singles.data() + u * width);
    for (std::size_t u = 0; u < count; ++u) {
      std::int32_t* out = sums + (block + u) * stride();
      add_rows(arrays_.block_table, workspace.keys.data() + u * width, found[u].rows, dense_blocks_, out);
      for (std::size_t k = 0; k < found[u].singles; ++k) {
        const std::uint32_t ref = workspace.singles[u * width + k];
        out[inline_label(ref)] += inline_weight(ref);
      }
    }
  }
}

void LinearModel::scale_scores(const std::int32_t* sums, std::size_t units, float* emissions) const {
  for (std::size_t u = 0; u < units; ++u)
    for (std::size_t l = 0; l < arrays_.labels; ++l)
      emissions[u * arrays_.labels + l] = static_cast<float>(sums[u * stride() + l]) * arrays_.scale;
}

void LinearModel::emissions(const std::uint32_t* keys, std::size_t units, std::size_t width,
                            LinearWorkspace& workspace, float* emissions) const {
  workspace.sums.assign(units * stride(), 0);
  add_scores(keys, units, width, workspace, workspace.sums.data());
  scale_scores(workspace.sums.data(), units, emissions);
}

}  // namespace nlptk
