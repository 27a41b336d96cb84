#include "bpe/pair_queue.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {
namespace {

std::uint32_t left_of(std::uint64_t pair) { return static_cast<std::uint32_t>(pair >> 32); }
std::uint32_t right_of(std::uint64_t pair) { return static_cast<std::uint32_t>(pair); }

}  // namespace

void PairQueue::add_piece(const std::vector<std::uint32_t>& units, std::uint64_t count) {
  if (units.size() < 2) return;
  if (slots_.size() + units.size() + 1 >= kBoundary)
    throw std::invalid_argument("the distinct pieces of the training text have more than 2^31 units; give less text");
  const auto weight = static_cast<std::int64_t>(count);
  if (run_weights_.empty() || run_weights_.back() != weight) {
    run_begins_.push_back(static_cast<std::uint32_t>(slots_.size()));
    run_weights_.push_back(weight);
  }
  slots_.insert(slots_.end(), units.begin(), units.end());
  slots_.push_back(kBoundary);
}

void PairQueue::start(std::size_t tokens, std::size_t most, std::size_t longest) {
  slots_.shrink_to_fit();
  longest_ = longest;
  units_.assign(tokens, 1);
  left_.of.resize(tokens);
  right_.of.resize(tokens);
  // A guess at the count of the last pair that will be merged, low enough to be rarely wrong.
  std::int64_t total = 0;
  for (std::size_t run = 0; run < run_begins_.size(); ++run) {
    const std::size_t end = run + 1 < run_begins_.size() ? run_begins_[run + 1] : slots_.size();
    total += run_weights_[run] * static_cast<std::int64_t>(end - run_begins_[run]);
  }
  scan(std::max<std::int64_t>(1, total / (64 * static_cast<std::int64_t>(most))));
}

bool PairQueue::too_long(std::uint32_t left, std::uint32_t right) const {
  const std::size_t units = std::size_t{units_[left]} + units_[right];
  return longest_ > 0 && units > 2 && units >= longest_;
}

// Calls f(pair, slot, weight) for each pair of the text that is not counted yet.
template <class F>
void PairQueue::each_untracked(F&& f) {
  for (std::size_t run = 0; run < run_begins_.size(); ++run) {
    const std::size_t end = run + 1 < run_begins_.size() ? run_begins_[run + 1] : slots_.size();
    for (std::size_t at = run_begins_[run], step = 1; at < end; ++step) {
      if (step % 65536 == 0) poll_interrupt();
      const std::size_t after = slots_[at] == kBoundary ? at + 1 : next(at);
      if (slots_[at] != kBoundary && slots_[after] != kBoundary && !too_long(slots_[at], slots_[after])) {
        const std::uint64_t pair = PairCounts::key(slots_[at], slots_[after]);
        if (threshold_ == 0 || counts_.find(pair) == nullptr)
          f(pair, static_cast<std::uint32_t>(at), run_weights_[run]);
      }
      at = after;
    }
  }
}

// Takes up the pairs with at least this count that are not counted yet.
void PairQueue::scan(std::int64_t threshold) {
  struct Found {
    std::uint64_t pair;
    std::uint32_t places;
    std::int64_t weight;
  };
  PairCounts index;  // pair -> 1 + place in `found`
  std::vector<Found> found;
  each_untracked([&](std::uint64_t pair, std::uint32_t, std::int64_t weight) {
    std::int64_t& at = index.at(pair);
    if (at == 0) {
      found.push_back({pair, 0, 0});
      at = static_cast<std::int64_t>(found.size());
    }
    Found& one = found[static_cast<std::size_t>(at) - 1];
    ++one.places;
    one.weight += weight;
  });
  std::vector<std::vector<std::uint32_t>> places(found.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].weight >= threshold) places[i].reserve(found[i].places);
  each_untracked([&](std::uint64_t pair, std::uint32_t slot, std::int64_t) {
    const auto i = static_cast<std::size_t>(*index.find(pair)) - 1;
    if (found[i].weight >= threshold) places[i].push_back(slot);
  });
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].weight < threshold) continue;
    counts_.at(found[i].pair) = found[i].weight;
    push(found[i].pair, found[i].weight, std::move(places[i]));
  }
  threshold_ = threshold;
}

void PairQueue::push(std::uint64_t pair, std::int64_t count, std::vector<std::uint32_t> places) {
  heap_.push_back({count, pair, std::move(places)});
  std::push_heap(heap_.begin(), heap_.end());
}

