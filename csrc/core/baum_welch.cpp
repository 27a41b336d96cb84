// Makes the tables, sorts sequences into groups of like length, and adds up the counts of shards of the corpus.
#include "baum_welch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <vector>

#include "chain.hpp"
#include "kernels/baum_welch_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kLanes = 16;  // of the widest vector
constexpr double kStepsWork = 1e8;  // multiply-adds between two looks at Ctrl-C
constexpr std::size_t kOverlap = 256;        // steps after which pieces of a long sequence have forgotten where they began
constexpr std::size_t kSplit = 32 * kOverlap;  // the length from which sequences are cut to pieces
constexpr double kAlike = 4e-6;              // difference of distributions that is float32's own
constexpr double kLog2 = 0.69314718055994530942;
constexpr std::size_t kMostShards = 16;
constexpr std::size_t kShardTokens = 1 << 14;
constexpr std::size_t kKeptFloats = std::size_t{1} << 24;  // 64 MiB
constexpr std::size_t kShardBytes = std::size_t{1} << 29;  // of all shards' counts

struct Sequences {
  const std::int32_t* words;
  const std::int64_t* offsets;

  const std::int32_t* of(std::size_t s) const { return words + offsets[s]; }
  std::size_t length(std::size_t s) const { return static_cast<std::size_t>(offsets[s + 1] - offsets[s]); }
};

// The parameters as the kernels take them, and on demand as log scores. Threads share it.
class Model {
 public:
  explicit Model(const HmmParameters& parameters);

  const HmmTables& tables() const { return tables_; }
  double log_scale(std::int32_t word) const { return log_scales_[static_cast<std::size_t>(word)]; }
  std::size_t states() const { return parameters_.states; }
  std::size_t words() const { return parameters_.words; }
  double transition(std::size_t i, std::size_t j) const { return parameters_.transitions[i * states() + j]; }
  const Chain& chain() const;
  std::vector<float> log_emissions(const std::int32_t* words, std::size_t length) const;

 private:
  void fill_emissions(float* table);

  HmmParameters parameters_;
  HmmTables tables_{};
  ChainWorkspace floats_;           // of the tables
  std::vector<double> log_scales_;  // [words + 1] log of what was taken out of each row of emissions
  mutable std::once_flag once_;
  mutable std::optional<Chain> chain_;
};

Model::Model(const HmmParameters& parameters) : parameters_(parameters) {
  const std::size_t n = states();
  const std::size_t stride = (n + kLanes - 1) / kLanes * kLanes;
  const std::size_t size = (2 * n + 1 + words() + 1) * stride;
  float* to = floats_.floats(size);
  std::fill_n(to, size, 0.0f);
  float* from = to + n * stride;
  float* start = from + n * stride;
  float* emission = start + stride;
  for (std::size_t i = 0; i < n; ++i) {
    start[i] = static_cast<float>(parameters_.start[i]);
    for (std::size_t j = 0; j < n; ++j)
      to[i * stride + j] = from[j * stride + i] = static_cast<float>(transition(i, j));
  }
  tables_ = {n, stride, to, from, start, emission};
  fill_emissions(emission);
}

// A row for each word, its maximum 1, and a last row of ones.
void Model::fill_emissions(float* table) {
  constexpr std::size_t block = 64;  // words at a time: rows of parameters are read in pieces of cache lines
  std::vector<double> highest(words() + 1, 0.0);
  for (std::size_t j = 0; j < states(); ++j)
    for (std::size_t w = 0; w < words(); ++w)
      highest[w] = std::max(highest[w], parameters_.emission[j * words() + w]);
  highest[words()] = 1.0;
  log_scales_.resize(words() + 1);
  for (std::size_t w = 0; w <= words(); ++w) log_scales_[w] = std::log(highest[w]);
  for (double& value : highest) value = value > 0 ? 1.0 / value : 0.0;
  for (std::size_t begin = 0; begin < words(); begin += block)
    for (std::size_t j = 0; j < states(); ++j)
      for (std::size_t w = begin; w < std::min(words(), begin + block); ++w)
        table[w * tables_.stride + j] = static_cast<float>(parameters_.emission[j * words() + w] * highest[w]);
  std::fill_n(table + words() * tables_.stride, states(), 1.0f);
}

float log_of(double probability) { return static_cast<float>(std::log(probability)); }

const Chain& Model::chain() const {
  std::call_once(once_, [this] {
    const std::size_t n = states();
    std::vector<float> start(n), steps(n * n);
    std::transform(parameters_.start, parameters_.start + n, start.begin(), log_of);
    std::transform(parameters_.transitions, parameters_.transitions + n * n, steps.begin(), log_of);
    chain_.emplace(ChainScores{n, steps.data(), start.data(), nullptr});
  });
  return *chain_;
}

