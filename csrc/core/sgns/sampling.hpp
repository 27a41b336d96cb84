// What word2vec draws from and predicts by: noise words, and paths in a Huffman tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "random.hpp"

namespace nlptk {

// Draws i with a chance in proportion to weights[i], exactly and with one look at the table (Walker 1977, Vose 1991).
class AliasTable {
 public:
  AliasTable() = default;
  explicit AliasTable(const std::vector<double>& weights);

  std::uint32_t operator()(Random& random) const {
    const std::uint64_t bits = random.next();
    const auto at = static_cast<std::size_t>(((bits >> 32) * slots_.size()) >> 32);
    const Slot slot = slots_[at];
    return static_cast<std::uint32_t>(bits) < slot.keep ? static_cast<std::uint32_t>(at) : slot.alias;
  }

 private:
  struct Slot {
    std::uint32_t keep, alias;
  };
  std::vector<Slot> slots_;
};

// The Huffman tree over words by falling count: for each word the inner nodes from the root to it and the branches taken.
struct HuffmanTree {
  explicit HuffmanTree(const std::vector<std::uint64_t>& counts);

  std::vector<std::uint32_t> offsets;  // [words + 1] into the two below
  std::vector<std::uint32_t> nodes;    // inner nodes, the root is words - 2
  std::vector<std::uint8_t> labels;    // 1 minus the branch, as word2vec.c predicts it
};

}  // namespace nlptk
