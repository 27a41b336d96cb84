// The words of a corpus by falling frequency, and the way from a word to its number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hash.hpp"
#include "huge_pages.hpp"
#include "sgns/corpus.hpp"

namespace nlptk {

class Vocabulary {
 public:
  struct Settings {
    std::uint64_t min_count = 5;
    std::size_t max_size = 0;  // the most frequent so many; 0: all
    // Distinct words that a thread counts before it forgets rare ones, of which the first table to fill forgets those
    // seen once, then twice and so on (word2vec.c's ReduceVocab).
    std::size_t prune_at = 20'000'000;
    int threads = 0;
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  Vocabulary() = default;
  // `words` by falling count, of a corpus of `raw_tokens` if that is more than they sum to. Throws std::invalid_argument
  // if two are the same.
  Vocabulary(const std::vector<std::string_view>& words, std::vector<std::uint64_t> counts, std::uint64_t raw_tokens = 0);

  // Called on the calling thread now and then with the chunks that are counted so far.
  using Report = std::function<void(std::size_t chunks)>;
  // Counts all of a corpus. Words of equal count are in the order of their bytes, so that the result is the same for any
  // number of threads as long as nothing was forgotten.
  static Vocabulary count(const Corpus& corpus, const Settings& settings, const Report& report);

  std::size_t size() const { return counts_.size(); }
  std::string_view word(std::size_t i) const { return std::string_view(text_).substr(begins_[i], begins_[i + 1] - begins_[i]); }
  std::uint64_t count(std::size_t i) const { return counts_[i]; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  // Tokens of the corpus that are words of the vocabulary, all its tokens, all its distinct ones.
  std::uint64_t tokens() const { return tokens_; }
  std::uint64_t raw_tokens() const { return raw_tokens_; }
  std::uint64_t raw_words() const { return raw_words_; }
  // The count below which words were forgotten while counting; 1: none were.
  std::uint64_t pruned_below() const { return pruned_below_; }

  std::uint32_t find(std::string_view word) const {
    const Slot wanted = key_of(word);
    for (std::size_t at = hash_word(word) & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.id == kNone) return kNone;
      if (slot.head != wanted.head || slot.size != wanted.size) continue;
      if (word.size() <= sizeof wanted.head || this->word(slot.id) == word) return slot.id;
    }
  }

 private:
  // Most words are no longer than their heads, so that nothing else need be looked at.
  struct Slot {
    std::uint64_t head = 0;  // the first eight bytes
    std::uint32_t size = 0;
    std::uint32_t id = kNone;
  };
  static Slot key_of(std::string_view word) {
    Slot slot;
    slot.size = static_cast<std::uint32_t>(word.size());
    std::memcpy(&slot.head, word.data(), std::min(word.size(), sizeof slot.head));
    return slot;
  }

  std::string text_;
  std::vector<std::size_t> begins_;
  std::vector<std::uint64_t> counts_;
  std::vector<Slot, HugePageAllocator<Slot>> slots_ = std::vector<Slot, HugePageAllocator<Slot>>(1);
  std::size_t mask_ = 0;
  std::uint64_t tokens_ = 0, raw_tokens_ = 0, raw_words_ = 0, pruned_below_ = 1;
};

}  // namespace nlptk
