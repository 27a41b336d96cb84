// The two ways of applying a model's merges to one piece; both give the same tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bpe/model.hpp"
#include "random.hpp"

namespace nlptk {

// Linear in the length of the piece: longest tokens first, a step back where two cannot stand side by side. A model
// that is linear() is asked for; every unit of the piece must be a token.
class Backtracker {
 public:
  // Appends the internal numbers of the piece's tokens.
  void encode(const BpeModel& model, std::string_view piece, std::vector<TokenId>& tokens);

 private:
  std::vector<std::uint64_t> dead_;  // a bit for each place from which no way leads to the end
};

// Merges in the order of rank with a heap, in n log n: for models that are not linear() and for dropout, which leaves
// out each merge with a probability (Provilkov et al. 2020).
class HeapMerger {
 public:
  void encode(const BpeModel& model, const std::vector<TokenId>& units, double dropout, Random& random,
              std::vector<TokenId>& tokens);

 private:
  struct Candidate {
    std::uint32_t rank;
    std::uint32_t merged;
    std::size_t place;
    bool operator<(const Candidate& other) const {  // for a heap whose top has the best rank, leftmost first
      return rank != other.rank ? rank > other.rank : place > other.place;
    }
  };
  struct Symbol {
    TokenId token;
    std::size_t previous, next;
  };
  void add(const BpeModel& model, std::size_t left);

  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_, dropped_;
};

}  // namespace nlptk
