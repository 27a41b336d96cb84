// The 64-bit hashing that features are named by: no strings are kept, equal text gives equal values on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nlptk {

inline constexpr std::uint64_t kHashSeed = 0x9E3779B97F4A7C15ULL;

// One step of a running hash over code points or values; bijective in `value` for a fixed state.
inline std::uint64_t hash_step(std::uint64_t state, std::uint64_t value) {
  return (((state << 5) | (state >> 59)) ^ value) * 0x517CC1B727220A95ULL;
}

// MurmurHash3's finalizer: every input bit reaches every output bit.
inline std::uint64_t hash_finish(std::uint64_t h) {
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDULL;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ULL;
  return h ^ (h >> 33);
}

inline std::uint64_t hash_text(const char32_t* text, std::size_t length) {
  std::uint64_t h = kHashSeed;
  for (std::size_t i = 0; i < length; ++i) h = hash_step(h, text[i]);
  return h;
}

// Of bytes, eight a step: pieces are short, so that the tail matters as much as the loop.
inline std::uint32_t hash_word(std::string_view text) {
  const char* data = text.data();
  std::size_t size = text.size();
  std::uint64_t h = kHashSeed ^ size;
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    h = hash_step(h, word);
  }
  std::uint64_t word = 0;
  if (size > 0) std::memcpy(&word, data, size);
  return static_cast<std::uint32_t>(hash_finish(hash_step(h, word)) >> 32);
}

// The 32-bit name of a feature; 0 means "no feature".
inline std::uint32_t feature_key(std::uint64_t h) {
  const auto key = static_cast<std::uint32_t>(hash_finish(h) >> 32);
  return key == 0 ? 1 : key;
}

}  // namespace nlptk
