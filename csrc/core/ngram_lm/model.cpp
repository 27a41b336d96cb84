#include "ngram_lm/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "ngram_lm/corpus.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kBlock = 64;  // words that are looked up together
constexpr std::size_t kFirst = 3;   // n-grams up to this order first; of longer ones many are known not to be there

}  // namespace

void NgramIndex::insert(std::uint64_t hash, std::uint32_t number) {
  const std::uint64_t entry = hash << 32 | number;
  for (std::size_t at = place(hash);; at = at + 1 == slots_.size() ? 0 : at + 1) {
    std::uint64_t expected = kFree;
    if (__atomic_compare_exchange_n(&slots_[at], &expected, entry, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
  }
}

NgramModel::NgramModel(std::vector<HugeVector<Node>> lower, HugeVector<Leaf> highest, bool laplace)
    : lower_(std::move(lower)), highest_(std::move(highest)), laplace_(laplace) {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
  };
  check(order() <= kMostOrder, "an n-gram model is of order 1 to 6");
  for (const auto& nodes : lower_) check(!nodes.empty(), "n-grams lack the one that ends them");
  check(words() > kEnd, "an n-gram model needs <unk>, <s> and </s>");
  for (std::size_t i = 0; i < words(); ++i) check(word(1, i) == i, "unigrams are not numbered by their words");
  for (std::size_t n = 2; n <= order(); ++n) {
    const HugeVector<Node>& contexts = lower_[n - 2];
    check(contexts.front().begin == 0 && contexts.back().begin == size(n), "contexts do not divide the n-grams after them");
    for (std::size_t c = 0; c + 1 < contexts.size(); ++c) {
      check(contexts[c].begin <= contexts[c + 1].begin && contexts[c + 1].begin <= size(n),
            "contexts do not divide the n-grams after them");
      for (std::size_t i = contexts[c].begin; i < contexts[c + 1].begin; ++i)
        check(word(n, i) < words() && (i == contexts[c].begin || word(n, i - 1) < word(n, i)),
              "words of n-grams are out of range or not sorted");
    }
  }
  unseen_ = static_cast<float>(-std::log10(static_cast<double>(words() - 1)));
}

std::uint32_t NgramModel::search(std::size_t n, std::uint32_t context, std::uint32_t word) const {
  const auto in = [&](const auto& ngrams) {
    const auto first = ngrams.begin() + lower_[n - 2][context].begin, last = ngrams.begin() + lower_[n - 2][context + 1].begin;
    const auto at = std::lower_bound(first, last, word, [](const auto& ngram, std::uint32_t w) { return ngram.word < w; });
    return at != last && at->word == word ? static_cast<std::uint32_t>(at - ngrams.begin()) : kNone;
  };
  return n == order() ? in(highest_) : in(lower_[n - 1]);
}

// Of the n-grams found the longest decides; contexts longer than its own give their back-off weights.
float NgramModel::weigh(NgramContext& context, const Found& found, std::uint8_t& matched) const {
  std::size_t n = std::min<std::size_t>(context.length + 1, order());
  float sum = 0;
  if (laplace_) {  // no shorter context is asked
    const std::uint32_t seen = n == 1 ? 0 : context.nodes[n - 2];
    if (found[n - 1] != kNone)
      sum = log_prob(n, found[n - 1]);
    else
      sum = seen == kNone ? unseen_ : lower_[n - 2][seen].backoff;
    while (found[n - 1] == kNone) --n;
  } else {
    for (; found[n - 1] == kNone; --n)
      if (context.nodes[n - 2] != kNone) sum += lower_[n - 2][context.nodes[n - 2]].backoff;
    sum += log_prob(n, found[n - 1]);
  }
  matched = static_cast<std::uint8_t>(n);
  context.length = static_cast<std::uint32_t>(std::min<std::size_t>(context.length + 1, order() - 1));
  std::copy_n(found.begin(), context.nodes.size(), context.nodes.begin());
  return sum;
}

float NgramModel::step(NgramContext& context, std::uint32_t word, std::uint8_t& matched) const {
  Found found;
  found.fill(kNone);
  found[0] = word;
  for (std::size_t n = 2; n <= context.length + 1; ++n)
    if (context.nodes[n - 2] != kNone) found[n - 1] = search(n, context.nodes[n - 2], word);
  return weigh(context, found, matched);
}

double NgramModel::score(std::span<const std::uint32_t> words, bool begin, float* log_probs, std::uint8_t* matched) const {
  prepare(1);
  const std::size_t most = order();
  NgramContext context;
  std::array<std::array<std::uint64_t, kMostOrder>, kBlock> hashes;  // of n-grams that end in a word, by order
  std::array<Found, kBlock> candidates;
  std::array<std::uint64_t, kMostOrder> before{};
  std::size_t known = 0;  // orders of `before` that are n-grams
  if (begin && most > 1) {
    context.length = 1;
    context.nodes[0] = kBegin;
    before[0] = hash_step(kHashSeed, kBegin);
    known = 1;
  }
  double total = 0;
  for (std::size_t first = 0; first < words.size(); first += kBlock) {
    const std::span<const std::uint32_t> block = words.subspan(first, std::min(kBlock, words.size() - first));
    std::array<std::size_t, kBlock> orders;
    for (std::size_t i = 0; i < block.size(); ++i) {
      hashes[i][0] = hash_step(kHashSeed, block[i]);
      orders[i] = std::min(known + 1, most);
      for (std::size_t n = 2; n <= orders[i]; ++n) hashes[i][n - 1] = hash_step(before[n - 2], block[i]);
      before = hashes[i];
      known = orders[i];
      for (std::size_t n = 2; n <= orders[i]; ++n) hashes[i][n - 1] = hash_finish(hashes[i][n - 1]);
      for (std::size_t n = 2; n <= std::min(orders[i], kFirst); ++n) index_[n - 2].prefetch(hashes[i][n - 1]);
      candidates[i].fill(kNone);
      candidates[i][0] = block[i];
    }
    // An n-gram's context is an n-gram, too: where that is none, nothing need be looked up. Of what ended in the block
    // before nothing is known.
    const auto may_be = [&](std::size_t i, std::size_t n) { return i == 0 || candidates[i - 1][n - 2] != kNone; };
    const auto look_up = [&](std::size_t i, std::size_t n) {
      const std::uint32_t at = candidates[i][n - 1] = index_[n - 2].find(hashes[i][n - 1]);
      if (at == kNone) return;
      if (n == most)
        __builtin_prefetch(&highest_[at]);
      else
        __builtin_prefetch(&lower_[n - 1][at]);
    };
    for (std::size_t i = 0; i < block.size(); ++i) {
      for (std::size_t n = 2; n <= std::min(orders[i], kFirst); ++n)
        if (may_be(i, n)) look_up(i, n);
      for (std::size_t n = kFirst + 1; n <= orders[i]; ++n)
        if (i + kFirst < n || candidates[i + kFirst - n][kFirst - 1] != kNone) index_[n - 2].prefetch(hashes[i][n - 1]);
    }
    for (std::size_t i = 0; i < block.size(); ++i)
      for (std::size_t n = kFirst + 1; n <= orders[i]; ++n)
        if (may_be(i, n)) look_up(i, n);
    for (std::size_t i = 0; i < block.size(); ++i) {
      for (std::size_t n = 2; n <= orders[i]; ++n) {
        std::uint32_t& at = candidates[i][n - 1];
        if (at == kNone) continue;
        const std::uint32_t of = context.nodes[n - 2];
        if (of == kNone)
          at = kNone;
        else if (word(n, at) != block[i] || at < lower_[n - 2][of].begin || at >= lower_[n - 2][of + 1].begin)
          at = search(n, of, block[i]);  // another n-gram with the same 32 bits, one look-up in 2^32
      }
      std::uint8_t longest;
      const float log_prob = weigh(context, candidates[i], longest);
      total += log_prob;
      if (log_probs != nullptr) log_probs[first + i] = log_prob;
      if (matched != nullptr) matched[first + i] = longest;
    }
  }
  return total;
}

void NgramModel::distribution(const NgramContext& context, float* out) const {
  constexpr float kLn10 = 2.302585093f;
  std::size_t lowest = 1;  // order of the shortest n-grams that count
  std::array<float, kMostOrder + 1> weights{};  // of n-grams of each order: the back-offs of longer contexts
  for (std::size_t n = context.length; n >= 1; --n) {
    const std::uint32_t node = context.nodes[n - 1];
    weights[n] = weights[n + 1] + (node == kNone || laplace_ ? 0 : lower_[n - 1][node].backoff);
  }
  if (laplace_ && context.length > 0) {
    const std::uint32_t node = context.nodes[context.length - 1];
    std::fill_n(out, words(), kLn10 * (node == kNone ? unseen_ : lower_[context.length - 1][node].backoff));
    lowest = context.length + 1;
  } else {
    for (std::size_t w = 0; w < words(); ++w) out[w] = kLn10 * (weights[1] + log_prob(1, w));
  }
  for (std::size_t n = std::max<std::size_t>(lowest, 2); n <= context.length + 1; ++n) {
    const std::uint32_t node = context.nodes[n - 2];
    if (node == kNone) continue;
    for (std::size_t i = lower_[n - 2][node].begin; i < lower_[n - 2][node + 1].begin; ++i)
      out[word(n, i)] = kLn10 * (weights[n] + log_prob(n, i));
  }
  out[kBegin] = -std::numeric_limits<float>::infinity();
}

void NgramModel::prepare(int threads) const {
  std::call_once(indexed_, [&] { make_index(threads); });
}

void NgramModel::make_index(int threads) const {
  std::vector<NgramIndex> index;
  HugeVector<std::uint64_t> contexts(words());
  for (std::size_t w = 0; w < words(); ++w) contexts[w] = hash_step(kHashSeed, w);
  for (std::size_t n = 2; n <= order(); ++n) {
    index.emplace_back(size(n));
    HugeVector<std::uint64_t> hashes(size(n));
    parallel_for(size(n - 1), threads, 1 << 14, [&](std::size_t first, std::size_t last, int) {
      const std::size_t begin = lower_[n - 2][first].begin, end = lower_[n - 2][last].begin;
      for (std::size_t c = first; c < last; ++c)
        for (std::size_t i = lower_[n - 2][c].begin; i < lower_[n - 2][c + 1].begin; ++i)
          hashes[i] = hash_step(contexts[c], word(n, i));
      constexpr std::size_t kAhead = 16;
      for (std::size_t i = begin; i < end; ++i) {
        if (i + kAhead < end) index.back().prefetch(hash_finish(hashes[i + kAhead]));
        index.back().insert(hash_finish(hashes[i]), static_cast<std::uint32_t>(i));
      }
    });
    contexts = std::move(hashes);
  }
  index_ = std::move(index);
  prepared_.store(true, std::memory_order_release);
}

}  // namespace nlptk