std::vector<float> Model::log_emissions(const std::int32_t* sequence, std::size_t length) const {
  std::vector<float> scores(length * states(), 0.0f);
  for (std::size_t t = 0; t < length; ++t)
    for (std::size_t j = 0; j < states(); ++j)
      if (const auto word = static_cast<std::size_t>(sequence[t]); word < words())
        scores[t * states() + j] = log_of(parameters_.emission[j * words() + word]);
  return scores;
}

// What one thread needs beside the counts.
struct Workspace {
  ChainWorkspace rows;   // alpha, beta and scale of a group
  ChainWorkspace sides;  // of expected transitions that wait to be summed
};

// The counts of one part of the corpus.
class Shard {
 public:
  Shard(const Model& model, const Sequences& sequences, Workspace& workspace)
      : model_(model),
        tables_(model.tables()),
        sequences_(sequences),
        workspace_(workspace),
        start_(tables_.stride),
        transitions_(model.states() * model.states()),
        pairs_(model.states() * tables_.stride),
        emission_((model.words() + 1) * tables_.stride) {}

  void run(std::size_t begin, std::size_t end, double* log_likelihoods);
  void add_to(const HmmCounts& counts) const;

 private:
  void run_group(const std::size_t* members, std::size_t count, double* log_likelihoods);
  bool run_in_pieces(std::size_t sequence, double* log_likelihood);
  bool agrees(const HmmGroup& group, std::size_t r, std::size_t t, std::size_t before, std::size_t t_before) const;
  double sum(const float* row) const { return std::accumulate(row, row + tables_.stride, 0.0); }
  void set_rows(HmmGroup& group);
  void sweep(HmmGroup& group) const;
  double log_likelihood(const HmmGroup& group, std::size_t r) const;
  void add_counts(const HmmGroup& group, std::size_t r, std::size_t begin, std::size_t end);
  double run_exactly(const HmmGroup& group, std::size_t r);
  void flush_pairs();

  const Model& model_;
  const HmmTables& tables_;
  Sequences sequences_;
  Workspace& workspace_;
  float* left_ = nullptr;  // [kHmmPairs, stride], and right_
  float* right_ = nullptr;
  std::size_t waiting_ = 0;
  std::vector<double> start_;
  std::vector<double> transitions_;  // of sequences that were done exactly
  std::vector<double> pairs_;        // of the others, not yet times the transitions' probabilities
  std::vector<double> emission_;
};

void Shard::run(std::size_t begin, std::size_t end, double* log_likelihoods) {
  left_ = workspace_.sides.floats(2 * kHmmPairs * tables_.stride);
  right_ = left_ + kHmmPairs * tables_.stride;
  std::vector<std::size_t> order;
  for (std::size_t s = begin; s < end; ++s) {
    log_likelihoods[s] = 0.0;
    if (sequences_.length(s) >= kSplit && run_in_pieces(s, log_likelihoods + s)) continue;
    if (sequences_.length(s) > 0) order.push_back(s);
  }
  std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    return sequences_.length(a) > sequences_.length(b);
  });
  const std::size_t rows = hmm_kernels().rows;
  for (std::size_t k = 0; k < order.size(); k += rows)
    run_group(order.data() + k, std::min(rows, order.size() - k), log_likelihoods);
  flush_pairs();
}

void Shard::set_rows(HmmGroup& group) {
  const std::size_t stride = tables_.stride;
  const std::size_t tokens = std::accumulate(group.lengths, group.lengths + group.count, std::size_t{0});
  float* next = workspace_.rows.floats(tokens * (2 * stride + 1) + kMostHmmRows * stride);
  group.right = next;
  next += kMostHmmRows * stride;
  for (std::size_t r = 0; r < group.count; ++r) {
    group.alpha[r] = next;
    group.beta[r] = next + group.lengths[r] * stride;
    next += 2 * group.lengths[r] * stride;
  }
  for (std::size_t r = 0; r < group.count; ++r) {
    group.scale[r] = next;
    next += group.lengths[r];
  }
}

// Fills the rows of all sequences of the group.
void Shard::sweep(HmmGroup& group) const {
  const double work = static_cast<double>(group.count * model_.states() * tables_.stride);
  const std::size_t steps = std::max<std::size_t>(1, static_cast<std::size_t>(kStepsWork / work));
  const std::size_t longest = group.lengths[0];
  for (std::size_t t = 0; t < longest; t += steps) {
    hmm_kernels().forward(tables_, group, t, std::min(longest, t + steps));
    poll_interrupt();
  }
  for (std::size_t end = longest; end > 0; end -= std::min(end, steps)) {
    hmm_kernels().backward(tables_, group, end - std::min(end, steps), end);
    poll_interrupt();
  }
}

