#include "sgns/sampling.hpp"

#include <algorithm>
#include <numeric>

namespace nlptk {

AliasTable::AliasTable(const std::vector<double>& weights) : slots_(weights.size()) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> share(weights.size());
  std::vector<std::uint32_t> small, large;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    share[i] = weights[i] * static_cast<double>(weights.size()) / total;
    (share[i] < 1.0 ? small : large).push_back(static_cast<std::uint32_t>(i));
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t s = small.back(), l = large.back();
    small.pop_back();
    slots_[s] = {static_cast<std::uint32_t>(share[s] * 0x1p32), l};
    share[l] -= 1.0 - share[s];
    if (share[l] < 1.0) {
      large.pop_back();
      small.push_back(l);
    }
  }
  // What is left is 1 but for rounding.
  for (const std::vector<std::uint32_t>& rest : {small, large})
    for (const std::uint32_t i : rest) slots_[i] = {0xFFFFFFFF, i};
}

HuffmanTree::HuffmanTree(const std::vector<std::uint64_t>& counts) : offsets(1, 0) {
  const std::size_t words = counts.size();
  if (words < 2) {
    offsets.resize(words + 1, 0);
    return;
  }
  // Leaves rise in count from the last word to the first, inner nodes in the order in which they are made: two queues.
  const std::size_t all = 2 * words - 1;
  std::vector<std::uint64_t> weight(counts.begin(), counts.end());
  weight.resize(all);
  std::vector<std::uint32_t> parent(all);
  std::vector<std::uint8_t> branch(all, 0);
  std::size_t leaf = words, inner = words;
  for (std::size_t made = words; made < all; ++made) {
    for (const std::uint8_t side : {0, 1}) {
      const bool take_leaf = leaf > 0 && (inner == made || weight[leaf - 1] < weight[inner]);
      const std::size_t least = take_leaf ? --leaf : inner++;
      weight[made] += weight[least];
      parent[least] = static_cast<std::uint32_t>(made);
      branch[least] = side;
    }
  }
  for (std::size_t word = 0; word < words; ++word) {
    const std::size_t begin = nodes.size();
    for (std::size_t at = word; at != all - 1; at = parent[at]) {
      nodes.push_back(static_cast<std::uint32_t>(parent[at] - words));
      labels.push_back(1 - branch[at]);
    }
    std::reverse(nodes.begin() + static_cast<std::ptrdiff_t>(begin), nodes.end());
    std::reverse(labels.begin() + static_cast<std::ptrdiff_t>(begin), labels.end());
    offsets.push_back(static_cast<std::uint32_t>(nodes.size()));
  }
}

}  // namespace nlptk
