// The rows of a matrix with the largest cosines to given vectors: exact, by an eighth or a quarter of the bytes.
//
// A first pass reads 8-bit copies of the rows and bounds each score from above: by Cauchy-Schwarz, the cosine of a row x
// and a vector q differs from that of its copy x' by at most |x - x'| / |x|. Only rows whose bound reaches the n-th best
// score so far are scored again from the true rows, in double; with 300 dimensions the bound is about 0.007 wide, so
// those are a few dozen of 400,000.
//
// A query alone is bound by memory, so 4-bit copies are read before the 8-bit ones, by the same bound. It is about 0.1
// wide, so that of 400,000 rows some 1,400 are looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlptk {

// A matrix of floats; row i begins at values + i * stride.
struct FloatRows {
  const float* values;
  std::size_t count, dim, stride;
};

// 4-bit rows in groups (kernels/coarse_kernel.hpp), the last one filled up with zeros.
struct CoarseRows {
  const std::uint8_t* groups;
  const float* inverse;  // [groups, kGroupRows], as of NearestRows
  const float* slack;
  const float* sizes;    // [dim], which values are divided by
};
std::size_t coarse_groups(std::size_t rows);
std::size_t coarse_group_bytes(std::size_t dim);

// 8-bit rows: value k of row i is about codes[i * dim + k] * (some scale of the row).
struct NearestRows {
  const std::int8_t* codes;
  std::size_t count, dim;
  const float* inverse;    // [count] that scale / norm of the row; 0 for a row of zeros
  const float* slack;      // [count] how far a cosine of the copy can be from that of the row
  const float* exact;      // the rows themselves, or null if the codes are
  std::size_t exact_stride;
  const CoarseRows* coarse = nullptr;  // null: single queries read the 8-bit rows
};

// What float sums of products can be off by, of the norms' product.
float score_rounding(std::size_t dim);

// Fills `codes`, and `scales` (of codes), `inverse` and `slack` where they are not null. Returns the mean of
// |x - x'| / |x| over rows that are not zero. std::invalid_argument, naming the row, for NaN or an infinity.
double quantize_rows(const FloatRows& rows, int threads, std::int8_t* codes, float* scales, float* inverse, float* slack);

// `inverse` and `slack` of rows that are the codes themselves.
void describe_codes(const std::int8_t* codes, std::size_t count, std::size_t dim, int threads, float* inverse,
                    float* slack);

// Fills all of CoarseRows from rows of floats or of 8-bit codes.
void make_coarse(const FloatRows& rows, int threads, std::uint8_t* groups, float* inverse, float* slack, float* sizes);
void make_coarse(const std::int8_t* codes, std::size_t count, std::size_t dim, int threads, std::uint8_t* groups,
                 float* inverse, float* slack, float* sizes);

// Queries of `positives` + `negatives` terms each: [queries, terms, dim]. Without `multiply` a query has one term q, and
// a row's score is cos(row, q) * |q|. With it, terms have length 1, and it is 3CosMul (Levy and Goldberg 2014): the
// product over positives of (1 + cos) / 2, over that over negatives plus 1e-6.
struct NearestQueries {
  const float* terms;
  std::size_t queries, positives, negatives;
  bool multiply;
};

// The `top` best rows of [begin, end) for each query, best first, equal scores by row: rows and scores are
// [queries, min(top, end - begin)]. The same on any number of threads and every instruction set.
void nearest_rows(const NearestRows& rows, const NearestQueries& queries, std::size_t begin, std::size_t end,
                  std::size_t top, int threads, std::int64_t* found, float* scores);

}  // namespace nlptk
