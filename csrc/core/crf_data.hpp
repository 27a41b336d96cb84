// A training set of a linear-chain CRF: units with hashed features, and the parameters that they touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crf_sequence.hpp"
#include "kernels/crf_rows.hpp"

namespace nlptk {

struct CrfOptions {
  std::size_t min_freq = 1;     // features of fewer occurrences are dropped
  std::size_t dense_freq = 0;   // features seen this often get a weight for every label, not only those seen; 0 = none
  int threads = 0;
  // As CRFsuite has it: without these only what is seen in training can have a weight.
  double pair_freq = 0;          // and of seen pairs only those whose values sum to this or more
  bool only_seen = false;        // no weight for an unseen label, also where nearly all are seen; pair_freq counts
  bool all_transitions = true;   // a weight for every pair of labels
  bool boundaries = true;        // weights for the labels that sequences begin and end with
};

// The labelled units as the caller holds them.
struct CrfInput {
  const std::uint32_t* keys = nullptr;  // [units, width] feature keys, 0 = none; with `starts` those of all units
  std::size_t units = 0;
  std::size_t width = 0;
  const std::int64_t* offsets = nullptr;  // [sequences + 1]
  std::size_t sequences = 0;
  const std::int32_t* gold = nullptr;  // [units]
  std::size_t labels = 0;
  const std::int64_t* starts = nullptr;  // [units + 1] of each unit's keys, which may be 0; null: each has `width`
  const float* values = nullptr;         // of the keys; null: all are 1
};

// Parameters are one flat vector: the rows of the features (each row a weight for some or, padded to whole vectors of
// eight, for all labels), then transitions [labels, labels], start [labels] and end [labels].
class CrfData {
 public:
  CrfData(const CrfInput& input, const CrfOptions& options);

  std::size_t labels = 0;
  std::size_t padded = 0;  // labels rounded up to a multiple of 8: the size of a dense row
  std::size_t units = 0;
  std::size_t sequences = 0;
  int threads = 1;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> gold;

  std::vector<std::uint32_t> keys;        // [features], the most frequent first
  std::vector<std::uint32_t> row_starts;  // [features + 1]
  // Rows of unit u's features: unit_rows[unit_starts[u] .. unit_starts[u + 1]), dense ones first, as the kernels take them.
  std::vector<std::uint32_t> unit_starts, unit_rows;
  std::vector<float> unit_values;          // beside unit_rows; empty: all are 1
  std::vector<std::uint16_t> row_labels;   // [row parameters], as the kernels take them
  std::vector<std::uint8_t> chain_free;    // [labels * labels + 2 * labels] whether transition, start, end may change

  std::size_t features() const { return keys.size(); }
  std::size_t row_parameters() const { return row_labels.size(); }
  std::size_t parameters() const { return row_labels.size() + chain_size(labels); }
  GoldPath path(std::size_t first, std::size_t last) const { return {gold.data() + first, last - first}; }
  // What row parameter p is for; of `labels` and over: for none, it stays 0.
  std::size_t label(std::size_t p) const { return row_labels[p] & kLabelMask; }
  float unit_value(std::size_t i) const { return unit_values.empty() ? 1.0F : unit_values[i]; }
  bool dense(std::size_t feature) const { return row_starts[feature + 1] - row_starts[feature] == padded; }

  // Emission scores of one unit, into emissions[labels]; sums is scratch of `padded` floats.
  void emissions(const float* parameters, std::size_t unit, float* sums, float* emissions) const;
  // Adds by[label] to the parameters of each of the unit's features, times its value in `values`, which are as unit_values;
  // `by` is [padded], 0 past the labels. What has no label gets a sum as well, unless `only_used`.
  void add(float* parameters, std::size_t unit, const float* by, const std::vector<float>& values, bool only_used) const;
  // How often each transition, start and end is in the gold labels, into counts[labels * labels + 2 * labels].
  void gold_chain(double* counts) const;

 private:
  void intern(const CrfInput& input, std::size_t min_freq, std::vector<std::uint32_t>& unit_features);
  void lay_rows(const CrfOptions& options, const std::vector<std::uint32_t>& unit_features);
  void order_units(std::vector<std::uint32_t>& unit_features);
  void free_chain(const CrfOptions& options);
};

}  // namespace nlptk
