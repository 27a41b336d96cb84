// word2vec's training: skip-gram and CBOW, negative sampling and hierarchical softmax, subwords, over a corpus on disk.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "huge_pages.hpp"
#include "sgns/corpus.hpp"
#include "sgns/sampling.hpp"
#include "sgns/vocabulary.hpp"
#include "vectors/subwords.hpp"

namespace nlptk {

struct SgnsSettings {
  std::size_t dim = 100;
  int window = 5;
  bool shrink_windows = true;  // each window is drawn from 1 to `window`
  bool cbow = false;
  int negative = 5;            // noise words for each word predicted; 0: none
  bool hierarchical = false;   // predict by the Huffman tree
  double ns_exponent = 0.75;
  double sample = 1e-3;        // how frequent words must be to be skipped at times; 0: none are
  double alpha = 0.04, min_alpha = 1e-4;
  SubwordSettings subwords{0, 0, 0};
  std::uint64_t seed = 1;
  int threads = 0;
  std::uint64_t schedule = 0;  // tokens over which the learning rate falls to min_alpha
  std::size_t block = 0;       // inputs that share noise words; 0: by the size of the vocabulary
  std::size_t pool = 0;        // those noise words; 0: as many as an input of word2vec.c meets
};

class SgnsTrainer {
 public:
  // Neither is copied: both outlive the trainer. Throws std::invalid_argument for settings that cannot be.
  SgnsTrainer(const Corpus& corpus, const Vocabulary& vocabulary, const SgnsSettings& settings);

  struct Status {
    std::uint64_t tokens;  // trained on since the beginning, of the vocabulary
    double loss;           // lately, for each word predicted
    double alpha;
  };
  using Report = std::function<void(const Status&)>;

  // Trains on these chunks of the corpus, each thread on one at a time. `epoch` and the chunk seed all that is drawn
  // from chance, so that with one thread the result does not depend on how a run is cut into calls.
  // Throws Interrupted, and std::invalid_argument if the numbers grew beyond all bounds, naming a word.
  void run(std::uint64_t epoch, const std::vector<std::uint32_t>& chunks, const Report& report);

  Status status() const;
  void set_tokens(std::uint64_t tokens) { tokens_.store(tokens); }

  std::size_t stride() const { return stride_; }
  std::size_t dim() const { return settings_.dim; }
  std::size_t in_rows() const { return in_.size() / stride_; }
  std::size_t out_rows() const { return out_.size() / stride_; }
  float* in() { return in_.data(); }
  float* out() { return out_.data(); }
  // The vectors of the vocabulary, [words, dim]: rows of `in`, with subwords the mean of a word's rows.
  void word_vectors(float* vectors) const;
  // Ends the training: rows of `in` are moved together, [rows, dim], and what else takes memory is freed.
  void finish();

 private:
  friend class SgnsWorker;

  void number_subwords();
  void initialize();
  void check_finite() const;
  double rate() const;
  void add_loss(double loss);

  const Corpus& corpus_;
  const Vocabulary& vocabulary_;
  SgnsSettings settings_;
  int threads_;
  std::size_t stride_;
  std::vector<float, HugePageAllocator<float>> in_, out_;
  std::vector<float> keep_;  // chance that a token of this word is trained on, rising with the number of the word
  std::uint32_t skipped_words_ = 0;  // words of which it is below 1
  AliasTable noise_;
  HuffmanTree tree_{{}};
  std::vector<std::uint32_t> row_offsets_, rows_;  // rows of `in` of each word, where it has subwords
  bool finished_ = false;
  std::atomic<std::uint64_t> tokens_{0};
  std::atomic<double> loss_{0};
};

}  // namespace nlptk
