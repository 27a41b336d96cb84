#include "ngram_lm/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "ngram_lm/corpus.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

using Numbers = HugeVector<std::uint32_t>;
constexpr std::uint32_t kNone = NgramContext::kNone;
constexpr std::uint32_t kPruned = kNone - 1;  // stands for the number of an n-gram that has no entry
constexpr std::size_t kAhead = 16;  // items of a list whose memory is asked for in time

// Calls f(i) for all i below n and looks for Ctrl-C now and then.
template <class F>
void for_all(std::size_t n, F&& f) {
  for (std::size_t begin = 0; begin < n; begin += kCharsPerPoll) {
    poll_interrupt();
    for (std::size_t i = begin, end = std::min(n, begin + kCharsPerPoll); i < end; ++i) f(i);
  }
}

// The text's positions by the words that end there.
struct SortedText {
  Numbers positions;
  HugeVector<std::uint8_t> same;  // words that an entry shares with the one before it, at most N; N too up to <s>
  std::size_t begin_first, begin_last;  // the entries of <s>
};

SortedText sort_text(const Numbers& text, std::size_t words, std::size_t order) {
  Numbers starts(words + 1);
  for (const std::uint32_t word : text) ++starts[word + 1];
  for (std::size_t w = 0; w < words; ++w) starts[w + 1] += starts[w];
  SortedText sorted;
  sorted.begin_first = starts[kBegin], sorted.begin_last = starts[kBegin + 1];
  Numbers& positions = sorted.positions;
  positions.resize(text.size());
  Numbers cursors = starts;
  for_all(text.size(), [&](std::size_t i) { positions[cursors[text[i]]++] = static_cast<std::uint32_t>(i); });
  for (std::size_t k = 2; k <= order; ++k) {
    Numbers next(text.size());
    cursors = starts;
    // Nothing counts before <s>.
    std::copy(positions.begin() + sorted.begin_first, positions.begin() + sorted.begin_last, next.begin() + sorted.begin_first);
    for_all(text.size(), [&](std::size_t r) {
      if (r + kAhead < text.size()) __builtin_prefetch(&text[positions[r + kAhead]]);
      const std::size_t after = std::size_t{positions[r]} + 1;
      if (after < text.size() && text[after] != kBegin) next[cursors[text[after]]++] = static_cast<std::uint32_t>(after);
    });
    positions = std::move(next);
  }
  sorted.same.resize(text.size());
  for_all(text.size(), [&](std::size_t r) {
    if (r == 0) return;
    if (r + kAhead < text.size()) __builtin_prefetch(&text[positions[r + kAhead]]);
    std::size_t a = positions[r - 1], b = positions[r], equal = 0;
    while (equal < order && text[a] == text[b]) {
      ++equal;
      if (text[a] == kBegin) equal = order;
      --a, --b;  // before the text stands its first <s>, where the loop ends
    }
    sorted.same[r] = static_cast<std::uint8_t>(equal);
  });
  return sorted;
}

// What follows an n-gram in the text.
struct Followers {
  std::uint32_t total = 0;   // of their adjusted counts
  std::uint32_t pruned = 0;  // the same, of those that have no entry
  std::uint32_t kept = 0, ones = 0, twos = 0;
};

struct Ngram {
  std::size_t first, last;  // entries of the sorted text
  std::uint32_t context;    // number of all but the last word, or kPruned
  std::uint32_t adjusted;   // the number of words before it; the number of times it occurs if it is of the highest
                            // order or begins with <s>
};

class Estimator {
 public:
  Estimator(Numbers text, std::size_t words, const NgramSettings& settings)
      : text_(std::move(text)), words_(words), order_(settings.order), settings_(settings) {
    if (order_ < 1 || order_ > kMostOrder) throw std::invalid_argument("order must be from 1 to 6");
    if (text_.empty()) throw std::invalid_argument("there is no sentence to learn from");
  }

  NgramEstimate run() {
    sorted_ = sort_text(text_, words_, order_);
    unigrams();
    for (std::size_t n = 2; n <= order_; ++n) longer(n);
    return {NgramModel(std::move(lower_), std::move(highest_), settings_.laplace), std::move(statistics_)};
  }

