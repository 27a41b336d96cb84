#include "bigrams.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {
namespace {

// Pairs as keys, sorted and summed whenever so many have come together.
class PairCounts {
 public:
  static constexpr std::size_t kUnsorted = std::size_t{1} << 23;

  void add(std::uint32_t first, std::uint32_t second) {
    unsorted_.push_back(std::uint64_t{first} << 32 | second);
    if (unsorted_.size() >= kUnsorted) sum_up();
  }
  std::vector<Bigrams::Pair> take() {
    sum_up();
    return std::move(sorted_);
  }

 private:
  static std::uint64_t key(const Bigrams::Pair& pair) { return std::uint64_t{pair.first} << 32 | pair.second; }

  void sum_up() {
    std::sort(unsorted_.begin(), unsorted_.end());
    std::vector<Bigrams::Pair> merged;
    merged.reserve(sorted_.size() + unsorted_.size() / 4);
    auto old = sorted_.begin();
    for (std::size_t i = 0; i < unsorted_.size();) {
      const std::uint64_t wanted = unsorted_[i];
      while (old != sorted_.end() && key(*old) < wanted) merged.push_back(*old++);
      Bigrams::Pair pair{static_cast<std::uint32_t>(wanted >> 32), static_cast<std::uint32_t>(wanted), 0};
      if (old != sorted_.end() && key(*old) == wanted) pair = *old++;
      for (; i < unsorted_.size() && unsorted_[i] == wanted; ++i) ++pair.count;
      merged.push_back(pair);
    }
    merged.insert(merged.end(), old, sorted_.end());
    sorted_ = std::move(merged);
    unsorted_.clear();
  }

  std::vector<std::uint64_t> unsorted_;
  std::vector<Bigrams::Pair> sorted_;
};

template <class Row, class Column>
BigramRows rows_of(const std::vector<Bigrams::Pair>& pairs, std::size_t words, Row row, Column column) {
  BigramRows rows;
  rows.starts.assign(words + 1, 0);
  for (const Bigrams::Pair& pair : pairs) ++rows.starts[row(pair) + 1];
  for (std::size_t w = 0; w < words; ++w) rows.starts[w + 1] += rows.starts[w];
  rows.others.resize(pairs.size());
  rows.counts.resize(pairs.size());
  std::vector<std::size_t> next(rows.starts.begin(), rows.starts.end() - 1);
  for (const Bigrams::Pair& pair : pairs) {
    const std::size_t at = next[row(pair)]++;
    rows.others[at] = column(pair);
    rows.counts[at] = pair.count;
  }
  return rows;
}

}  // namespace

Bigrams::Bigrams(const std::vector<Pair>& pairs, std::size_t words) {
  const auto first = [](const Pair& pair) { return pair.first; };
  const auto second = [](const Pair& pair) { return pair.second; };
  after = rows_of(pairs, words, first, second);
  before = rows_of(pairs, words, second, first);
  for (const Pair& pair : pairs) total += pair.count;
}

Bigrams count_bigrams(const Corpus& corpus, const Vocabulary& vocabulary, const std::function<void(std::size_t)>& report) {
  PairCounts counts;
  TokenReader reader(corpus);
  InterruptPoll poll;
  std::uint64_t total = 0;
  for (std::size_t chunk = 0; chunk < corpus.chunks().size(); ++chunk) {
    reader.open(corpus.chunks()[chunk]);
    std::uint32_t before = Vocabulary::kNone;
    std::string_view token;
    for (TokenReader::Event event; (event = reader.next(token)) != TokenReader::Event::end;) {
      const std::uint32_t word = event == TokenReader::Event::token ? vocabulary.find(token) : Vocabulary::kNone;
      if (word != Vocabulary::kNone && before != Vocabulary::kNone) {
        if (++total > std::numeric_limits<std::uint32_t>::max())
          throw std::invalid_argument("the corpus has more than 2^32 pairs of words; give a part of it");
        counts.add(before, word);
      }
      before = word;
    }
    poll();
    if (report) report(chunk + 1);
  }
  return Bigrams(counts.take(), vocabulary.size());
}

}  // namespace nlptk
