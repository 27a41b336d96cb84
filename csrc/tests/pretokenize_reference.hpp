// The patterns as regular expressions, matched by plain backtracking: slow and obvious, to compare the scanners with.
//
// An expression is a list of alternatives, an alternative a list of items: a class of characters and how often, greedy.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "bpe/pretokenize.hpp"
#include "utf8.hpp"

namespace reference {

using namespace nlptk;
using namespace nlptk::pretokenize;

struct Letter {
  char32_t c;
  unsigned bits;
};
using Text = std::vector<Letter>;
using Class = std::function<bool(const Letter&)>;
using Words = std::vector<std::u32string>;

constexpr int kMany = 1 << 30;

struct Item {
  enum Kind { run, words, end, not_before_nonspace } kind = run;
  Class inside = {};
  int least = 1, most = 1;
  bool possessive = false;
  Words any_of = {};  // for `words`: one of these, whatever its case
  bool any_case = false;
};
using Alternative = std::vector<Item>;
using Expression = std::vector<Alternative>;

inline Class of(unsigned bits) {
  return [=](const Letter& l) { return (l.bits & bits) != 0; };
}
inline Class none_of(unsigned bits) {
  return [=](const Letter& l) { return (l.bits & bits) == 0; };
}
inline Class is(std::u32string_view chars) {
  return [=](const Letter& l) { return chars.find(l.c) != chars.npos; };
}
inline Item one(Class inside) { return {Item::run, std::move(inside)}; }
inline Item maybe(Class inside) { return {Item::run, std::move(inside), 0, 1}; }
inline Item some(Class inside, int most = kMany) { return {Item::run, std::move(inside), 1, most}; }
inline Item any(Class inside) { return {Item::run, std::move(inside), 0, kMany}; }
inline Item possessive(Item item) {
  item.possessive = true;
  return item;
}
inline Item one_of(Words words, bool any_case, bool optional = false) {
  Item item{Item::words, {}, optional ? 0 : 1};
  item.any_of = std::move(words);
  item.any_case = any_case;
  return item;
}
inline Item at_end() { return {Item::end}; }
inline Item before_space() { return {Item::not_before_nonspace}; }

inline char32_t fold(char32_t c, bool any_case) {
  if (!any_case) return c;
  return c == 0x17F ? U's' : c >= U'A' && c <= U'Z' ? c + 32 : c;
}

// Where the items from `item` on match text[at, ...), or npos.
constexpr std::size_t npos = static_cast<std::size_t>(-1);
inline std::size_t match(const Text& text, std::size_t at, const Alternative& items, std::size_t item = 0) {
  if (item == items.size()) return at;
  const Item& now = items[item];
  const auto rest = [&](std::size_t from) { return match(text, from, items, item + 1); };
  switch (now.kind) {
    case Item::end: return at == text.size() ? rest(at) : npos;
    case Item::not_before_nonspace:
      return at == text.size() || (text[at].bits & kSpace) != 0 ? rest(at) : npos;
    case Item::words:
      for (const std::u32string& word : now.any_of) {
        std::size_t i = 0;
        while (i < word.size() && at + i < text.size() && fold(text[at + i].c, now.any_case) == word[i]) ++i;
        if (i < word.size()) continue;
        const std::size_t end = rest(at + i);
        if (end != npos) return end;
      }
      return now.least == 0 ? rest(at) : npos;
    case Item::run: break;
  }
  std::size_t count = 0;
  const auto least = static_cast<std::size_t>(now.least), most = static_cast<std::size_t>(now.most);
  while (count < most && at + count < text.size() && now.inside(text[at + count])) ++count;
  if (now.possessive) return count >= least ? rest(at + count) : npos;
  for (std::size_t n = count + 1; n-- > least;) {
    const std::size_t end = rest(at + n);
    if (end != npos) return end;
  }
  return npos;
}

inline const Words& suffixes() {
  static const Words words{U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  return words;
}

inline Expression expression(Pattern pattern) {
  const Class space = is(U" "), newline = is(U"\r\n"), sign = none_of(kSpace | kLetter | kNumber);
  const auto prefix = [] { return maybe(none_of(kNewline | kLetter | kNumber)); };
  const Alternative lines{any(of(kSpace)), some(is(U"\r\n"))};                      // \s*[\r\n]+
  const Alternative all_but_one{some(of(kSpace)), before_space()};                 // \s+(?!\S)
  const Alternative spaces{some(of(kSpace))};                                      // \s+
  switch (pattern) {
    case Pattern::gpt2:
      return {{one_of(suffixes(), false)},
              {maybe(space), some(of(kLetter))},
              {maybe(space), some(of(kNumber))},
              {maybe(space), some(sign)},
              all_but_one,
              spaces};
    case Pattern::cl100k:
      return {{one_of(suffixes(), true)},
              {prefix(), some(of(kLetter))},
              {some(of(kNumber), 3)},
              {maybe(space), some(sign), any(newline)},
              {possessive(some(of(kSpace))), at_end()},
              {any(of(kSpace)), one(newline)},
              all_but_one,
              {one(of(kSpace))}};
    case Pattern::llama3:
    case Pattern::qwen2:
      return {{one_of(suffixes(), true)},
              {prefix(), some(of(kLetter))},
              {some(of(kNumber), pattern == Pattern::qwen2 ? 1 : 3)},
              {maybe(space), some(sign), any(newline)},
              lines,
              all_but_one,
              spaces};
    case Pattern::o200k: {
      const Class upper = of(kUpper | kOther | kMark), lower = of(kLower | kOther | kMark);
      return {{prefix(), any(upper), some(lower), one_of(suffixes(), true, true)},
              {prefix(), some(upper), any(lower), one_of(suffixes(), true, true)},
              {some(of(kNumber), 3)},
              {maybe(space), some(sign), any(is(U"\r\n/"))},
              lines,
              all_but_one,
              spaces};
    }
    case Pattern::whitespace: return {{some(of(kWord))}, {some(none_of(kWord | kSpace))}};
    case Pattern::whitespace_split: return {{some(none_of(kSpace))}};
    case Pattern::none: return {{some(none_of(0))}};
  }
  return {};
}

// The pieces of valid UTF-8, in bytes.
inline std::vector<std::pair<std::size_t, std::size_t>> pieces(Pattern pattern, std::string_view bytes) {
  Text text;
  std::vector<std::size_t> offsets;
  const Cursor cursor(bytes.data(), bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += cursor.classify(at).length) {
    text.push_back({utf8::decode(bytes.data() + at), cursor.classify(at).bits});
    offsets.push_back(at);
  }
  offsets.push_back(bytes.size());
  static const std::vector<Expression> expressions = [] {
    std::vector<Expression> all;
    for (int p = 0; p < kPatterns; ++p) all.push_back(expression(static_cast<Pattern>(p)));
    return all;
  }();
  const Expression& alternatives = expressions[static_cast<std::size_t>(pattern)];
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = npos;
    for (const Alternative& alternative : alternatives)
      if ((end = match(text, at, alternative)) != npos) break;
    if (end != npos) found.emplace_back(offsets[at], offsets[end]);
    at = end == npos ? at + 1 : end;
  }
  return found;
}

}  // namespace reference
