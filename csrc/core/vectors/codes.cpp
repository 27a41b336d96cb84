// 8-bit copies of rows, and how far scores of copies can be from those of the rows.
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <string>

#include "kernels/nearest_kernel.hpp"
#include "parallel.hpp"
#include "vectors/nearest.hpp"

namespace nlptk {

float score_rounding(std::size_t dim) { return static_cast<float>(dim + 8) * 0x1p-23f; }

double quantize_rows(const FloatRows& rows, int threads, std::int8_t* codes, float* scales, float* inverse,
                     float* slack) {
  const NearestKernels& kernels = nearest_kernels();
  std::mutex mutex;
  double total = 0;
  std::size_t counted = 0;
  parallel_for(rows.count, threads, 1024, [&](std::size_t begin, std::size_t end, int) {
    double sum = 0;
    std::size_t some = 0;
    for (std::size_t row = begin; row < end; ++row) {
      const NarrowRow made = kernels.quantize(rows.values + row * rows.stride, rows.dim, codes + row * rows.dim);
      if (!std::isfinite(made.square))
        throw std::invalid_argument("row " + std::to_string(row) + " holds NaN or an infinity");
      const double norm = std::sqrt(made.square), share = norm > 0 ? std::sqrt(made.residue) / norm : 0;
      if (scales != nullptr) scales[row] = made.scale;
      if (inverse != nullptr) inverse[row] = made.scale > 0 ? static_cast<float>(made.scale / norm) : 0;
      if (slack != nullptr) slack[row] = static_cast<float>(share * 1.000001) + score_rounding(rows.dim);
      if (norm > 0) sum += share, ++some;
    }
    const std::lock_guard<std::mutex> lock(mutex);
    total += sum, counted += some;
  });
  return counted > 0 ? total / static_cast<double>(counted) : 0;
}

void describe_codes(const std::int8_t* codes, std::size_t count, std::size_t dim, int threads, float* inverse,
                    float* slack) {
  parallel_for(count, threads, 1024, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; ++row) {
      std::int64_t square = 0;
      for (std::size_t k = 0; k < dim; ++k) square += codes[row * dim + k] * codes[row * dim + k];
      inverse[row] = square > 0 ? static_cast<float>(1 / std::sqrt(static_cast<double>(square))) : 0;
      slack[row] = score_rounding(dim);
    }
  });
}

}  // namespace nlptk
