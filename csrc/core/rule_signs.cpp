#include "rule_chunk.hpp"

#include <string_view>

namespace nlptk::rules {

// Signs that take part in what follows them.
std::size_t Chunk::scan_sign(std::size_t p, Kind k) const {
  const char32_t following = at(p + 1);
  switch (k) {
    case kApostrophe: return scan_apostrophe(p);
    case kPeriod:
      if (after_word(p)) return p;
      if (kind(p + 1) == kDigit) return number_end(p + 1);
      if (is_ascii_alpha(following)) {
        const std::size_t r = skip_word(p + 1);
        if (known(p + 1, r, lexicon::kExtension | lexicon::kDomain)) return r;
      }
      return p;
    case kAt:
      return !after_word(p) && (kind(p + 1) == kLetter || following == U'_') ? skip_word(p + 1) : p;
    case kRepeat:
      if (at(p) == U'#' && !after_word(p) && (kind(p + 1) == kLetter || following == U'_')) return skip_word(p + 1);
      if (at(p) == U'+' && p == begin_ && kind(p + 1) == kDigit) return number_end(p + 1);
      return p;
    default: return p;
  }
}

// 's, 'em, '72, '60s, '' and ‘’
std::size_t Chunk::scan_apostrophe(std::size_t p) const {
  if (kind(p + 1) == kApostrophe) return p + 2;
  const std::size_t r = skip_word(p + 1);
  if (r == p + 1 || kind(r) == kApostrophe) return p;
  if (known(p + 1, r, lexicon::kClitic) || (known(p + 1, r, lexicon::kElided) && !after_word(p))) return r;
  const bool year = is_ascii_digit(at(p + 1)) && is_ascii_digit(at(p + 2)) &&
                    (r == p + 3 || (r == p + 4 && at(p + 3) == U's'));
  return year && !after_word(p) ? r : p;
}

// :) ;-) =( :D :/ <3 ^_^ (:
std::size_t Chunk::scan_emoticon(std::size_t p) const {
  const char32_t c = at(p);
  if (c == U'<' && at(p + 1) == U'3' && !is_word(p + 2)) return p + 2;
  if (at(p + 1) == U'_' && at(p + 2) == c && (c == U'^' || c == U'-' || c == U'>') && !is_word(p + 3)) return p + 3;
  if (c == U'^' && at(p + 1) == U'^') return p + 2;
  if (c == U'(' && p == begin_ && end_ - p == 2 && (at(p + 1) == U':' || at(p + 1) == U';')) return p + 2;
  std::size_t i = c == U'>' ? p + 1 : p;
  if (at(i) != U':' && at(i) != U';' && at(i) != U'=') return p;
  const bool eyes_of_equals = at(i) == U'=';
  ++i;
  const bool nose = at(i) == U'-' || at(i) == U'\'' || at(i) == U'^';
  if (nose) ++i;
  static constexpr std::u32string_view kMouths = U")(][/\\|*PpDOo3Xx@$";
  const std::size_t mouth = kMouths.find(at(i));
  if (mouth == std::u32string_view::npos || i >= end_) return p;
  const std::size_t end = mouth < 2 ? skip_same(i) : i + 1;
  if (is_word(end) || kind(end) == kSlash) return p;
  const bool attached = after_word(p);  // great:) but not title:D or code=(
  if (mouth >= 2 && (attached || (eyes_of_equals && !nose))) return p;
  return attached && eyes_of_equals ? p : end;
}

// Runs of one kind that are one token, and what remains: a single character.
std::size_t Chunk::scan_run(std::size_t p, Kind k) const {
  switch (k) {
    case kPeriod: {
      const std::size_t q = skip(p, kPeriod);
      return q == p + 1 ? skip(q, kBang) : skip(q, kEllipsis);
    }
    case kEllipsis: return skip(skip(p, kEllipsis), kPeriod);
    case kBang: {
      const std::size_t q = skip(p, kBang);
      return kind(q) == kPeriod && kind(q + 1) != kPeriod ? q + 1 : q;
    }
    case kHyphen: {
      const std::size_t drawn = drawing_end(p);
      return at(drawn) == U'>' ? drawn + 1 : drawn;
    }
    case kRepeat: {
      const std::size_t drawn = drawing_end(p);
      if (drawn == p + 1 && at(p) == U'<' && kind(drawn) == kHyphen) return skip(drawn, kHyphen);
      if (drawn == p + 1 && at(drawn) == U'=' && (at(p) == U'<' || at(p) == U'>')) return drawn + 1;
      return at(p) == U'=' && at(drawn) == U'>' ? drawn + 1 : drawn;
    }
    case kDash: return skip_same(p);
    case kHan:
    case kHiragana:
    case kKatakana:
      for (std::size_t q = p; ; ++q)
        if (kind(q) != k && kind(q) != kMark) return q;
    case kMark:
    case kOther: return skip(p, k);
    case kPicture: return picture_end(p);
    default: return p + 1;
  }
}

// A row of one sign, or a drawing of six or more mixed ones: ---->===<----
std::size_t Chunk::drawing_end(std::size_t p) const {
  const std::size_t same = skip_same(p);
  std::size_t mixed = same;
  while (kind(mixed) == kRepeat || kind(mixed) == kHyphen || kind(mixed) == kUnderscore) {
    if (mixed >= p + 6) return skip_drawing(mixed);
    ++mixed;
  }
  return mixed >= p + 6 ? mixed : same;
}
std::size_t Chunk::skip_drawing(std::size_t i) const {
  while (kind(i) == kRepeat || kind(i) == kHyphen || kind(i) == kUnderscore) ++i;
  return i;
}

// One emoji with its modifiers, joined emoji, flags; or a row of one symbol.
std::size_t Chunk::picture_end(std::size_t p) const {
  const auto is_flag_letter = [&](std::size_t i) { return at(i) >= 0x1F1E6 && at(i) <= 0x1F1FF; };
  if (is_flag_letter(p)) return is_flag_letter(p + 1) ? p + 2 : p + 1;
  if (at(p) < 0x1F000 && kind(skip_same(p)) != kMark) return skip_same(p);
  std::size_t q = skip(p + 1, kMark);
  while (at(q - 1) == 0x200D && kind(q) == kPicture) q = skip(q + 1, kMark);
  return q;
}

}  // namespace nlptk::rules
