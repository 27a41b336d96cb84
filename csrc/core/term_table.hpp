// Terms by number: a hash table over bytes that are kept one after another, numbers in order of first appearance.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "hash.hpp"
#include "text_arena.hpp"

namespace nlptk {

class TermTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::size_t kMost = std::size_t{1} << 31;  // so that a number is an int32

  TermTable() : slots_(std::size_t{1} << 10) {}

  std::size_t size() const { return terms_.size(); }
  std::string_view term(std::size_t number) const { return {terms_[number].data, terms_[number].size}; }

  // Of what is asked for soon, so that memory is not waited for.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }

  // The term's number, or kNone; `hash` is hash_word(text).
  std::uint32_t find(std::string_view text, std::uint32_t hash) const { return slots_[place(text, hash)].number; }
  std::uint32_t find(std::string_view text) const { return find(text, hash_word(text)); }

  // The same, but a new term gets the next number. std::invalid_argument if there are 2^31, or one has 4 GiB.
  std::uint32_t insert(std::string_view text, std::uint32_t hash) {
    const std::size_t at = place(text, hash);
    return slots_[at].number != kNone ? slots_[at].number : add(at, text, hash);
  }
  std::uint32_t insert(std::string_view text) { return insert(text, hash_word(text)); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = kNone;
  };
  struct Term {
    const char* data;
    std::uint32_t size;
  };

  // Where the term stands, or the free place where it would.
  std::size_t place(std::string_view text, std::uint32_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    for (; slots_[at].number != kNone; at = (at + 1) & mask)
      if (slots_[at].hash == hash && term(slots_[at].number) == text) break;
    return at;
  }

  std::uint32_t add(std::size_t at, std::string_view text, std::uint32_t hash);

  std::vector<Slot> slots_;  // a power of two, half of them free
  std::vector<Term> terms_;
  TextArena texts_{std::size_t{1} << 18};
};

// The numbers of all terms by code points of the terms, that is by their bytes.
std::vector<std::uint32_t> sorted_terms(const TermTable& table);

}  // namespace nlptk
