// Character n-grams of a word in hashed buckets, as fastText numbers them (Bojanowski et al. 2017; Dictionary::computeSubwords).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nlptk {

struct SubwordSettings {
  int min_n = 3;  // characters of the shortest n-gram, the word's marks < and > counted
  int max_n = 6;  // of the longest; 0: no n-grams
  std::uint32_t buckets = 2'000'000;
};

// 32-bit FNV-1a over signed bytes: fastText's own slip, which its files hold to.
inline std::uint32_t subword_hash(std::string_view text) {
  std::uint32_t h = 2166136261u;
  for (const char c : text) {
    h ^= static_cast<std::uint32_t>(static_cast<std::int8_t>(c));
    h *= 16777619u;
  }
  return h;
}

// Calls f(bucket) for each n-gram of "<word>", by where it begins and then by its length. `word` is UTF-8.
template <class F>
void for_each_subword(std::string_view word, const SubwordSettings& settings, F&& f) {
  if (settings.max_n <= 0 || settings.buckets == 0) return;
  std::string marked;
  marked.reserve(word.size() + 2);
  marked.append(1, '<').append(word).append(1, '>');
  const auto inside = [&](std::size_t at) { return at < marked.size() && (marked[at] & 0xC0) == 0x80; };
  for (std::size_t begin = 0; begin < marked.size(); ++begin) {
    if (inside(begin)) continue;
    std::size_t end = begin;
    for (int n = 1; n <= settings.max_n && end < marked.size(); ++n) {
      do ++end;
      while (inside(end));
      const bool only_mark = n == 1 && (begin == 0 || end == marked.size());
      if (n >= settings.min_n && !only_mark)
        f(subword_hash(std::string_view(marked).substr(begin, end - begin)) % settings.buckets);
    }
  }
}

}  // namespace nlptk
