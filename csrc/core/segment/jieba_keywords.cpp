#include "segment/jieba_keywords.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "hash.hpp"
#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr std::uint64_t kFormat = 1;
constexpr std::uint32_t kNew = 0xFFFFFFFF;

// Numbers the different words of a text in the order of their first appearance.
class Vocabulary {
 public:
  Vocabulary(const char32_t* text, const JiebaTagged& tagged, bool by_tag)
      : text_(text), tagged_(tagged), by_tag_(by_tag), slots_(std::bit_ceil(tagged.words.size() + 16), kNew) {}

  std::uint32_t number(std::size_t word) {
    std::uint32_t& slot = find(word);
    if (slot == kNew) {
      slot = static_cast<std::uint32_t>(firsts_.size());
      firsts_.push_back(word);
    }
    return slot;
  }
  std::u32string_view text(std::size_t word) const {
    const auto start = static_cast<std::size_t>(tagged_.words.starts[word]);
    return {text_ + start, static_cast<std::size_t>(tagged_.words.ends[word]) - start};
  }
  const std::vector<std::size_t>& firsts() const { return firsts_; }

 private:
  std::uint32_t& find(std::size_t word) {
    const std::u32string_view spelled = text(word);
    std::size_t at = hash_finish(hash_text(spelled.data(), spelled.size())) & (slots_.size() - 1);
    while (slots_[at] != kNew && !same(word, firsts_[slots_[at]])) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  bool same(std::size_t a, std::size_t b) const {
    return text(a) == text(b) && (!by_tag_ || tagged_.tags[a] == tagged_.tags[b]);
  }

  const char32_t* text_;
  const JiebaTagged& tagged_;
  bool by_tag_;
  std::vector<std::uint32_t> slots_;  // more than words
  std::vector<std::size_t> firsts_;
};

// Two characters or more beside white space at the ends, and no stop word in lower case.
bool is_keyword(std::u32string_view word, const JiebaStopWords& stop_words) {
  std::size_t begin = 0, end = word.size();
  while (begin < end && unicode::is_space(word[begin])) ++begin;
  while (begin < end && unicode::is_space(word[end - 1])) --end;
  if (end - begin < 2) return false;
  return !stop_words.has(word);
}

bool is_allowed(const JiebaTagged& tagged, std::size_t word, const JiebaKeywordFilter& filter) {
  return filter.any_tag || (tagged.tags[word] < filter.tags.size() && filter.tags[tagged.tags[word]]);
}

// The first `most` by falling weight, equal weights in the order in which they come.
std::vector<JiebaKeyword> best(const std::vector<JiebaKeyword>& keywords, std::size_t most) {
  most = std::min(most, keywords.size());
  std::vector<std::uint32_t> order(keywords.size());
  std::iota(order.begin(), order.end(), 0u);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      if (keywords[a].weight != keywords[b].weight) return keywords[a].weight > keywords[b].weight;
                      return a < b;
                    });
  std::vector<JiebaKeyword> found(most);
  for (std::size_t i = 0; i < most; ++i) found[i] = keywords[order[i]];
  return found;
}

DoubleArray read_trie(BlobReader& in) {
  if (in.value<std::uint64_t>() != kFormat) throw std::invalid_argument("the compiled idf table is of another format");
  return DoubleArray(in);
}

}  // namespace

// ---- idf ---------------------------------------------------------------------------------------------------------

JiebaIdf::JiebaIdf(const std::vector<std::u32string>& words, std::vector<double> values, double median)
    : trie_(words), values_(std::move(values)), median_(median) {
  if (values_.size() != words.size()) throw std::invalid_argument("words and values must be as many");
  set_values();
}

void JiebaIdf::set_values() {
  for (std::uint32_t node = 0; node < trie_.slots(); ++node) {
    if (trie_.id(node) == DoubleArray::kNone) continue;
    const double value = values_[trie_.id(node)];
    if (!std::isfinite(value)) throw std::invalid_argument("a value is not finite");
    trie_.set_value(node, value);
  }
}

JiebaIdf::JiebaIdf(std::string_view bytes) : JiebaIdf(BlobReader(bytes)) {}

JiebaIdf::JiebaIdf(BlobReader in) : trie_(read_trie(in)) {
  values_ = in.array<double>();
  median_ = in.value<double>();
  if (trie_.most_id() >= values_.size()) throw std::invalid_argument("the compiled idf table does not fit together");
  set_values();
}

std::string JiebaIdf::to_bytes() const {
  BlobWriter out;
  out.value(kFormat);
  trie_.write(out);
  out.array(values_);
  out.value(median_);
  return out.take();
}

double JiebaIdf::get(std::u32string_view word) const {
  const std::uint32_t node = trie_.find(word);
  const double value = node == DoubleArray::kNone ? DoubleArray::kNoWord : trie_.nodes()[node].value;
  return value == DoubleArray::kNoWord ? median_ : value;
}

// ---- stop words --------------------------------------------------------------------------------------------------

void JiebaStopWords::add(std::u32string_view word) {
  if (word.empty()) return;
  words_.emplace(word);
  firsts_[word[0] & 0xFFFF] = true;
}

bool JiebaStopWords::has(std::u32string_view word) const {
  if (!firsts_[unicode::to_lower(word[0]) & 0xFFFF]) return false;
  std::u32string lower(word);
  for (char32_t& c : lower) c = unicode::to_lower(c);
  return words_.count(lower) > 0;
}

