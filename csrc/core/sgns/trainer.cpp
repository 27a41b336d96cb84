#include "sgns/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "kernels/sgns_kernel.hpp"
#include "parallel.hpp"
#include "random_rows.hpp"
#include "sgns/worker.hpp"

namespace nlptk {
namespace {

void check(const SgnsSettings& s, const Vocabulary& vocabulary) {
  const auto need = [](bool good, const char* what) {
    if (!good) throw std::invalid_argument(what);
  };
  need(vocabulary.size() >= 2, "word vectors need at least two words: give more text or a lower min_count");
  need(s.dim >= 1 && s.dim <= 1 << 16, "the dimension must be 1 to 65536");
  need(s.window >= 1 && s.window <= 1000, "window must be 1 to 1000");
  need(s.negative >= 0 && s.negative <= 1000, "negative must be 0 to 1000");
  need(s.negative > 0 || s.hierarchical, "there is nothing to learn from: negative is 0 and hs is off");
  need(std::isfinite(s.alpha) && s.alpha > 0 && s.alpha <= 10, "alpha must be above 0 and at most 10");
  need(s.min_alpha >= 0 && s.min_alpha <= s.alpha, "min_alpha must be 0 to alpha");
  need(s.sample >= 0 && s.sample <= 1, "sample must be 0 to 1");
  need(std::abs(s.ns_exponent) <= 2, "ns_exponent must be -2 to 2");
  need(s.schedule > 0, "the schedule must have tokens");
  need(s.subwords.max_n == 0 || (s.subwords.min_n >= 1 && s.subwords.min_n <= s.subwords.max_n && s.subwords.buckets > 0),
       "subwords need 1 <= min_n <= max_n and a bucket or more");
}

// How many tokens of each word are trained on (word2vec.c's formula, which differs from the paper's).
std::vector<float> keep_chances(const Vocabulary& vocabulary, double sample) {
  std::vector<float> keep(vocabulary.size(), 1.0f);
  if (sample <= 0) return keep;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    const double share = static_cast<double>(vocabulary.count(i)) / static_cast<double>(vocabulary.tokens());
    keep[i] = static_cast<float>(std::min(1.0, (std::sqrt(share / sample) + 1) * sample / share));
  }
  return keep;
}

AliasTable noise_table(const Vocabulary& vocabulary, double exponent) {
  std::vector<double> weights;
  for (const std::uint64_t count : vocabulary.counts()) weights.push_back(std::pow(static_cast<double>(count), exponent));
  return AliasTable(weights);
}

}  // namespace

SgnsTrainer::SgnsTrainer(const Corpus& corpus, const Vocabulary& vocabulary, const SgnsSettings& settings)
    : corpus_(corpus), vocabulary_(vocabulary), settings_(settings), threads_(resolve_threads(settings.threads)) {
  check(settings_, vocabulary_);
  stride_ = row_stride(settings_.dim);
  keep_ = keep_chances(vocabulary_, settings_.sample);
  skipped_words_ = static_cast<std::uint32_t>(std::partition_point(keep_.begin(), keep_.end(), [](float keep) { return keep < 1; }) - keep_.begin());
  if (settings_.negative > 0) noise_ = noise_table(vocabulary_, settings_.ns_exponent);
  if (settings_.hierarchical) tree_ = HuffmanTree(vocabulary_.counts());
  if (settings_.subwords.max_n > 0) number_subwords();
  initialize();
}

void SgnsTrainer::number_subwords() {
  row_offsets_.push_back(0);
  for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
    rows_.push_back(static_cast<std::uint32_t>(i));
    for_each_subword(vocabulary_.word(i), settings_.subwords,
                     [&](std::uint32_t bucket) { rows_.push_back(static_cast<std::uint32_t>(vocabulary_.size() + bucket)); });
    row_offsets_.push_back(static_cast<std::uint32_t>(rows_.size()));
  }
}

