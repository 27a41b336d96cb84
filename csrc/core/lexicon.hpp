// A compact word list: 32-bit word hashes to row numbers, open addressing. No strings are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hash.hpp"

namespace nlptk {

class Lexicon {
 public:
  Lexicon() = default;
  // keys are word_key values. A word's number is its place in `keys`; of equal keys the first counts.
  Lexicon(const std::uint32_t* keys, std::size_t n) {
    std::size_t capacity = 16;
    while (capacity < 2 * n) capacity *= 2;
    slots_.resize(capacity);
    mask_ = capacity - 1;
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t slot = home(keys[i]);
      while (slots_[slot].number != 0 && slots_[slot].key != keys[i]) slot = (slot + 1) & mask_;
      if (slots_[slot].number == 0) slots_[slot] = {keys[i], static_cast<std::uint32_t>(i + 1)};
    }
  }

  static std::uint32_t word_key(std::uint64_t text_hash) { return feature_key(text_hash); }

  // One more than the number of the word with this running hash (hash_text), 0 if it is not listed.
  std::uint32_t find(std::uint64_t text_hash) const {
    if (slots_.empty()) return 0;
    const std::uint32_t key = word_key(text_hash);
    std::size_t slot = home(key);
    while (slots_[slot].number != 0) {
      if (slots_[slot].key == key) return slots_[slot].number;
      slot = (slot + 1) & mask_;
    }
    return 0;
  }

 private:
  struct Slot {
    std::uint32_t key = 0;
    std::uint32_t number = 0;
  };
  // By the key's high bits: sorted keys, which stored lists have, fill the slots from front to back.
  std::size_t home(std::uint32_t key) const { return static_cast<std::size_t>(std::uint64_t{key} * slots_.size() >> 32); }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace nlptk