// ---- TF-IDF ------------------------------------------------------------------------------------------------------

std::vector<JiebaKeyword> jieba_tfidf(const char32_t* text, const JiebaTagged& tagged, const JiebaIdf& idf,
                                      const JiebaStopWords& stop_words, const JiebaKeywordFilter& filter,
                                      std::size_t most) {
  Vocabulary vocabulary(text, tagged, filter.by_tag);
  std::vector<double> counts;
  for (std::size_t word = 0; word < tagged.words.size(); ++word) {
    // Half of all words are single characters: not worth a look at the table.
    if (tagged.words.ends[word] - tagged.words.starts[word] < 2 || !is_allowed(tagged, word, filter)) continue;
    const std::uint32_t number = vocabulary.number(word);
    if (number == counts.size()) counts.push_back(0);
    ++counts[number];
  }
  std::vector<JiebaKeyword> found;
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t word = vocabulary.firsts()[i];
    if (!is_keyword(vocabulary.text(word), stop_words)) continue;
    found.push_back({word, counts[i]});
    total += counts[i];
  }
  for (JiebaKeyword& keyword : found) keyword.weight *= idf.get(vocabulary.text(keyword.word)) / total;
  return best(found, most);
}

// ---- TextRank ----------------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kSpan = 5;  // words apart at which two are no neighbours any more
constexpr int kRounds = 10;
constexpr double kDamping = 0.85;

struct Edge {
  std::uint32_t to;
  double weight;
};

// The undirected graph of words that stand near each other; nodes and edges in the order in which jieba makes them.
struct Graph {
  std::vector<std::uint32_t> words;       // [nodes] numbers of the vocabulary
  std::vector<std::vector<Edge>> edges;   // [nodes]
};

Graph neighbours(const JiebaTagged& tagged, const std::vector<std::uint32_t>& numbers, std::size_t words) {
  std::unordered_map<std::uint64_t, std::size_t> known;
  std::vector<std::pair<std::uint64_t, double>> pairs;  // in order of first appearance
  for (std::size_t i = 0; i < tagged.words.size(); ++i) {
    if (numbers[i] == kNew) continue;
    for (std::size_t j = i + 1; j < std::min(i + kSpan, tagged.words.size()); ++j) {
      if (numbers[j] == kNew) continue;
      const std::uint64_t key = std::uint64_t{numbers[i]} << 32 | numbers[j];
      const auto [at, fresh] = known.emplace(key, pairs.size());
      if (fresh) pairs.emplace_back(key, 0);
      ++pairs[at->second].second;
    }
  }
  Graph graph;
  std::vector<std::uint32_t> nodes(words, kNew);
  const auto node = [&](std::uint32_t word) {
    if (nodes[word] == kNew) {
      nodes[word] = static_cast<std::uint32_t>(graph.words.size());
      graph.words.push_back(word);
      graph.edges.emplace_back();
    }
    return nodes[word];
  };
  for (const auto& [key, weight] : pairs) {
    const std::uint32_t a = node(static_cast<std::uint32_t>(key >> 32)), b = node(static_cast<std::uint32_t>(key));
    graph.edges[a].push_back({b, weight});
    graph.edges[b].push_back({a, weight});
  }
  return graph;
}

}  // namespace

std::vector<JiebaKeyword> jieba_textrank(const char32_t* text, const JiebaTagged& tagged,
                                         const JiebaStopWords& stop_words, const JiebaKeywordFilter& filter,
                                      std::size_t most) {
  Vocabulary vocabulary(text, tagged, filter.by_tag);
  std::vector<std::uint32_t> numbers(tagged.words.size(), kNew);  // kNew: cannot be a keyword
  for (std::size_t word = 0; word < numbers.size(); ++word) {
    if (is_allowed(tagged, word, filter) && is_keyword(vocabulary.text(word), stop_words))
      numbers[word] = vocabulary.number(word);
  }
  const Graph graph = neighbours(tagged, numbers, vocabulary.firsts().size());
  const std::size_t nodes = graph.words.size();
  if (nodes == 0) return {};
  const auto first = [&](std::size_t node) { return vocabulary.firsts()[graph.words[node]]; };

  std::vector<double> weights(nodes, 1.0 / static_cast<double>(nodes)), sums(nodes, 0.0);
  for (std::size_t n = 0; n < nodes; ++n) {
    for (const Edge& edge : graph.edges[n]) sums[n] += edge.weight;
  }
  // Each round goes through the words as Python sorts them and uses the weights of this round at once.
  std::vector<std::size_t> order(nodes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return vocabulary.text(first(a)) < vocabulary.text(first(b));
  });
  for (int round = 0; round < kRounds; ++round) {
    for (const std::size_t n : order) {
      double sum = 0;
      for (const Edge& edge : graph.edges[n]) sum += edge.weight / sums[edge.to] * weights[edge.to];
      weights[n] = (1 - kDamping) + kDamping * sum;
    }
  }
  const auto [least, greatest] = std::minmax_element(weights.begin(), weights.end());
  const double low = *least / 10.0, width = *greatest - low;
  std::vector<JiebaKeyword> found(nodes);
  for (std::size_t n = 0; n < nodes; ++n) found[n] = {first(n), (weights[n] - low) / width};
  return best(found, most);
}

}  // namespace nlptk
