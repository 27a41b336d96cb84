#include "bpe/token_trie.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

namespace nlptk {
namespace {

// Keys [first, last) of the sorted order that share the `depth` symbols which lead to `node`.
struct Range {
  std::uint32_t first, last, depth, node;
};

}  // namespace

TokenTrie::TokenTrie(const std::vector<std::string_view>& keys, const std::vector<std::uint32_t>& values)
    : TokenTrie() {
  std::vector<std::u16string> symbols(keys.size());
  for (std::size_t k = 0; k < keys.size(); ++k) {
    for (std::size_t at = 0; at < keys[k].size();) {
      const Symbol symbol = symbol_at(keys[k].data(), at, keys[k].size());
      symbols[k] += static_cast<char16_t>(symbol.code);
      at += symbol.bytes;
    }
  }
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return symbols[a] < symbols[b]; });

  std::size_t free_from = 1;  // no free cell lies below
  std::size_t highest = 1;
  std::vector<Range> work{{0, static_cast<std::uint32_t>(order.size()), 0, 0}};
  cells_[0].parent = 0;  // so that nothing else is put there
  cells_[0].base = 1;    // and no walk from a leaf, whose base is 0, comes back to the root
  std::vector<std::uint32_t> labels, begins;
  while (!work.empty()) {
    const Range range = work.back();
    work.pop_back();
    labels.clear();
    begins.clear();
    std::uint32_t flags = 0;
    for (std::uint32_t i = range.first; i < range.last; ++i) {
      const std::u16string& key = symbols[order[i]];
      if (key.size() == range.depth) {
        if (range.depth == 0) continue;
        values_[range.node] = values[order[i]];
        flags |= kHasValue;
        continue;
      }
      const std::uint32_t label = key[range.depth];
      if (label < 256 && is_lead(static_cast<std::uint8_t>(label))) flags |= kPartial;
      if (labels.empty() || labels.back() != label) {
        labels.push_back(label);
        begins.push_back(i);
      }
    }
    cells_[range.node].base |= flags;
    if (labels.empty()) continue;
    begins.push_back(range.last);
    // First fit: the lowest base at which every label falls on a free cell.
    while (free_from < cells_.size() && cells_[free_from].parent != kNone) ++free_from;
    std::size_t tries = 0;
    std::size_t at = std::max<std::size_t>(free_from, labels[0] + 1);  // the cell of the first label
    for (;; ++at, ++tries) {
      const std::size_t base = at - labels[0];
      if (base + 2 * kSymbols > cells_.size()) {
        const std::size_t size = std::max(base + 2 * kSymbols, cells_.size() * 2);
        if (size > kBase) throw std::invalid_argument("the vocabulary is too large");
        cells_.resize(size);
        values_.resize(size, kNone);
      }
      const auto is_free = [&](std::uint32_t label) { return cells_[base + label].parent == kNone; };
      if (std::all_of(labels.begin(), labels.end(), is_free)) break;
    }
    // A crowded stretch costs every later search: pass over it once it has cost this one enough.
    if (tries > 256 && labels.size() == 1) free_from = at;
    const auto base = static_cast<std::uint32_t>(at - labels[0]);
    highest = std::max<std::size_t>(highest, base);
    cells_[range.node].base = base | flags;
    for (const std::uint32_t label : labels) cells_[base + label].parent = range.node;
    for (std::size_t i = labels.size(); i-- > 0;)
      work.push_back({begins[i], begins[i + 1], range.depth + 1, base + labels[i]});
  }
  cells_.resize(highest + kSymbols);
  values_.resize(highest + kSymbols, kNone);
  cells_.shrink_to_fit();
  values_.shrink_to_fit();
}

}  // namespace nlptk
