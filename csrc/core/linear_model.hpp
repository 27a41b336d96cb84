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
  std::vector<std::uint32_t> rows;
  std::vector<std::int32_t> sums;
  std::vector<float> emissions;
};

class LinearModel {
 public:
  explicit LinearModel(const LinearArrays& arrays);  // throws std::invalid_argument on malformed arrays

  std::size_t labels() const { return labels_; }
  const Chain& chain() const { return *chain_; }

  // Emission scores of `units` units with `width` keys each (0 = no feature), into emissions[units, labels].
  // Weights add up as integers, so the result is the same on every machine.
  void emissions(const std::uint32_t* keys, std::size_t units, std::size_t width, LinearWorkspace& workspace,
                 float* emissions) const;

 private:
  struct Slot {
    std::uint32_t key = 0;  // 0 = empty
    std::uint32_t ref = 0;  // where and what its row is: kernels/linear_kernel.hpp
  };
  std::uint32_t add_row(const std::uint16_t* labels, const std::int16_t* weights, std::size_t size);
  std::size_t find_rows(const std::uint32_t* keys, std::size_t n, std::uint32_t* refs) const;

  std::size_t labels_ = 0;
  std::size_t dense_blocks_ = 0;  // blocks of eight weights in a row of all labels
  float scale_ = 1.0F;
  std::vector<Slot, HugePageAllocator<Slot>> slots_;
  std::size_t mask_ = 0;
  std::vector<std::int16_t, HugePageAllocator<std::int16_t>> blocks_;
  std::unique_ptr<Chain> chain_;
};

}  // namespace nlptk
