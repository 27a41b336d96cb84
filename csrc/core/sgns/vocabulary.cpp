#include "sgns/vocabulary.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <stdexcept>
#include <utility>

#include "parallel.hpp"

namespace nlptk {
namespace {

// What one thread counts.
struct Counter {
  WordCounts words;
  std::uint64_t tokens = 0, least = 1;  // of all its chunks

  void forget_rare() {
    ++least;
    WordCounts kept;
    words.for_each([&](const WordCounts::Word& word) {
      if (word.count >= least) kept.add(word.text(), word.count);
    });
    words = std::move(kept);
  }
};

void count_chunk(TokenReader& reader, const Corpus::Chunk& chunk, std::size_t prune_at, Counter& counter) {
  reader.open(chunk);
  std::string_view token;
  for (TokenReader::Event event; (event = reader.next(token)) != TokenReader::Event::end;) {
    if (event != TokenReader::Event::token) continue;
    counter.words.add(token);
    ++counter.tokens;
    if (counter.tokens % 4096 == 0) {
      poll_interrupt();
      while (counter.words.size() > prune_at) counter.forget_rare();
    }
  }
}

}  // namespace

Vocabulary::Vocabulary(const std::vector<std::string_view>& words, std::vector<std::uint64_t> counts, std::uint64_t raw_tokens)
    : counts_(std::move(counts)) {
  if (words.size() != counts_.size()) throw std::invalid_argument("each word needs a count");
  if (words.size() >= kNone / 2) throw std::invalid_argument("a vocabulary holds less than 2^31 words: raise min_count");
  slots_.assign(std::bit_ceil(std::max<std::size_t>(2 * words.size(), 16)), {});
  mask_ = slots_.size() - 1;
  begins_.assign(1, 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && counts_[i] > counts_[i - 1]) throw std::invalid_argument("words must be given by falling count");
    const Wanted wanted = wanted_of(words[i]);
    if (find(wanted, words[i]) != kNone)
      throw std::invalid_argument("the word '" + std::string(words[i]) + "' is given twice");
    text_.append(words[i]);
    begins_.push_back(text_.size());
    tokens_ += counts_[i];
    std::size_t at = wanted.hash & mask_;
    while (slots_[at].id != kNone) at = (at + 1) & mask_;
    slots_[at] = {wanted.head, wanted.tail, wanted.size, static_cast<std::uint32_t>(i)};
  }
  raw_tokens_ = std::max(tokens_, raw_tokens);
  raw_words_ = words.size();
}

Vocabulary Vocabulary::of(const WordCounts& all, std::uint64_t min_count, std::size_t max_size, std::uint64_t raw_tokens) {
  std::vector<WordCounts::Word> words;
  all.for_each([&](const WordCounts::Word& word) {
    if (word.count >= min_count) words.push_back(word);
  });
  std::sort(words.begin(), words.end(), [](const WordCounts::Word& a, const WordCounts::Word& b) {
    return a.count != b.count ? a.count > b.count : a.text() < b.text();
  });
  if (max_size > 0 && words.size() > max_size) words.resize(max_size);
  std::vector<std::string_view> texts;
  std::vector<std::uint64_t> counts;
  for (const WordCounts::Word& word : words) {
    texts.push_back(word.text());
    counts.push_back(word.count);
  }
  Vocabulary vocabulary(texts, std::move(counts), raw_tokens);
  vocabulary.raw_words_ = all.size();
  return vocabulary;
}

Vocabulary Vocabulary::count(const Corpus& corpus, const Settings& settings, const Report& report) {
  const int threads = resolve_threads(settings.threads);
  std::vector<Counter> counters(static_cast<std::size_t>(threads));
  std::vector<std::unique_ptr<TokenReader>> readers;
  for (int t = 0; t < threads; ++t) readers.push_back(std::make_unique<TokenReader>(corpus));
  std::atomic<std::size_t> done{0};
  parallel_for(corpus.chunks().size(), threads, 1, [&](std::size_t chunk, std::size_t, int thread) {
    const auto t = static_cast<std::size_t>(thread);
    count_chunk(*readers[t], corpus.chunks()[chunk], settings.prune_at, counters[t]);
    const std::size_t all = ++done;
    if (thread == 0 && report) report(all);
  });
  Counter total = std::move(counters[0]);
  for (std::size_t t = 1; t < counters.size(); ++t) {
    total.words.merge(std::move(counters[t].words));
    total.tokens += counters[t].tokens;
    total.least = std::max(total.least, counters[t].least);
  }
  Vocabulary vocabulary = of(total.words, settings.min_count, settings.max_size, total.tokens);
  vocabulary.pruned_below_ = total.least;
  return vocabulary;
}

}  // namespace nlptk
