#include "fasttext/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "kernels/fasttext_kernel.hpp"
#include "parallel.hpp"
#include "random_rows.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kBlock = 256;            // documents that a thread takes at a time
constexpr std::size_t kRowsPerPoll = 1 << 14;  // Ctrl-C is looked for so often
constexpr std::size_t kAhead = 2;              // documents whose rows are on their way into the cache

// What random numbers are for.
enum Kind : std::uint64_t { kWords, kBuckets, kOrder };

double minus_log(float p) { return -std::log(std::max(static_cast<double>(p), 1e-30)); }

}  // namespace

FastTextTrainer::FastTextTrainer(const Documents& documents, std::vector<std::uint32_t> labels, std::vector<std::size_t> offsets,
                                 std::size_t label_count, const std::vector<std::string>& extra, const FastTextSettings& settings)
    : settings_(settings), threads_(resolve_threads(settings.threads)), labels_(std::move(labels)), offsets_(std::move(offsets)) {
  const auto need = [](bool good, const char* what) {
    if (!good) throw std::invalid_argument(what);
  };
  need(std::isfinite(settings_.rate) && settings_.rate > 0, "the learning rate must be above 0");
  need(settings_.epochs > 0, "there must be an epoch");
  need(documents.size() > 0 && documents.size() < std::size_t{1} << 32, "there must be 1 to 2^32 - 1 documents");
  need(offsets_.size() == documents.size() + 1 && offsets_.back() == labels_.size(), "each document needs labels");
  std::vector<std::uint64_t> counts(label_count, 0);
  for (const std::uint32_t label : labels_) {
    need(label < label_count, "a label is out of range");
    ++counts[label];
  }
  if (settings_.loss != FastTextLoss::one_vs_all)
    need(labels_.size() == documents.size() && std::adjacent_find(offsets_.begin(), offsets_.end()) == offsets_.end(),
         "each document needs one label");
  FastTextFeatures features(documents, settings_.min_count, extra, settings_.features, threads_, lists_);
  model_ = std::make_shared<FastTextModel>(std::move(features), settings_.dim, settings_.loss, std::move(counts), documents.size());
  initialize();
}

void FastTextTrainer::initialize() {
  const std::vector<std::uint32_t> buckets = model_->features().buckets();
  const std::size_t words = model_->features().vocabulary().size();
  parallel_for(model_->in_rows(), threads_, 1024, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; ++row)
      fill_uniform(model_->in() + row * model_->stride(), model_->dim(),
                   row < words ? seed_of(settings_.seed, kWords, row) : seed_of(settings_.seed, kBuckets, buckets[row - words]));
  });
}

double FastTextTrainer::run(std::uint64_t epoch) {
  const std::size_t n = offsets_.size() - 1;
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  if (settings_.shuffle) Random(seed_of(settings_.seed, kOrder, epoch)).shuffle(order);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads_));
  for (Workspace& w : workspaces) {
    w.x.resize(model_->stride());
    w.dx.resize(model_->stride());
    w.scores.resize(row_stride(model_->labels()));
  }
  const double all = static_cast<double>(settings_.epochs) * static_cast<double>(n);
  parallel_for(n, threads_, kBlock, [&](std::size_t begin, std::size_t end, int thread) {
    Workspace& w = workspaces[static_cast<std::size_t>(thread)];
    std::size_t work = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (i + kAhead < end) fetch(order[i + kAhead]);
      const double done = (static_cast<double>(epoch) * static_cast<double>(n) + static_cast<double>(i)) / all;
      learn(order[i], static_cast<float>(settings_.rate * (1 - done)), i % 16 == 0, w);
      work += w.rows_done;
      if (work < kRowsPerPoll) continue;
      work = 0;
      poll_interrupt();
    }
  });
  double loss = 0;
  std::uint64_t losses = 0;
  for (const Workspace& w : workspaces) loss += w.loss, losses += w.losses;
  if (epoch + 1 >= settings_.epochs || !std::isfinite(loss)) check_finite();
  return losses == 0 ? 0 : loss / static_cast<double>(losses);
}

