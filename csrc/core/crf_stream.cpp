#include "crf_stream.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace nlptk {
namespace {

constexpr std::size_t kBucket = 8;
constexpr std::size_t kAhead = 16;        // rows that are fetched before they are summed
constexpr double kFewSequences = 4096;    // L2's share of one sequence is that of so many at least
constexpr double kOnePassDecay = 10000;   // sequences after which the step of a single pass is 1 / sqrt(2)

}  // namespace

CrfStream::CrfStream(const StreamOptions& options)
    : options_(options),
      dense_freq_(std::min<std::size_t>(options.dense_freq, kMostCounted)),
      random_(options.seed) {
  if (options.bits < 4 || options.bits > 28) throw std::invalid_argument("bits must be from 4 to 28");
  if (!(options.rate > 0) || !(options.c2 >= 0) || options.passes < 1)
    throw std::invalid_argument("rate must be above 0, c2 0 or more and passes 1 or more");
  keys_.resize(std::size_t{1} << options.bits);
  counts_.resize(keys_.size());
}

void CrfStream::grow(std::size_t labels) {
  if (labels <= labels_) return;
  if (labels > 4096) throw std::invalid_argument("a CRF can have 4096 labels at most");
  const std::size_t padded = (labels + 7) / 8 * 8;
  if (padded != padded_) {
    decltype(weights_) weights(keys_.size() * padded);
    for (std::size_t r = 0; r < keys_.size(); ++r)
      std::copy_n(weights_.data() + r * padded_, padded_, weights.data() + r * padded);
    weights_.swap(weights);
    decltype(seen_) seen(keys_.size() * (padded / 8));
    for (std::size_t r = 0; r < keys_.size(); ++r)
      std::copy_n(seen_.data() + r * (padded_ / 8), padded_ / 8, seen.data() + r * (padded / 8));
    seen_.swap(seen);
    padded_ = padded;
  }
  std::vector<float> chain(chain_size(labels));
  for (std::size_t l = 0; l < labels_; ++l) {
    std::copy_n(chain_.data() + l * labels_, labels_, chain.data() + l * labels);
    chain[labels * labels + l] = chain_[labels_ * labels_ + l];
    chain[labels * labels + labels + l] = chain_[labels_ * labels_ + labels_ + l];
  }
  chain_.swap(chain);
  labels_ = labels;
}

double CrfStream::learn(const std::uint32_t* keys, std::size_t width, const std::int64_t* offsets,
                        std::size_t sequences, const std::int32_t* gold) {
  const auto units = static_cast<std::size_t>(offsets[sequences]);
  for (std::size_t u = 0; u < units; ++u)
    if (gold[u] < 0 || static_cast<std::size_t>(gold[u]) >= labels_)
      throw std::invalid_argument("a gold label is out of range");
  std::vector<std::size_t> order(sequences);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random_.shuffle(order);
  double loss = 0;
  for (const std::size_t s : order) {
    poll_();
    const auto first = static_cast<std::size_t>(offsets[s]);
    const auto last = static_cast<std::size_t>(offsets[s + 1]);
    if (first == last) continue;
    if (pass_ == 1) ++sequences_;
    loss += step(keys + first * width, width, last - first, gold + first);
    steps_ += 1;
  }
  return loss;
}

double CrfStream::rate() const {
  if (options_.passes == 1) return options_.rate / std::sqrt(1 + steps_ / kOnePassDecay);
  if (pass_ == 1) return options_.rate;
  const double done = pass_ - 2 + steps_ / static_cast<double>(std::max<std::size_t>(1, sequences_));
  return options_.rate * std::max(0.0, 1 - done / (options_.passes - 1));
}

double CrfStream::step(const std::uint32_t* keys, std::size_t width, std::size_t units, const std::int32_t* gold) {
  find_rows(keys, width, units, gold);
  emissions_.resize(units * labels_);
  by_.resize(padded_);
  for (std::size_t u = 0; u < units; ++u) {
    std::fill(by_.begin(), by_.end(), 0.0F);
    for (std::size_t i = u * width; i < (u + 1) * width; ++i) {
      if (i + kAhead < rows_.size() && rows_[i + kAhead] != kNone) __builtin_prefetch(weights(rows_[i + kAhead]), 1);
      if (rows_[i] == kNone) continue;
      const float* const row = weights(rows_[i]);
      for (std::size_t l = 0; l < padded_; ++l) by_[l] += row[l];
    }
    std::copy_n(by_.data(), labels_, emissions_.data() + u * labels_);
  }
  const GoldPath path{gold, units};
  const double loss = gradient_(path, labels_, static_cast<float>(scale_), chain_.data(), emissions_.data());

  const double eta = rate();
  const double decay = eta * 2 * options_.c2 / std::max(kFewSequences, static_cast<double>(sequences_));
  scale_ *= 1 - std::min(0.5, decay);
  const auto gain = static_cast<float>(eta / scale_);
  for (std::size_t u = 0; u < units; ++u) {
    for (std::size_t l = 0; l < labels_; ++l) by_[l] = -gain * emissions_[u * labels_ + l];
    by_[path.label(u)] += gain;
    for (std::size_t i = u * width; i < (u + 1) * width; ++i)
      if (rows_[i] != kNone) move_row(rows_[i], by_.data());
  }
  for (std::size_t i = 0; i < chain_.size(); ++i) chain_[i] -= gain * static_cast<float>(gradient_.chain()[i]);
  if (scale_ < 1e-6) fold();
  return loss;
}

