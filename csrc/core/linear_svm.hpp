// A linear support vector machine on sparse rows: dual coordinate descent with shrinking.
//
// Hsieh et al. (2008), "A dual coordinate descent method for large-scale linear SVM", as LIBLINEAR has it (solvers 1 and
// 3). Rows lie as pairs of column and float, in one piece, and those that come next are asked for ahead: a step is little
// else than waiting for them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nlptk {

class SparseRows {
 public:
  struct Entry {
    std::int32_t column;
    float value;
  };

  // Row r has what stands from offsets[r] to offsets[r + 1]; columns are below `width`, else std::invalid_argument.
  SparseRows(std::span<const std::int32_t> offsets, std::span<const std::int32_t> columns, std::span<const double> values,
             std::size_t width);

  std::size_t size() const { return offsets_.size() - 1; }
  std::size_t width() const { return width_; }
  std::span<const Entry> row(std::size_t r) const {
    return std::span(entries_).subspan(offsets_[r], offsets_[r + 1] - offsets_[r]);
  }

 private:
  std::vector<std::size_t> offsets_;
  std::vector<Entry> entries_;
  std::size_t width_;
};

struct SvmRules {
  bool squared = true;  // hinge loss, squared or not
  double bias = 1;      // value of one more column that all rows have; 0: none
  double tolerance = 1e-4;
  int most_passes = 1000;
  std::uint64_t seed = 0;
};

// Minimizes |w|^2 / 2 + sum of costs[r] * loss of row r; labels are 1 and -1, rows of cost 0 are left out. `weights` is
// [width + 1], the last one that of the bias. Returns the passes made.
int fit_linear_svm(const SparseRows& rows, std::span<const std::int8_t> labels, std::span<const double> costs,
                   const SvmRules& rules, std::span<double> weights);

}  // namespace nlptk
