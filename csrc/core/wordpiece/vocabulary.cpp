#include "wordpiece/vocabulary.hpp"

#include <algorithm>
#include <stdexcept>

namespace nlptk::wordpiece {

Trie::Trie(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  // Breadth first: a node stands for the keys [begin, end), which share their first `depth` bytes.
  struct Range {
    std::size_t begin, end, depth;
  };
  std::vector<Range> ranges{{0, entries.size(), 0}};
  nodes_.emplace_back();
  labels_.push_back('\0');
  for (std::size_t node = 0; node < ranges.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    for (; begin < end && entries[begin].key.size() == depth; ++begin) nodes_[node].value = entries[begin].value;
    nodes_[node].first = static_cast<std::uint32_t>(nodes_.size());
    while (begin < end) {
      const char byte = entries[begin].key[depth];
      std::size_t stop = begin + 1;
      while (stop < end && entries[stop].key[depth] == byte) ++stop;
      ranges.push_back({begin, stop, depth + 1});
      nodes_.emplace_back();
      labels_.push_back(byte);
      ++nodes_[node].children;
      begin = stop;
    }
  }
}

namespace {

// Tokens behind a prefix; an empty one gives them all.
std::vector<Trie::Entry> entries_of(const std::vector<std::string>& tokens, const std::vector<std::int32_t>& ids,
                                    std::string_view prefix) {
  std::vector<Trie::Entry> entries;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    if (token.substr(0, prefix.size()) == prefix) entries.push_back({token.substr(prefix.size()), ids[i]});
  }
  return entries;
}

}  // namespace

Vocabulary::Vocabulary(const std::vector<std::string>& tokens, const std::vector<std::int32_t>& ids,
                       const std::string& unk_token, const std::string& prefix, std::size_t max_chars)
    : starts_(entries_of(tokens, ids, "")), continuations_(entries_of(tokens, ids, prefix)), max_chars_(max_chars) {
  const auto unk = std::find(tokens.begin(), tokens.end(), unk_token);
  if (unk == tokens.end()) throw std::invalid_argument("the vocabulary has no unknown token '" + unk_token + "'");
  unk_id_ = ids[static_cast<std::size_t>(unk - tokens.begin())];
}

void Vocabulary::split(std::string_view word, std::size_t chars, std::vector<Piece>& out) const {
  out.clear();
  if (chars <= max_chars_) {
    const Trie* trie = &starts_;
    std::size_t begin = 0;
    while (begin < word.size()) {
      std::int32_t id = -1;
      std::size_t end = begin;
      std::uint32_t node = Trie::kRoot;
      for (std::size_t i = begin; i < word.size(); ++i) {
        node = trie->child(node, static_cast<unsigned char>(word[i]));
        if (node == Trie::kNone) break;
        if (trie->value(node) >= 0) {
          id = trie->value(node);
          end = i + 1;
        }
      }
      if (id < 0) break;
      out.push_back({id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
      begin = end;
      trie = &continuations_;
    }
    if (begin == word.size()) return;
  }
  out.assign(1, {unk_id_, 0, static_cast<std::uint32_t>(word.size())});
}

}  // namespace nlptk::wordpiece
