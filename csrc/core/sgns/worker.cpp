#include "sgns/worker.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kMostInputs = 32;
static_assert(kMostInputs <= kSgnsMostRows);
constexpr std::size_t kAhead = 32;  // tokens that are looked up together
constexpr std::uint64_t kBlocksPerLoss = 256;

std::size_t block_size(const SgnsSettings& settings, std::size_t words) {
  if (settings.block > 0) return std::min(settings.block, kMostInputs);
  // A word that comes several times in a block learns from the same old row each time: small vocabularies, small blocks.
  return std::clamp<std::size_t>(words / 128, 1, kMostInputs);
}

std::size_t pool_size(const SgnsSettings& settings) {
  if (settings.negative == 0) return 0;
  const auto negative = static_cast<std::size_t>(settings.negative);
  const std::size_t wanted =
      settings.pool > 0 ? settings.pool : negative * (static_cast<std::size_t>(settings.window) + 1);
  return std::min(row_stride(wanted), kSgnsMostRows);
}

}  // namespace

void SgnsWorker::Gathered::clear() {
  for (auto* list : {&inputs, &input_offsets, &targets, &target_offsets, &negatives}) list->clear();
  input_offsets.push_back(0);
  target_offsets.push_back(0);
  labels.clear();
  input_weights.clear();
  negative_weights.clear();
  rows.clear();
}

SgnsWorker::SgnsWorker(SgnsTrainer& trainer)
    : trainer_(trainer),
      settings_(trainer.settings_),
      reader_(trainer.corpus_),
      block_(block_size(settings_, trainer.vocabulary_.size())),
      pool_(pool_size(settings_)),
      noise_bits_(pool_) {
  const std::size_t rows = block_ * trainer.stride_, scores = block_ * pool_;
  memory_.resize(2 * rows + scores);
  float* at = memory_.data();
  workspace_.x = std::exchange(at, at + rows);
  workspace_.dx = std::exchange(at, at + rows);
  workspace_.scores = at;
  gathering_.clear();
  waiting_.clear();
}

void SgnsWorker::run(const Corpus::Chunk& chunk, std::uint64_t seed, const std::function<void()>& tick) {
  random_ = Random(seed);
  for (std::uint64_t& bits : noise_bits_) bits = random_.next();
  reader_.open(chunk);
  line_.clear();
  next_ = 0;
  Vocabulary::Wanted wanted[kAhead];
  std::size_t ahead = 0;
  std::string_view token;
  for (TokenReader::Event event; (event = reader_.next(token)) != TokenReader::Event::end;) {
    const bool line_ends = event == TokenReader::Event::line_end;
    if (!line_ends) {
      wanted[ahead++] = trainer_.vocabulary_.look_ahead(token);
      if (ahead < kAhead) continue;
    }
    for (std::size_t i = 0; i < ahead; ++i) add_token(trainer_.vocabulary_.find(wanted[i]));
    ahead = 0;
    if (line_ends || line_.size() - next_ >= kTokens + static_cast<std::size_t>(settings_.window)) advance(line_ends, tick);
  }
  submit();
  submit();
  trainer_.tokens_ += std::exchange(tokens_, 0);
  tick();
}

void SgnsWorker::add_token(std::uint32_t word) {
  if (word == Vocabulary::kNone) return;
  ++tokens_;
  if (word < trainer_.skipped_words_ && random_.uniform() >= trainer_.keep_[word]) return;
  line_.push_back(word);
}

void SgnsWorker::advance(bool line_ends, const std::function<void()>& tick) {
  const auto window = static_cast<std::size_t>(settings_.window);
  const std::size_t until = line_ends ? line_.size() : line_.size() - window;
  for (; next_ < until; ++next_) {
    add_input(next_);
    if (gathering_.size() < block_) continue;
    submit();
    tick();
  }
  if (line_ends) {
    line_.clear();
    next_ = 0;
  } else {  // the words before are still contexts of those to come
    line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(next_ - window));
    next_ = window;
  }
}

