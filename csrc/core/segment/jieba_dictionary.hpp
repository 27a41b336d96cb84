// jieba's dictionary: words with counts and tags, and the beginnings of words with count 0 (Sun Junyi, jieba 0.42.1).
//
// jieba.Tokenizer.FREQ maps every word to its count and every beginning of a word that is no word to 0. Words that
// were deleted have count 0 too, so the trie is exactly that map: a node's value is ln(count), -inf for a count of 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "segment/double_array.hpp"

namespace nlptk {

class JiebaDictionary {
 public:
  static constexpr std::int64_t kMostCount = std::int64_t{1} << 53;  // whole numbers up to here are exact as double
  static constexpr std::uint16_t kNoTag = 0;

  struct Entry {
    std::u32string word;
    std::int64_t count = 0;
    std::string tag;  // "": none
  };

  // `total` is what jieba sums up: the counts of all lines, repeated words included.
  // std::invalid_argument for counts that are negative or no word at all.
  JiebaDictionary(const std::vector<Entry>& entries, std::int64_t total);
  explicit JiebaDictionary(std::string_view bytes);  // what to_bytes gave; std::invalid_argument otherwise
  std::string to_bytes() const;
  std::vector<Entry> entries() const;

  // Sets the word's count and adds it to the total, as jieba.add_word does. Count 0 deletes.
  void add(std::u32string_view word, std::int64_t count);
  void set_tag(std::u32string_view word, const std::string& tag);

  // FREQ.get(text): 0 for the beginning of a word, nothing where no word begins so.
  std::optional<std::int64_t> count(std::u32string_view text) const;
  std::int64_t total() const { return total_; }
  void set_total(std::int64_t total);
  double log_total() const { return log_total_; }

  const DoubleArray& trie() const { return trie_; }
  bool is_word(std::uint32_t node) const {
    return node != DoubleArray::kNone && trie_.nodes()[node].value != DoubleArray::kNoWord;
  }
  // Tags are numbers; 0 is "x", what jieba gives to words that have none.
  std::uint16_t tag(std::uint32_t node) const {
    const std::uint32_t id = node == DoubleArray::kNone ? DoubleArray::kNone : trie_.id(node);
    return id == DoubleArray::kNone ? kNoTag : tags_[id];
  }
  std::uint16_t tag_number(const std::string& name);
  const std::vector<std::string>& tag_names() const { return tag_names_; }

 private:
  explicit JiebaDictionary(BlobReader in);
  void set_values();
  std::uint32_t word_node(std::u32string_view word);

  std::int64_t total_ = 0;
  double log_total_ = 0;
  DoubleArray trie_;
  std::vector<std::int64_t> counts_;  // by word number
  std::vector<std::uint16_t> tags_;
  std::vector<std::string> tag_names_{"x"};
};

}  // namespace nlptk