// Rows of the keys, into rows_; in the first pass made and counted, with a bit for the unit's label.
void CrfStream::find_rows(const std::uint32_t* keys, std::size_t width, std::size_t units, const std::int32_t* gold) {
  rows_.resize(units * width);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (i + kAhead < rows_.size()) {
      __builtin_prefetch(&keys_[bucket(keys[i + kAhead])]);
      __builtin_prefetch(&counts_[bucket(keys[i + kAhead])]);
    }
    rows_[i] = keys[i] == 0 ? kNone : find_row(keys[i]);
    if (pass_ > 1 || rows_[i] == kNone) continue;
    const auto label = static_cast<std::size_t>(gold[i / width]);
    seen_[rows_[i] * (padded_ / 8) + label / 8] |= static_cast<std::uint8_t>(1U << label % 8);
  }
  if (pass_ == 1)
    for (const std::uint32_t r : rows_)
      if (r != kNone) counts_[r] &= kMostCounted;
}

std::uint32_t CrfStream::find_row(std::uint32_t key) {
  const std::size_t begin = bucket(key);
  std::size_t rarest = begin;
  for (std::size_t r = begin; r < begin + kBucket; ++r) {
    if (keys_[r] == key) {
      if (pass_ == 1) counts_[r] = static_cast<std::uint16_t>(std::min<int>(kMostCounted, (counts_[r] & kMostCounted) + 1) | kInUse);
      return static_cast<std::uint32_t>(r);
    }
    if (counts_[r] < counts_[rarest]) rarest = r;
  }
  if (pass_ > 1 || (counts_[rarest] & kInUse) != 0) return kNone;
  if (keys_[rarest] != 0) {
    ++replaced_;
    clear_row(rarest);
  }
  keys_[rarest] = key;
  counts_[rarest] = 1 | kInUse;
  return static_cast<std::uint32_t>(rarest);
}

void CrfStream::clear_row(std::size_t row) {
  keys_[row] = 0;
  counts_[row] = 0;
  std::fill_n(weights(row), padded_, 0.0F);
  std::fill_n(seen_.data() + row * (padded_ / 8), padded_ / 8, std::uint8_t{0});
}

bool CrfStream::has_weight(std::size_t row, std::size_t label) const {
  return dense(row) || (seen_[row * (padded_ / 8) + label / 8] >> label % 8 & 1) != 0;
}

void CrfStream::move_row(std::size_t row, const float* by) {
  float* const to = weights(row);
  if (dense(row)) {
    for (std::size_t l = 0; l < padded_; ++l) to[l] += by[l];
    return;
  }
  const std::uint8_t* const seen = seen_.data() + row * (padded_ / 8);
  for (std::size_t block = 0; block < padded_ / 8; ++block)
    for (unsigned bits = seen[block]; bits != 0; bits &= bits - 1) {
      const std::size_t l = 8 * block + static_cast<std::size_t>(__builtin_ctz(bits));
      to[l] += by[l];
    }
}

void CrfStream::fold() {
  for (float& value : weights_) value = static_cast<float>(value * scale_);
  for (float& value : chain_) value = static_cast<float>(value * scale_);
  scale_ = 1;
}

void CrfStream::end_pass() {
  if (pass_ == 1)
    for (std::size_t r = 0; r < keys_.size(); ++r)
      if (keys_[r] != 0 && counts_[r] < options_.min_freq) clear_row(r);
  ++pass_;
  steps_ = 0;
}

CrfStream::Model CrfStream::model(double prune) const {
  std::vector<std::uint32_t> order;
  for (std::size_t r = 0; r < keys_.size(); ++r)
    if (keys_[r] != 0) order.push_back(static_cast<std::uint32_t>(r));
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return keys_[a] < keys_[b]; });
  Model model;
  model.row_starts.push_back(0);
  for (const std::uint32_t r : order) {
    for (std::size_t l = 0; l < labels_; ++l) {
      const double weight = scale_ * static_cast<double>(weights_[r * padded_ + l]);
      if (weight == 0 || std::abs(weight) < prune || !has_weight(r, l)) continue;
      model.row_labels.push_back(static_cast<std::uint16_t>(l));
      model.parameters.push_back(static_cast<float>(weight));
    }
    if (model.row_labels.size() == model.row_starts.back()) continue;
    if (model.row_labels.size() > kNone) throw std::length_error("the model has over 2^32 weights; give fewer bits");
    model.keys.push_back(keys_[r]);
    model.row_starts.push_back(static_cast<std::uint32_t>(model.row_labels.size()));
  }
  for (const float weight : chain_) model.parameters.push_back(static_cast<float>(weight * scale_));
  return model;
}

}  // namespace nlptk
