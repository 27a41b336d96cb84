// From documents to rows of the input table: words, their character n-grams, and n-grams of words, hashed as fastText does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fasttext/documents.hpp"
#include "fasttext/ranked_set.hpp"
#include "sgns/vocabulary.hpp"
#include "vectors/subwords.hpp"

namespace nlptk {

struct FastTextFeatureSettings {
  int word_ngrams = 1;              // words of the longest n-gram
  SubwordSettings subwords{0, 0, 2'000'000};  // n-grams of words share its buckets
  bool hashes() const { return word_ngrams > 1 || subwords.max_n > 0; }
};

// Features of documents: words of the vocabulary, and rows or buckets beyond them.
class FeatureLists {
 public:
  static constexpr std::size_t kBlock = 1024;  // documents that one thread reads at a time
  struct Document {
    std::span<const std::uint32_t> items;
    std::uint32_t unseen;  // features that there is no row for
  };
  struct Block {
    std::vector<std::uint32_t> items, unseen;
    std::vector<std::size_t> ends;
  };

  Document operator[](std::size_t document) const {
    const Block& block = blocks_[document / kBlock];
    const std::size_t i = document % kBlock, begin = i == 0 ? 0 : block.ends[i - 1];
    return {{block.items.data() + begin, block.ends[i] - begin}, block.unseen[i]};
  }
  std::vector<Block>& blocks() { return blocks_; }

 private:
  std::vector<Block> blocks_;
};

class FastTextFeatures {
 public:
  // Counts the words of a training set, and gives rows to those that occur `min_count` times, to all `extra` ones, and
  // to the buckets of all n-grams there are. Throws std::invalid_argument for settings that cannot be.
  FastTextFeatures(const Documents& documents, std::uint64_t min_count, const std::vector<std::string>& extra,
                   const FastTextFeatureSettings& settings, int threads, FeatureLists& lists);
  // As it was when it had these words and buckets (rising).
  FastTextFeatures(const std::vector<std::string_view>& words, const std::vector<std::uint32_t>& buckets,
                   const FastTextFeatureSettings& settings);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::vector<std::uint32_t> buckets() const { return buckets_.members(); }
  std::size_t rows() const { return vocabulary_.size() + buckets_.size(); }

  FeatureLists read(const Documents& documents, int threads) const;
  // The rows of a document, in `memory` or where they are. Those of a word are its own and its character n-grams'.
  std::span<const std::uint32_t> rows_of(std::span<const std::uint32_t> items, std::vector<std::uint32_t>& memory) const;
  // Whether there is more in a document than its end.
  bool tells(std::span<const std::uint32_t> items) const;

 private:
  struct Workspace {
    utf8::Buffer buffer;
    std::vector<std::uint32_t> hashes;
  };

  void read_block(const Documents& documents, std::size_t begin, std::size_t end, bool numbered, Workspace& workspace,
                  FeatureLists::Block& block) const;
  FeatureLists read(const Documents& documents, int threads, bool numbered) const;
  void number_subwords();

  FastTextFeatureSettings settings_;
  Vocabulary vocabulary_;
  RankedSet buckets_;
  std::uint32_t end_ = Vocabulary::kNone;  // the word Documents::kEnd
  std::vector<std::uint32_t> hashes_;      // of words
  std::vector<std::size_t> word_offsets_;  // rows of word i are word_rows_[word_offsets_[i] .. word_offsets_[i + 1])
  std::vector<std::uint32_t> word_rows_;   // empty without character n-grams: then a word has its own row alone
};

}  // namespace nlptk