 private:
  // Calls f(ngram) for each of order n, by last word, then the word before it and so on. Before that ahead(context, at)
  // is called for what may soon follow, to have memory fetched: `at` is where it ends in the text.
  template <class Ahead, class F>
  void for_each(std::size_t n, Ahead&& ahead, F&& f) {
    const std::size_t size = text_.size();
    for (std::size_t first = 0, last; first < size; first = last) {
      std::uint32_t before = 1;
      for (last = first + 1; last < size && sorted_.same[last] >= n; ++last) before += sorted_.same[last] == n;
      if (++polled_ % kCharsPerPoll == 0) poll_interrupt();
      if (first >= sorted_.begin_first && first < sorted_.begin_last) continue;
      if (n > 1 && last + 2 * kAhead < size) {
        const std::size_t far = sorted_.positions[last + 2 * kAhead], near = sorted_.positions[last + kAhead];
        __builtin_prefetch(&numbers_[far]);
        __builtin_prefetch(&text_[far]);
        const std::uint32_t context = near == 0 ? kNone : numbers_[near - 1];
        if (context < kPruned) ahead(context, near);
      }
      const std::size_t at = sorted_.positions[first];
      const std::uint32_t context = n == 1 ? 0 : numbers_[at - 1];
      if (context == kNone) continue;  // would begin before <s>
      const bool counted = n == order_ || settings_.laplace || text_[at - (n - 1)] == kBegin;
      f(Ngram{first, last, context, counted ? static_cast<std::uint32_t>(last - first) : before});
    }
  }

  bool is_kept(std::size_t n, const Ngram& ngram) const { return ngram.last - ngram.first > settings_.prune[n - 1]; }

  // What is known after all n-grams of an order are counted.
  HugeVector<Followers> count(std::size_t n, std::size_t contexts) {
    HugeVector<Followers> followers(contexts);
    NgramOrderStatistics& of = statistics_.emplace_back();
    const auto ahead = [&](std::uint32_t context, std::size_t) { __builtin_prefetch(&followers[context], 1); };
    for_each(n, ahead, [&](const Ngram& ngram) {
      ++of.ngrams;
      if (ngram.adjusted <= 4) ++of.seen[ngram.adjusted - 1];
      if (ngram.context == kPruned) return;
      Followers& all = followers[ngram.context];
      all.total += ngram.adjusted;
      if (!is_kept(n, ngram)) {
        all.pruned += ngram.adjusted;
        return;
      }
      ++all.kept;
      all.ones += ngram.adjusted == 1;
      all.twos += ngram.adjusted == 2;
    });
    if (!settings_.laplace) set_discounts(n, of);
    return followers;
  }

  void set_discounts(std::size_t n, NgramOrderStatistics& of) const {
    const auto& seen = of.seen;
    bool usable = seen[0] > 0 && seen[1] > 0 && seen[2] > 0;
    const double y = usable ? static_cast<double>(seen[0]) / static_cast<double>(seen[0] + 2 * seen[1]) : 0;
    for (std::size_t c = 1; usable && c <= 3; ++c) {
      const double count = static_cast<double>(c);
      of.discounts[c] = count - (count + 1) * y * static_cast<double>(seen[c]) / static_cast<double>(seen[c - 1]);
      usable = of.discounts[c] >= 0 && of.discounts[c] <= count;
    }
    if (usable) return;
    if (!settings_.fallback)
      throw std::invalid_argument("the text is too small or odd to estimate Kneser-Ney discounts of " + std::to_string(n) +
                                  "-grams: " + std::to_string(seen[0]) + ", " + std::to_string(seen[1]) + ", " +
                                  std::to_string(seen[2]) + " and " + std::to_string(seen[3]) +
                                  " of them have adjusted counts of 1, 2, 3 and 4; give more text, or a discount_fallback");
    std::copy(settings_.fallback->begin(), settings_.fallback->end(), of.discounts.begin() + 1);
  }

  // The share of a context's probability that goes to the shorter one's.
  double interpolation(std::size_t n, const Followers& all) const {
    const auto& discounts = statistics_[n - 1].discounts;
    return (discounts[1] * all.ones + discounts[2] * all.twos + discounts[3] * (all.kept - all.ones - all.twos) + all.pruned) /
           all.total;
  }

  double probability(std::size_t n, const Followers& all, std::uint32_t adjusted, double lower) const {
    if (settings_.laplace) return (adjusted + settings_.alpha) / (all.total + settings_.alpha * static_cast<double>(words_ - 1));
    const double discount = statistics_[n - 1].discounts[std::min<std::uint32_t>(adjusted, 3)];
    return (adjusted - discount) / all.total + interpolation(n, all) * lower;
  }

