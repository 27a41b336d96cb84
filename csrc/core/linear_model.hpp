// A trained linear-chain model as it is shipped: hashed features, 16-bit weights, read-only, shared by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "chain.hpp"
#include "huge_pages.hpp"
#include "kernels/linear_kernel.hpp"
#include "linear_rows.hpp"

namespace nlptk {

// The arrays of a model file, used where they lie: rows and blocks must outlive the model. LinearRows makes them.
struct LinearArrays {
  std::size_t labels = 0;
  std::size_t rows = 0;
  std::size_t blocks = 0;
  const std::uint32_t* row_table = nullptr;   // [rows, 2], key and reference; keys strictly increasing
  const std::int16_t* block_table = nullptr;  // [blocks, 8], in units of `scale`
  float scale = 1.0F;
  const float* transitions = nullptr;  // [labels, labels]
  const float* start = nullptr;        // [labels]
  const float* end = nullptr;          // [labels]
};

// Scratch memory of one thread.
struct LinearWorkspace {
  ChainWorkspace chain;
  std::vector<std::uint32_t> keys;  // then references
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> singles;
  std::vector<std::int32_t> sums;
  std::vector<float> emissions;
};

class LinearModel {
 public:
  LinearModel(const LinearModel&) = delete;  // the index points into it
  LinearModel& operator=(const LinearModel&) = delete;
  explicit LinearModel(const LinearArrays& arrays);  // throws std::invalid_argument on malformed arrays

  std::size_t labels() const { return arrays_.labels; }
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
  struct Found {
    std::size_t rows = 0;     // of blocks
    std::size_t singles = 0;  // of one pair, in their reference
  };
  bool usable(std::uint32_t ref) const;
  void make_index();
  Found find_rows(std::uint32_t* keys, const std::uint32_t* places, std::size_t n, std::uint32_t* singles) const;

  LinearArrays arrays_;  // of which transitions, start and end are copied
  std::size_t dense_blocks_ = 0;  // blocks of eight weights in a row of all labels
  bool inline_singles_ = false;   // rows of one pair are their reference
  std::vector<RowRange, HugePageAllocator<RowRange>> ranges_;
  RowIndex index_;
  std::unique_ptr<Chain> chain_;
};

}  // namespace nlptk
