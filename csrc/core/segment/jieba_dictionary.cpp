#include "segment/jieba_dictionary.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nlptk {
namespace {

constexpr std::uint64_t kFormat = 1;

std::vector<std::u32string> words_of(const std::vector<JiebaDictionary::Entry>& entries) {
  std::vector<std::u32string> words;
  words.reserve(entries.size());
  for (const auto& entry : entries) words.push_back(entry.word);
  return words;
}

void check_count(std::int64_t count) {
  if (count < 0 || count > JiebaDictionary::kMostCount)
    throw std::invalid_argument("a word's count must be between 0 and 2^53");
}

void check_total(std::int64_t total) {
  if (total < 1 || total > JiebaDictionary::kMostCount)
    throw std::invalid_argument("the sum of all counts must be between 1 and 2^53");
}

double log_of(std::int64_t count) {
  return count == 0 ? DoubleArray::kNoWord : std::log(static_cast<double>(count));
}

}  // namespace

JiebaDictionary::JiebaDictionary(const std::vector<Entry>& entries, std::int64_t total) : trie_(words_of(entries)) {
  if (entries.empty()) throw std::invalid_argument("the dictionary has no words");
  set_total(total);
  // Words are numbered in the order of their nodes, so that loading reads memory from front to back.
  for (std::uint32_t node = 0; node < trie_.slots(); ++node) {
    if (trie_.id(node) == DoubleArray::kNone) continue;
    const Entry& entry = entries[trie_.id(node)];
    check_count(entry.count);
    trie_.set_id(node, static_cast<std::uint32_t>(counts_.size()));
    counts_.push_back(entry.count);
    tags_.push_back(entry.tag.empty() ? kNoTag : tag_number(entry.tag));
  }
  set_values();
}

void JiebaDictionary::set_total(std::int64_t total) {
  check_total(total);
  total_ = total;
  log_total_ = std::log(static_cast<double>(total));
}

// Logarithms are taken here and not kept in the cache: they must be this machine's, which Python's math.log uses too.
void JiebaDictionary::set_values() {
  std::vector<double> small(4096);
  for (std::size_t i = 0; i < small.size(); ++i) small[i] = log_of(static_cast<std::int64_t>(i));
  for (std::uint32_t node = 0; node < trie_.slots(); ++node) {
    const std::uint32_t id = trie_.id(node);
    if (id == DoubleArray::kNone) continue;
    const std::int64_t count = counts_[id];
    trie_.set_value(node, count < static_cast<std::int64_t>(small.size()) ? small[static_cast<std::size_t>(count)]
                                                                          : log_of(count));
  }
}

// ---- as bytes ----------------------------------------------------------------------------------------------------

std::string JiebaDictionary::to_bytes() const {
  BlobWriter out;
  out.value(kFormat);
  out.value(total_);
  trie_.write(out);
  out.array(counts_);
  out.array(tags_);
  std::vector<char> names;
  for (const std::string& name : tag_names_) {
    names.insert(names.end(), name.begin(), name.end());
    names.push_back('\n');
  }
  out.array(names);
  return out.take();
}

namespace {

DoubleArray read_trie(BlobReader& in, std::int64_t& total) {
  if (in.value<std::uint64_t>() != kFormat) throw std::invalid_argument("the compiled dictionary is of another format");
  total = in.value<std::int64_t>();
  return DoubleArray(in);
}

}  // namespace

JiebaDictionary::JiebaDictionary(std::string_view bytes) : JiebaDictionary(BlobReader(bytes)) {}

JiebaDictionary::JiebaDictionary(BlobReader in) : trie_(read_trie(in, total_)) {
  counts_ = in.array<std::int64_t>();
  tags_ = in.array<std::uint16_t>();
  const auto names = in.array<char>();
  tag_names_.clear();
  for (auto at = names.begin(); at != names.end();) {
    const auto end = std::find(at, names.end(), '\n');
    tag_names_.emplace_back(at, end);
    at = end == names.end() ? end : end + 1;
  }
  bool fits = counts_.size() == tags_.size() && !tag_names_.empty();
  for (const std::uint16_t tag : tags_) fits = fits && tag < tag_names_.size();
  fits = fits && trie_.most_id() < counts_.size();
  if (!fits) throw std::invalid_argument("the compiled dictionary's tables do not fit together");
  for (const std::int64_t count : counts_) check_count(count);
  set_total(total_);
  set_values();
}

std::vector<JiebaDictionary::Entry> JiebaDictionary::entries() const {
  std::vector<Entry> found;
  for (std::uint32_t node = 0; node < trie_.slots(); ++node) {
    const std::uint32_t id = trie_.id(node);
    if (id == DoubleArray::kNone) continue;
    found.push_back({trie_.spell(node), counts_[id], tags_[id] == kNoTag ? "" : tag_names_[tags_[id]]});
  }
  return found;
}

// ---- changes -----------------------------------------------------------------------------------------------------

std::uint32_t JiebaDictionary::word_node(std::u32string_view word) {
  if (word.empty()) throw std::invalid_argument("a word must have a character");
  const std::uint32_t node = trie_.insert(word);
  if (trie_.id(node) == DoubleArray::kNone) {
    trie_.set_id(node, static_cast<std::uint32_t>(counts_.size()));
    counts_.push_back(0);
    tags_.push_back(kNoTag);
  }
  return node;
}

void JiebaDictionary::add(std::u32string_view word, std::int64_t count) {
  check_count(count);
  check_total(total_ + count);
  const std::uint32_t node = word_node(word);
  set_total(total_ + count);
  counts_[trie_.id(node)] = count;
  trie_.set_value(node, log_of(count));
}

void JiebaDictionary::set_tag(std::u32string_view word, const std::string& tag) {
  tags_[trie_.id(word_node(word))] = tag_number(tag);
}

std::uint16_t JiebaDictionary::tag_number(const std::string& name) {
  const auto found = std::find(tag_names_.begin(), tag_names_.end(), name);
  if (found != tag_names_.end()) return static_cast<std::uint16_t>(found - tag_names_.begin());
  if (tag_names_.size() > 0xFFFF) throw std::invalid_argument("the dictionary has more than 65,536 different tags");
  if (name.find('\n') != std::string::npos) throw std::invalid_argument("a tag must not hold a line end");
  tag_names_.push_back(name);
  return static_cast<std::uint16_t>(tag_names_.size() - 1);
}

std::optional<std::int64_t> JiebaDictionary::count(std::u32string_view text) const {
  const std::uint32_t node = text.empty() ? DoubleArray::kNone : trie_.find(text);
  if (node == DoubleArray::kNone) return std::nullopt;
  const std::uint32_t id = trie_.id(node);
  return id == DoubleArray::kNone ? 0 : counts_[id];
}

}  // namespace nlptk
