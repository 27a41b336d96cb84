#include "bpe/merge.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {

void Backtracker::encode(const BpeModel& model, std::string_view piece, std::vector<TokenId>& tokens) {
  const std::size_t first = tokens.size();
  const std::size_t size = piece.size();
  const TokenTrie::Match whole = model.longest(piece.data(), size);
  if (whole.length == size) return tokens.push_back(whole.value);
  dead_.assign(size / 64 + 1, 0);
  const auto is_dead = [&](std::size_t at) { return dead_[at / 64] >> (at % 64) & 1; };
  std::size_t at = 0;
  TokenId token = whole.value;
  for (std::size_t step = 1; at < size; ++step) {
    if (step % 65536 == 0) poll_interrupt();
    const std::size_t end = at + model.length(token);
    if (!is_dead(end) && (tokens.size() == first || model.compatible(tokens.back(), token))) {
      tokens.push_back(token);
      at = end;
      token = model.longest(piece.data() + at, size - at).value;
      // A mark at the end that only its own character may carry: no token begins there.
      if (token != kNoToken || at == size) continue;
    } else {
      token = model.shorter(token);
    }
    while (token == kNoToken && tokens.size() > first) {  // nothing fits here: give up the token before
      dead_[at / 64] |= std::uint64_t{1} << (at % 64);
      at -= model.length(tokens.back());
      token = model.shorter(tokens.back());
      tokens.pop_back();
    }
    if (token == kNoToken && at < size) throw std::logic_error("a BPE piece holds a unit that is no token");
  }
}

void HeapMerger::add(const BpeModel& model, std::size_t left) {
  const std::size_t right = symbols_[left].next;
  if (right >= symbols_.size()) return;
  const PairTable::Merge merge = model.pairs().find(symbols_[left].token, symbols_[right].token);
  if (merge.merged == kNoToken) return;
  heap_.push_back({merge.rank, merge.merged, left});
  std::push_heap(heap_.begin(), heap_.end());
}

void HeapMerger::encode(const BpeModel& model, const std::vector<TokenId>& units, double dropout, Random& random,
                        std::vector<TokenId>& tokens) {
  constexpr auto kNowhere = ~std::size_t{0};
  symbols_.clear();
  heap_.clear();
  dropped_.clear();
  for (std::size_t i = 0; i < units.size(); ++i) symbols_.push_back({units[i], i - 1, i + 1});
  for (std::size_t i = 0; i + 1 < units.size(); ++i) add(model, i);
  for (std::size_t step = 1; !heap_.empty(); ++step) {
    if (step % 65536 == 0) poll_interrupt();
    const Candidate best = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    if (dropout > 0 && random.uniform() < dropout) {
      dropped_.push_back(best);
      continue;
    }
    for (const Candidate& candidate : dropped_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end());
    }
    dropped_.clear();
    Symbol& symbol = symbols_[best.place];
    if (symbol.token == kNoToken || symbol.next >= symbols_.size()) continue;
    Symbol& other = symbols_[symbol.next];
    // The candidate may be out of date: its symbols have been merged with others since.
    if (model.pairs().find(symbol.token, other.token).merged != best.merged) continue;
    symbol.token = best.merged;
    other.token = kNoToken;
    symbol.next = other.next;
    if (symbol.next < symbols_.size()) symbols_[symbol.next].previous = best.place;
    if (symbol.previous != kNowhere) add(model, symbol.previous);
    add(model, best.place);
  }
  for (const Symbol& symbol : symbols_)
    if (symbol.token != kNoToken) tokens.push_back(symbol.token);
}

}  // namespace nlptk
