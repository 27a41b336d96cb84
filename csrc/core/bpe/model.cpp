#include "bpe/model.hpp"

#include <algorithm>
#include <stdexcept>

namespace nlptk {

BpeModel::BpeModel(std::vector<std::string> tokens, std::vector<TokenId> ids, const std::vector<BpeMerge>& merges,
                   BpeOptions options)
    : options_(std::move(options)) {
  if (tokens.size() != ids.size()) throw std::invalid_argument("a BPE model needs one id for each token");
  for (const BpeMerge& merge : merges) {
    const std::size_t n = tokens.size();
    if (merge.left >= n || merge.right >= n || merge.merged >= n)
      throw std::invalid_argument("a BPE merge names a token that the vocabulary lacks");
    const std::string &left = tokens[merge.left], &right = tokens[merge.right], &merged = tokens[merge.merged];
    if (merged.size() != left.size() + right.size() || merged.compare(0, left.size(), left) != 0 ||
        merged.compare(left.size(), right.size(), right) != 0)
      throw std::invalid_argument("a BPE merge gives a token that is not its two parts joined");
  }
  std::vector<BpeMerge> renamed = merges;
  order_tokens(std::move(tokens), std::move(ids), renamed);
  add_merges(renamed);
  build_searches();
}

// Numbers the tokens, and renames the parts of the merges accordingly.
void BpeModel::order_tokens(std::vector<std::string> tokens, std::vector<TokenId> ids,
                            std::vector<BpeMerge>& merges) {
  const std::size_t n = tokens.size();
  std::vector<TokenId> number(n, kNoToken);
  std::vector<bool> made(n, false);
  for (const BpeMerge& merge : merges) made[merge.merged] = true;
  TokenId next = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (!made[i]) number[i] = next++;
  for (const BpeMerge& merge : merges)
    if (number[merge.merged] == kNoToken) number[merge.merged] = next++;
  for (BpeMerge& merge : merges) merge = {number[merge.left], number[merge.right], number[merge.merged]};

  tokens_.resize(n);
  ids_.resize(n);
  nodes_.resize(n);
  TokenId highest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (ids[i] >= kNoToken >> 1) throw std::invalid_argument("a token id is 2^31 or more");
    highest = std::max(highest, ids[i]);
    ids_[number[i]] = ids[i];
    nodes_[number[i]].length = static_cast<std::uint32_t>(tokens[i].size());
    tokens_[number[i]] = std::move(tokens[i]);
  }
  if (highest > 16 * n + (1U << 20)) throw std::invalid_argument("the token ids leave too large gaps");
  place_.assign(n == 0 ? 0 : highest + 1, kNoToken);
  for (std::size_t t = 0; t < n; ++t) {
    TokenId& place = place_[ids_[t]];
    if (place != kNoToken) throw std::invalid_argument("two tokens share the id " + std::to_string(ids_[t]));
    place = static_cast<TokenId>(t);
  }
}

// In the order of rank: a token is reachable once merging its own bytes is seen to end in one of its merges. That is
// so if both parts are, and nothing merges first where they meet.
void BpeModel::add_merges(const std::vector<BpeMerge>& merges) {
  const std::size_t n = tokens_.size();
  for (std::size_t t = 0; t < n; ++t) nodes_[t].time = is_unit(static_cast<TokenId>(t)) ? 0 : kNever;

  pairs_ = PairTable(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto [left, right, merged] = merges[rank];
    if (pairs_.find(left, right).merged != kNoToken) continue;  // the better rank counts
    Node& node = nodes_[merged];
    if (node.time == kNever && is_reachable(left) && is_reachable(right) && compatible(left, right)) {
      node.time = static_cast<std::uint32_t>(rank) + 1;
      node.left = left;
      node.right = right;
    }
    pairs_.insert(left, right, {static_cast<std::uint32_t>(rank), merged});
  }
  // A part that only a later merge makes is joined at once then, out of turn: times no longer tell what came first.
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto [left, right, merged] = merges[rank];
    if (is_reachable(left) && is_reachable(right) && std::max(nodes_[left].time, nodes_[right].time) > rank) linear_ = false;
  }
}

void BpeModel::build_searches() {
  std::vector<std::string_view> keys;
  std::vector<std::uint32_t> values;
  for (std::size_t t = 0; t < tokens_.size(); ++t) {
    if (tokens_[t].empty()) continue;
    keys.push_back(tokens_[t]);
    values.push_back(static_cast<std::uint32_t>(t));
  }
  all_ = TokenTrie(keys, values);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (all_.find(keys[i]) != values[i])
      throw std::invalid_argument("the tokens with ids " + std::to_string(ids_[values[i]]) + " and " +
                                  std::to_string(ids_[all_.find(keys[i])]) + " are equal");

  // What merging can give: single units and the reachable others. Of a special token "<s>" the bytes merge to
  // something else, so it is found by name alone.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t t = values[i];
    if (!is_reachable(t)) continue;
    keys[kept] = keys[i];
    values[kept++] = t;
  }
  keys.resize(kept);
  values.resize(kept);
  reachable_ = TokenTrie(keys, values);
  shorter_.assign(tokens_.size(), kNoToken);
  for (std::size_t i = 0; i < kept; ++i) shorter_[values[i]] = reachable_.longest(keys[i].data(), keys[i].size() - 1).value;

  for (int b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    byte_units_[b] = all_.find({&byte, 1});
    complete_ = complete_ && byte_units_[b] != kNoToken;
  }
  complete_ = complete_ && options_.byte_level;
}

bool BpeModel::is_unit(TokenId token) const {
  std::string_view bytes = tokens_[token];
  if (bytes.empty()) return false;
  if (options_.byte_level) return bytes.size() == 1;
  if (options_.marks_start && bytes.front() == kWordStart) bytes.remove_prefix(1);
  if (options_.marks_end && !bytes.empty() && bytes.back() == kWordEnd) bytes.remove_suffix(1);
  if (bytes.empty()) return false;
  return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) {
           return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
         })) == 1;
}

// Undoes, latest first, the merges that made the two tokens along their common border. If at some point the parts that
// meet there would have merged before the next one to undo was made, the pair could never have come to stand.
bool BpeModel::compatible(TokenId left, TokenId right) const {
  std::uint32_t limit = 0xFFFFFFFF;  // a rank from which on merges come too late
  Node l = nodes_[left], r = nodes_[right];
  for (;;) {
    if (pairs_.find(left, right).rank < limit) return false;
    if ((l.time | r.time) == 0) return true;
    // Selections, not branches: which side was made later is as good as random.
    const bool on_left = l.time > r.time;
    limit = on_left ? l.time - 1 : r.time;
    const TokenId part = on_left ? l.right : r.left;
    const Node node = nodes_[part];
    left = on_left ? part : left;
    right = on_left ? right : part;
    l = on_left ? node : l;
    r = on_left ? r : node;
  }
}

}  // namespace nlptk
