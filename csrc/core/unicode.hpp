// Character classes and simple lower case for every code point, surrogates included, in constant time.
//
// The tables are Python's own (tools/gen_unicode.py), so that a kernel and a str method agree.
// A value above 0x10FFFF is treated as unassigned.
#pragma once

#include <cstdint>

namespace nlptk::unicode {

enum class Class : std::uint8_t {
  space,        // exactly str.isspace()
  lower,        // Ll
  upper,        // Lu
  title,        // Lt
  letter,       // other letters (Lm, Lo)
  han,          // CJK unified and compatibility ideographs with all extensions, 々 and 〇
  hiragana,     // letters
  katakana,     // letters, half width too, and ー
  hangul,       // syllables and jamo
  digit,        // Nd
  number,       // Nl, No
  punctuation,  // P*
  symbol,       // S*
  mark,         // M*
  control,      // Cc
  format,       // Cf
  surrogate,    // Cs
  private_use,  // Co
  unassigned,   // Cn
};
inline constexpr int kClasses = 19;

// Bits of flags(); each is the str method of that name on the one character.
enum Flag : std::uint8_t {
  kSpace = 1,
  kAlpha = 2,
  kDecimal = 4,
  kDigit = 8,
  kNumeric = 16,
  kUpper = 32,
  kLower = 64,
};

struct Record {
  std::int32_t lower_delta;  // add to a code point for its lower case
  Class cls;
  std::uint8_t flags;
};

extern const char kUnicodeVersion[];
extern const Record records[];
extern const std::uint16_t stage1[];  // block of 128 code points -> row of stage2
extern const std::uint8_t stage2[];   // row, code point in the block -> record

inline const Record& record(char32_t c) {
  if (c > 0x10FFFF) c = 0x10FFFF;  // a noncharacter, so unassigned for ever
  return records[stage2[(static_cast<std::uint32_t>(stage1[c >> 7]) << 7) | (c & 127)]];
}

inline Class char_class(char32_t c) { return record(c).cls; }
inline std::uint8_t flags(char32_t c) { return record(c).flags; }

// str.lower() where that is one character, otherwise the character itself (only U+0130 in today's Unicode).
// Σ has no context here: it is always σ.
inline char32_t to_lower(char32_t c) { return c + static_cast<char32_t>(record(c).lower_delta); }

inline bool is_space(char32_t c) { return flags(c) & kSpace; }
inline bool is_alpha(char32_t c) { return flags(c) & kAlpha; }
inline bool is_decimal(char32_t c) { return flags(c) & kDecimal; }
inline bool is_digit(char32_t c) { return flags(c) & kDigit; }
inline bool is_numeric(char32_t c) { return flags(c) & kNumeric; }
inline bool is_alnum(char32_t c) { return flags(c) & (kAlpha | kDecimal | kDigit | kNumeric); }
inline bool is_upper(char32_t c) { return flags(c) & kUpper; }
inline bool is_lower(char32_t c) { return flags(c) & kLower; }
inline bool is_punct(char32_t c) { return char_class(c) == Class::punctuation; }
inline bool is_han(char32_t c) { return char_class(c) == Class::han; }

}  // namespace nlptk::unicode
