// Which pairs of tokens a training text holds, how often and where; gives out the most frequent one.
//
// The text is all distinct pieces, one after another in one array of slots. A token of n units has n slots: its id in
// the first, its length in the second and the last, with the top bit set as in all slots between. So both neighbours
// of a token are one look away, a merge writes three slots, and a slot that no token begins in is known as such.
//
// Pieces lie in the order of their counts, so that a slot's weight is found among the few distinct counts. Pairs below
// a threshold are not kept at all: most occur once and never come to be merged. A pair's count only falls after the
// step that makes it, so that what is kept holds every pair at or above the threshold; when those are used up, the
// slots are scanned again for pairs of a lower one.
#pragma once

#include <cstdint>
#include <vector>

#include "bpe/pair_counts.hpp"
#include "word_counts.hpp"

namespace nlptk {

class PairQueue {
 public:
  struct Best {
    std::int64_t count = 0;
    std::uint32_t left = 0, right = 0;
  };

  // Adds a piece by the ids of its units; pieces come with falling counts.
  void add_piece(const std::vector<std::uint32_t>& units, std::uint64_t count);
  // After the last piece. `tokens`: how many there are; `most`: how many there will be at most; `longest`: units of a
  // token, 0 for any.
  void start(std::size_t tokens, std::size_t most, std::size_t longest);

  // The pair that occurs most, of equals the one with the smaller ids; false if no pair occurs.
  bool best(Best& found);
  // Merges the pair that best() gave last into the token `merged` wherever it stands. `fresh`: no such token was there.
  void merge(std::uint32_t merged, bool fresh);

 private:
  static constexpr std::uint32_t kInside = 0x80000000;    // the slot is inside a token, or its last
  static constexpr std::uint32_t kBoundary = 0x7FFFFFFF;  // between two pieces

  struct Candidate {
    std::int64_t count;
    std::uint64_t pair;
    std::vector<std::uint32_t> places;  // slots of the left token, rising
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };
  // What happened beside the merged pair: neighbour by neighbour, on one side.
  struct Side {
    struct Neighbour {
      std::int64_t weight = 0;
      std::vector<std::uint32_t> places;  // of the new pair
    };
    std::vector<Neighbour> of;            // by token id
    std::vector<std::uint32_t> touched;   // ids with an entry
    void add(std::uint32_t id, std::int64_t weight, std::uint32_t place) {
      Neighbour& neighbour = of[id];
      if (neighbour.places.empty()) touched.push_back(id);
      neighbour.weight += weight;
      neighbour.places.push_back(place);
    }
  };

  std::size_t next(std::size_t at) const {
    const std::uint32_t beside = slots_[at + 1];
    return at + (beside & kInside ? beside & ~kInside : 1);
  }
  std::size_t previous(std::size_t at) const {
    const std::uint32_t beside = slots_[at - 1];
    return at - (beside & kInside ? beside & ~kInside : 1);
  }
  bool too_long(std::uint32_t left, std::uint32_t right) const;
  void scan(std::int64_t threshold);
  template <class F>
  void each_untracked(F&& f);
  void join(std::uint32_t merged);
  void change(std::uint64_t pair, std::int64_t by);
  void push_new(std::uint32_t merged);
  void push(std::uint64_t pair, std::int64_t count, std::vector<std::uint32_t> places);

  std::vector<std::uint32_t> slots_{kBoundary};
  std::vector<std::uint32_t> run_begins_;   // slots from which a weight holds
  std::vector<std::int64_t> run_weights_;
  std::vector<std::uint32_t> units_;        // by token id, its length
  std::size_t longest_ = 0;
  std::int64_t threshold_ = 0;
  PairCounts counts_;
  std::vector<Candidate> heap_;
  Candidate current_{0, 0, {}};
  Side left_, right_;
};

}  // namespace nlptk
