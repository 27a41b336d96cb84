// What the rule-based English tokenizer knows about single words, looked up in a few nanoseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nlptk::lexicon {

enum Property : std::uint16_t {
  kPrefix = 1,        // keeps its hyphen: non-, pre-, e-
  kAbbreviation = 2,  // keeps its period and never ends a sentence: Dr.
  kMayEnd = 4,        // keeps its period, but may end a sentence: etc.
  kBeforeNumber = 8,  // keeps its period only before a number: No. 5
  kCapital = 16,      // the three above hold only for a capitalized word: Sun.
  kDomain = 32,       // top-level domain
  kExtension = 64,    // ending of a file name
  kUnit = 128,        // split from the number before it: 7 pm
  kStarter = 256,     // a word that is capitalized chiefly because it begins a sentence
  kNewsgroup = 512,   // first part of a Usenet group: comp.lang.c
  kClitic = 1024,     // what may follow an apostrophe as a token of its own: 's
  kElided = 2048,     // begins with an apostrophe: 'em
};

struct Entry {
  std::uint64_t key = 0;         // up to eight lower-case ASCII characters; 0 for an empty slot
  std::uint16_t properties = 0;  // or-ed Property
  std::uint8_t split = 0;        // the word is two tokens, the first this long: can|not
};

inline constexpr std::size_t kLongest = 8;

const Entry& find(std::uint64_t key);  // an empty entry for a word that is not known

// The entry of text[0, length) whatever its case.
template <class Char>
const Entry& find(const Char* text, std::size_t length) {
  std::uint64_t key = 0;
  if (length <= kLongest) {
    for (std::size_t i = 0; i < length; ++i) {
      const auto c = static_cast<std::uint32_t>(text[i]);
      if (c >= 128) return find(0);
      key = key << 8 | (c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
  }
  return find(key);
}

}  // namespace nlptk::lexicon
