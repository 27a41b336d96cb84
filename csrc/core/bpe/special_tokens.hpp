// Tokens that stand in a text as they are, found before anything else is done to it: leftmost first, then longest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpe/token_trie.hpp"

namespace nlptk {

struct SpecialToken {
  std::string text;
  std::uint32_t id;
  bool special = true;       // decoding may leave it out
  bool single_word = false;  // only where no word character touches it
  bool strip_left = false;   // takes the white space before it along
  bool strip_right = false;  // and after it
  bool normalized = false;   // looked for after the others, in what they leave of the text (and in a normal form)
  bool searched = true;      // else decoding alone knows it: a token that no text of a byte-level model can give
};

class SpecialTokens {
 public:
  struct Found {
    std::size_t begin, end;  // bytes, with the white space taken along
    std::uint32_t id;
  };

  SpecialTokens() = default;
  explicit SpecialTokens(std::vector<SpecialToken> tokens);

  bool empty() const { return tokens_.empty(); }
  // The first at or after `at`; false if there is none. `at` is where the last one found ended, or 0.
  bool next(std::string_view text, std::size_t at, Found& found) const;

 private:
  bool accept(std::string_view text, std::size_t at, std::size_t begin, const SpecialToken& token, Found& found) const;

  std::vector<SpecialToken> tokens_;
  TokenTrie trie_;
  bool begins_[256] = {};  // the first bytes of tokens
  int only_byte_ = -1;     // the one first byte of all of them, if it is one
};

}  // namespace nlptk
