// How often one word of a vocabulary stands right before another in the lines of a corpus.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "sgns/corpus.hpp"
#include "sgns/vocabulary.hpp"

namespace nlptk {

// Sparse rows: the neighbours of word w are others[starts[w] .. starts[w + 1]).
struct BigramRows {
  std::vector<std::size_t> starts;
  std::vector<std::uint32_t> others;
  std::vector<std::uint32_t> counts;
};

struct Bigrams {
  BigramRows after;   // of each word the words after it
  BigramRows before;  // of each word the words before it
  std::uint64_t total = 0;

  // `pairs`: first word, second word and how often, each pair once.
  struct Pair {
    std::uint32_t first, second, count;
  };
  Bigrams(const std::vector<Pair>& pairs, std::size_t words);
};

// Words that the vocabulary lacks part their neighbours, as line ends do. `report` gets the chunks read so far.
// Throws std::invalid_argument beyond 2^32 pairs.
Bigrams count_bigrams(const Corpus& corpus, const Vocabulary& vocabulary, const std::function<void(std::size_t)>& report);

}  // namespace nlptk
