// Training of fastText's classifier: stochastic gradient descent, document by document, threads without locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fasttext/model.hpp"

namespace nlptk {

struct FastTextSettings {
  std::size_t dim = 100;
  FastTextLoss loss = FastTextLoss::softmax;
  FastTextFeatureSettings features;
  std::uint64_t min_count = 1;
  double rate = 0.1;  // of the first document; that of the last is 0
  std::uint64_t epochs = 5;
  bool shuffle = true;  // an order of its own for each epoch; else as given, as fastText has it
  std::uint64_t seed = 1;
  int threads = 0;
};

class FastTextTrainer {
 public:
  // labels[offsets[i] .. offsets[i + 1]), numbers below `label_count`, are document i's: one, or with one_vs_all any
  // number. `extra`: words that have rows whether they occur or not. Throws std::invalid_argument for what cannot be.
  FastTextTrainer(const Documents& documents, std::vector<std::uint32_t> labels, std::vector<std::size_t> offsets,
                  std::size_t label_count, const std::vector<std::string>& extra, const FastTextSettings& settings);

  // Trains on all documents once, and returns the mean loss of every 16th document as it
  // was met. The order and the learning rates depend on the seed and on `epoch`, from 0, alone. Throws Interrupted, and
  // std::invalid_argument if the numbers grew beyond all bounds.
  double run(std::uint64_t epoch);

  const std::shared_ptr<FastTextModel>& model() const { return model_; }

 private:
  struct Workspace {
    std::vector<std::uint32_t> rows;
    std::vector<float, HugePageAllocator<float>> x, dx, scores;
    std::size_t rows_done = 0;  // of the last document, of both tables
    double loss = 0;
    std::uint64_t losses = 0;
  };

  void initialize();
  void check_finite() const;
  void fetch(std::size_t document) const;
  void learn(std::size_t document, float rate, bool tell, Workspace& workspace);
  double learn_all(std::span<const std::uint32_t> labels, float rate, bool tell, Workspace& workspace);
  double learn_path(std::uint32_t label, float rate, bool tell, Workspace& workspace);

  FastTextSettings settings_;
  int threads_;
  FeatureLists lists_;
  std::vector<std::uint32_t> labels_;
  std::vector<std::size_t> offsets_;
  std::shared_ptr<FastTextModel> model_;
};

}  // namespace nlptk
