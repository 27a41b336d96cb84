// WordPiece's vocabulary: greedy longest match in two byte tries, and the cache of words that stands before them.
//
// Source: Wu et al. 2016, arXiv 1609.08144, section 4.1; google-research/bert tokenization.py (WordpieceTokenizer).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace nlptk::wordpiece {

// A byte trie; the children of a node are neighbours, in the order of their bytes.
class Trie {
 public:
  static constexpr std::uint32_t kRoot = 0, kNone = 0xFFFFFFFF;

  struct Entry {
    std::string_view key;
    std::int32_t value;  // >= 0
  };
  // The keys may come in any order; of equal keys the last counts.
  explicit Trie(std::vector<Entry> entries = {});

  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    const Node& parent = nodes_[node];
    if (parent.children == 0) return kNone;
    const char* first = labels_.data() + parent.first;
    const void* found = std::memchr(first, byte, parent.children);
    return found == nullptr ? kNone : static_cast<std::uint32_t>(static_cast<const char*>(found) - labels_.data());
  }
  // -1 where no key ends.
  std::int32_t value(std::uint32_t node) const { return nodes_[node].value; }

 private:
  struct Node {
    std::uint32_t first = 0;
    std::uint16_t children = 0;
    std::int32_t value = -1;
  };
  std::vector<Node> nodes_;
  std::vector<char> labels_;  // [nodes], the byte that leads to each
};

struct Piece {
  std::int32_t id;
  std::uint32_t begin, end;  // bytes of the word
};

class Vocabulary {
 public:
  // tokens[i] (UTF-8) has ids[i]. std::invalid_argument if `unk_token` is not among them.
  Vocabulary(const std::vector<std::string>& tokens, const std::vector<std::int32_t>& ids, const std::string& unk_token,
             const std::string& prefix, std::size_t max_chars);

  // Fills `out` with the pieces of a word (UTF-8) of so many characters; the one unknown piece if it has none.
  void split(std::string_view word, std::size_t chars, std::vector<Piece>& out) const;

  std::int32_t unk_id() const { return unk_id_; }
  std::size_t max_chars() const { return max_chars_; }

 private:
  Trie starts_;         // every token as it stands
  Trie continuations_;  // those with the prefix, without it
  std::int32_t unk_id_ = -1;
  std::size_t max_chars_;
};

// Words of at most 15 bytes and their pieces, at most three; two ways in a cache line, the older one is replaced.
class WordCache {
 public:
  static constexpr std::size_t kMaxBytes = 15, kMaxPieces = 3;

  // The word's bytes, zeros, and its length in the last byte; so no word is all zeros.
  struct Key {
    std::uint64_t low, high;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    std::uint32_t count;
    std::int32_t ids[kMaxPieces];
  };

  WordCache() : sets_(std::size_t{1} << kBits) {}

  static Key key_of(const char* word, std::size_t bytes) {
    std::array<char, 16> block{};
    std::memcpy(block.data(), word, bytes);
    block[15] = static_cast<char>(bytes);
    Key key;
    std::memcpy(&key, block.data(), sizeof key);
    return key;
  }

  const Entry* find(const Key& key) const {
    const Set& set = sets_[index(key)];
    if (set.way[0].key == key) return &set.way[0];
    if (set.way[1].key == key) return &set.way[1];
    return nullptr;
  }

  void insert(const Key& key, const std::vector<Piece>& pieces) {
    if (pieces.size() > kMaxPieces) return;
    Set& set = sets_[index(key)];
    set.way[1] = set.way[0];
    set.way[0].key = key;
    set.way[0].count = static_cast<std::uint32_t>(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) set.way[0].ids[i] = pieces[i].id;
  }

 private:
  static constexpr int kBits = 15;  // 2^15 sets of 64 bytes: 2 MiB
  struct alignas(64) Set {
    Entry way[2];
  };
  std::vector<Set> sets_;

  static std::size_t index(const Key& key) {
    const std::uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ULL)) * 0xFF51AFD7ED558CCDULL;
    return static_cast<std::size_t>(mixed >> (64 - kBits));
  }
};

}  // namespace nlptk::wordpiece
