// A back-off language model: the n-grams of each order in a trie from first word to last, and what is asked of it.
//
// The n-grams of an order lie one after another, sorted by their context (all but the last word) and then by their last
// word, so that those of one context are a range that binary search, sampling and ARPA files read. Scoring does not
// search: it hashes all n-grams of a sentence, has the places of the index fetched for all of them, then the n-grams
// that the places name, and only then adds up. So memory is waited for a few times a sentence, not for each n-gram.
// The index holds 32 bits of each hash; the trie says whether the n-gram is the one, so answers are exact.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "hash.hpp"
#include "huge_pages.hpp"

namespace nlptk {

inline constexpr std::size_t kMostOrder = 6;

// The last words before the next one: of the last `k` words the number of their n-gram, or kNone where it has none.
struct NgramContext {
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::uint32_t length = 0;  // words, at most one fewer than the order
  std::array<std::uint32_t, kMostOrder - 1> nodes = {kNone, kNone, kNone, kNone, kNone};
};

// From a hash of an n-gram to where it lies among those of its order.
class NgramIndex {
 public:
  static constexpr std::uint32_t kNone = NgramContext::kNone;

  NgramIndex() = default;
  explicit NgramIndex(std::size_t ngrams) : slots_(ngrams + ngrams / 2 + 1, kFree) {}

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[place(hash)]); }
  // Of the n-grams whose hashes have the same 32 bits the first; kNone: there is none.
  std::uint32_t find(std::uint64_t hash) const {
    for (std::size_t at = place(hash);; at = at + 1 == slots_.size() ? 0 : at + 1) {
      if (slots_[at] == kFree) return kNone;
      if (slots_[at] >> 32 == (hash & 0xFFFFFFFF)) return static_cast<std::uint32_t>(slots_[at]);
    }
  }
  // Several threads may insert at the same time.
  void insert(std::uint64_t hash, std::uint32_t number);

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  std::size_t place(std::uint64_t hash) const {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(hash) * slots_.size()) >> 64);
  }

  HugeVector<std::uint64_t> slots_;
};

class NgramModel {
 public:
  static constexpr std::uint32_t kNone = NgramContext::kNone;
  struct Node {
    std::uint32_t word;
    float log_prob;  // log10, of the last word after the others
    // log10: kneser_ney: what the probability of words not seen after this n-gram is their shorter one's times;
    // laplace: their probability.
    float backoff;
    std::uint32_t begin;  // of the n-grams that continue this one; they end where those of the next begin
  };
  struct Leaf {  // of the highest order
    std::uint32_t word;
    float log_prob;
  };

  // `lower`: orders 1 to N - 1, each ending in a node that is none, whose `begin` is the size of the next order.
  // Unigrams are numbered by their words. Throws std::invalid_argument where that does not hold.
  NgramModel(std::vector<HugeVector<Node>> lower, HugeVector<Leaf> highest, bool laplace);

  std::size_t order() const { return lower_.size() + 1; }
  bool laplace() const { return laplace_; }
  std::size_t words() const { return size(1); }
  std::size_t size(std::size_t n) const { return n == order() ? highest_.size() : lower_[n - 1].size() - 1; }
  const HugeVector<Node>& lower(std::size_t n) const { return lower_[n - 1]; }
  const HugeVector<Leaf>& highest() const { return highest_; }
  std::uint32_t word(std::size_t n, std::size_t i) const { return n == order() ? highest_[i].word : lower_[n - 1][i].word; }
  float log_prob(std::size_t n, std::size_t i) const { return n == order() ? highest_[i].log_prob : lower_[n - 1][i].log_prob; }

  // Of the n-gram of order n - 1 numbered `context` followed by `word`; kNone if there is none.
  std::uint32_t search(std::size_t n, std::uint32_t context, std::uint32_t word) const;

  // log10 of the word's probability after the context, to which the word is added; `matched` is the longest n-gram's order.
  float step(NgramContext& context, std::uint32_t word, std::uint8_t& matched) const;

  // The same for words one after another, from the start of a sentence or from nothing; returns the sum.
  // `log_probs` and `matched` may be null.
  double score(std::span<const std::uint32_t> words, bool begin, float* log_probs, std::uint8_t* matched) const;

  // Natural logarithms of the probabilities of all words after the context, [words]; of <s> minus infinity.
  void distribution(const NgramContext& context, float* out) const;

  // The index is made when it is first needed, or here. Threads that need it wait for the one that makes it.
  void prepare(int threads) const;
  bool prepared() const { return prepared_.load(std::memory_order_acquire); }

 private:
  using Found = std::array<std::uint32_t, kMostOrder>;  // numbers of the n-grams that end in a word, by order

  float weigh(NgramContext& context, const Found& found, std::uint8_t& matched) const;
  void make_index(int threads) const;

  std::vector<HugeVector<Node>> lower_;
  HugeVector<Leaf> highest_;
  bool laplace_;
  float unseen_;  // log10, of any word after a context that was not seen; laplace only
  mutable std::once_flag indexed_;
  mutable std::atomic<bool> prepared_{false};
  mutable std::vector<NgramIndex> index_;  // by order, from 2
};

}  // namespace nlptk
