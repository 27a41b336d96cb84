#include "linear_rows.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/linear_kernel.hpp"

namespace nlptk {
namespace {

// Row r, whose pairs begin at `pair`.
void check_row(const LinearPairs& a, std::size_t r, std::size_t pair) {
  const auto refuse = [&](const char* what) {
    throw std::invalid_argument("linear model: row " + std::to_string(r) + what);
  };
  if (a.keys[r] <= (r > 0 ? a.keys[r - 1] : 0))
    throw std::invalid_argument("linear model: keys are not increasing, or one is 0");
  const std::size_t size = a.row_sizes[r];
  if (size == 0 || size > a.labels || pair + size > a.pairs) refuse(" has an impossible size");
  const std::uint16_t* labels = a.pair_labels + pair;
  bool ordered = labels[size - 1] < a.labels;
  for (std::size_t k = 1; k < size; ++k) ordered &= labels[k] > labels[k - 1];
  if (!ordered) refuse(" has labels out of order or range");
}

// A row of few pairs is read pair by pair; from about half the labels on, adding whole blocks is quicker.
std::uint32_t row_kind(std::size_t labels, std::size_t size) {
  if (size == 1 && has_inline_rows(labels)) return 0;
  const std::size_t pair_blocks = (size + 3) / 4;
  const bool pairs = 2 * pair_blocks < dense_blocks(labels) && pair_blocks < kDenseKind;
  return pairs ? static_cast<std::uint32_t>(pair_blocks) : kDenseKind;
}

std::size_t blocks_of(std::size_t labels, std::uint32_t kind) { return kind == kDenseKind ? dense_blocks(labels) : kind; }

}  // namespace

void check_label_count(std::size_t labels) {
  if (labels == 0 || labels > 65535) throw std::invalid_argument("linear model: 1 to 65535 labels are possible");
}

LinearRows pack_rows(const LinearPairs& a) {
  check_label_count(a.labels);
  if (a.pairs > std::numeric_limits<std::uint32_t>::max() / 2)
    throw std::invalid_argument("linear model: over 2^31 weights");
  std::size_t pair = 0, blocks = 0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    check_row(a, r, pair);
    pair += a.row_sizes[r];
    blocks += blocks_of(a.labels, row_kind(a.labels, a.row_sizes[r]));
  }
  if (pair != a.pairs) throw std::invalid_argument("linear model: row sizes do not add up to the pairs");
  if (blocks > std::size_t{1} << (32 - kRowKindBits))
    throw std::invalid_argument("linear model: too many weights for one model");
  LinearRows made;
  made.rows.resize(2 * a.rows);
  made.blocks.resize(8 * blocks);
  std::int16_t* out = made.blocks.data();
  pair = 0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    const std::size_t size = a.row_sizes[r];
    const std::uint32_t kind = row_kind(a.labels, size);
    const std::uint16_t* labels = a.pair_labels + pair;
    const std::int16_t* weights = a.pair_weights + pair;
    const auto first = static_cast<std::uint32_t>((out - made.blocks.data()) / 8);
    made.rows[2 * r] = a.keys[r];
    made.rows[2 * r + 1] = kind == 0 ? inline_row(labels[0], weights[0]) : first << kRowKindBits | kind;
    for (std::size_t k = 0; kind != 0 && k < size; ++k) {
      if (kind == kDenseKind) {
        out[labels[k]] = weights[k];
      } else {
        out[2 * k] = static_cast<std::int16_t>(labels[k]);
        out[2 * k + 1] = weights[k];
      }
    }
    out += 8 * blocks_of(a.labels, kind);
    pair += size;
  }
  return made;
}

}  // namespace nlptk
