#include "wordpiece/bert_chars.hpp"

#include <algorithm>
#include <iterator>

namespace nlptk::wordpiece {
namespace {

struct Decomposition {
  char32_t code;
  char32_t to[kMaxDecomposition];
};
struct Lowering {
  char32_t code;
  char32_t to[kMaxLower];
};
struct Combining {
  char32_t code;
  int order;
};

#include "wordpiece/bert_tables.inc"

// Entry of a table sorted by code, or null.
template <class Entry, std::size_t N>
const Entry* find(const Entry (&table)[N], char32_t c) {
  const Entry* end = std::end(table);
  const Entry* found = std::lower_bound(table, end, c, [](const Entry& entry, char32_t code) { return entry.code < code; });
  return found != end && found->code == c ? found : nullptr;
}

// Copies the characters before the padding.
template <std::size_t N>
std::size_t copy(const char32_t (&from)[N], char32_t* out) {
  std::size_t n = 0;
  while (n < N && from[n] != 0) {
    out[n] = from[n];
    ++n;
  }
  return n;
}

// Hangul syllables, Unicode 3.12: L, V and perhaps T are computed.
constexpr char32_t kHangul = 0xAC00, kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11A7;
constexpr char32_t kVowels = 21, kTrails = 28, kSyllables = 19 * kVowels * kTrails;

std::size_t decompose_hangul(char32_t index, char32_t* out) {
  out[0] = kLead + index / (kVowels * kTrails);
  out[1] = kVowel + index / kTrails % kVowels;
  if (index % kTrails == 0) return 2;
  out[2] = kTrail + index % kTrails;
  return 3;
}

}  // namespace

std::uint8_t char_flags(char32_t c) {
  if (c > 0x10FFFF) c = 0xFFFD;
  return kStage2[(static_cast<std::uint32_t>(kStage1[c >> 7]) << 7) | (c & 127)];
}

int combining_class(char32_t c) {
  if (!(char_flags(c) & kNonStarter)) return 0;
  return find(kCombinings, c)->order;
}

std::size_t decompose(char32_t c, char32_t out[kMaxDecomposition]) {
  if (c >= kHangul && c < kHangul + kSyllables) return decompose_hangul(c - kHangul, out);
  if (char_flags(c) & kChanges) {
    if (const Decomposition* found = find(kDecompositions, c)) return copy(found->to, out);
  }
  out[0] = c;
  return 1;
}

std::size_t lower_case(char32_t c, char32_t out[kMaxLower]) {
  if (char_flags(c) & kChanges) {
    if (const Lowering* found = find(kLowerings, c)) return copy(found->to, out);
  }
  out[0] = c;
  return 1;
}

}  // namespace nlptk::wordpiece