// Inputs uniform in +-1/dim as fastText and gensim have it, outputs zero.
void SgnsTrainer::initialize() {
  const std::size_t rows = vocabulary_.size() + (settings_.subwords.max_n > 0 ? settings_.subwords.buckets : 0);
  in_.resize(rows * stride_);
  parallel_for(rows, threads_, 4096, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; ++row)
      fill_uniform(in_.data() + row * stride_, settings_.dim, seed_of(settings_.seed, 0, row));
  });
  std::size_t out_rows = settings_.negative > 0 ? vocabulary_.size() : 0;
  if (settings_.hierarchical) out_rows += vocabulary_.size() - 1;
  out_.resize(out_rows * stride_);
}

double SgnsTrainer::rate() const {
  const double done = static_cast<double>(tokens_.load(std::memory_order_relaxed)) / static_cast<double>(settings_.schedule);
  return std::max(settings_.min_alpha, settings_.alpha - (settings_.alpha - settings_.min_alpha) * done);
}

SgnsTrainer::Status SgnsTrainer::status() const { return {tokens_.load(), loss_.load(), rate()}; }

// A mean that forgets; threads may overwrite one another, it is only shown.
void SgnsTrainer::add_loss(double loss) {
  const double before = loss_.load(std::memory_order_relaxed);
  loss_.store(before == 0 ? loss : 0.9 * before + 0.1 * loss, std::memory_order_relaxed);
}

void SgnsTrainer::run(std::uint64_t epoch, const std::vector<std::uint32_t>& chunks, const Report& report) {
  if (finished_) throw std::invalid_argument("the training is finished");
  for (const std::uint32_t chunk : chunks)
    if (chunk >= corpus_.chunks().size()) throw std::invalid_argument("the corpus has no chunk " + std::to_string(chunk));
  std::vector<std::unique_ptr<SgnsWorker>> workers;
  for (int t = 0; t < threads_; ++t) workers.push_back(std::make_unique<SgnsWorker>(*this));
  auto last = std::chrono::steady_clock::now();
  const auto tick = [&](bool first_thread) {
    poll_interrupt();
    if (!first_thread || !report) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last < std::chrono::milliseconds(200)) return;
    last = now;
    report(status());
  };
  parallel_for(chunks.size(), threads_, 1, [&](std::size_t i, std::size_t, int thread) {
    workers[static_cast<std::size_t>(thread)]->run(corpus_.chunks()[chunks[i]], seed_of(settings_.seed, epoch + 1, chunks[i]),
                                                   [&] { tick(thread == 0); });
  });
  check_finite();
}

void SgnsTrainer::check_finite() const {
  for (std::size_t row = 0; row < in_.size() / stride_; ++row) {
    if (all_finite(in_.data() + row * stride_, stride_)) continue;
    const std::string name = row < vocabulary_.size() ? "the word '" + std::string(vocabulary_.word(row)) + "'" : "a subword";
    throw std::invalid_argument("the training went astray: the vector of " + name +
                                " is not finite; use a smaller learning rate (alpha)");
  }
}

void SgnsTrainer::word_vectors(float* vectors) const {
  const bool subwords = !row_offsets_.empty();
  for (std::size_t word = 0; word < vocabulary_.size(); ++word) {
    float* vector = vectors + word * settings_.dim;
    const std::size_t begin = subwords ? row_offsets_[word] : word, end = subwords ? row_offsets_[word + 1] : word + 1;
    std::fill_n(vector, settings_.dim, 0.0f);
    for (std::size_t r = begin; r < end; ++r) {
      const float* row = in_.data() + (subwords ? rows_[r] : r) * stride_;
      for (std::size_t k = 0; k < settings_.dim; ++k) vector[k] += row[k];
    }
    for (std::size_t k = 0; k < settings_.dim; ++k) vector[k] /= static_cast<float>(end - begin);
  }
}

void SgnsTrainer::finish() {
  decltype(out_)().swap(out_);
  const std::size_t rows = in_rows();
  for (std::size_t row = 1; row < rows; ++row)
    std::memmove(in_.data() + row * settings_.dim, in_.data() + row * stride_, settings_.dim * sizeof(float));
  in_.resize(rows * settings_.dim);
  stride_ = settings_.dim;
  finished_ = true;
}

}  // namespace nlptk
