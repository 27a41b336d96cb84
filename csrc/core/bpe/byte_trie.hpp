// A set of byte strings with a value each, as a double-array trie: one 8-byte cell read for every byte walked.
//
// Source: Aoe 1989, An efficient digital search algorithm by using a double-array structure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nlptk {

class ByteTrie {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Match {
    std::uint32_t value = kNone;
    std::size_t length = 0;
  };

  ByteTrie() = default;
  // Of equal strings the last keeps its value. Empty strings are left out.
  ByteTrie(const std::vector<std::string_view>& keys, const std::vector<std::uint32_t>& values);

  // The longest string that `text` begins with; value kNone if there is none.
  Match longest(const char* text, std::size_t size) const {
    Match found;
    std::uint32_t node = 0;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (!step(node, text[i])) break;
      if (cells_[node].base & kHasValue) {
        last = node;
        found.length = i + 1;
      }
    }
    if (found.length > 0) found.value = values_[last];
    return found;
  }

  // The value of exactly this string, or kNone.
  std::uint32_t find(std::string_view text) const {
    std::uint32_t node = 0;
    for (const char c : text)
      if (!step(node, c)) return kNone;
    return text.empty() ? kNone : values_[node];
  }

 private:
  static constexpr std::uint32_t kHasValue = 0x80000000;  // in a base, so that a walk reads values_ once
  struct Cell {
    std::uint32_t base = 0;
    std::uint32_t parent = kNone;
  };

  bool step(std::uint32_t& node, char c) const {
    const std::uint32_t child = (cells_[node].base & ~kHasValue) + static_cast<std::uint8_t>(c);
    if (cells_[child].parent != node) return false;
    node = child;
    return true;
  }

  // Cells up to the highest base + 255 exist, so that a walk needs no bounds check.
  std::vector<Cell> cells_ = std::vector<Cell>(256);
  std::vector<std::uint32_t> values_ = std::vector<std::uint32_t>(256, kNone);
};

}  // namespace nlptk
