#include "fasttext/features.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"
#include "word_counts.hpp"

namespace nlptk {
namespace {

void check(const FastTextFeatureSettings& s) {
  const auto need = [](bool good, const char* what) {
    if (!good) throw std::invalid_argument(what);
  };
  need(s.word_ngrams >= 1 && s.word_ngrams <= 100, "word_ngrams must be 1 to 100");
  need(s.subwords.max_n == 0 || (s.subwords.min_n >= 1 && s.subwords.min_n <= s.subwords.max_n && s.subwords.max_n <= 1000),
       "character n-grams need 1 <= min_n <= max_n <= 1000");
  need(s.subwords.buckets >= 1 && s.subwords.buckets <= 1u << 30, "bucket must be 1 to 2^30");
}

Vocabulary count(const Documents& documents, std::uint64_t min_count, const std::vector<std::string>& extra, int threads) {
  std::vector<WordCounts> counts(static_cast<std::size_t>(threads));
  std::vector<utf8::Buffer> buffers(counts.size());
  std::vector<std::uint64_t> tokens(counts.size(), 0);
  parallel_for(documents.size(), threads, FeatureLists::kBlock, [&](std::size_t begin, std::size_t end, int thread) {
    const auto t = static_cast<std::size_t>(thread);
    for (std::size_t i = begin; i < end; ++i)
      documents.for_each_token(i, buffers[t], [&](std::string_view token) {
        counts[t].add(token);
        if (++tokens[t] % kCharsPerPoll == 0) poll_interrupt();
      });
  });
  for (std::size_t t = 1; t < counts.size(); ++t) {
    counts[0].merge(std::move(counts[t]));
    tokens[0] += tokens[t];
  }
  for (const std::string& word : extra) counts[0].add(word, min_count);  // so it is kept, whatever it counts
  return Vocabulary::of(counts[0], min_count, 0, tokens[0]);
}

}  // namespace

FastTextFeatures::FastTextFeatures(const Documents& documents, std::uint64_t min_count, const std::vector<std::string>& extra,
                                   const FastTextFeatureSettings& settings, int threads, FeatureLists& lists)
    : settings_(settings), buckets_(0) {
  check(settings_);
  threads = resolve_threads(threads);
  vocabulary_ = count(documents, min_count, extra, threads);
  buckets_ = RankedSet(settings_.hashes() ? settings_.subwords.buckets : 0);
  number_subwords();
  lists = read(documents, threads, false);
  const auto words = static_cast<std::uint32_t>(vocabulary_.size());
  const auto insert = [&](const std::vector<std::uint32_t>& items) {
    for (const std::uint32_t item : items)
      if (item >= words) buckets_.insert(item - words);
  };
  for (const FeatureLists::Block& block : lists.blocks()) insert(block.items);
  insert(word_rows_);
  buckets_.rank_all();
  const auto renumber = [&](std::vector<std::uint32_t>& items) {
    for (std::uint32_t& item : items)
      if (item >= words) item = words + buckets_.rank(item - words);
  };
  for (FeatureLists::Block& block : lists.blocks()) renumber(block.items);
  renumber(word_rows_);
}

FastTextFeatures::FastTextFeatures(const std::vector<std::string_view>& words, const std::vector<std::uint32_t>& buckets,
                                   const FastTextFeatureSettings& settings)
    : settings_(settings), vocabulary_(words, std::vector<std::uint64_t>(words.size(), 0)), buckets_(0) {
  check(settings_);
  buckets_ = RankedSet(settings_.hashes() ? settings_.subwords.buckets : 0);
  for (const std::uint32_t bucket : buckets) {
    if (!settings_.hashes() || bucket >= settings_.subwords.buckets) throw std::invalid_argument("a bucket is out of range");
    buckets_.insert(bucket);
  }
  buckets_.rank_all();
  if (buckets_.size() != buckets.size() || !std::is_sorted(buckets.begin(), buckets.end()))
    throw std::invalid_argument("buckets must rise");
  number_subwords();
  for (std::uint32_t& row : word_rows_) {
    if (row < words.size()) continue;
    const std::uint32_t rank = buckets_.rank(row - static_cast<std::uint32_t>(words.size()));
    if (rank == RankedSet::kNone) throw std::invalid_argument("a word has a character n-gram that has no row");
    row = static_cast<std::uint32_t>(words.size()) + rank;
  }
}

// Rows of words as they are before buckets are ranked: words, and then all buckets there could be.
void FastTextFeatures::number_subwords() {
  end_ = vocabulary_.find(Documents::kEnd);
  if (settings_.word_ngrams > 1)
    for (std::size_t i = 0; i < vocabulary_.size(); ++i) hashes_.push_back(subword_hash(vocabulary_.word(i)));
  if (settings_.subwords.max_n == 0) return;
  const auto words = static_cast<std::uint32_t>(vocabulary_.size());
  word_offsets_.push_back(0);
  for (std::uint32_t i = 0; i < words; ++i) {
    word_rows_.push_back(i);
    if (i != end_)
      for_each_subword(vocabulary_.word(i), settings_.subwords, [&](std::uint32_t bucket) { word_rows_.push_back(words + bucket); });
    word_offsets_.push_back(word_rows_.size());
  }
}

void FastTextFeatures::read_block(const Documents& documents, std::size_t begin, std::size_t end, bool numbered,
                                  Workspace& workspace, FeatureLists::Block& block) const {
  const auto words = static_cast<std::uint32_t>(vocabulary_.size());
  std::vector<std::uint32_t>& hashes = workspace.hashes;
  std::uint32_t unseen = 0;
  const auto add_bucket = [&](std::uint32_t bucket) {
    const std::uint32_t row = numbered ? buckets_.rank(bucket) : bucket;
    if (row == RankedSet::kNone)
      ++unseen;
    else
      block.items.push_back(words + row);
  };
  std::size_t since_poll = 0;
  const auto poll = [&] {
    if (++since_poll % 4096 == 0) poll_interrupt();
  };
  for (std::size_t i = begin; i < end; ++i) {
    hashes.clear();
    unseen = 0;
    documents.for_each_token(i, workspace.buffer, [&](std::string_view token) {
      const std::uint32_t word = vocabulary_.find(token);
      if (word != Vocabulary::kNone)
        block.items.push_back(word);
      else if (token != Documents::kEnd)
        for_each_subword(token, settings_.subwords, add_bucket);
      if (settings_.word_ngrams > 1) hashes.push_back(word != Vocabulary::kNone ? hashes_[word] : subword_hash(token));
      poll();
    });
    for (std::size_t first = 0; first < hashes.size(); ++first) {
      const std::size_t last = std::min(hashes.size(), first + static_cast<std::size_t>(settings_.word_ngrams));
      // fastText's, which keeps hashes as signed numbers.
      const auto signed_hash = [&](std::size_t at) { return static_cast<std::uint64_t>(static_cast<std::int32_t>(hashes[at])); };
      std::uint64_t hash = signed_hash(first);
      for (std::size_t next = first + 1; next < last; ++next) {
        hash = hash * 116049371u + signed_hash(next);
        add_bucket(static_cast<std::uint32_t>(hash % settings_.subwords.buckets));
      }
      poll();
    }
    block.ends.push_back(block.items.size());
    block.unseen.push_back(unseen);
  }
}

FeatureLists FastTextFeatures::read(const Documents& documents, int threads, bool numbered) const {
  FeatureLists lists;
  lists.blocks().resize((documents.size() + FeatureLists::kBlock - 1) / FeatureLists::kBlock);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
  parallel_for(documents.size(), threads, FeatureLists::kBlock, [&](std::size_t begin, std::size_t end, int thread) {
    read_block(documents, begin, end, numbered, workspaces[static_cast<std::size_t>(thread)],
               lists.blocks()[begin / FeatureLists::kBlock]);
  });
  return lists;
}

FeatureLists FastTextFeatures::read(const Documents& documents, int threads) const {
  return read(documents, resolve_threads(threads), true);
}

std::span<const std::uint32_t> FastTextFeatures::rows_of(std::span<const std::uint32_t> items,
                                                         std::vector<std::uint32_t>& memory) const {
  if (word_rows_.empty()) return items;
  memory.clear();
  for (const std::uint32_t item : items) {
    if (item >= vocabulary_.size()) {
      memory.push_back(item);
    } else {
      memory.insert(memory.end(), word_rows_.begin() + static_cast<std::ptrdiff_t>(word_offsets_[item]),
                    word_rows_.begin() + static_cast<std::ptrdiff_t>(word_offsets_[item + 1]));
    }
  }
  return memory;
}

bool FastTextFeatures::tells(std::span<const std::uint32_t> items) const {
  return std::any_of(items.begin(), items.end(), [this](std::uint32_t item) { return item != end_; });
}

}  // namespace nlptk
