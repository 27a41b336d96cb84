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

// Of bytes, eight a step. Words are short, so the tail decides: it is read by loads that may overlap, since a copy of so
// many bytes as there are into a register costs more than the rest (wyhash does so).
inline std::uint32_t hash_word(std::string_view text) {
  const auto load = [](const char* from, auto value) {
    std::memcpy(&value, from, sizeof value);
    return std::uint64_t{value};
  };
  const char* const data = text.data();
  const std::size_t size = text.size();
  std::uint64_t h = kHashSeed ^ size;
  std::uint64_t tail = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) h = hash_step(h, load(data + at, std::uint64_t{}));
    tail = load(data + size - 8, std::uint64_t{});
  } else if (size >= 4) {
    tail = load(data, std::uint32_t{}) << 32 | load(data + size - 4, std::uint32_t{});
  } else if (size > 0) {
    const auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(data[at])}; };
    tail = byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
  }
  return static_cast<std::uint32_t>(hash_finish(hash_step(h, tail)) >> 32);
}

// The 32-bit name of a feature; 0 means "no feature".
inline std::uint32_t feature_key(std::uint64_t h) {
  const auto key = static_cast<std::uint32_t>(hash_finish(h) >> 32);
  return key == 0 ? 1 : key;
}

}  // namespace nlptk
