#include "ngram_counts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kDocuments = 128;  // of a block
constexpr std::size_t kAhead = 16;       // terms between asking for their place in the table and looking there
constexpr int kMostCounting = 16;        // threads that have counts of all terms of their own

// MurmurHash3_x86_32 with seed 0, as scikit-learn hashes.
std::uint32_t murmur3(std::string_view text) {
  const auto scramble = [](std::uint32_t k) { return std::rotl(k * 0xCC9E2D51U, 15) * 0x1B873593U; };
  std::uint32_t h = 0;
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
  for (; at + 4 <= text.size(); at += 4) {
    h ^= scramble(byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
    h = std::rotl(h, 13) * 5 + 0xE6546B64U;
  }
  std::uint32_t tail = 0;
  for (std::size_t i = text.size(); i > at; --i) tail = tail << 8 | byte(i - 1);
  h ^= scramble(tail);
  h ^= static_cast<std::uint32_t>(text.size());
  h = (h ^ h >> 16) * 0x85EBCA6BU;
  h = (h ^ h >> 13) * 0xC2B2AE35U;
  return h ^ h >> 16;
}

// Twice the bucket, and 1 more for the sign -1.
std::uint32_t bucket_of(std::string_view text, std::uint32_t buckets, bool signs) {
  const std::uint32_t hash = murmur3(text);
  const bool negative = hash >> 31 != 0;
  const std::uint32_t size = negative ? 0 - hash : hash;  // 2^31 of -2^31, which is what scikit-learn has
  return size % buckets * 2 + (negative && signs ? 1 : 0);
}

// Gives terms to `resolve` a while after their places in the table were asked for, in order.
template <class Resolve>
class Ahead {
 public:
  Ahead(const TermTable& table, Resolve resolve) : table_(table), resolve_(std::move(resolve)) {}

  void operator()(std::string_view text) {
    Waiting& place = waiting_[count_ % kAhead];
    if (count_ >= kAhead) resolve_(place.text, place.hash);
    place = {text, hash_word(text)};
    table_.prefetch(place.hash);
    ++count_;
  }
  void finish() {
    for (std::size_t i = count_ < kAhead ? 0 : count_ - kAhead; i < count_; ++i)
      resolve_(waiting_[i % kAhead].text, waiting_[i % kAhead].hash);
    count_ = 0;
  }

 private:
  struct Waiting {
    std::string_view text;
    std::uint32_t hash;
  };
  const TermTable& table_;
  Resolve resolve_;
  std::array<Waiting, kAhead> waiting_{};
  std::size_t count_ = 0;
};

}  // namespace

NgramCounter::NgramCounter(const NgramRules& rules, Terms stop_words, Terms vocabulary, std::uint32_t buckets,
                           bool signs, int threads)
    : rules_(rules),
      stop_words_(std::move(stop_words)),
      vocabulary_(std::move(vocabulary)),
      buckets_(buckets),
      signs_(signs),
      threads_(resolve_threads(threads)) {
  if (rules.min_n < 1 || rules.min_n > rules.max_n) throw std::invalid_argument("the range of n-grams is none");
  if (buckets >> 31 != 0) throw std::invalid_argument("there are more than 2^31 - 1 buckets");
  readers_.assign(static_cast<std::size_t>(threads_), NgramReader(rules, *stop_words_));
  tables_.resize(static_cast<std::size_t>(threads_));
}

template <class Read>
void NgramCounter::add_blocks(std::size_t count, Read&& read) {
  const std::size_t before = blocks_.size();
  for (std::size_t first = 0; first < count; first += kDocuments) blocks_.push_back({documents_ + first});
  documents_ += count;
  parallel_for(count, threads_, kDocuments, [&](std::size_t begin, std::size_t end, int thread) {
    Block& block = blocks_[before + begin / kDocuments];
    block.thread = static_cast<std::size_t>(thread);
    NgramReader& reader = readers_[block.thread];
    TermTable& table = tables_[block.thread];
    std::vector<std::uint32_t> ids;
    const auto read_all = [&](auto& each, auto&& after) {
      for (std::size_t d = begin; d < end; ++d) {
        read(reader, d, each);
        after();
        block.ends.push_back(ids.size());
      }
    };
    const auto look_up = [&](const TermTable& in, auto resolve) {
      Ahead ahead(in, resolve);
      read_all(ahead, [&] { ahead.finish(); });
    };
    if (buckets_ > 0) {
      const auto hash = [&](std::string_view text) { ids.push_back(bucket_of(text, buckets_, signs_)); };
      read_all(hash, [] {});
    } else if (vocabulary_ != nullptr) {
      look_up(*vocabulary_, [&](std::string_view text, std::uint32_t hash) {
        const std::uint32_t id = vocabulary_->find(text, hash);
        if (id != TermTable::kNone) ids.push_back(id);
      });
    } else {
      look_up(table, [&](std::string_view text, std::uint32_t hash) { ids.push_back(table.insert(text, hash)); });
    }
    block.ids.assign(ids.begin(), ids.end());  // as large as it must be
  });
}

void NgramCounter::add(std::span<const TextSpan> texts, const CharTable& chars) {
  add_blocks(texts.size(), [&](NgramReader& reader, std::size_t d, auto& each) { reader.read(texts[d], chars, each); });
}