bool PairQueue::best(Best& found) {
  for (;;) {
    if (heap_.empty() || heap_.front().count < threshold_) {
      if (threshold_ > 1) {
        scan(std::max<std::int64_t>(1, threshold_ / 4));
        continue;
      }
      if (heap_.empty()) return false;
    }
    std::pop_heap(heap_.begin(), heap_.end());
    const std::int64_t count = *counts_.find(heap_.back().pair);
    if (count == heap_.back().count) break;
    // Counts fall while a pair waits: back with it to its right place.
    heap_.back().count = count;
    if (count > 0)
      std::push_heap(heap_.begin(), heap_.end());
    else
      heap_.pop_back();
  }
  current_ = std::move(heap_.back());
  heap_.pop_back();
  found = {current_.count, left_of(current_.pair), right_of(current_.pair)};
  return true;
}

void PairQueue::merge(std::uint32_t merged, bool fresh) {
  const std::uint32_t left = left_of(current_.pair), right = right_of(current_.pair);
  if (merged >= units_.size()) {  // not for as many as may come: that may be far more than do
    units_.resize(merged + std::size_t{1}, 1);
    left_.of.resize(merged + std::size_t{1});
    right_.of.resize(merged + std::size_t{1});
  }
  units_[merged] = units_[left] + units_[right];
  // A token made a second time adds to the counts of pairs that were left out: none may be missing.
  if (!fresh && threshold_ > 1) scan(1);
  join(merged);
  // Where the pair follows itself, the second occurrence takes back what the first has brought: the merged token
  // beside the left one.
  const std::int64_t again = left_.of[merged].weight;
  const bool beside = right_.of[left].weight > 0;
  for (const std::uint32_t id : left_.touched)
    if (!too_long(id, merged)) change(PairCounts::key(id, merged), left_.of[id].weight);
  for (const std::uint32_t id : right_.touched)
    if (!too_long(merged, id)) change(PairCounts::key(merged, id), right_.of[id].weight - (id == left ? again : 0));
  for (const std::uint32_t id : left_.touched)
    if (id != merged || !beside) change(PairCounts::key(id, left), -left_.of[id].weight);
  for (const std::uint32_t id : right_.touched) change(PairCounts::key(right, id), -right_.of[id].weight);
  push_new(merged);
  current_.places = {};
}

// Adds to a pair's count. A pair that is not there and stays below the threshold is left out.
void PairQueue::change(std::uint64_t pair, std::int64_t by) {
  if (std::int64_t* count = counts_.find(pair))
    *count += by;
  else if (by >= threshold_)
    counts_.at(pair) = by;
}

// Queues the pairs that a merge has brought, and forgets the neighbours.
void PairQueue::push_new(std::uint32_t merged) {
  std::vector<std::uint32_t>& twice = right_.of[merged].places;  // of the merged token beside itself, on both sides
  if (!twice.empty() && !left_.of[merged].places.empty()) {
    std::vector<std::uint32_t>& places = left_.of[merged].places;
    places.insert(places.end(), twice.begin(), twice.end());
    std::sort(places.begin(), places.end());
    twice.clear();
  }
  for (Side* side : {&left_, &right_}) {
    for (const std::uint32_t id : side->touched) {
      Side::Neighbour neighbour = std::move(side->of[id]);
      side->of[id] = {};
      const std::uint64_t pair = side == &left_ ? PairCounts::key(id, merged) : PairCounts::key(merged, id);
      const std::int64_t* count = counts_.find(pair);
      if (count == nullptr || *count <= 0 || neighbour.places.empty()) continue;
      neighbour.places.shrink_to_fit();
      push(pair, *count, std::move(neighbour.places));
    }
    side->touched.clear();
  }
}

// Writes the merged token into the slots and notes its neighbours.
void PairQueue::join(std::uint32_t merged) {
  constexpr std::size_t kAhead = 12;  // places whose slots are asked for before their turn
  const std::uint32_t left = left_of(current_.pair), right = right_of(current_.pair);
  const std::vector<std::uint32_t>& places = current_.places;
  std::size_t run = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i + kAhead < places.size()) __builtin_prefetch(&slots_[places[i + kAhead]], 1);
    const std::size_t at = places[i];
    if (slots_[at] != left) continue;
    const std::size_t second = next(at);
    if (slots_[second] != right) continue;
    if (run + 1 < run_begins_.size() && at >= run_begins_[run + 1]) {
      const auto after = std::upper_bound(run_begins_.begin() + static_cast<std::ptrdiff_t>(run), run_begins_.end(), at);
      run = static_cast<std::size_t>(after - run_begins_.begin()) - 1;
    }
    const std::size_t end = next(second);
    slots_[at] = merged;
    slots_[second] = kInside;
    slots_[at + 1] = slots_[end - 1] = kInside | static_cast<std::uint32_t>(end - at);
    const std::size_t before = previous(at);
    if (slots_[before] != kBoundary)
      left_.add(slots_[before], run_weights_[run], static_cast<std::uint32_t>(before));
    if (slots_[end] != kBoundary) right_.add(slots_[end], run_weights_[run], static_cast<std::uint32_t>(at));
  }
}

}  // namespace nlptk
