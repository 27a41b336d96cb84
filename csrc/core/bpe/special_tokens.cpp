#include "bpe/special_tokens.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "utf8.hpp"
#include "unicode.hpp"

namespace nlptk {
namespace {

// The character that ends at `end` (> 0); moves `end` to where it begins.
char32_t step_back(std::string_view text, std::size_t& end) {
  do --end;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80);
  return utf8::decode(text.data() + end);
}

// The character at `begin` (< size); moves `begin` to where it ends.
char32_t step_on(std::string_view text, std::size_t& begin) {
  const char* at = text.data() + begin;
  begin += utf8::length_of(static_cast<unsigned char>(*at));
  return utf8::decode(at);
}

bool is_word(char32_t c) {
  return unicode::is_alnum(c) || unicode::char_class(c) == unicode::Class::mark || c == U'_';
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<SpecialToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::string_view> keys;
  std::vector<std::uint32_t> values;
  for (const SpecialToken& token : tokens_) {
    if (token.text.empty()) continue;
    begins_[static_cast<std::uint8_t>(token.text[0])] = true;
    values.push_back(static_cast<std::uint32_t>(keys.size()));
    keys.push_back(token.text);
  }
  trie_ = TokenTrie(keys, values);
  if (std::count(std::begin(begins_), std::end(begins_), true) == 1)
    only_byte_ = static_cast<int>(std::find(std::begin(begins_), std::end(begins_), true) - std::begin(begins_));
}

bool SpecialTokens::next(std::string_view text, std::size_t at, Found& found) const {
  for (std::size_t i = at; i < text.size(); ++i) {
    if (only_byte_ >= 0) {
      const void* hit = std::memchr(text.data() + i, only_byte_, text.size() - i);
      if (hit == nullptr) return false;
      i = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    } else if (!begins_[static_cast<std::uint8_t>(text[i])]) {
      continue;
    }
    const TokenTrie::Match match = trie_.longest(text.data() + i, text.size() - i);
    if (match.value == TokenTrie::kNone) continue;
    const SpecialToken& token = tokens_[match.value];
    if (accept(text, at, i, token, found)) return true;
    i += token.text.size() - 1;  // as the reference does: a match refused is passed over whole
  }
  return false;
}

bool SpecialTokens::accept(std::string_view text, std::size_t at, std::size_t begin, const SpecialToken& token,
                           Found& found) const {
  found = {begin, begin + token.text.size(), token.id};
  if (token.single_word) {
    std::size_t before = begin, after = found.end;
    if (begin > 0 && is_word(step_back(text, before))) return false;
    if (after < text.size() && is_word(step_on(text, after))) return false;
  }
  if (token.strip_left)
    for (std::size_t to = begin; to > at && unicode::is_space(step_back(text, to));) found.begin = to;
  if (token.strip_right)
    for (std::size_t to = found.end; to < text.size() && unicode::is_space(step_on(text, to));) found.end = to;
  return true;
}

}  // namespace nlptk
