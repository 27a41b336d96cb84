#include "rule_chunk.hpp"

#include <string_view>

namespace nlptk::rules {
namespace {

using unicode::Class;

bool is_one_of(char32_t c, std::u32string_view set) { return set.find(c) != std::u32string_view::npos; }

Kind kind_of_sign(char32_t c) {
  if (is_one_of(c, U"'’‘`´＇")) return kApostrophe;
  if (c == U'.') return kPeriod;
  if (is_one_of(c, U"-‐‑")) return kHyphen;
  if (c == U'/') return kSlash;
  if (c == U':') return kColon;
  if (c == U'@') return kAt;
  if (c == U'_') return kUnderscore;
  if (c == U'…') return kEllipsis;
  if (is_one_of(c, U"!?！？‼⁇⁈⁉")) return kBang;
  if (is_one_of(c, U"‒–—―")) return kDash;
  if (is_one_of(c, U"*=~+#<>|^$")) return kRepeat;
  if (c >= 0x1F3FB && c <= 0x1F3FF) return kMark;  // skin tones
  return c >= 0x2190 && unicode::char_class(c) == Class::symbol ? kPicture : kSingle;
}

}  // namespace

Kind kind_of_wide(char32_t c) {
  switch (unicode::char_class(c)) {
    case Class::space: return kSpace;
    case Class::lower:
    case Class::upper:
    case Class::title:
    case Class::letter:
    case Class::hangul: return kLetter;
    case Class::han: return kHan;
    case Class::hiragana: return kHiragana;
    case Class::katakana: return kKatakana;
    case Class::digit:
    case Class::number: return kDigit;
    case Class::mark:
    case Class::format: return kMark;
    case Class::punctuation:
    case Class::symbol: return kind_of_sign(c);
    default: return kOther;
  }
}

const std::array<Kind, 256> kLatinKinds = [] {
  std::array<Kind, 256> table{};
  for (char32_t c = 0; c < 256; ++c) table[c] = kind_of_wide(c);
  return table;
}();

bool is_closer(char32_t c) { return is_one_of(c, U"\"'’”`´»›)]}＂）］｝」』】》〉"); }
bool is_opener(char32_t c) { return is_one_of(c, U"\"'‘“`«‹([{（［｛「『【《〈„‚¿¡"); }

}  // namespace nlptk::rules