void FastTextTrainer::check_finite() const {
  const bool good = all_finite(model_->out(), model_->out_rows() * model_->stride()) &&
                    all_finite(model_->in(), model_->in_rows() * model_->stride());
  if (!good) throw std::invalid_argument("the training went astray: weights are not finite; use a smaller learning_rate");
}

void FastTextTrainer::fetch(std::size_t document) const {
  const std::size_t stride = model_->stride();
  for (const std::uint32_t row : lists_[document].items)
    for (std::size_t k = 0; k < stride; k += kRowLanes) __builtin_prefetch(model_->in() + std::size_t{row} * stride + k, 1, 2);
}

void FastTextTrainer::learn(std::size_t document, float rate, bool tell, Workspace& w) {
  const auto rows = model_->features().rows_of(lists_[document].items, w.rows);
  const std::span<const std::uint32_t> labels(labels_.data() + offsets_[document], offsets_[document + 1] - offsets_[document]);
  w.rows_done = rows.size() + model_->out_rows();
  if (rows.empty()) return;
  const FastTextKernels& kernels = fasttext_kernels();
  const float share = 1.0f / static_cast<float>(rows.size());
  kernels.sum_rows(model_->in(), model_->stride(), rows.data(), rows.size(), share, w.x.data());
  const double loss = settings_.loss == FastTextLoss::hierarchical ? learn_path(labels[0], rate, tell, w)
                                                                   : learn_all(labels, rate, tell, w);
  for (float& d : w.dx) d *= share;
  kernels.add_to_rows(model_->in(), model_->stride(), rows.data(), rows.size(), w.dx.data());
  if (!tell) return;
  w.loss += loss;
  ++w.losses;
}

// The loss, or 0 if it is not to be told.
double FastTextTrainer::learn_all(std::span<const std::uint32_t> labels, float rate, bool tell, Workspace& w) {
  const FastTextKernels& kernels = fasttext_kernels();
  const std::size_t n = model_->out_rows();
  float* const scores = w.scores.data();
  kernels.score(model_->out(), model_->stride(), nullptr, n, w.x.data(), scores);
  const bool softmax = settings_.loss == FastTextLoss::softmax;
  (softmax ? kernels.softmax : kernels.sigmoid)(scores, n);
  double loss = 0;
  if (tell) {
    if (!softmax)
      for (std::size_t j = 0; j < n; ++j) loss += minus_log(1 - scores[j]);
    for (const std::uint32_t label : labels) loss += minus_log(scores[label]) - (softmax ? 0 : minus_log(1 - scores[label]));
  }
  for (std::size_t j = 0; j < n; ++j) scores[j] *= -rate;
  for (const std::uint32_t label : labels) scores[label] += rate;
  kernels.learn(model_->out(), model_->stride(), nullptr, n, scores, w.x.data(), w.dx.data());
  return loss;
}

double FastTextTrainer::learn_path(std::uint32_t label, float rate, bool tell, Workspace& w) {
  const FastTextKernels& kernels = fasttext_kernels();
  const FastTextModel::Path path = model_->path(label);
  float* const scores = w.scores.data();
  kernels.score(model_->out(), model_->stride(), path.nodes, path.size, w.x.data(), scores);
  kernels.sigmoid(scores, path.size);
  double loss = 0;
  for (std::size_t n = 0; n < path.size; ++n) {
    const bool bit = path.bits[n] != 0;
    if (tell) loss += minus_log(bit ? scores[n] : 1 - scores[n]);
    scores[n] = rate * ((bit ? 1.0f : 0.0f) - scores[n]);
  }
  kernels.learn(model_->out(), model_->stride(), path.nodes, path.size, scores, w.x.data(), w.dx.data());
  return loss;
}

}  // namespace nlptk
