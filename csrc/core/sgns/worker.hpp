// One thread of word2vec's training: reads tokens, gathers them into blocks, and lets the kernel learn from those.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/sgns_kernel.hpp"
#include "sgns/trainer.hpp"

namespace nlptk {

class SgnsWorker {
 public:
  explicit SgnsWorker(SgnsTrainer& trainer);

  // Learns from the lines that begin in the chunk; `tick` is called after every block.
  void run(const Corpus::Chunk& chunk, std::uint64_t seed, const std::function<void()>& tick);

 private:
  static constexpr std::size_t kTokens = 4096;  // of a line that are held, beside a window

  // A block as it is gathered.
  struct Gathered {
    std::vector<std::uint32_t> inputs, input_offsets, targets, target_offsets, negatives;
    std::vector<std::uint8_t> labels;
    std::vector<float> input_weights, negative_weights;
    std::vector<const float*> rows;  // those that it will touch, for prefetching
    std::size_t size() const { return input_offsets.size() - 1; }
    void clear();
  };

  void add_token(std::uint32_t word);
  void advance(bool line_ends, const std::function<void()>& tick);
  void add_input(std::size_t at);
  void add_word(std::uint32_t word);
  void add_target(std::uint32_t word);
  // The block that was gathered waits; the one that waited is learned from while its rows are fetched.
  void submit();
  void add_noise();
  void learn();

  SgnsTrainer& trainer_;
  const SgnsSettings& settings_;
  TokenReader reader_;
  Random random_{0};
  std::size_t block_, pool_;
  std::vector<std::uint64_t> noise_bits_;  // that the next block's noise words will be drawn by
  std::vector<std::uint32_t> line_;  // tokens of the vocabulary that are trained on, from a window before next_
  std::size_t next_ = 0;
  Gathered gathering_, waiting_;
  std::vector<float, HugePageAllocator<float>> memory_;
  SgnsWorkspace workspace_;
  std::uint64_t tokens_ = 0;  // read and not yet told to the trainer
  std::uint64_t blocks_ = 0;
};

}  // namespace nlptk
