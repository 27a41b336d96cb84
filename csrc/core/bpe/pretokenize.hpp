// Pre-tokenization: cuts a text into the pieces that BPE encodes one by one, by hand-written scanners for the regular
// expressions of published vocabularies. Time is linear in the length of any text.
//
// The classes of characters are those of tiktoken and tokenizers (tools/gen_pretokenize.py), whose Unicode is not
// Python's. Texts are valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runs.hpp"

namespace nlptk {

// The regular expressions are in nlptk/tokenize/pretokenizers.py.
enum class Pattern : std::uint8_t {
  gpt2,
  cl100k,            // tiktoken's of today: whitespace that ends a text is one piece, line feeds too
  llama3,            // the same as cl100k was published with: it is two pieces, up to the last line feed and after
  qwen2,             // llama3 with each digit a piece
  o200k,
  whitespace,        // \w+|[^\w\s]+
  whitespace_split,  // \S+
  none,              // the whole text is one piece
};
inline constexpr int kPatterns = 8;
inline constexpr const char* kPatternNames[kPatterns] = {"gpt2",  "cl100k",     "llama3",           "qwen2",
                                                         "o200k", "whitespace", "whitespace_split", "none"};

namespace pretokenize {

// Bits of a code point. Upper, lower and other letters are \p{L}.
enum CharClass : std::uint8_t {
  kUpper = 1,   // Lu, Lt
  kLower = 2,   // Ll
  kOther = 4,   // Lm, Lo
  kMark = 8,    // M
  kNumber = 16,
  kSpace = 32,    // \s
  kNewline = 64,  // \r, \n, which are \s too
  kWord = 128,    // \w
  kLetter = kUpper | kLower | kOther,
};

extern const std::uint16_t kClassRow[];  // block of 64 code points -> row of kClassCell
extern const std::uint8_t kClassCell[];  // row, code point in the block -> bits

constexpr std::uint8_t ascii_class(unsigned char c) {
  if (c >= 'a' && c <= 'z') return kLower | kWord;
  if (c >= 'A' && c <= 'Z') return kUpper | kWord;
  if (c >= '0' && c <= '9') return kNumber | kWord;
  if (c == '\n' || c == '\r') return kSpace | kNewline;
  if (c == ' ' || (c >= 9 && c <= 13)) return kSpace;
  return c == '_' ? kWord : 0;
}

struct AsciiClasses {
  std::uint8_t of[128];
  constexpr AsciiClasses() : of() {
    for (int c = 0; c < 128; ++c) of[c] = ascii_class(static_cast<unsigned char>(c));
  }
};
inline constexpr AsciiClasses kAscii;

struct Char {
  unsigned bits;
  std::size_t length;  // bytes
};

// A position in a text. Past the end there are characters of no class and no length.
class Cursor {
 public:
  Cursor(const char* text, std::size_t size) : text_(reinterpret_cast<const unsigned char*>(text)), size_(size) {}

  std::size_t size() const { return size_; }
  bool is(std::size_t at, char c) const { return at < size_ && text_[at] == static_cast<unsigned char>(c); }

  Char classify(std::size_t at) const {
    if (at >= size_) return {0, 0};
    const unsigned lead = text_[at];
    if (lead < 0x80) return {kAscii.of[lead], 1};
    if (lead < 0xE0) return {cell(lead & 31, text_[at + 1]), 2};
    if (lead < 0xF0) return {cell((lead & 15) << 6 | (text_[at + 1] & 63u), text_[at + 2]), 3};
    return {cell((lead & 7) << 12 | (text_[at + 1] & 63u) << 6 | (text_[at + 2] & 63u), text_[at + 3]), 4};
  }

  // The first character from `at` on that is of none of the classes.
  template <unsigned kClasses>
  std::size_t skip(std::size_t at) const {
    while (at < size_) {
      if (text_[at] < 0x80) {
        if constexpr ((kClasses & kLower) != 0)
          at = skip_run(at, [](const unsigned char* p) { return runs::letters(p, (kClasses & kUpper) != 0); });
        while (at < size_ && text_[at] < 0x80 && (kAscii.of[text_[at]] & kClasses) != 0) ++at;
        if (at < size_ && text_[at] < 0x80) return at;
      } else if ((kClasses & kOther) != 0 && is_han(at)) {
        at = skip_han(at);
      } else {
        const Char c = classify(at);
        if ((c.bits & kClasses) == 0) return at;
        at += c.length;
      }
    }
    return at;
  }

  // The first character from `at` on that is of one of the classes.
  template <unsigned kClasses>
  std::size_t find(std::size_t at) const {
    for (;;) {
      const Char c = classify(at);
      if (c.length == 0 || (c.bits & kClasses) != 0) return at;
      at += c.length;
    }
  }