void NgramCounter::add_words(std::span<const TextSpan> words, std::span<const std::int64_t> offsets) {
  add_blocks(offsets.size() - 1, [&](NgramReader& reader, std::size_t d, auto& each) {
    reader.read(words.subspan(static_cast<std::size_t>(offsets[d]), static_cast<std::size_t>(offsets[d + 1] - offsets[d])),
                each);
  });
}

// Into the first; places[thread][number]: the place in the order of terms.
void NgramCounter::join_tables(std::vector<std::vector<std::uint32_t>>& places) {
  places.resize(tables_.size());
  for (std::size_t t = 1; t < tables_.size(); ++t) {
    places[t].resize(tables_[t].size());
    for (std::size_t i = 0; i < places[t].size(); ++i) places[t][i] = tables_[0].insert(tables_[t].term(i));
    tables_[t] = TermTable();
  }
  order_ = sorted_terms(tables_[0]);
  places[0].resize(order_.size());
  for (std::uint32_t place = 0; place < order_.size(); ++place) places[0][order_[place]] = place;
  for (std::size_t t = 1; t < places.size(); ++t)
    for (std::uint32_t& place : places[t]) place = places[0][place];
}

void NgramCounter::finish() {
  const bool learned = buckets_ == 0 && vocabulary_ == nullptr;
  std::vector<std::vector<std::uint32_t>> places;
  if (learned) join_tables(places);
  const int threads = std::min(threads_, kMostCounting);
  std::vector<std::vector<std::int64_t>> in_documents(static_cast<std::size_t>(threads)), totals = in_documents;
  parallel_for(blocks_.size(), threads, 1, [&](std::size_t b, std::size_t, int thread) {
    Block& block = blocks_[b];
    if (learned)
      for (std::uint32_t& id : block.ids) id = places[block.thread][id];
    std::size_t begin = 0;
    for (const std::size_t end : block.ends) {
      std::sort(block.ids.data() + begin, block.ids.data() + end);
      begin = end;
    }
    if (!learned) return;
    std::vector<std::int64_t>& documents = in_documents[static_cast<std::size_t>(thread)];
    std::vector<std::int64_t>& total = totals[static_cast<std::size_t>(thread)];
    documents.resize(order_.size());
    total.resize(order_.size());
    for (std::size_t d = 0; d < block.ends.size(); ++d)
      for_each_entry(block, d, nullptr, [&](std::uint32_t place, std::int64_t count) {
        ++documents[place];
        total[place] += count;
      });
  });
  const auto sum = [&](const std::vector<std::vector<std::int64_t>>& parts) {
    std::vector<std::int64_t> all(order_.size());
    for (const std::vector<std::int64_t>& part : parts)
      for (std::size_t i = 0; i < part.size(); ++i) all[i] += part[i];
    return all;
  };
  document_counts_ = sum(in_documents);
  total_counts_ = sum(totals);
}

// f(column, value) for what stands in the row of a document of the block.
template <class F>
void NgramCounter::for_each_entry(const Block& block, std::size_t document, const std::int32_t* columns, F&& f) const {
  const bool hashed = buckets_ > 0;
  const auto column_of = [&](std::uint32_t id) { return hashed ? id >> 1 : id; };
  const std::size_t end = block.ends[document];
  for (std::size_t i = document == 0 ? 0 : block.ends[document - 1]; i < end;) {
    const std::uint32_t column = column_of(block.ids[i]);
    std::int64_t value = 0;
    for (; i < end && column_of(block.ids[i]) == column; ++i) value += hashed && (block.ids[i] & 1) != 0 ? -1 : 1;
    if (columns == nullptr)
      f(column, value);
    else if (columns[column] >= 0)
      f(static_cast<std::uint32_t>(columns[column]), value);
  }
}

std::vector<std::int64_t> NgramCounter::row_offsets(const std::int32_t* columns) const {
  std::vector<std::int64_t> offsets(documents_ + 1);
  parallel_for(blocks_.size(), threads_, 1, [&](std::size_t b, std::size_t, int) {
    const Block& block = blocks_[b];
    for (std::size_t d = 0; d < block.ends.size(); ++d)
      for_each_entry(block, d, columns, [&](std::uint32_t, std::int64_t) { ++offsets[block.first + d + 1]; });
  });
  for (std::size_t d = 0; d < documents_; ++d) offsets[d + 1] += offsets[d];
  return offsets;
}

template <class Value>
void NgramCounter::fill(const std::int32_t* columns, std::span<const std::int64_t> offsets, std::int32_t* indices,
                        Value* values) const {
  parallel_for(blocks_.size(), threads_, 1, [&](std::size_t b, std::size_t, int) {
    const Block& block = blocks_[b];
    for (std::size_t d = 0; d < block.ends.size(); ++d) {
      auto at = static_cast<std::size_t>(offsets[block.first + d]);
      for_each_entry(block, d, columns, [&](std::uint32_t column, std::int64_t value) {
        indices[at] = static_cast<std::int32_t>(column);
        values[at++] = static_cast<Value>(value);
      });
    }
  });
}

template void NgramCounter::fill(const std::int32_t*, std::span<const std::int64_t>, std::int32_t*, double*) const;
template void NgramCounter::fill(const std::int32_t*, std::span<const std::int64_t>, std::int32_t*, float*) const;
template void NgramCounter::fill(const std::int32_t*, std::span<const std::int64_t>, std::int32_t*, std::int64_t*) const;

}  // namespace nlptk
