// How often each piece occurs: a hash table over bytes that are kept one after another in large blocks.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "hash.hpp"
#include "text_arena.hpp"

namespace nlptk {

class WordCounts {
 public:
  struct Word {
    const char* data = nullptr;  // null: a free place
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
    std::uint64_t count = 0;
    std::string_view text() const { return {data, size}; }
  };

  WordCounts() : words_(std::size_t{1} << 12) {}

  std::size_t size() const { return size_; }
  void add(std::string_view text, std::uint64_t count = 1) { add(text, hash_word(text), count); }
  // Adds all words of another table, which is left empty.
  void merge(WordCounts&& other);
  // The words in no order that has a meaning.
  template <class F>
  void for_each(F&& f) const {
    for (const Word& word : words_)
      if (word.data != nullptr) f(word);
  }

 private:
  void add(std::string_view text, std::uint32_t hash, std::uint64_t count) {
    const std::size_t mask = words_.size() - 1;
    std::size_t at = hash & mask;
    for (; words_[at].data != nullptr; at = (at + 1) & mask) {
      Word& word = words_[at];
      if (word.hash == hash && word.size == text.size() && std::memcmp(word.data, text.data(), text.size()) == 0) {
        word.count += count;
        return;
      }
    }
    insert(at, text, hash, count);
  }
  void insert(std::size_t at, std::string_view text, std::uint32_t hash, std::uint64_t count);
  void grow();

  std::vector<Word> words_;
  std::size_t size_ = 0;
  TextArena texts_{std::size_t{1} << 18};
};

}  // namespace nlptk
