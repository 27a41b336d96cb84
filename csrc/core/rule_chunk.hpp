// The characters of a text as the rule-based tokenizer sees them, and one chunk of it: what stands between two runs
// of whitespace.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lexicon_en.hpp"
#include "unicode.hpp"

namespace nlptk::rules {

enum Kind : std::uint8_t {
  kSpace,
  kLetter,  // letters of scripts that separate words by spaces, and Hangul
  kDigit,
  kUnderscore,
  kMark,  // combining marks, joiners, variation selectors: belongs to what stands before it
  kHan,
  kHiragana,
  kKatakana,
  kApostrophe,  // ' ’ ‘ ` ´
  kPeriod,
  kHyphen,
  kSlash,
  kColon,
  kAt,
  kBang,      // ! ? and their wide forms
  kEllipsis,  // …
  kDash,      // – — and longer
  kRepeat,    // symbols that are drawn out: * = ~ + # < > | ^ $
  kSingle,    // punctuation and symbols that stand alone
  kPicture,   // emoji, dingbats and other symbols above Latin-1
  kOther,     // control characters, lone surrogates, private and unassigned code points
  kKinds,
};

Kind kind_of_wide(char32_t c);  // from the Unicode tables, for any code point
extern const std::array<Kind, 256> kLatinKinds;

inline Kind kind_of(char32_t c) { return c < 256 ? kLatinKinds[c] : kind_of_wide(c); }

inline constexpr std::uint32_t bit(Kind kind) { return 1u << kind; }
inline constexpr std::uint32_t kWordBits = bit(kLetter) | bit(kDigit) | bit(kUnderscore) | bit(kMark);

inline bool is_ascii_alpha(char32_t c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
inline bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }
inline bool is_ascii_alnum(char32_t c) { return is_ascii_alpha(c) || is_ascii_digit(c); }

// Brackets and quotes that may stand between a period and the space after it.
bool is_closer(char32_t c);
bool is_opener(char32_t c);

// A whole text with the kinds of its characters.
struct KindedText {
  const char32_t* points = nullptr;
  const Kind* kinds = nullptr;
  std::size_t length = 0;
};

// Every scan_* method looks at one position p of the chunk and returns the end of the token it found there, or p if its
// rule does not apply. Together they look at no stretch of the chunk more than a fixed number of times.
class Chunk {
 public:
  explicit Chunk(const KindedText& text) : text_(text) {}

 protected:
  KindedText text_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint32_t bits_ = 0;  // kinds that occur in the chunk
  // What has been found out about the rest of the chunk.
  std::size_t at_ = 0, local_ = 0;  // the next @, and where what could be a mailbox name before it begins
  std::size_t no_name_until_ = 0;   // no file or host name begins before

  char32_t at(std::size_t i) const { return i < end_ ? text_.points[i] : U'\0'; }
  Kind kind(std::size_t i) const { return i < end_ ? text_.kinds[i] : kSpace; }
  bool has(Kind k) const { return (bits_ & bit(k)) != 0; }
  bool is_word(std::size_t i) const { return (bit(kind(i)) & kWordBits) != 0; }
  bool is_alnum(std::size_t i) const { return kind(i) == kLetter || kind(i) == kDigit; }
  bool after_word(std::size_t i) const { return i > begin_ && is_word(i - 1); }
  bool is_upper(std::size_t i) const { return unicode::is_upper(at(i)); }

  std::size_t skip(std::size_t i, Kind k) const {
    while (kind(i) == k) ++i;
    return i;
  }
  std::size_t skip_same(std::size_t i) const {
    const char32_t c = at(i);
    while (i < end_ && at(i) == c) ++i;
    return i;
  }
  std::size_t skip_word(std::size_t i) const {
    while (is_word(i)) ++i;
    return i;
  }
  bool spells(std::size_t p, std::string_view lower) const {
    for (std::size_t i = 0; i < lower.size(); ++i) {
      const char32_t c = at(p + i);
      if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != static_cast<char32_t>(lower[i])) return false;
    }
    return true;
  }
  const lexicon::Entry& entry(std::size_t from, std::size_t to) const {
    return lexicon::find(text_.points + from, to - from);
  }
  bool known(std::size_t from, std::size_t to, std::uint16_t property) const {
    return (entry(from, to).properties & property) != 0;
  }

  // rule_addresses.cpp
  std::size_t scan_url(std::size_t p) const;
  std::size_t scan_mail(std::size_t p);
  std::size_t scan_name(std::size_t p);
  // rule_numbers.cpp
  std::size_t number_end(std::size_t p) const;
  // rule_signs.cpp
  std::size_t scan_sign(std::size_t p, Kind k) const;
  std::size_t scan_emoticon(std::size_t p) const;
  std::size_t scan_run(std::size_t p, Kind k) const;

 private:
  std::size_t url_end(std::size_t q) const;
  std::size_t group_end(std::size_t dot) const;
  std::size_t number_part(std::size_t p, std::size_t q) const;
  std::size_t date_end(std::size_t p, std::size_t slash, std::size_t end) const;
  int small_number(std::size_t from, std::size_t to) const;
  std::size_t hyphenated_end(std::size_t p, std::size_t hyphen, std::size_t end) const;
  std::size_t scan_apostrophe(std::size_t p) const;
  std::size_t drawing_end(std::size_t p) const;
  std::size_t skip_drawing(std::size_t i) const;
  std::size_t picture_end(std::size_t p) const;
};

}  // namespace nlptk::rules