  float backoff(std::size_t n, const Followers& all) const {
    if (settings_.laplace)
      return log_of(settings_.alpha / (all.total + settings_.alpha * static_cast<double>(words_ - 1)));
    return all.total == 0 ? 0 : log_of(interpolation(n, all));
  }

  // What rounding puts above 1, and what discounts of 0 leave without any share, stay within what ARPA files hold.
  static float log_of(double share) { return static_cast<float>(std::clamp(std::log10(share), -99.0, 0.0)); }

  void unigrams() {
    const Followers all = count(1, 1)[0];
    const double uniform = 1.0 / static_cast<double>(words_ - 1);  // <s> is not predicted
    probabilities_.assign(words_, static_cast<float>(probability(1, all, 0, uniform)));
    for_each(1, [](std::uint32_t, std::size_t) {}, [&](const Ngram& ngram) {
      const std::uint32_t word = text_[sorted_.positions[ngram.first]];
      probabilities_[word] = static_cast<float>(probability(1, all, ngram.adjusted, uniform));
    });
    probabilities_[kBegin] = 1;  // as lmplz has it, so that <s> may be scored and costs nothing
    for (std::size_t w = 0; w < words_; ++w) {
      const auto word = static_cast<std::uint32_t>(w);
      if (order_ == 1)
        highest_.push_back({word, log_of(probabilities_[w])});
      else
        nodes_.push_back({word, log_of(probabilities_[w]), 0, 0});
    }
    numbers_ = text_;
  }

  void longer(std::size_t n) {
    const HugeVector<Followers> followers = count(n, nodes_.size());
    std::uint32_t size = 0;
    for (std::size_t c = 0; c < nodes_.size(); ++c) {
      nodes_[c].backoff = backoff(n, followers[c]);
      nodes_[c].begin = size;
      size += followers[c].kept;
    }
    HugeVector<NgramModel::Node> nodes(n < order_ ? size : 0);
    if (n == order_) highest_.resize(size);
    HugeVector<float> probabilities(n < order_ ? size : 0);
    Numbers numbers(n < order_ ? text_.size() : 0, kNone);
    const auto ahead = [&](std::uint32_t context, std::size_t at) {
      __builtin_prefetch(&followers[context]);
      __builtin_prefetch(&nodes_[context], 1);
      if (n < order_) __builtin_prefetch(&numbers[at], 1);
      if (const std::uint32_t shorter = numbers_[at]; shorter < kPruned) __builtin_prefetch(&probabilities_[shorter]);
    };
    for_each(n, ahead, [&](const Ngram& ngram) {
      std::uint32_t number = kPruned;
      if (is_kept(n, ngram)) {  // and so are its context and the n-gram without its first word, which occur as often
        number = nodes_[ngram.context].begin++;
        const std::size_t at = sorted_.positions[ngram.first];
        const double p = probability(n, followers[ngram.context], ngram.adjusted, probabilities_[numbers_[at]]);
        if (n == order_) {
          highest_[number] = {text_[at], log_of(p)};
        } else {
          nodes[number] = {text_[at], log_of(p), 0, 0};
          probabilities[number] = static_cast<float>(p);
        }
      }
      if (n == order_) return;
      for (std::size_t r = ngram.first; r < ngram.last; ++r) numbers[sorted_.positions[r]] = number;
    });
    // Each `begin` has moved to its range's end, which is where the next one begins.
    nodes_.push_back({0, 0, 0, 0});
    for (std::size_t c = nodes_.size() - 1; c > 0; --c) nodes_[c].begin = nodes_[c - 1].begin;
    nodes_.front().begin = 0;
    lower_.push_back(std::move(nodes_));
    nodes_ = std::move(nodes);
    probabilities_ = std::move(probabilities);
    numbers_ = std::move(numbers);
  }

  const Numbers text_;
  const std::size_t words_, order_;
  const NgramSettings& settings_;
  SortedText sorted_;
  std::size_t polled_ = 0;
  std::vector<NgramOrderStatistics> statistics_;
  // Of the order before the one at work: its n-grams, their probabilities, and which of them ends at each position.
  HugeVector<NgramModel::Node> nodes_;
  HugeVector<float> probabilities_;
  Numbers numbers_;
  std::vector<HugeVector<NgramModel::Node>> lower_;
  HugeVector<NgramModel::Leaf> highest_;
};

}  // namespace

NgramEstimate estimate_ngrams(HugeVector<std::uint32_t> text, std::size_t words, const NgramSettings& settings) {
  const InterruptScope scope;
  return Estimator(std::move(text), words, settings).run();
}

}  // namespace nlptk
