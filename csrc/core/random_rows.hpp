// What trainers of word vectors and of fastText begin with, and the check of what they end with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hash.hpp"
#include "random.hpp"

namespace nlptk {

// A seed of its own for each kind of use and number, of one that the user chose.
inline std::uint64_t seed_of(std::uint64_t seed, std::uint64_t kind, std::uint64_t number) {
  return hash_finish(hash_step(hash_step(hash_step(kHashSeed, seed), kind), number));
}

// Uniform in +-1/dim, as fastText and gensim have it.
inline void fill_uniform(float* row, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  const double scale = 2.0 / static_cast<double>(dim);
  for (std::size_t k = 0; k < dim; ++k) row[k] = static_cast<float>((random.uniform() - 0.5) * scale);
}

inline bool all_finite(const float* row, std::size_t size) {
  float sum = 0;  // 0 * x is NaN for NaN and infinities, and 0 for all else
  for (std::size_t k = 0; k < size; ++k) sum += 0 * row[k];
  return sum == 0;
}

}  // namespace nlptk
