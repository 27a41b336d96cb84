// A set of small numbers that knows the rank of each: a bit for each number there could be, and a count every 64.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlptk {

class RankedSet {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // Of numbers below `bound`.
  explicit RankedSet(std::size_t bound) : bits_((bound + 63) / 64), ranks_(bits_.size()) {}

  void insert(std::uint32_t number) { bits_[number / 64] |= std::uint64_t{1} << (number % 64); }
  // To be called after the last insert.
  void rank_all() {
    size_ = 0;
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      ranks_[i] = static_cast<std::uint32_t>(size_);
      size_ += static_cast<std::size_t>(std::popcount(bits_[i]));
    }
  }

  std::size_t size() const { return size_; }
  // How many members are smaller, or kNone for what is no member.
  std::uint32_t rank(std::uint32_t number) const {
    const std::uint64_t word = bits_[number / 64], bit = std::uint64_t{1} << (number % 64);
    return (word & bit) == 0 ? kNone : ranks_[number / 64] + static_cast<std::uint32_t>(std::popcount(word & (bit - 1)));
  }
  // Rising.
  std::vector<std::uint32_t> members() const {
    std::vector<std::uint32_t> found;
    found.reserve(size_);
    for (std::size_t i = 0; i < bits_.size(); ++i)
      for (std::uint64_t word = bits_[i]; word != 0; word &= word - 1)
        found.push_back(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
    return found;
  }

 private:
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> ranks_;
  std::size_t size_ = 0;
};

}  // namespace nlptk
