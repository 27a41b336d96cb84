// What short pieces were encoded to: most of a text's pieces were seen a moment ago.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "bpe/model.hpp"

namespace nlptk {

class PieceCache {
 public:
  static constexpr std::size_t kLongest = 15;  // bytes of a piece
  static constexpr std::size_t kMostTokens = 4;

  struct Key {
    std::uint64_t low, high;  // the bytes, and their number in the last one
  };
  struct alignas(16) Entry {
    Key key{0, 0};
    TokenId ids[kMostTokens] = {};  // kNoToken after the last
  };

  PieceCache() : entries_(std::size_t{1} << kBits) {}

  // `piece` has 1 to kLongest bytes. `readable`: bytes that may be read from its beginning on.
  static Key key(std::string_view piece, std::size_t readable) {
    Key key{0, 0};
    const std::size_t size = piece.size();
    if (readable >= 16) {
      std::memcpy(&key.low, piece.data(), 8);
      if (size <= 8) {
        key.low &= ~std::uint64_t{0} >> (64 - 8 * size);
      } else {
        std::memcpy(&key.high, piece.data() + 8, 8);
        key.high &= ~std::uint64_t{0} >> (128 - 8 * size);
      }
    } else {
      std::memcpy(&key, piece.data(), size);
    }
    key.high |= static_cast<std::uint64_t>(size) << 56;
    return key;
  }

  // The place of the piece, taken by it or by another.
  Entry& at(const Key& key) {
    const std::uint64_t h = (key.low * 0x9E3779B97F4A7C15ULL) ^ (key.high * 0xC2B2AE3D27D4EB4FULL);
    return entries_[((h ^ (h >> 29)) * 0x9FB21C651E98DF25ULL) >> (64 - kBits)];
  }

 private:
  static constexpr int kBits = 15;  // a megabyte

  std::vector<Entry> entries_;
};

}  // namespace nlptk
