#include "bpe/byte_trie.hpp"

#include <algorithm>
#include <numeric>

namespace nlptk {
namespace {

// Keys [first, last) of the sorted order that share the `depth` bytes which lead to `node`.
struct Range {
  std::uint32_t first, last, depth, node;
};

}  // namespace

ByteTrie::ByteTrie(const std::vector<std::string_view>& keys, const std::vector<std::uint32_t>& values) {
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });

  std::size_t free_from = 1;  // no free cell lies below
  std::vector<Range> work{{0, static_cast<std::uint32_t>(order.size()), 0, 0}};
  cells_[0].parent = 0;  // so that nothing else is put there
  cells_[0].base = 1;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> begins;
  while (!work.empty()) {
    const Range range = work.back();
    work.pop_back();
    labels.clear();
    begins.clear();
    for (std::uint32_t i = range.first; i < range.last; ++i) {
      const std::string_view key = keys[order[i]];
      if (key.size() == range.depth) {
        if (range.depth > 0) values_[range.node] = values[order[i]];
        continue;
      }
      const auto label = static_cast<std::uint8_t>(key[range.depth]);
      if (labels.empty() || labels.back() != label) {
        labels.push_back(label);
        begins.push_back(i);
      }
    }
    if (labels.empty()) continue;
    begins.push_back(range.last);
    // First fit: the lowest base at which every label falls on a free cell.
    while (free_from < cells_.size() && cells_[free_from].parent != kNone) ++free_from;
    std::size_t tries = 0;
    std::size_t at = free_from;  // the cell of the first label
    for (;; ++at, ++tries) {
      if (at < labels[0]) at = labels[0];
      const std::size_t base = at - labels[0];
      if (base + 512 > cells_.size()) {
        const std::size_t size = std::max(base + 512, cells_.size() * 2);
        cells_.resize(size);
        values_.resize(size, kNone);
      }
      const auto is_free = [&](std::uint8_t label) { return cells_[base + label].parent == kNone; };
      if (std::all_of(labels.begin(), labels.end(), is_free)) break;
    }
    // A crowded stretch costs every later search: pass over it once it has cost this one enough.
    if (tries > 256) free_from = at;
    const auto base = static_cast<std::uint32_t>(at - labels[0]);
    cells_[range.node].base = base;
    for (const std::uint8_t label : labels) cells_[base + label].parent = range.node;
    for (std::size_t i = labels.size(); i-- > 0;)
      work.push_back({begins[i], begins[i + 1], range.depth + 1, base + labels[i]});
  }
  std::uint32_t highest = 0;
  for (const Cell& cell : cells_) highest = std::max(highest, cell.base);
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if (values_[i] != kNone) cells_[i].base |= kHasValue;
  cells_.resize(highest + 256);
  values_.resize(highest + 256, kNone);
  cells_.shrink_to_fit();
  values_.shrink_to_fit();
}

}  // namespace nlptk
