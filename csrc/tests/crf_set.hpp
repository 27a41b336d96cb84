// What the tests of CRF training share: a small random training set, the online methods.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crf_data.hpp"
#include "crf_online.hpp"
#include "random.hpp"

// A small random training set; the label of a unit shows in its first key.
struct CrfSet {
  std::size_t labels, width;
  std::vector<std::uint32_t> keys;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> gold;

  CrfSet(std::uint64_t seed, std::size_t n, std::size_t sequences, std::size_t longest, std::size_t w = 3)
      : labels(n), width(w) {
    nlptk::Random random(seed);
    for (std::size_t s = 0; s < sequences; ++s) {
      const std::size_t length = random.below(longest + 1);  // some are empty
      for (std::size_t u = 0; u < length; ++u) {
        gold.push_back(static_cast<std::int32_t>(random.below(n)));
        keys.push_back(1 + static_cast<std::uint32_t>(gold.back()));
        for (std::size_t k = 1; k < width; ++k) keys.push_back(static_cast<std::uint32_t>(random.below(12)) * 7);
      }
      offsets.push_back(static_cast<std::int64_t>(gold.size()));
    }
  }
  nlptk::CrfInput input() const {
    return {keys.data(), gold.size(), width, offsets.data(), offsets.size() - 1, gold.data(), labels};
  }
};

// Each online method, with its own settings as they are by default.
using OnlineMethod = void (*)(const nlptk::CrfData&, std::vector<float>&, const nlptk::OnlineOptions&,
                              const nlptk::OnlineCallback&);

inline constexpr OnlineMethod kOnlineMethods[] = {
    nlptk::stochastic_gradient, nlptk::averaged_perceptron,
    [](const nlptk::CrfData& data, std::vector<float>& w, const nlptk::OnlineOptions& options,
       const nlptk::OnlineCallback& callback) { nlptk::passive_aggressive(data, w, options, {}, callback); },
    [](const nlptk::CrfData& data, std::vector<float>& w, const nlptk::OnlineOptions& options,
       const nlptk::OnlineCallback& callback) { nlptk::arow(data, w, options, {}, callback); }};
