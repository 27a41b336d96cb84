#include "term_table.hpp"

#include <algorithm>

namespace nlptk {
namespace {

// The first eight bytes as a number that compares as they do.
std::uint64_t begin_of(std::string_view text) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value = value << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  return value;
}

}  // namespace

std::uint32_t TermTable::add(std::size_t at, std::string_view text, std::uint32_t hash) {
  if (size() >= kMost) throw std::invalid_argument("there are more than 2^31 different terms");
  if (text.size() > 0xFFFFFFFF) throw std::invalid_argument("a term is longer than 4 GiB");
  const auto number = static_cast<std::uint32_t>(size());
  slots_[at] = {hash, number};
  terms_.push_back({texts_.keep(text), static_cast<std::uint32_t>(text.size())});
  if (size() * 2 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.number == kNone) continue;
      std::size_t to = slot.hash & mask;
      while (slots_[to].number != kNone) to = (to + 1) & mask;
      slots_[to] = slot;
    }
  }
  return number;
}

std::vector<std::uint32_t> sorted_terms(const TermTable& table) {
  struct Key {
    std::uint64_t begin;
    std::uint32_t number;
  };
  std::vector<Key> keys(table.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) keys[i] = {begin_of(table.term(i)), i};
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    return a.begin != b.begin ? a.begin < b.begin : table.term(a.number) < table.term(b.number);
  });
  std::vector<std::uint32_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(), [](const Key& key) { return key.number; });
  return order;
}

}  // namespace nlptk
