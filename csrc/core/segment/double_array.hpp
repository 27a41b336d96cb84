// A trie of words as a double array (Aoe 1989): one step reads one node, which is one cache line.
//
// A character is renamed to a small code, frequent ones first, so that the children most asked for lie together.
// The root's child by code c is node c (the first 65,536 nodes are kept for them); a child of another node n by
// code c is node n.base + c if that node's `check` is n. Words can be added at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "huge_pages.hpp"
#include "segment/blob.hpp"

namespace nlptk {

// Code points and their codes 1, 2, ...; 0 is "in no word".
class Alphabet {
 public:
  static constexpr std::size_t kMost = 65'535;

  Alphabet() : bmp_(0x10000, 0) {}
  std::uint16_t code(char32_t c) const { return c < 0x10000 ? bmp_[c] : astral_code(c); }
  char32_t character(std::size_t code) const { return characters_[code - 1]; }
  std::size_t size() const { return characters_.size(); }
  const std::vector<char32_t>& characters() const { return characters_; }
  std::uint16_t add(char32_t c);  // its code, new or old; std::invalid_argument beyond kMost

 private:
  std::uint16_t astral_code(char32_t c) const;

  std::vector<std::uint16_t> bmp_;
  std::unordered_map<char32_t, std::uint16_t> astral_;
  std::vector<char32_t> characters_;
};

class DoubleArray {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::uint32_t kRoot = 0;
  static constexpr double kNoWord = -std::numeric_limits<double>::infinity();

  struct Node {
    std::uint32_t base = 0;
    std::uint32_t check = kNone;  // the parent; kNone: the node is free
    double value = kNoWord;       // the word's number, whatever it stands for; kNoWord: only the beginning of words
  };

  // Word i is words[i] (not empty); of equal words the last counts.
  explicit DoubleArray(const std::vector<std::u32string>& words);
  explicit DoubleArray(BlobReader& in);  // std::invalid_argument where the tables do not fit together
  void write(BlobWriter& out) const;     // without values

  const Alphabet& alphabet() const { return alphabet_; }
  const Node* nodes() const { return nodes_.data(); }
  std::size_t slots() const { return nodes_.size(); }

  // The node that spells `text` from the root; kNone: no word begins so. The root for "".
  std::uint32_t find(std::u32string_view text) const;
  // The child of a node by a code; kNone if there is none.
  std::uint32_t child(std::uint32_t node, std::uint16_t code) const {
    const std::uint32_t slot = nodes_[node].base + code;
    return nodes_[slot].check == node ? slot : kNone;
  }
  // The node of a word, made if need be; other nodes may move.
  std::uint32_t insert(std::u32string_view word);
  std::uint32_t id(std::uint32_t node) const { return ids_[node]; }
  std::uint32_t most_id() const { return most_id_; }  // no word read from bytes has a higher number
  void set_id(std::uint32_t node, std::uint32_t id) { ids_[node] = id; }
  void set_value(std::uint32_t node, double value) { nodes_[node].value = value; }
  std::u32string spell(std::uint32_t node) const;

 private:
  friend class DoubleArrayBuilder;
  struct Stored {
    std::uint32_t slot, base, check, id;
  };

  void reach(std::size_t slot);  // grow so that `slot` and every child of a node with that base can be read
  void occupy(std::uint32_t slot, std::uint32_t parent);
  std::uint32_t add_child(std::uint32_t parent, std::uint16_t code);
  std::uint32_t base_for(const std::vector<std::uint16_t>& codes);
  void relocate(std::uint32_t parent, const std::vector<std::uint16_t>& codes, std::uint32_t base);
  std::vector<std::uint16_t> children(std::uint32_t parent) const;
  void link_families();

  struct Link {
    std::uint16_t child = 0, sibling = 0;  // codes: of a node's first child, of the next child of its parent
  };

  Alphabet alphabet_;
  std::vector<Node, HugePageAllocator<Node>> nodes_;
  std::vector<std::uint32_t> ids_;  // of words, by node
  std::vector<Link> links_;         // by node; empty until a word is inserted
  std::uint32_t from_[17] = {};     // by the bits of a family's size: where to look for room
  std::uint32_t most_id_ = 0;
  std::uint32_t top_;               // all nodes from here on are free
};

}  // namespace nlptk
