#include "vectors/subword_rows.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "parallel.hpp"

namespace nlptk {

void subword_rows(const char* words, const std::int64_t* offsets, std::size_t count, std::size_t dim,
                  const SubwordSettings& settings, const BucketRows& buckets, const float* own, bool invert, int threads,
                  float* out) {
  parallel_for(count, threads, 1024, [&](std::size_t begin, std::size_t end, int) {
    std::vector<float> row(dim);
    std::vector<double> sum(dim);
    for (std::size_t i = begin; i < end; ++i) {
      const std::string_view word(words + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
      std::size_t parts = own != nullptr ? 1 : 0;
      std::fill(sum.begin(), sum.end(), 0.0);
      const auto add = [&](std::uint32_t bucket) {
        ++parts;
        if (buckets.floats != nullptr) {
          std::memcpy(row.data(), buckets.floats + bucket * dim * sizeof(float), dim * sizeof(float));
          for (std::size_t k = 0; k < dim; ++k) sum[k] += row[k];
        } else {
          const std::int8_t* const codes = buckets.codes + bucket * dim;
          for (std::size_t k = 0; k < dim; ++k) sum[k] += static_cast<double>(codes[k]) * buckets.scales[bucket];
        }
      };
      if (word != kEndOfSentence) for_each_subword(word, settings, add);
      float* const to = out + i * dim;
      const double share = parts > 0 ? 1.0 / static_cast<double>(parts) : 0.0;
      for (std::size_t k = 0; k < dim; ++k) {
        const double mine = own != nullptr ? own[i * dim + k] : 0.0;
        to[k] = static_cast<float>(invert ? mine * static_cast<double>(parts) - sum[k] : (mine + sum[k]) * share);
      }
    }
  });
}

}  // namespace nlptk
