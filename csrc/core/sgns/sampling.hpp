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

  // What random bits draw. prefetch(bits), if it is called well before, has the table looked at meanwhile.
  std::uint32_t operator()(std::uint64_t bits) const {
    const Slot slot = slots_[slot_of(bits)];
    const std::uint32_t choices[2] = {slot.alias, static_cast<std::uint32_t>(slot_of(bits))};  // no branch: either is likely
    return choices[static_cast<std::uint32_t>(bits) < slot.keep];
  }
  void prefetch(std::uint64_t bits) const { __builtin_prefetch(&slots_[slot_of(bits)]); }

 private:
  struct Slot {
    std::uint32_t keep, alias;
  };
  std::size_t slot_of(std::uint64_t bits) const { return static_cast<std::size_t>(((bits >> 32) * slots_.size()) >> 32); }

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
