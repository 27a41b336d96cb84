// How often each n-gram stands in each document, as a matrix in compressed rows: what scikit-learn's CountVectorizer
// and HashingVectorizer make, with columns in order of terms and sorted within rows.
//
// Threads take blocks of documents and write a number for each n-gram, of a table of their own. At the end the tables
// are joined, numbers become places in the order of terms, and each document's are sorted, so that equal ones are
// neighbours. Nothing depends on which thread had which block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ngram_reader.hpp"
#include "term_table.hpp"

namespace nlptk {

class NgramCounter {
 public:
  using Terms = std::shared_ptr<const TermTable>;

  // Learns the terms if `vocabulary` is null and `buckets` 0; else counts those of the vocabulary; else hashes into
  // buckets, at most 2^31 - 1, half of the terms with the sign -1 if `signs`.
  NgramCounter(const NgramRules& rules, Terms stop_words, Terms vocabulary, std::uint32_t buckets, bool signs,
               int threads);

  // Texts as they are, and documents that are words already: document d has those from offsets[d] to offsets[d + 1].
  void add(std::span<const TextSpan> texts, const CharTable& chars);
  void add_words(std::span<const TextSpan> words, std::span<const std::int64_t> offsets);

  // Once, after all was added and before what stands below.
  void finish();

  std::size_t documents() const { return documents_; }
  // In order of terms, if they were learned: each term, the documents that hold it, how often it stands in all.
  std::size_t terms() const { return order_.size(); }
  std::string_view term(std::size_t place) const { return tables_[0].term(order_[place]); }
  const std::vector<std::int64_t>& document_counts() const { return document_counts_; }
  const std::vector<std::int64_t>& total_counts() const { return total_counts_; }

  // Where each row begins and the last one ends, [documents + 1]. `columns` has the column of each term, rising, or a
  // negative number for one that is left out; null: all columns stay.
  std::vector<std::int64_t> row_offsets(const std::int32_t* columns) const;
  // The same columns, and what stands there.
  template <class Value>
  void fill(const std::int32_t* columns, std::span<const std::int64_t> offsets, std::int32_t* indices,
            Value* values) const;

 private:
  struct Block {  // of documents that follow one another
    std::size_t first;
    std::size_t thread = 0;
    std::vector<std::uint32_t> ids{};  // of hashing: twice the bucket, and 1 more for the sign -1
    std::vector<std::size_t> ends{};   // of each document in `ids`
  };
  template <class Read>
  void add_blocks(std::size_t count, Read&& read);
  template <class F>
  void for_each_entry(const Block& block, std::size_t document, const std::int32_t* columns, F&& f) const;
  void join_tables(std::vector<std::vector<std::uint32_t>>& places);

  NgramRules rules_;
  Terms stop_words_, vocabulary_;
  std::uint32_t buckets_;
  bool signs_;
  int threads_;
  std::vector<NgramReader> readers_;  // of each thread
  std::vector<TermTable> tables_;     // of each thread, joined in the first
  std::vector<Block> blocks_;
  std::size_t documents_ = 0;
  std::vector<std::uint32_t> order_;
  std::vector<std::int64_t> document_counts_, total_counts_;
};

}  // namespace nlptk
