// A set of byte strings with a value each, as a double-array trie: one 8-byte cell is read for every step of a walk.
//
// A step is a byte, but the three bytes of a Han character (U+4000 to U+9FFF) are one: most of a walk's time is waiting
// for the next cell. A string that ends within such a character has its last bytes as steps of their own, and a node
// from which such steps lead is marked, so that a walk over text looks for them there alone.
//
// Source: Aoe 1989, An efficient digital search algorithm by using a double-array structure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nlptk {

class TokenTrie {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Match {
    std::uint32_t value = kNone;
    std::size_t length = 0;
  };

  TokenTrie() : cells_(kSymbols), values_(kSymbols, kNone) {}
  // Of equal strings the last keeps its value. Empty strings are left out.
  TokenTrie(const std::vector<std::string_view>& keys, const std::vector<std::uint32_t>& values);

  // The longest string that `text` begins with; value kNone if there is none.
  Match longest(const char* text, std::size_t size) const {
    std::uint32_t node = 0, last = 0;
    std::size_t length = 0;
    for (std::size_t at = 0; at < size;) {
      const Symbol symbol = symbol_at(text, at, size);
      if (symbol.bytes > 1 && (cells_[node].base & kPartial)) partial(node, text + at, at, last, length);
      if (!step(node, symbol.code)) break;
      at += symbol.bytes;
      if (cells_[node].base & kHasValue) {
        last = node;
        length = at;
      }
    }
    return length > 0 ? Match{values_[last], length} : Match{};
  }

  // The value of exactly this string, or kNone.
  std::uint32_t find(std::string_view text) const {
    std::uint32_t node = 0;
    for (std::size_t at = 0; at < text.size();) {
      const Symbol symbol = symbol_at(text.data(), at, text.size());
      if (!step(node, symbol.code)) return kNone;
      at += symbol.bytes;
    }
    return text.empty() ? kNone : values_[node];
  }

 private:
  static constexpr std::uint32_t kSymbols = 256 + 0x6000;    // bytes, then U+4000 to U+9FFF
  static constexpr std::uint32_t kHasValue = 0x80000000;     // in a base, so that a walk reads values_ once
  static constexpr std::uint32_t kPartial = 0x40000000;      // a string goes on with the first byte of a Han character
  static constexpr std::uint32_t kBase = kPartial - 1;
  struct Symbol {
    std::uint32_t code;
    std::uint32_t bytes;
  };
  struct Cell {
    std::uint32_t base = 0;
    std::uint32_t parent = kNone;
  };

  static bool is_lead(std::uint8_t byte) { return byte >= 0xE4 && byte <= 0xE9; }
  static Symbol symbol_at(const char* text, std::size_t at, std::size_t size) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    if (!is_lead(byte(0)) || at + 2 >= size || (byte(1) & 0xC0) != 0x80 || (byte(2) & 0xC0) != 0x80)
      return {byte(0), 1};
    return {256U + ((byte(0) - 0xE4U) << 12 | (byte(1) & 63U) << 6 | (byte(2) & 63U)), 3};
  }

  bool step(std::uint32_t& node, std::uint32_t symbol) const {
    const std::uint32_t child = (cells_[node].base & kBase) + symbol;
    if (cells_[child].parent != node) return false;
    node = child;
    return true;
  }

  // Strings that end after one or two bytes of the Han character at `text`.
  void partial(std::uint32_t node, const char* text, std::size_t at, std::uint32_t& last, std::size_t& length) const {
    for (std::size_t i = 0; i < 2 && step(node, static_cast<std::uint8_t>(text[i])); ++i) {
      if (!(cells_[node].base & kHasValue)) continue;
      last = node;
      length = at + i + 1;
    }
  }

  // Cells up to the highest base and symbol exist, so that a walk needs no bounds check.
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> values_;
};

}  // namespace nlptk
