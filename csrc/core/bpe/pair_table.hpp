// From a pair of tokens to the merge that joins them: open addressing, one cache line a look-up for the most part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hash.hpp"

namespace nlptk {

class PairTable {
 public:
  struct Merge {
    std::uint32_t rank = 0xFFFFFFFF;  // the highest number if there is no such merge
    std::uint32_t merged = 0xFFFFFFFF;
  };

  explicit PairTable(std::size_t pairs = 0) {
    std::size_t size = 16;
    while (size < 2 * pairs) size *= 2;
    cells_.resize(size);
  }

  // Keeps the better rank of two merges of the same pair.
  void insert(std::uint32_t left, std::uint32_t right, Merge merge) {
    Cell& cell = cells_[locate(key(left, right))];
    if (cell.key == kFree || merge.rank < cell.merge.rank) cell = {key(left, right), merge};
  }

  Merge find(std::uint32_t left, std::uint32_t right) const { return cells_[locate(key(left, right))].merge; }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Cell {
    std::uint64_t key = kFree;
    Merge merge;
  };

  static std::uint64_t key(std::uint32_t left, std::uint32_t right) {
    return static_cast<std::uint64_t>(left) << 32 | right;
  }

  std::size_t locate(std::uint64_t wanted) const {
    const std::size_t mask = cells_.size() - 1;
    std::size_t at = hash_finish(wanted) & mask;
    while (cells_[at].key != wanted && cells_[at].key != kFree) at = (at + 1) & mask;
    return at;
  }

  std::vector<Cell> cells_;
};

}  // namespace nlptk
