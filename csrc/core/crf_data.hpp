// A training set of a linear-chain CRF: units with hashed features, and the parameters that they touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlptk {

struct CrfOptions {
  std::size_t min_freq = 1;     // features seen in fewer units are dropped
  std::size_t dense_freq = 0;   // features seen this often get a weight for every label, not only those seen; 0 = none
  int threads = 0;
};

// The labelled units as the caller holds them.
struct CrfInput {
  const std::uint32_t* keys = nullptr;  // [units, width] feature keys, 0 = none
  std::size_t units = 0;
  std::size_t width = 0;
  const std::int64_t* offsets = nullptr;  // [sequences + 1]
  std::size_t sequences = 0;
  const std::int32_t* gold = nullptr;  // [units]
  std::size_t labels = 0;
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

  std::vector<std::uint32_t> keys;  // [features], the most frequent first
  // Features of unit u: unit_features[unit_starts[u] .. unit_starts[u + 1]); and the transpose of that.
  std::vector<std::uint32_t> unit_starts, unit_features;
  std::vector<std::uint32_t> feature_starts, feature_units;
  std::vector<std::uint32_t> row_starts;      // [features + 1]
  std::vector<std::uint16_t> row_labels;      // [row parameters]; `labels` and over are padding

  std::size_t features() const { return keys.size(); }
  std::size_t row_parameters() const { return row_labels.size(); }
  std::size_t parameters() const { return row_labels.size() + labels * labels + 2 * labels; }
  bool dense(std::size_t feature) const { return row_starts[feature + 1] - row_starts[feature] == padded; }

  // Emission scores of one unit, into emissions[labels]; sums is scratch of `padded` floats.
  void emissions(const float* parameters, std::size_t unit, float* sums, float* emissions) const;
  // How often each parameter fires in the gold labels, into counts[parameters()].
  void gold_counts(float* counts) const;

 private:
  void intern(const CrfInput& input, std::size_t min_freq);
  void transpose();
  void lay_rows(std::size_t dense_freq);
};

}  // namespace nlptk
