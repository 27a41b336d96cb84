#include "crf_data.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kPollEvery = 1 << 14;
constexpr std::size_t kDenseShare = 4;  // a row of this share of all labels is summed as quickly with all of them

// 32-bit keys to dense ids in order of first appearance, with counts.
class KeyTable {
 public:
  explicit KeyTable(std::size_t expected) {
    std::size_t capacity = 1024;
    while (capacity < 2 * expected) capacity *= 2;
    slots_.resize(capacity);
  }

  std::uint32_t insert(std::uint32_t key) {
    if (2 * (keys.size() + 1) > slots_.size()) grow();
    std::size_t slot = key & (slots_.size() - 1);
    while (slots_[slot].id != 0) {
      if (slots_[slot].key == key) return slots_[slot].id - 1;
      slot = (slot + 1) & (slots_.size() - 1);
    }
    keys.push_back(key);
    counts.push_back(0);
    slots_[slot] = {key, static_cast<std::uint32_t>(keys.size())};
    return static_cast<std::uint32_t>(keys.size() - 1);
  }

  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> counts;

 private:
  struct Slot {
    std::uint32_t key = 0;
    std::uint32_t id = 0;  // 1 + index into keys; 0 = empty
  };
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& s : old) {
      if (s.id == 0) continue;
      std::size_t slot = s.key & (slots_.size() - 1);
      while (slots_[slot].id != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = s;
    }
  }
  std::vector<Slot> slots_;
};

constexpr std::uint32_t kDropped = std::numeric_limits<std::uint32_t>::max();

// Indices are 32-bit to halve the memory traffic of training.
std::uint32_t index32(std::size_t value, const char* what) {
  if (value >= kDropped)
    throw std::invalid_argument(std::string("the training set has over 2^32 ") + what + "; train on a part of it");
  return static_cast<std::uint32_t>(value);
}

}  // namespace

CrfData::CrfData(const CrfInput& input, const CrfOptions& options)
    : labels(input.labels),
      padded((input.labels + 7) / 8 * 8),
      units(input.units),
      sequences(input.sequences),
      threads(resolve_threads(options.threads)),
      offsets(input.offsets, input.offsets + input.sequences + 1),
      gold(input.gold, input.gold + input.units) {
  if (labels == 0 || labels > 4096) throw std::invalid_argument("a CRF needs 1 to 4096 labels");
  for (const std::int32_t label : gold)
    if (label < 0 || static_cast<std::size_t>(label) >= labels)
      throw std::invalid_argument("a gold label is out of range");
  index32(units, "units");
  std::vector<std::uint32_t> unit_features;  // beside unit_values, numbers of features
  intern(input, options.min_freq, unit_features);
  lay_rows(options, unit_features);
  order_units(unit_features);
  free_chain(options);
}

// Numbers the features from the most frequent down, so that hot rows lie together in the cache.
void CrfData::intern(const CrfInput& input, std::size_t min_freq, std::vector<std::uint32_t>& unit_features) {
  const auto begin_of = [&input](std::size_t unit) {
    return input.starts == nullptr ? unit * input.width : static_cast<std::size_t>(input.starts[unit]);
  };
  const std::size_t cells = begin_of(input.units);
  KeyTable table(std::min<std::size_t>(cells / 8, 1U << 22));
  std::vector<std::uint32_t> ids(cells);
  InterruptPoll poll;
  for (std::size_t i = 0; i < cells; ++i) {
    if (i % kPollEvery == 0) poll();
    if (input.keys[i] == 0 && input.starts == nullptr) {
      ids[i] = kDropped;
      continue;
    }
    ids[i] = table.insert(input.keys[i]);
    ++table.counts[ids[i]];
  }
  std::vector<std::uint32_t> order(table.keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return table.counts[a] > table.counts[b]; });
  std::vector<std::uint32_t> rank(order.size(), kDropped);
  for (std::uint32_t r = 0; r < order.size() && table.counts[order[r]] >= min_freq; ++r) {
    rank[order[r]] = r;
    keys.push_back(table.keys[order[r]]);
  }
  unit_starts.reserve(units + 1);
  unit_starts.push_back(0);
  for (std::size_t u = 0; u < units; ++u) {
    if (u % kPollEvery == 0) poll();
    for (std::size_t i = begin_of(u); i < begin_of(u + 1); ++i) {
      if (ids[i] == kDropped || rank[ids[i]] == kDropped) continue;
      unit_features.push_back(rank[ids[i]]);
      if (input.values != nullptr) unit_values.push_back(input.values[i]);
    }
    unit_starts.push_back(index32(unit_features.size(), "features in all"));
  }
}

