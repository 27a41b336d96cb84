// From a pair of tokens to the merge that joins them: open addressing, one cache line a look-up for the most part.
#pragma once

#include <algorithm>
#include <bit>
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
    filter_.resize(std::max<std::size_t>(size / 4, 16));
    filter_shift_ = 64 - std::countr_zero(64 * filter_.size());
  }

  // Keeps the better rank of two merges of the same pair.
  void insert(std::uint32_t left, std::uint32_t right, Merge merge) {
    Cell& cell = cells_[locate(key(left, right))];
    const std::uint64_t bit = filter_bit(left, right);
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    if (cell.key == kFree || merge.rank < cell.merge.rank) cell = {key(left, right), merge};
  }

  Merge find(std::uint32_t left, std::uint32_t right) const {
    const std::uint64_t bit = filter_bit(left, right);
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return {};
    return cells_[locate(key(left, right))].merge;
  }

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

  std::uint64_t filter_bit(std::uint32_t left, std::uint32_t right) const {
    return (key(left, right) * 0x9E3779B97F4A7C15ULL + left * 0xC2B2AE3D27D4EB4FULL) >> filter_shift_;
  }

  std::vector<Cell> cells_;
  // A bit for each hash value that a pair has, 16 or more for each pair: most pairs asked for are none, and these bits
  // stay in the first or second cache where the cells do not.
  std::vector<std::uint64_t> filter_;
  int filter_shift_ = 0;
};

}  // namespace nlptk
