// Rows of a linear model in the form in which they are stored, mapped and looked up: packed from lists of pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "huge_pages.hpp"

namespace nlptk {

// Row r holds row_sizes[r] pairs of labels and weights for the feature keys[r].
struct LinearPairs {
  std::size_t labels = 0;
  std::size_t rows = 0;
  std::size_t pairs = 0;
  const std::uint32_t* keys = nullptr;         // [rows], strictly increasing
  const std::uint16_t* row_sizes = nullptr;    // [rows]
  const std::uint16_t* pair_labels = nullptr;  // [pairs], increasing in each row
  const std::int16_t* pair_weights = nullptr;  // [pairs]
};

// kernels/linear_kernel.hpp says what a reference is.
struct LinearRows {
  template <class T>
  using Table = std::vector<T, HugePageAllocator<T>>;
  Table<std::uint32_t> rows;   // [rows, 2], key and reference
  Table<std::int16_t> blocks;  // [blocks, 8]
};

void check_label_count(std::size_t labels);  // throws std::invalid_argument

// Throws std::invalid_argument where the arrays do not fit together.
LinearRows pack_rows(const LinearPairs& pairs);

}  // namespace nlptk