void Shard::run_group(const std::size_t* members, std::size_t count, double* log_likelihoods) {
  HmmGroup group{};
  group.count = count;
  for (std::size_t r = 0; r < count; ++r) {
    group.words[r] = sequences_.of(members[r]);
    group.lengths[r] = sequences_.length(members[r]);
    group.start[r] = tables_.start;
  }
  set_rows(group);
  sweep(group);
  for (std::size_t r = 0; r < count; ++r) {
    if (group.failed[r]) {
      log_likelihoods[members[r]] = run_exactly(group, r);
    } else {
      log_likelihoods[members[r]] = log_likelihood(group, r);
      add_counts(group, r, 0, group.lengths[r]);
    }
  }
}

double Shard::log_likelihood(const HmmGroup& group, std::size_t r) const {
  double sum = std::log(static_cast<double>(group.sum[r])) + static_cast<double>(group.exponent[r]) * kLog2;
  for (std::size_t t = 0; t < group.lengths[r]; ++t) sum += model_.log_scale(group.words[r][t]);
  return sum;
}

// Of the steps [begin, end).
void Shard::add_counts(const HmmGroup& group, std::size_t r, std::size_t begin, std::size_t end) {
  const std::size_t stride = tables_.stride;
  for (std::size_t j = 0; begin == 0 && j < model_.states(); ++j)
    start_[j] += static_cast<double>(group.alpha[r][j] * group.beta[r][j]);
  hmm_kernels().add_emissions(tables_, group.alpha[r] + begin * stride, group.beta[r] + begin * stride,
                              group.words[r] + begin, end - begin, emission_.data());
  const std::size_t last = std::min(end, group.lengths[r] - 1);  // a transition goes out of each step before it
  for (std::size_t t = begin; t < last;) {
    const std::size_t count = std::min(last - t, kHmmPairs - waiting_);
    hmm_kernels().copy_pairs(tables_, group.alpha[r] + t * stride, group.beta[r] + t * stride, group.scale[r] + t,
                             group.words[r] + t, count, left_ + waiting_ * stride, right_ + waiting_ * stride);
    waiting_ += count;
    t += count;
    if (waiting_ == kHmmPairs) flush_pairs();
  }
}

