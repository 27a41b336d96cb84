// The second half of training: from counted pieces to merges, the most frequent pair first.
//
// The choice among equals is that of Hugging Face tokenizers 0.23 (the pair with the smaller ids), and so is every
// other rule that decides which merges come out; what differs is how the work is done.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bpe/model.hpp"
#include "word_counts.hpp"

namespace nlptk {

struct BpeTrainOptions {
  bool byte_level = true;   // units are bytes, else characters
  bool marks_start = false; // the unit at the beginning of a piece is a token apart (continuing prefix)
  bool marks_end = false;   // and the one at its end (end-of-word suffix)
  std::size_t vocab_size = 32000;
  std::uint64_t min_frequency = 0;      // of a pair that is merged
  std::size_t limit_alphabet = 0;       // units kept, the most frequent ones; 0: all
  std::size_t max_token_length = 0;     // units of a token; 0: any
  std::vector<std::string> special;     // tokens that come first, in this order
  std::vector<std::string> alphabet;    // units that are tokens even if no text holds them
};

struct BpeTrained {
  std::vector<std::string> tokens;  // by id, with marks as BpeModel has them
  std::size_t special = 0;          // of them, at the beginning
  std::vector<BpeMerge> merges;
};

// `progress` is called now and then with the number of tokens so far, and may throw to end the training.
// Throws std::invalid_argument if there is nothing to learn from, or if vocab_size is below the number of special
// tokens and units.
BpeTrained bpe_train(WordCounts words, const BpeTrainOptions& options,
                     const std::function<void(std::size_t)>& progress);

// The place of a byte in the alphabet of byte-level BPE as GPT-2 orders it: printable Latin-1 first.
std::uint32_t byte_rank(std::uint8_t byte);

}  // namespace nlptk