  // After at most `most` numbers.
  std::size_t skip_numbers(std::size_t at, int most) const {
    for (; most > 0; --most) {
      const Char c = classify(at);
      if ((c.bits & kNumber) == 0) break;
      at += c.length;
    }
    return at;
  }

  // Bytes of '(?:[sdmt]|ll|ve|re) at `at`, where an apostrophe is, or 0. In any case that folds to it: ſ is an s.
  std::size_t contraction(std::size_t at, bool any_case) const {
    if (at + 1 >= size_) return 0;
    const auto letter = [&](std::size_t i) -> unsigned { return any_case ? text_[i] | 32u : text_[i]; };
    switch (letter(at + 1)) {
      case 's': case 'd': case 'm': case 't': return 2;
      case 'l': return at + 2 < size_ && letter(at + 2) == 'l' ? 3 : 0;
      case 'v': case 'r': return at + 2 < size_ && letter(at + 2) == 'e' ? 3 : 0;
      default: return any_case && text_[at + 1] == 0xC5 && text_[at + 2] == 0xBF ? 3 : 0;
    }
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+ at `at`, where whitespace is; with_newlines false leaves the first out.
  std::size_t whitespace(std::size_t at, bool with_newlines) const {
    std::size_t last = at, newline = at, end = at;
    for (;;) {
      const Char c = classify(end);
      if ((c.bits & kSpace) == 0) break;
      last = end;
      end += c.length;
      if ((c.bits & kNewline) != 0) newline = end;
    }
    if (with_newlines && newline > at) return newline;
    return end == size_ || last == at ? end : last;
  }

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at `at`; where that does not match, the same with + and *.
  // `at` itself where neither does. With `lower_only` the second is left out.
  std::size_t cased_word(std::size_t at, bool lower_only) const {
    constexpr unsigned both = kOther | kMark;
    std::size_t q = at, after_both = at;
    for (;;) {
      if (q < size_ && is_han(q)) q = after_both = skip_han(q);
      const Char c = classify(q);
      if ((c.bits & kLower) != 0) return skip<kLower | both>(q + c.length);
      if ((c.bits & (kUpper | both)) == 0) break;
      q += c.length;
      if ((c.bits & both) != 0) after_both = q;
    }
    // Capitals alone stand at the end: the + takes back the last character that is of both kinds.
    return after_both > at || lower_only ? after_both : q;
  }

 private:
  const unsigned char* text_;
  std::size_t size_;

  // U+4E00 to U+9FFF, all of them letters: more than nine in ten of the characters of Chinese.
  bool is_han(std::size_t at) const {
    const unsigned lead = text_[at];
    return lead - 0xE4u < 6u && (lead > 0xE4 || text_[at + 1] >= 0xB8);
  }

  // A run that `count` counts in each block; what does not fill a block is left.
  template <class F>
  std::size_t skip_run(std::size_t at, F&& count) const {
    while (at + runs::kBlock <= size_) {
      const std::size_t n = count(text_ + at);
      at += n;
      if (n < runs::kBlock - 1) break;
    }
    return at;
  }
  std::size_t skip_han(std::size_t at) const {
    at = skip_run(at, &runs::han);
    while (at < size_ && is_han(at)) at += 3;
    return at;
  }

  static std::uint8_t cell(std::size_t block, unsigned last) {
    return kClassCell[static_cast<std::size_t>(kClassRow[block]) << 6 | (last & 63)];
  }
};

// ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+` without the space, or `at`.
inline std::size_t run_of_one_kind(const Cursor& text, std::size_t at) {
  const Char c = text.classify(at);
  if ((c.bits & kLetter) != 0) return text.skip<kLetter>(at);
  if ((c.bits & kNumber) != 0) return text.skip<kNumber>(at);
  return text.find<kLetter | kNumber | kSpace>(at);
}

inline std::size_t next_gpt2(const Cursor& text, std::size_t at) {
  if (text.is(at, ' ')) {
    const std::size_t end = run_of_one_kind(text, at + 1);
    return end > at + 1 ? end : text.whitespace(at, false);
  }
  if (text.is(at, '\'')) {
    const std::size_t length = text.contraction(at, false);
    if (length > 0) return at + length;
  }
  const std::size_t end = run_of_one_kind(text, at);
  return end > at ? end : text.whitespace(at, false);
}

// What cl100k and o200k share after words and numbers: ` ?[^\s\p{L}\p{N}]+` and what `closers` skips, or `at`.
template <class F>
std::size_t signs(const Cursor& text, std::size_t at, F&& closers) {
  const std::size_t p = at + text.is(at, ' ');
  const std::size_t q = text.find<kLetter | kNumber | kSpace>(p);
  return q == p ? at : closers(q);
}

template <Pattern P>
std::size_t next_cl100k(const Cursor& text, std::size_t at) {
  if (text.is(at, '\'')) {
    const std::size_t length = text.contraction(at, true);
    if (length > 0) return at + length;
  }
  const Char c = text.classify(at);
  if ((c.bits & kLetter) != 0) return text.skip<kLetter>(at);
  if ((c.bits & kNumber) != 0) return text.skip_numbers(at, P == Pattern::qwen2 ? 1 : 3);
  std::size_t q = at + c.length;
  if ((c.bits & kNewline) == 0) {
    const std::size_t end = text.skip<kLetter>(q);
    if (end > q) return end;
  }
  q = signs(text, at, [&](std::size_t end) { return text.skip<kNewline>(end); });
  if (q > at) return q;
  if (P == Pattern::cl100k) {
    q = text.skip<kSpace>(at);
    if (q == text.size()) return q;
  }
  return text.whitespace(at, true);
}

inline std::size_t next_o200k(const Cursor& text, std::size_t at) {
  const Char c = text.classify(at);
  const std::size_t q = at + c.length;
  std::size_t end = at;
  if ((c.bits & kLetter) != 0) {
    end = text.cased_word(at, false);
  } else if ((c.bits & kNumber) != 0) {
    return text.skip_numbers(q, 2);
  } else if ((c.bits & kNewline) == 0) {
    const bool mark = (c.bits & kMark) != 0;
    end = text.cased_word(q, mark);
    if (end == q && !mark) end = at;  // a mark is a word on its own
  }
  if (end > at) return text.is(end, '\'') ? end + text.contraction(end, true) : end;
  end = signs(text, at, [&](std::size_t p) {
    for (Char last = text.classify(p); (last.bits & kNewline) != 0 || text.is(p, '/'); last = text.classify(p)) ++p;
    return p;
  });
  return end > at ? end : text.whitespace(at, true);
}

}  // namespace pretokenize

// End of the piece of text[0, size) that begins at `at` < size. The patterns that drop whitespace begin no piece there.
template <Pattern P>
std::size_t next_piece(const char* text, std::size_t at, std::size_t size) {
  using namespace pretokenize;
  const Cursor cursor(text, size);
  if constexpr (P == Pattern::none) return size;
  if constexpr (P == Pattern::gpt2) return next_gpt2(cursor, at);
  if constexpr (P == Pattern::cl100k || P == Pattern::llama3 || P == Pattern::qwen2) return next_cl100k<P>(cursor, at);
  if constexpr (P == Pattern::o200k) return next_o200k(cursor, at);
  if constexpr (P == Pattern::whitespace_split) return cursor.find<kSpace>(at);
  if constexpr (P == Pattern::whitespace) {
    const std::size_t end = cursor.skip<kWord>(at);
    return end > at ? end : cursor.find<kWord | kSpace>(at);
  }
}

// Calls f(begin, end) for each piece from left to right.
template <Pattern P, class F>
void for_each_piece(const char* text, std::size_t size, F&& f) {
  constexpr bool drops = P == Pattern::whitespace || P == Pattern::whitespace_split;
  for (std::size_t at = 0; at < size;) {
    if constexpr (drops) {
      at = pretokenize::Cursor(text, size).skip<pretokenize::kSpace>(at);
      if (at == size) return;
    }
    const std::size_t end = next_piece<P>(text, at, size);
    f(at, end);
    at = end;
  }
}

template <class F>
void for_each_piece(Pattern pattern, const char* text, std::size_t size, F&& f) {
  switch (pattern) {
    case Pattern::gpt2: return for_each_piece<Pattern::gpt2>(text, size, f);
    case Pattern::cl100k: return for_each_piece<Pattern::cl100k>(text, size, f);
    case Pattern::llama3: return for_each_piece<Pattern::llama3>(text, size, f);
    case Pattern::qwen2: return for_each_piece<Pattern::qwen2>(text, size, f);
    case Pattern::o200k: return for_each_piece<Pattern::o200k>(text, size, f);
    case Pattern::whitespace: return for_each_piece<Pattern::whitespace>(text, size, f);
    case Pattern::whitespace_split: return for_each_piece<Pattern::whitespace_split>(text, size, f);
    case Pattern::none: return for_each_piece<Pattern::none>(text, size, f);
  }
}

// The pattern of that name; std::invalid_argument for any other name.
Pattern pattern_named(const char* name);

}  // namespace nlptk
