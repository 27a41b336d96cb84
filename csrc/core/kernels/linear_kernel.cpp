#include "kernels/linear_kernel.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

void add_block(const std::int16_t* block, std::int32_t* sums) {
  for (std::size_t k = 0; k < 8; ++k) sums[k] += block[k];
}

void add_rows_i16(const std::int16_t* blocks, const std::uint32_t* refs, std::size_t n, std::size_t dense_blocks,
                  std::int32_t* sums) {
  if (dense_blocks == 1) {  // up to eight labels: every row is one dense block
    std::int32_t local[8] = {};
    for (std::size_t i = 0; i < n; ++i) add_block(blocks + 8 * static_cast<std::size_t>(refs[i] >> kRowKindBits), local);
    for (std::size_t k = 0; k < 8; ++k) sums[k] += local[k];
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const std::int16_t* row = blocks + 8 * static_cast<std::size_t>(refs[i] >> kRowKindBits);
    const std::uint32_t kind = refs[i] & kDenseKind;
    if (kind == kDenseKind) {
      for (std::size_t b = 0; b < dense_blocks; ++b) add_block(row + 8 * b, sums + 8 * b);
      continue;
    }
    for (std::uint32_t b = 0; b < kind; ++b, row += 8)  // padding pairs add 0 to label 0
      for (std::size_t k = 0; k < 8; k += 2) sums[static_cast<std::uint16_t>(row[k])] += row[k + 1];
  }
}

// Whether a key is known is hard to predict, so it is put in its place without a branch.
std::size_t find_places(const RowIndex& index, const std::uint32_t* keys, std::size_t n, std::uint32_t* kept,
                        std::uint32_t* places) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t key = keys[i];
    const std::size_t bit = index.bit(key);
    const RowRange range = index.ranges[bit / 32];
    const std::uint32_t below = range.bits & ((std::uint32_t{1} << bit % 32) - 1);
    const std::size_t known = range.bits >> bit % 32 & 1;
    const std::size_t place = range.start + static_cast<std::size_t>(__builtin_popcount(below));
    kept[count] = key;
    places[count] = static_cast<std::uint32_t>(place);
    __builtin_prefetch(index.rows + 2 * known * place);
    count += known;
  }
  return count;
}

}  // namespace

extern const LinearKernels linear_kernels;
const LinearKernels linear_kernels = {find_places, add_rows_i16};

}  // namespace nlptk::NLPTK_ISA
