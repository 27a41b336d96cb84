// Training of a CRF from chunks of a corpus that is larger than memory: SGD over a table of fixed size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crf_sequence.hpp"
#include "huge_pages.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace nlptk {

struct StreamOptions {
  unsigned bits = 22;           // the table has 2^bits rows, one for a feature
  std::size_t min_freq = 1;     // features seen less often in the first pass are dropped at its end
  std::size_t dense_freq = 20;  // from so many occurrences on a feature has a weight for every label; 0 = never
  double c2 = 0.1;              // L2, as in LbfgsOptions
  double rate = 0.1;            // the first step's length
  int passes = 5;
  std::uint64_t seed = 1;       // order of the sequences in each chunk
};

// Features' weights, in rows that are found by their keys: a key's row is one of the eight of its bucket. In the first
// pass a new feature whose bucket is full takes the place of the rarest one there; later passes know what they know.
//
// The step is constant in the first pass, whose end nobody knows, and falls to 0 over the others; where there is one
// pass only it falls with the root of the number of sequences. L2 decay is by scaling: weights are scale * v.
class CrfStream {
 public:
  explicit CrfStream(const StreamOptions& options);

  std::size_t labels() const { return labels_; }
  std::size_t sequences() const { return sequences_; }  // in the first pass, so far or in all
  std::size_t replaced() const { return replaced_; }    // features that had to give way
  // More labels than before: what is there keeps its weights.
  void grow(std::size_t labels);

  // Learns from one chunk: units with `width` keys each (0 = none) and labels below labels(), sequence s is the units
  // [offsets[s], offsets[s + 1]). Returns the sum of -log p of the sequences as met.
  double learn(const std::uint32_t* keys, std::size_t width, const std::int64_t* offsets, std::size_t sequences,
               const std::int32_t* gold);
  void end_pass();

  // The model as CrfData lays parameters out, rows in the order of their keys; weights below `prune` are left out.
  struct Model {
    std::vector<std::uint32_t> keys, row_starts;
    std::vector<std::uint16_t> row_labels;
    std::vector<float> parameters;  // of the rows, then transitions, start and end
  };
  Model model(double prune) const;

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::uint16_t kInUse = 1U << 15;  // beside a count: the sequence in hand has the row
  static constexpr std::uint16_t kMostCounted = kInUse - 1;

  double rate() const;
  double step(const std::uint32_t* keys, std::size_t width, std::size_t units, const std::int32_t* gold);
  void find_rows(const std::uint32_t* keys, std::size_t width, std::size_t units, const std::int32_t* gold);
  std::uint32_t find_row(std::uint32_t key);
  void clear_row(std::size_t row);
  bool has_weight(std::size_t row, std::size_t label) const;
  void move_row(std::size_t row, const float* by);
  void fold();

  std::size_t bucket(std::uint32_t key) const { return 8 * (key & (keys_.size() / 8 - 1)); }
  bool dense(std::size_t row) const { return dense_freq_ > 0 && (counts_[row] & kMostCounted) >= dense_freq_; }
  float* weights(std::size_t row) { return weights_.data() + row * padded_; }

  StreamOptions options_;
  std::size_t dense_freq_;
  std::size_t labels_ = 0, padded_ = 0;  // padded: to a multiple of eight
  std::vector<std::uint32_t, HugePageAllocator<std::uint32_t>> keys_;    // [rows] 0 = free
  std::vector<std::uint16_t, HugePageAllocator<std::uint16_t>> counts_;  // [rows] occurrences in the first pass
  std::vector<std::uint8_t, HugePageAllocator<std::uint8_t>> seen_;      // [rows, padded / 8] a bit for each label
  std::vector<float, HugePageAllocator<float>> weights_;                 // [rows, padded]
  std::vector<float> chain_;                                             // transitions [labels, labels], start, end
  double scale_ = 1;

  int pass_ = 1;
  std::size_t sequences_ = 0, replaced_ = 0;
  double steps_ = 0;  // in this pass
  Random random_;
  InterruptPoll poll_;
  SequenceGradient gradient_;
  std::vector<std::uint32_t> rows_;  // of the sequence in hand, [units, width]
  std::vector<float> emissions_, by_;
};

}  // namespace nlptk
