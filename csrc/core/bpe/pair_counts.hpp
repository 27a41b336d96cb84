// How often each pair of tokens stands side by side while a BPE model is trained: open addressing that grows.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "hash.hpp"

namespace nlptk {

class PairCounts {
 public:
  PairCounts() : cells_(std::size_t{1} << 12) {}

  static std::uint64_t key(std::uint32_t left, std::uint32_t right) {
    return static_cast<std::uint64_t>(left) << 32 | right;
  }

  // The count of a pair; 0 at first. The reference holds until the next call of at().
  std::int64_t& at(std::uint64_t pair) {
    if (2 * size_ >= cells_.size()) grow();
    Cell& cell = cells_[locate(pair)];
    if (cell.pair == kFree) {
      cell.pair = pair;
      ++size_;
    }
    return cell.count;
  }

  // The count of a pair that is there, or null.
  std::int64_t* find(std::uint64_t pair) {
    Cell& cell = cells_[locate(pair)];
    return cell.pair == kFree ? nullptr : &cell.count;
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Cell {
    std::uint64_t pair = kFree;
    std::int64_t count = 0;
  };

  std::size_t locate(std::uint64_t pair) const {
    const std::size_t mask = cells_.size() - 1;
    std::size_t at = hash_finish(pair) & mask;
    while (cells_[at].pair != pair && cells_[at].pair != kFree) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Cell> old(cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old)
      if (cell.pair != kFree) cells_[locate(cell.pair)] = cell;
  }

  std::vector<Cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace nlptk
