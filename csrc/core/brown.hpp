// Brown clustering: words with like neighbours, by greedy merges that keep the most mutual information of bigrams.
//
// Brown et al. (1992), "Class-based n-gram models of natural language", with the window of Liang (2005),
// "Semi-supervised learning for natural language", section 4.1: the most frequent words are the first clusters, each
// word after them joins as one cluster too many and the cheapest two are merged. At last all are merged to a tree.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bigrams.hpp"

namespace nlptk {

struct BrownTree {
  std::vector<std::int32_t> clusters;  // [words] the cluster of each word
  // Of the clusters to one: `first` is below `second` and names both from then on.
  struct Merge {
    std::int32_t first, second;
  };
  std::vector<Merge> merges;  // [clusters - 1]
};

// Words are numbered by falling frequency; word_counts says how often each occurs. `report` gets the words that are in
// clusters, now and then.
// Of merges that cost the same (to 1e-12 of the text's entropy) the one of the lowest clusters is taken.
// Throws std::invalid_argument if there is no word, or no cluster or more than 10,000 are wanted.
BrownTree brown_clusters(const Bigrams& bigrams, const std::vector<std::uint64_t>& word_counts, std::size_t clusters,
                         const std::function<void(std::size_t)>& report);

}  // namespace nlptk
