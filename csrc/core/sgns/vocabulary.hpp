// The words of a corpus by falling frequency, and the way from a word to its number.
#pragma once

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
#include "word_counts.hpp"

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

  // The words counted so often or more, those of equal count in the order of their bytes; at most `max_size` (0: all).
  static Vocabulary of(const WordCounts& all, std::uint64_t min_count, std::size_t max_size, std::uint64_t raw_tokens);

  // Called on the calling thread now and then with the chunks that are counted so far.
  using Report = std::function<void(std::size_t chunks)>;
  // Counts all of a corpus, with the same result for any number of threads as long as nothing was forgotten.
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

  // A word that is to be looked up; it has the word's first and last eight bytes, so that most words are all there.
  struct Wanted {
    std::uint64_t head = 0, tail = 0;
    std::uint32_t size = 0;  // 0: it is known already
    union {
      std::uint32_t hash, id;
    };
  };
  // Has the place of the table fetched that find() will look at. The word need not stay where it is.
  Wanted look_ahead(std::string_view word) const {
    Wanted wanted = wanted_of(word);
    if (word.size() > kWhole) {
      wanted.id = find(wanted, word);
      wanted.size = 0;
    } else {
      __builtin_prefetch(&slots_[wanted.hash & mask_]);
    }
    return wanted;
  }
  std::uint32_t find(const Wanted& wanted) const { return wanted.size == 0 ? wanted.id : find(wanted, {}); }
  std::uint32_t find(std::string_view word) const { return find(wanted_of(word), word); }

 private:
  static constexpr std::size_t kWhole = 16;  // bytes of the longest words that heads and tails tell apart
  struct Slot {
    std::uint64_t head = 0, tail = 0;
    std::uint32_t size = 0;
    std::uint32_t id = kNone;
  };

  static Wanted wanted_of(std::string_view word) {
    Wanted wanted;
    wanted.size = static_cast<std::uint32_t>(word.size());
    const auto load = [&word](std::size_t at, auto value) {
      std::memcpy(&value, word.data() + at, sizeof value);
      return std::uint64_t{value};
    };
    if (word.size() >= 8) {  // loads may overlap, and have fixed sizes, which are fast
      wanted.head = load(0, std::uint64_t{});
      wanted.tail = load(word.size() - 8, std::uint64_t{});
    } else if (word.size() >= 4) {
      wanted.head = load(0, std::uint32_t{}) << 32 | load(word.size() - 4, std::uint32_t{});
    } else if (!word.empty()) {
      wanted.head = load(0, std::uint8_t{}) << 16 | load(word.size() / 2, std::uint8_t{}) << 8 | load(word.size() - 1, std::uint8_t{});
    }
    std::uint64_t h = hash_step(hash_step(kHashSeed ^ word.size(), wanted.head), wanted.tail);
    for (std::size_t at = 8; at + 8 < word.size(); at += 8) h = hash_step(h, load(at, std::uint64_t{}));
    wanted.hash = static_cast<std::uint32_t>(hash_finish(h) >> 32);
    return wanted;
  }
  // `word` is looked at if it is longer than kWhole.
  std::uint32_t find(const Wanted& wanted, std::string_view word) const {
    for (std::size_t at = wanted.hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.id == kNone) return kNone;
      if (slot.head != wanted.head || slot.tail != wanted.tail || slot.size != wanted.size) continue;
      if (wanted.size <= kWhole || this->word(slot.id) == word) return slot.id;
    }
  }

  std::string text_;
  std::vector<std::size_t> begins_;
  std::vector<std::uint64_t> counts_;
  std::vector<Slot, HugePageAllocator<Slot>> slots_ = std::vector<Slot, HugePageAllocator<Slot>>(1);
  std::size_t mask_ = 0;
  std::uint64_t tokens_ = 0, raw_tokens_ = 0, raw_words_ = 0, pruned_below_ = 1;
};

}  // namespace nlptk
