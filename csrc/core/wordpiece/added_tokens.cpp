#include "wordpiece/added_tokens.hpp"

#include <stdexcept>

namespace nlptk::wordpiece {

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::string> keys;
  std::vector<Trie::Entry> entries;
  keys.reserve(tokens_.size());
  for (const AddedToken& token : tokens_) {
    if (token.content.empty()) throw std::invalid_argument("an added token is empty");
    std::string& key = keys.emplace_back();
    char bytes[4];
    for (const char32_t c : token.content) key.append(bytes, utf8::put(c, bytes));
    entries.push_back({key, static_cast<std::int32_t>(keys.size() - 1)});
  }
  trie_ = Trie(std::move(entries));
}

}  // namespace nlptk::wordpiece