// A long sequence as a group of pieces that overlap: each but the first begins with any state, and its alpha is right
// once that is forgotten, likewise beta from its end. False, with nothing counted, where the pieces do not agree.
bool Shard::run_in_pieces(std::size_t sequence, double* log_likelihood) {
  const std::size_t length = sequences_.length(sequence);
  const std::int32_t* words = sequences_.of(sequence);
  HmmGroup group{};
  group.count = hmm_kernels().rows;
  // Row of the group for each piece: the first and the last piece overlap on one side only, so they are shortest.
  std::size_t begins[kMostHmmRows + 1], skipped[kMostHmmRows], rows[kMostHmmRows];
  for (std::size_t k = 0; k <= group.count; ++k) begins[k] = length / group.count * k;
  begins[group.count] = length;
  const auto size = [&](std::size_t k) {
    return begins[k + 1] - begins[k] + (k > 0 ? kOverlap : 0) + (k + 1 < group.count ? kOverlap : 0);
  };
  std::size_t by_size[kMostHmmRows];
  std::iota(by_size, by_size + group.count, std::size_t{0});
  std::stable_sort(by_size, by_size + group.count, [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  for (std::size_t r = 0; r < group.count; ++r) {
    const std::size_t k = by_size[r];
    rows[k] = r;
    skipped[k] = k > 0 ? kOverlap : 0;
    group.words[r] = words + begins[k] - skipped[k];
    group.lengths[r] = size(k);
    group.start[r] = k > 0 ? tables_.emission + model_.words() * tables_.stride : tables_.start;
  }
  set_rows(group);
  sweep(group);
  for (std::size_t k = 0; k < group.count; ++k)
    if (group.failed[k]) return false;
  for (std::size_t k = 1; k < group.count; ++k) {
    const std::size_t t_before = skipped[k - 1] + begins[k] - begins[k - 1];
    if (!agrees(group, rows[k], skipped[k], rows[k - 1], t_before)) return false;
  }
  double total = 0.0;
  for (std::size_t k = 0; k < group.count; ++k) {
    const std::size_t r = rows[k], begin = skipped[k], end = begin + begins[k + 1] - begins[k];
    const float* alpha = group.alpha[r];
    total += std::log(sum(alpha + (end - 1) * tables_.stride));
    if (begin > 0) total -= std::log(sum(alpha + (begin - 1) * tables_.stride));
    for (std::size_t t = begin; t < end; ++t)
      total += model_.log_scale(group.words[r][t]) - std::ilogb(group.scale[r][t]) * kLog2;
    add_counts(group, r, begin, end);
  }
  *log_likelihood = total;
  return true;
}

// Whether step t of row r and step t_before of the row before, which are one step, are the same by each other's alpha and
// beta: the state probabilities, and how likely alpha finds what beta has seen.
bool Shard::agrees(const HmmGroup& group, std::size_t r, std::size_t t, std::size_t before, std::size_t t_before) const {
  const std::size_t stride = tables_.stride;
  const float *alpha = group.alpha[r] + t * stride, *beta = group.beta[r] + t * stride;
  const float *past = group.alpha[before] + t_before * stride, *foreseen = group.beta[before] + t_before * stride;
  const auto product = [&](const float* a, const float* b) { return std::inner_product(a, a + stride, b, 0.0); };
  const double alpha_sum = sum(alpha), past_sum = sum(past);
  const double total = product(past, beta), foreseen_total = product(past, foreseen);
  double apart = 0.0;
  for (std::size_t j = 0; j < model_.states(); ++j) {
    const double a = past[j], b = beta[j];
    apart += std::abs(alpha[j] / alpha_sum - a / past_sum) * b * past_sum / total;
    apart += std::abs(foreseen[j] / foreseen_total - b / total) * a;
  }
  return apart <= kAlike;  // false for NaN
}

void Shard::flush_pairs() {
  hmm_kernels().add_pairs(tables_, left_, right_, waiting_, pairs_.data());
  waiting_ = 0;
  poll_interrupt();
}

double Shard::run_exactly(const HmmGroup& group, std::size_t r) {
  const std::size_t n = model_.states();
  std::vector<float> scores = model_.log_emissions(group.words[r], group.lengths[r]);
  std::vector<double> ends(n);
  ChainExpectations sums{transitions_.data(), start_.data(), ends.data()};
  ChainWorkspace workspace;
  const double total = forward_backward(model_.chain(), scores.data(), group.lengths[r], workspace, scores.data(), &sums);
  for (std::size_t t = 0; t < group.lengths[r]; ++t)
    for (std::size_t j = 0; j < n; ++j)
      emission_[static_cast<std::size_t>(group.words[r][t]) * tables_.stride + j] +=
          static_cast<double>(scores[t * n + j]);
  return total;
}

void Shard::add_to(const HmmCounts& counts) const {
  const std::size_t n = model_.states();
  const std::size_t stride = tables_.stride;
  for (std::size_t i = 0; i < n; ++i) {
    counts.start[i] += start_[i];
    for (std::size_t j = 0; j < n; ++j)
      counts.transitions[i * n + j] += transitions_[i * n + j] + pairs_[i * stride + j] * model_.transition(i, j);
  }
  for (std::size_t w = 0; w < model_.words(); ++w)
    for (std::size_t j = 0; j < n; ++j) counts.emission[w * n + j] += emission_[w * stride + j];
}

// Where parts of about the same number of tokens begin. It does not depend on the threads, so that sums do not.
std::vector<std::size_t> shard_bounds(const Model& model, const std::int64_t* offsets, std::size_t sequences) {
  const auto tokens = static_cast<std::size_t>(offsets[sequences]);
  const std::size_t counts = (model.words() + 1 + 2 * model.states()) * model.tables().stride * sizeof(double);
  const std::size_t useful = tokens / std::max(kShardTokens, 4 * model.words());
  const std::size_t shards = std::clamp<std::size_t>(std::min(useful, kShardBytes / counts), 1, kMostShards);
  std::vector<std::size_t> bounds{0};
  for (std::size_t k = 1; k < shards; ++k) {
    const auto target = static_cast<std::int64_t>(tokens / shards * k);
    bounds.push_back(static_cast<std::size_t>(std::lower_bound(offsets, offsets + sequences, target) - offsets));
  }
  bounds.push_back(sequences);
  return bounds;
}

}  // namespace

void hmm_expected_counts(const HmmParameters& parameters, const std::int32_t* words, const std::int64_t* offsets,
                         std::size_t sequences, int threads, const HmmCounts& counts, double* log_likelihoods) {
  const Model model(parameters);
  const std::vector<std::size_t> bounds = shard_bounds(model, offsets, sequences);
  std::vector<std::optional<Shard>> shards(bounds.size() - 1);
  parallel_for(shards.size(), threads, 1, [&](std::size_t k, std::size_t, int) {
    // Kept by the thread: fresh memory in each round would cost more in page faults than a few states in sums.
    thread_local Workspace mine;
    shards[k].emplace(model, Sequences{words, offsets}, mine);
    shards[k]->run(bounds[k], bounds[k + 1], log_likelihoods);
    mine.rows.shrink(kKeptFloats);
  });
  const std::size_t n = parameters.states;
  std::fill_n(counts.start, n, 0.0);
  std::fill_n(counts.transitions, n * n, 0.0);
  std::fill_n(counts.emission, parameters.words * n, 0.0);
  for (const std::optional<Shard>& shard : shards) shard->add_to(counts);
}

}  // namespace nlptk
