// Vectors of words from the rows of their n-grams, as fastText has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vectors/subwords.hpp"

namespace nlptk {

// Rows of n-grams: floats that need not be aligned (as in a file that is mapped), or 8-bit values with a scale a row.
struct BucketRows {
  const char* floats;  // null: `codes` are there
  const std::int8_t* codes;
  const float* scales;
};

// The end-of-sentence mark, which has no n-grams.
inline constexpr std::string_view kEndOfSentence = "</s>";

// A word's vector is the mean of its own row and those of its n-grams. With `own` [count, dim] those are such rows and
// `out` becomes the vectors, or with `invert` the other way about; without it words have no rows of their own, and
// those without n-grams get zeros.
void subword_rows(const char* words, const std::int64_t* offsets, std::size_t count, std::size_t dim,
                  const SubwordSettings& settings, const BucketRows& buckets, const float* own, bool invert, int threads,
                  float* out);

}  // namespace nlptk
