// A trained linear-chain model as it is shipped: hashed features, 16-bit weights, read-only, shared by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "chain.hpp"
#include "huge_pages.hpp"

namespace nlptk {

// The arrays of a model file. Row r holds row_sizes[r] pairs of labels and weights for the feature keys[r].
struct LinearArrays {
  std::size_t labels = 0;
  std::size_t rows = 0;
  std::size_t pairs = 0;
  const std::uint32_t* keys = nullptr;       // [rows], strictly increasing
  const std::uint16_t* row_sizes = nullptr;  // [rows]
  const std::uint16_t* pair_labels = nullptr;  // [pairs], increasing in each row
  const std::int16_t* pair_weights = nullptr;  // [pairs], in units of `scale`
  float scale = 1.0F;
  const float* transitions = nullptr;  // [labels, labels]
  const float* start = nullptr;        // [labels]
  const float* end = nullptr;          // [labels]
};

// Scratch memory of one thread.
struct LinearWorkspace {
  ChainWorkspace chain;
  std::vector<std::uint32_t> refs;
  std::vector<std::int32_t> sums;
  std::vector<float> emissions;
};

class LinearModel {
 public:
  explicit LinearModel(const LinearArrays& arrays);  // throws std::invalid_argument on malformed arrays

  std::size_t labels() const { return labels_; }
  const Chain& chain() const { return *chain_; }

  // Places in a unit's row of sums: the labels, padded to whole blocks.
  std::size_t stride() const { return 8 * dense_blocks_; }

  // Adds the weights of `units` units with `width` keys each (0 = no feature) to sums[units, stride()].
  void add_scores(const std::uint32_t* keys, std::size_t units, std::size_t width, LinearWorkspace& workspace,
                  std::int32_t* sums) const;
  // Sums as scores: from [units, stride()] to [units, labels].
  void scale_scores(const std::int32_t* sums, std::size_t units, float* emissions) const;

  // Emission scores of `units` units with `width` keys each (0 = no feature), into emissions[units, labels].
  // Weights add up as integers, so the result is the same on every machine.
  void emissions(const std::uint32_t* keys, std::size_t units, std::size_t width, LinearWorkspace& workspace,
                 float* emissions) const;

 private:
  // Slots are in the order of their keys, so a model file's keys, which are sorted, go in from front to back.
  struct Slot {
    std::uint32_t key = 0;  // 0 = empty
    std::uint32_t ref = 0;  // where and what its row is: kernels/linear_kernel.hpp
  };
  std::size_t home(std::uint32_t key) const { return static_cast<std::size_t>(std::uint64_t{key} * homes_ >> 32); }
  std::uint32_t add_row(const std::uint16_t* labels, const std::int16_t* weights, std::size_t size);
  struct Found {
    std::size_t rows = 0;     // of blocks
    std::size_t singles = 0;  // of one pair, in their slots
  };
  std::size_t filter_bit(std::uint32_t key) const {
    return static_cast<std::size_t>(std::uint64_t{key} * (64 * filter_.size()) >> 32);
  }
  std::size_t filter_keys(const std::uint32_t* keys, std::size_t n, std::uint32_t* kept) const;
  Found find_rows(const std::uint32_t* keys, std::size_t n, std::uint32_t* refs, std::uint32_t* singles) const;

  std::size_t labels_ = 0;
  std::size_t dense_blocks_ = 0;  // blocks of eight weights in a row of all labels
  bool inline_singles_ = false;   // rows of one pair are in their slot
  float scale_ = 1.0F;
  std::size_t homes_ = 1;  // a key's slot is the first free one from home(key) on
  std::vector<Slot, HugePageAllocator<Slot>> slots_;
  std::vector<std::uint64_t, HugePageAllocator<std::uint64_t>> filter_;  // bits: whether there are keys that share it
  std::vector<std::int16_t, HugePageAllocator<std::int16_t>> blocks_;
  std::unique_ptr<Chain> chain_;
};

}  // namespace nlptk
