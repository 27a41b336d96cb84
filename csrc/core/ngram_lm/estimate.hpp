// N-gram models from text: interpolated modified Kneser-Ney (Chen and Goodman 1998, "An Empirical Study of Smoothing
// Techniques for Language Modeling") with the definitions of KenLM's lmplz (Heafield et al. 2013), and Laplace.
//
// Positions of the text are sorted by their word, then by the word before it and so on to the order, by one counting
// sort an order: in the order of their contexts, positions are dealt to the buckets of their words. N-grams are then
// runs of that one list, of all orders at once, and how many words stand before an n-gram is the number of longer runs
// in its run. Four passes over the text for each order take the place of tables of n-grams with counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "ngram_lm/model.hpp"

namespace nlptk {

struct NgramSettings {
  std::size_t order = 5;
  bool laplace = false;
  double alpha = 1;  // laplace: added to each count
  // N-grams of an order with so many occurrences or fewer have no entry. Not falling; 0 for unigrams.
  std::array<std::uint64_t, kMostOrder> prune{};
  // Of counts 1, 2 and 3 or more, for orders whose text is too small or odd to estimate them.
  std::optional<std::array<double, 3>> fallback;
};

struct NgramOrderStatistics {
  std::uint64_t ngrams = 0;                  // before pruning
  std::array<std::uint64_t, 4> seen{};       // with an adjusted count of 1, 2, 3, 4
  std::array<double, 4> discounts{};         // of adjusted counts 0, 1, 2, 3 or more
};

struct NgramEstimate {
  NgramModel model;
  std::vector<NgramOrderStatistics> orders;
};

// `text`: sentences from <s> to </s> one after another, of numbers below `words`. Throws std::invalid_argument where
// discounts cannot be estimated and there are none to fall back to.
NgramEstimate estimate_ngrams(HugeVector<std::uint32_t> text, std::size_t words, const NgramSettings& settings);

}  // namespace nlptk