void SgnsWorker::add_input(std::size_t at) {
  const auto window = static_cast<std::size_t>(settings_.window);
  const std::size_t reach = settings_.shrink_windows ? 1 + random_.below(window) : window;
  const std::size_t begin = at > reach ? at - reach : 0, end = std::min(line_.size(), at + reach + 1);
  if (end - begin < 2) return;
  Gathered& g = gathering_;
  const std::size_t predicted = settings_.cbow ? 1 : end - begin - 1;
  if (settings_.cbow) {
    for (std::size_t i = begin; i < end; ++i)
      if (i != at) add_word(line_[i]);
    add_target(line_[at]);
  } else {
    add_word(line_[at]);
    for (std::size_t i = begin; i < end; ++i)
      if (i != at) add_target(line_[i]);
  }
  g.input_offsets.push_back(static_cast<std::uint32_t>(g.inputs.size()));
  g.target_offsets.push_back(static_cast<std::uint32_t>(g.targets.size()));
  // Between the whole step for each word of the window (word2vec.c) and its share, the gradient, which learns slowly.
  g.input_weights.push_back(settings_.cbow ? 1.0f / std::sqrt(std::sqrt(static_cast<float>(end - begin - 1))) : 1.0f);
  // One noise word of the pool stands for several that would be drawn for this input alone.
  if (pool_ > 0)
    g.negative_weights.push_back(static_cast<float>(predicted) * static_cast<float>(settings_.negative) / static_cast<float>(pool_));
  // Its row as an input, and as a target of its neighbours.
  if (trainer_.row_offsets_.empty()) g.rows.push_back(trainer_.in_.data() + std::size_t{line_[at]} * trainer_.stride_);
  if (settings_.negative > 0) g.rows.push_back(trainer_.out_.data() + std::size_t{line_[at]} * trainer_.stride_);
}

void SgnsWorker::add_word(std::uint32_t word) {
  Gathered& g = gathering_;
  if (trainer_.row_offsets_.empty()) {
    g.inputs.push_back(word);
    return;
  }
  for (std::uint32_t r = trainer_.row_offsets_[word]; r < trainer_.row_offsets_[word + 1]; ++r) {
    g.inputs.push_back(trainer_.rows_[r]);
    g.rows.push_back(trainer_.in_.data() + std::size_t{trainer_.rows_[r]} * trainer_.stride_);
  }
}

void SgnsWorker::add_target(std::uint32_t word) {
  Gathered& g = gathering_;
  if (settings_.negative > 0) {
    g.targets.push_back(word);
    if (settings_.hierarchical) g.labels.push_back(1);
  }
  if (!settings_.hierarchical) return;
  // Rows of inner nodes come after those of words, if there are any.
  const auto first = static_cast<std::uint32_t>(settings_.negative > 0 ? trainer_.vocabulary_.size() : 0);
  const HuffmanTree& tree = trainer_.tree_;
  for (std::uint32_t n = tree.offsets[word]; n < tree.offsets[word + 1]; ++n) {
    g.targets.push_back(first + tree.nodes[n]);
    g.labels.push_back(tree.labels[n]);
  }
}

void SgnsWorker::submit() {
  if (gathering_.size() > 0) add_noise();
  if (waiting_.size() > 0) learn();
  std::swap(waiting_, gathering_);
  gathering_.clear();
}

void SgnsWorker::add_noise() {
  for (std::uint64_t& bits : noise_bits_) {
    const std::uint32_t word = trainer_.noise_(bits);
    gathering_.negatives.push_back(word);
    gathering_.rows.push_back(trainer_.out_.data() + std::size_t{word} * trainer_.stride_);
    bits = random_.next();
    trainer_.noise_.prefetch(bits);
  }
}

void SgnsWorker::learn() {
  trainer_.tokens_.fetch_add(std::exchange(tokens_, 0), std::memory_order_relaxed);
  SgnsBlock block;
  block.in = trainer_.in_.data();
  block.out = trainer_.out_.data();
  block.stride = trainer_.stride_;
  block.size = waiting_.size();
  block.inputs = waiting_.inputs.data();
  block.input_offsets = waiting_.input_offsets.data();
  block.input_weights = waiting_.input_weights.data();
  block.targets = waiting_.targets.data();
  block.target_offsets = waiting_.target_offsets.data();
  block.labels = settings_.hierarchical ? waiting_.labels.data() : nullptr;
  block.negatives = waiting_.negatives.data();
  block.negative_count = pool_;
  block.negative_weights = waiting_.negative_weights.data();
  block.rate = static_cast<float>(trainer_.rate());
  block.prefetch = gathering_.rows.data();
  block.prefetch_count = gathering_.rows.size();
  if (blocks_++ % kBlocksPerLoss == 0) {
    const double loss = sgns_kernels().loss(block, workspace_);
    const std::size_t predicted = settings_.cbow ? waiting_.size() : waiting_.targets.size();
    if (!std::isfinite(loss)) trainer_.check_finite();
    trainer_.add_loss(loss / static_cast<double>(predicted));
  }
  sgns_kernels().step(block, workspace_);
}

}  // namespace nlptk