// Which weights each feature has, by the labels of the units that have it.
void CrfData::lay_rows(const CrfOptions& options, const std::vector<std::uint32_t>& unit_features) {
  // Occurrences by feature: label and value of feature f are at [starts[f], starts[f + 1]).
  std::vector<std::uint32_t> starts(features() + 1);
  for (const std::uint32_t f : unit_features) ++starts[f + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::uint16_t> labels_of(unit_features.size());
  std::vector<float> values_of(unit_values.size());
  std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
  for (std::size_t u = 0; u < units; ++u)
    for (std::uint32_t i = unit_starts[u]; i < unit_starts[u + 1]; ++i) {
      const std::uint32_t at = next[unit_features[i]]++;
      labels_of[at] = static_cast<std::uint16_t>(gold[u]);
      if (!unit_values.empty()) values_of[at] = unit_values[i];
    }

  row_starts.reserve(features() + 1);
  row_starts.push_back(0);
  std::vector<bool> used(labels);
  std::vector<double> sums(labels);
  InterruptPoll poll;
  for (std::size_t f = 0; f < features(); ++f) {
    if (f % kPollEvery == 0) poll();
    const bool all = options.dense_freq > 0 && starts[f + 1] - starts[f] >= options.dense_freq;
    std::fill(used.begin(), used.end(), all);
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::uint32_t i = starts[f]; i < starts[f + 1]; ++i) {
      used[labels_of[i]] = true;
      sums[labels_of[i]] += values_of.empty() ? 1.0 : static_cast<double>(values_of[i]);
    }
    for (std::size_t l = 0; options.only_seen && l < labels; ++l) used[l] = used[l] && sums[l] >= options.pair_freq;
    const auto distinct = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
    // A row of many labels is as quick with all of them; `padded` is the mark of a dense row.
    if (all || (options.only_seen ? kDenseShare * distinct >= padded : 4 * distinct >= 3 * padded)) {
      for (std::size_t l = 0; l < padded; ++l)
        row_labels.push_back(l < labels && (!options.only_seen || used[l]) ? static_cast<std::uint16_t>(l) : kNoLabel);
    } else {
      for (std::size_t l = 0; l < labels; ++l)
        if (used[l]) row_labels.push_back(static_cast<std::uint16_t>(l));
      if (distinct > 0) row_labels.back() |= kLastLabel;
    }
    if (row_labels.size() >= kDenseRow)
      throw std::invalid_argument("the training set has over 2^31 weights; train on a part of it or raise min_freq");
    row_starts.push_back(static_cast<std::uint32_t>(row_labels.size()));
  }
}

// Dense rows come first, then the longest, so that the kernels' branches are foreseen; of one size the most frequent.
// Features without a weight (of a pair_freq that is too high) are left out.
void CrfData::order_units(std::vector<std::uint32_t>& unit_features) {
  struct Entry {
    std::uint32_t size, feature;
    float value;
  };
  std::vector<Entry> entries;
  InterruptPoll poll;
  std::uint32_t to = 0, begin = 0;
  for (std::size_t u = 0; u < units; ++u) {
    if (u % kPollEvery == 0) poll();
    entries.clear();
    for (std::uint32_t i = begin; i < unit_starts[u + 1]; ++i) {
      const std::uint32_t f = unit_features[i];
      const std::uint32_t size = row_starts[f + 1] - row_starts[f];
      if (size > 0) entries.push_back({size, f, unit_value(i)});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.size != b.size ? a.size > b.size : a.feature < b.feature;
    });
    begin = unit_starts[u + 1];
    for (const Entry& entry : entries) {
      unit_features[to] = row_starts[entry.feature] | (entry.size == padded ? kDenseRow : 0);
      if (!unit_values.empty()) unit_values[to] = entry.value;
      ++to;
    }
    unit_starts[u + 1] = to;
  }
  unit_features.resize(to);
  if (!unit_values.empty()) unit_values.resize(to);
  unit_rows = std::move(unit_features);
}

void CrfData::free_chain(const CrfOptions& options) {
  std::vector<double> seen(chain_size(labels));
  gold_chain(seen.data());
  chain_free.assign(seen.size(), options.boundaries ? 1 : 0);
  for (std::size_t i = 0; i < labels * labels; ++i)
    chain_free[i] = options.all_transitions || (seen[i] > 0 && seen[i] >= options.pair_freq) ? 1 : 0;
}

void CrfData::emissions(const float* parameters, std::size_t unit, float* sums, float* emissions) const {
  const std::uint32_t begin = unit_starts[unit];
  crf_row_kernels().sum_rows({row_labels.data(), padded}, parameters, unit_rows.data() + begin,
                             unit_values.empty() ? nullptr : unit_values.data() + begin, unit_starts[unit + 1] - begin,
                             unit_rows.size() - begin, sums);
  std::copy_n(sums, labels, emissions);
}

void CrfData::add(float* parameters, std::size_t unit, const float* by, const std::vector<float>& values,
                  bool only_used) const {
  const std::uint32_t begin = unit_starts[unit];
  const CrfRowKernels& kernels = crf_row_kernels();
  const auto add = only_used ? kernels.add_used : kernels.add_rows;
  add({row_labels.data(), padded}, parameters, unit_rows.data() + begin, values.empty() ? nullptr : values.data() + begin,
      unit_starts[unit + 1] - begin, unit_rows.size() - begin, by);
}

void CrfData::gold_chain(double* counts) const {
  std::fill_n(counts, chain_size(labels), 0.0);
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto first = static_cast<std::size_t>(offsets[s]), last = static_cast<std::size_t>(offsets[s + 1]);
    if (first < last) add_path(path(first, last), labels, 1.0, counts);
  }
}

}  // namespace nlptk
