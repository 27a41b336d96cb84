// What BERT's basic tokenizer knows of a character, as Hugging Face's tokenizers has it (tools/gen_bert_chars.py).
// A value above 0x10FFFF has the flags of U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nlptk::wordpiece {

enum CharFlag : std::uint8_t {
  kControl = 1,      // taken out by the clean-up
  kSpace = 2,        // white space
  kPunctuation = 4,  // stands alone
  kChinese = 8,      // gets a space on each side
  kMark = 16,        // nonspacing mark: taken out with the accents
  kChanges = 32,     // has a canonical decomposition or a lower case
  kNonStarter = 64,  // moved by canonical ordering
  kWordChar = 128,   // \w of a regular expression
};

inline constexpr std::size_t kMaxDecomposition = 4;
inline constexpr std::size_t kMaxLower = 2;

std::uint8_t char_flags(char32_t c);

// UTF-8, and so tokenizers, has no surrogates: a lone one counts as U+FFFD.
inline char32_t scalar(char32_t c) { return c >= 0xD800 && c < 0xE000 ? 0xFFFD : c; }

// 0 for a starter.
int combining_class(char32_t c);

// The full canonical decomposition, or the character itself; returns how many characters there are.
std::size_t decompose(char32_t c, char32_t out[kMaxDecomposition]);

// The lower case, two characters for U+0130 alone.
std::size_t lower_case(char32_t c, char32_t out[kMaxLower]);

}  // namespace nlptk::wordpiece
