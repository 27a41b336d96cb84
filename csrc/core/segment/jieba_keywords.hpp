// jieba.analyse: keywords by TF-IDF and by TextRank (Mihalcea and Tarau 2004), as jieba 0.42.1 computes them.
//
// Sums, their order and the order of equal weights are jieba's, so weights are equal to the last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "segment/jieba_tagger.hpp"

namespace nlptk {

struct JiebaKeyword {
  std::size_t word = 0;  // where it stands first, as a word of the JiebaTagged
  double weight = 0;
};

// What counts as a keyword.
struct JiebaKeywordFilter {
  std::vector<bool> tags;     // allowed ones, by tag number
  bool any_tag = true;        // `tags` is not asked
  bool by_tag = false;        // a word with another tag is another keyword
};

// ln(documents / documents with the word), from idf.txt.
class JiebaIdf {
 public:
  JiebaIdf(const std::vector<std::u32string>& words, std::vector<double> values, double median);
  explicit JiebaIdf(std::string_view bytes);  // what to_bytes gave; std::invalid_argument otherwise
  std::string to_bytes() const;

  double get(std::u32string_view word) const;  // the median of all for a word it lacks

 private:
  explicit JiebaIdf(BlobReader in);
  void set_values();

  DoubleArray trie_;  // values lie in its nodes, where a look-up ends
  std::vector<double> values_;  // by word number
  double median_ = 0;
};

// Words that are no keywords, compared in lower case.
class JiebaStopWords {
 public:
  JiebaStopWords() : firsts_(0x10000, false) {}
  void add(std::u32string_view word);
  bool has(std::u32string_view word) const;

 private:
  std::unordered_set<std::u32string> words_;
  std::vector<bool> firsts_;  // by the low bits of a word's first character: most words need no look at the set
};

// Both give at most `most` keywords by falling weight. `text`: what `tagged` is offsets into; tags may be missing if
// any is allowed.
std::vector<JiebaKeyword> jieba_tfidf(const char32_t* text, const JiebaTagged& tagged, const JiebaIdf& idf,
                                      const JiebaStopWords& stop_words, const JiebaKeywordFilter& filter,
                                      std::size_t most);
std::vector<JiebaKeyword> jieba_textrank(const char32_t* text, const JiebaTagged& tagged,
                                         const JiebaStopWords& stop_words, const JiebaKeywordFilter& filter,
                                         std::size_t most);

}  // namespace nlptk
