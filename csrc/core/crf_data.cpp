#include "crf_data.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/crf_rows.hpp"
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
  intern(input, options.min_freq);
  transpose();
  lay_rows(options);
  free_chain(options);
}

// Numbers the features from the most frequent down, so that hot rows lie together in the cache.
void CrfData::intern(const CrfInput& input, std::size_t min_freq) {
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
  // Inside a unit too the most frequent come first: rows of one kind follow each other, and branches are foreseen.
  unit_starts.reserve(units + 1);
  unit_starts.push_back(0);
  std::vector<std::pair<std::uint32_t, float>> kept;
  for (std::size_t u = 0; u < units; ++u) {
    if (u % kPollEvery == 0) poll();
    kept.clear();
    for (std::size_t i = begin_of(u); i < begin_of(u + 1); ++i)
      if (ids[i] != kDropped && rank[ids[i]] != kDropped)
        kept.emplace_back(rank[ids[i]], input.values == nullptr ? 1.0F : input.values[i]);
    std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [feature, value] : kept) {
      unit_features.push_back(feature);
      if (input.values != nullptr) unit_values.push_back(value);
    }
    unit_starts.push_back(index32(unit_features.size(), "features in all"));
  }
}

void CrfData::transpose() {
  feature_starts.assign(features() + 1, 0);
  for (const std::uint32_t f : unit_features) ++feature_starts[f + 1];
  std::partial_sum(feature_starts.begin(), feature_starts.end(), feature_starts.begin());
  feature_units.resize(unit_features.size());
  feature_values.resize(unit_values.size());
  std::vector<std::uint32_t> next(feature_starts.begin(), feature_starts.end() - 1);
  for (std::uint32_t u = 0; u < units; ++u)
    for (std::uint32_t i = unit_starts[u]; i < unit_starts[u + 1]; ++i) {
      const std::uint32_t at = next[unit_features[i]]++;
      feature_units[at] = u;
      if (!unit_values.empty()) feature_values[at] = unit_values[i];
    }
}

void CrfData::lay_rows(const CrfOptions& options) {
  row_starts.reserve(features() + 1);
  row_starts.push_back(0);
  std::vector<bool> used(labels);
  std::vector<double> sums(labels);
  InterruptPoll poll;
  for (std::size_t f = 0; f < features(); ++f) {
    if (f % kPollEvery == 0) poll();
    const std::size_t count = feature_starts[f + 1] - feature_starts[f];
    const bool all = options.dense_freq > 0 && count >= options.dense_freq;
    std::fill(used.begin(), used.end(), all);
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::uint32_t i = feature_starts[f]; i < feature_starts[f + 1]; ++i) {
      const auto label = static_cast<std::size_t>(gold[feature_units[i]]);
      used[label] = true;
      sums[label] += static_cast<double>(feature_value(i));
    }
    for (std::size_t l = 0; options.only_seen && l < labels; ++l) used[l] = used[l] && sums[l] >= options.pair_freq;
    const auto distinct = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
    // A row of many labels is as quick with all of them; `padded` is the mark of a dense row.
    if (all || (options.only_seen ? kDenseShare * distinct >= padded : 4 * distinct >= 3 * padded)) {
      for (std::size_t l = 0; l < padded; ++l)
        row_labels.push_back(l < labels && options.only_seen && !used[l] ? kUnusedLabel : static_cast<std::uint16_t>(l));
    } else {
      for (std::size_t l = 0; l < labels; ++l)
        if (used[l]) row_labels.push_back(static_cast<std::uint16_t>(l));
    }
    row_starts.push_back(index32(row_labels.size(), "weights"));
  }
}

void CrfData::free_chain(const CrfOptions& options) {
  chain_free.assign(labels * labels, options.all_transitions ? 1 : 0);
  if (!options.all_transitions) {
    std::vector<std::size_t> seen(labels * labels);
    for (std::size_t s = 0; s < sequences; ++s)
      for (auto u = static_cast<std::size_t>(offsets[s]) + 1; u < static_cast<std::size_t>(offsets[s + 1]); ++u)
        ++seen[static_cast<std::size_t>(gold[u - 1]) * labels + static_cast<std::size_t>(gold[u])];
    for (std::size_t i = 0; i < seen.size(); ++i)
      chain_free[i] = seen[i] > 0 && static_cast<double>(seen[i]) >= options.pair_freq ? 1 : 0;
  }
  chain_free.insert(chain_free.end(), 2 * labels, options.boundaries ? 1 : 0);
}

void CrfData::emissions(const float* parameters, std::size_t unit, float* sums, float* emissions) const {
  const std::uint32_t begin = unit_starts[unit];
  crf_row_kernels().sum_rows(rows(), parameters, unit_features.data() + begin, values_of(unit), unit_starts[unit + 1] - begin,
                             sums);
  std::copy_n(sums, labels, emissions);
}

void CrfData::add(float* parameters, std::size_t unit, const float* by) const {
  const std::uint32_t begin = unit_starts[unit];
  crf_row_kernels().add_rows(rows(), parameters, unit_features.data() + begin, values_of(unit), unit_starts[unit + 1] - begin,
                             by);
}

void CrfData::gold_counts(float* counts) const {
  std::fill_n(counts, parameters(), 0.0F);
  std::vector<double> sums(labels);
  for (std::size_t f = 0; f < features(); ++f) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::uint32_t i = feature_starts[f]; i < feature_starts[f + 1]; ++i)
      sums[static_cast<std::size_t>(gold[feature_units[i]])] += static_cast<double>(feature_value(i));
    for (std::uint32_t p = row_starts[f]; p < row_starts[f + 1]; ++p)
      if (row_labels[p] < labels) counts[p] = static_cast<float>(sums[row_labels[p]]);
  }
  float* transitions = counts + row_parameters();
  float* start = transitions + labels * labels;
  float* end = start + labels;
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto first = static_cast<std::size_t>(offsets[s]);
    const auto last = static_cast<std::size_t>(offsets[s + 1]);
    if (first == last) continue;
    start[gold[first]] += 1.0F;
    end[gold[last - 1]] += 1.0F;
    for (std::size_t u = first + 1; u < last; ++u)
      transitions[static_cast<std::size_t>(gold[u - 1]) * labels + static_cast<std::size_t>(gold[u])] += 1.0F;
  }
}

}  // namespace nlptk
