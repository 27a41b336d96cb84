#include "bpe/ranks.hpp"

#include <string_view>
#include <unordered_map>

namespace nlptk {

std::vector<BpeMerge> merges_of_ranks(const std::vector<std::string>& tokens) {
  std::unordered_map<std::string_view, TokenId> rank;
  rank.reserve(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) rank.emplace(tokens[i], static_cast<TokenId>(i));
  std::vector<BpeMerge> merges;
  std::vector<std::size_t> begins;  // of the parts, and the end of the token
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    const auto part = [&](std::size_t begin, std::size_t end) {
      const auto at = rank.find(token.substr(begin, end - begin));
      return at == rank.end() ? kNoToken : at->second;
    };
    begins.clear();
    for (std::size_t at = 0; at <= token.size(); ++at) begins.push_back(at);
    while (begins.size() > 3) {
      TokenId best = static_cast<TokenId>(i);
      std::size_t place = 0;
      for (std::size_t p = 0; p + 2 < begins.size(); ++p) {
        const TokenId joined = part(begins[p], begins[p + 2]);
        if (joined < best) best = joined, place = p;
      }
      if (best == i) break;
      begins.erase(begins.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
    if (begins.size() != 3) continue;
    const TokenId left = part(begins[0], begins[1]), right = part(begins[1], begins[2]);
    if (left != kNoToken && right != kNoToken) merges.push_back({left, right, static_cast<TokenId>(i)});
  }
  return merges;
}

}  // namespace nlptk
