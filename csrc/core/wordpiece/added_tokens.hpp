// Tokens that are looked for in the text itself ([MASK] and what a user added): leftmost, longest, not overlapping.
//
// Source: Hugging Face tokenizers, added_vocabulary.rs (its Aho-Corasick automaton gives the same matches).
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wordpiece/bert_chars.hpp"
#include "utf8.hpp"
#include "wordpiece/vocabulary.hpp"

namespace nlptk::wordpiece {

struct AddedToken {
  std::u32string content;
  std::int32_t id = 0;
  bool single_word = false;  // no word character may touch it
  bool lstrip = false, rstrip = false;  // takes the white space on that side too
  bool normalized = false;  // looked for in the normalized text
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  const std::vector<AddedToken>& tokens() const { return tokens_; }

  // The longest token that begins at text(at), or null. `text` gives the code point at a place below `length`.
  template <class Text>
  const AddedToken* longest_at(const Text& text, std::size_t at, std::size_t length) const {
    const AddedToken* found = nullptr;
    std::uint32_t node = Trie::kRoot;
    char bytes[4];
    for (std::size_t i = at; i < length; ++i) {
      const std::size_t n = utf8::put(text(i), bytes);
      for (std::size_t k = 0; k < n; ++k) {
        node = trie_.child(node, static_cast<unsigned char>(bytes[k]));
        if (node == Trie::kNone) return found;
      }
      if (trie_.value(node) >= 0) found = &tokens_[static_cast<std::size_t>(trie_.value(node))];
    }
    return found;
  }

  // Whether the token may stand at [begin, end).
  template <class Text>
  static bool fits(const AddedToken& token, const Text& text, std::size_t begin, std::size_t end, std::size_t length) {
    if (!token.single_word) return true;
    const bool touched_before = begin > 0 && (char_flags(text(begin - 1)) & kWordChar);
    const bool touched_behind = end < length && (char_flags(text(end)) & kWordChar);
    return !touched_before && !touched_behind;
  }

  // [begin, end) with the white space that the token takes, of text[done, length).
  template <class Text>
  static std::pair<std::size_t, std::size_t> widened(const AddedToken& token, const Text& text, std::size_t begin,
                                                     std::size_t end, std::size_t done, std::size_t length) {
    if (token.lstrip)
      while (begin > done && (char_flags(text(begin - 1)) & kSpace)) --begin;
    if (token.rstrip)
      while (end < length && (char_flags(text(end)) & kSpace)) ++end;
    return {begin, end};
  }

  // Calls on_token(begin, end, id) and on_other(begin, end) for the parts of a text in order; both are never empty.
  template <class Text, class OnToken, class OnOther>
  void split(const Text& text, std::size_t length, OnToken&& on_token, OnOther&& on_other) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < length && !empty();) {
      const AddedToken* token = longest_at(text, at, length);
      if (token == nullptr) {
        ++at;
        continue;
      }
      std::size_t begin = at, end = at + token->content.size();
      at = end;
      if (!fits(*token, text, begin, end, length)) continue;
      std::tie(begin, end) = widened(*token, text, begin, end, done, length);
      if (done < begin) on_other(done, begin);
      on_token(begin, end, token->id);
      done = end;
    }
    if (done < length) on_other(done, length);
  }

 private:
  std::vector<AddedToken> tokens_;
  Trie trie_;
};

}  // namespace nlptk::wordpiece
