#include "attributes.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "hash.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kGroup = 32;  // names that are looked up side by side, so that their cache misses overlap
constexpr std::size_t kGrain = 256;  // units for each thread's turn
constexpr std::size_t kAhead = 8;    // attributes whose rows are fetched before they are added

}  // namespace

AttributeTable::AttributeTable(const char* bytes, const std::int64_t* offsets, std::size_t count) {
  if (count >= kNone) throw std::invalid_argument("there are too many attributes");
  std::size_t slots = std::size_t{1} << 10;
  while (slots < 2 * count + 2) slots *= 2;
  slots_.resize(slots);
  bytes_.reserve(static_cast<std::size_t>(offsets[count]));
  starts_.reserve(count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name(bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
    const std::uint32_t hash = hash_word(name);
    if (look_up(name, hash) != kNone)
      throw std::invalid_argument("attribute " + std::to_string(i) + " is there twice");
    add(name, hash);
  }
}

void AttributeTable::guess(const NameList& names, std::uint32_t* hashes, std::uint32_t* ids) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t begin = 0; begin < names.size(); begin += kGroup) {
    const std::size_t end = std::min(names.size(), begin + kGroup);
    for (std::size_t i = begin; i < end; ++i) {
      hashes[i] = hash_word(names[i]);
      __builtin_prefetch(&slots_[hashes[i] & mask]);
    }
    for (std::size_t i = begin; i < end; ++i) {
      std::size_t at = hashes[i] & mask;
      while (slots_[at].id != kNone && slots_[at].hash != hashes[i]) at = (at + 1) & mask;
      ids[i] = slots_[at].id;
      if (ids[i] != kNone) __builtin_prefetch(&starts_[ids[i]]);
    }
    for (std::size_t i = begin; i < end; ++i)
      if (ids[i] != kNone) __builtin_prefetch(bytes_.data() + starts_[ids[i]]);
  }
}

std::uint32_t AttributeTable::look_up(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].id != kNone; at = (at + 1) & mask)
    if (slots_[at].hash == hash && name(slots_[at].id) == text) return slots_[at].id;
  return kNone;
}

void AttributeTable::find(const NameList& names, std::uint32_t* ids) const {
  std::vector<std::uint32_t> hashes(names.size());
  guess(names, hashes.data(), ids);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (ids[i] != kNone && name(ids[i]) != names[i]) ids[i] = look_up(names[i], hashes[i]);
}

void AttributeTable::intern(const NameList& names, std::uint32_t* ids) {
  std::vector<std::uint32_t> hashes(names.size());
  guess(names, hashes.data(), ids);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (ids[i] != kNone && name(ids[i]) == names[i]) continue;
    ids[i] = look_up(names[i], hashes[i]);  // an equal name may have come since the guess
    if (ids[i] == kNone) ids[i] = add(names[i], hashes[i]);
  }
}

std::uint32_t AttributeTable::add(std::string_view text, std::uint32_t hash) {
  if (size() + 1 >= kNone) throw std::length_error("there are too many different features");
  const auto id = static_cast<std::uint32_t>(size());
  if (2 * (size() + 1) > slots_.size()) {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(2 * old.size(), Slot{});
    for (const Slot& slot : old)
      if (slot.id != kNone) place(slot.hash, slot.id);
  }
  bytes_.append(text);
  starts_.push_back(bytes_.size());
  place(hash, id);
  return id;
}

void AttributeTable::place(std::uint32_t hash, std::uint32_t id) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id != kNone) at = (at + 1) & mask;
  slots_[at] = {hash, id};
}

AttributeTable AttributeTable::select(const std::uint32_t* ids, std::size_t count) const {
  std::string bytes;
  std::vector<std::int64_t> offsets{0};
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(name(ids[i]));
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  return {bytes.data(), offsets.data(), count};
}

AttributeWeights::AttributeWeights(const std::uint32_t* row_starts, std::size_t attributes,
                                   const std::uint16_t* pair_labels, const float* weights, std::size_t pairs,
                                   std::size_t labels)
    : labels_(labels), row_starts_(row_starts, row_starts + attributes + 1), pairs_(pairs) {
  if (row_starts_.front() != 0 || row_starts_.back() != pairs || !std::is_sorted(row_starts_.begin(), row_starts_.end()))
    throw std::invalid_argument("row_starts must begin with 0, not fall and end with the number of weights");
  for (std::size_t p = 0; p < pairs; ++p) {
    if (pair_labels[p] >= labels)
      throw std::invalid_argument("weight " + std::to_string(p) + " is for label " + std::to_string(pair_labels[p]) +
                                  " of " + std::to_string(labels));
    if (!std::isfinite(weights[p])) throw std::invalid_argument("weight " + std::to_string(p) + " is not finite");
    pairs_[p] = {weights[p], pair_labels[p]};
  }
}

void AttributeWeights::emissions(const std::int64_t* starts, std::size_t units, const std::uint32_t* ids,
                                 const float* values, int threads, float* scores) const {
  parallel_for(units, threads, kGrain, [&](std::size_t begin, std::size_t end, int) {
    const auto last = static_cast<std::size_t>(starts[end]);
    for (std::size_t u = begin; u < end; ++u) {
      float* out = scores + u * labels_;
      std::fill_n(out, labels_, 0.0F);
      const auto stop = static_cast<std::size_t>(starts[u + 1]);
      for (auto i = static_cast<std::size_t>(starts[u]); i < stop; ++i) {
        if (i + 2 * kAhead < last) __builtin_prefetch(&row_starts_[ids[i + 2 * kAhead]]);
        if (i + kAhead < last) __builtin_prefetch(pairs_.data() + row_starts_[ids[i + kAhead]]);
        const float value = values == nullptr ? 1.0F : values[i];
        const std::uint32_t row_end = row_starts_[ids[i] + 1];
        for (std::uint32_t p = row_starts_[ids[i]]; p < row_end; ++p)
          out[pairs_[p].label] += pairs_[p].weight * value;
      }
    }
  });
}

}  // namespace nlptk
