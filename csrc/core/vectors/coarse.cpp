// 4-bit copies of rows, in groups.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/coarse_kernel.hpp"
#include "parallel.hpp"
#include "vectors/nearest.hpp"

namespace nlptk {
namespace {

// How large values of each column are, by some of the rows. None is so small that a query loses much by it.
template <class Row>
void measure(std::size_t count, std::size_t dim, Row row, float* sizes) {
  if (dim == 0) return;
  constexpr std::size_t kRows = 2048;
  std::vector<float> space(dim);
  std::vector<double> squares(dim, 0.0);
  for (std::size_t n = 0; n < std::min(count, kRows); ++n) {
    const float* const x = row(n * count / std::min(count, kRows), space.data());
    double square = 0;
    for (std::size_t k = 0; k < dim; ++k) square += static_cast<double>(x[k]) * x[k];
    if (!(square > 0)) continue;
    for (std::size_t k = 0; k < dim; ++k) squares[k] += x[k] / square * x[k];
  }
  const double largest = *std::max_element(squares.begin(), squares.end());
  for (std::size_t k = 0; k < dim; ++k)
    sizes[k] = largest > 0 ? static_cast<float>(std::sqrt(std::max(squares[k] / largest, 1.0 / 64))) : 1.0f;
}

// row(i, space) is row i of `count` as floats, for which it may use `space`, [dim].
template <class Row>
void fill(std::size_t count, std::size_t dim, int threads, Row row, std::uint8_t* groups, float* inverse, float* slack,
          float* sizes) {
  const CoarseKernels& kernels = coarse_kernels();
  const std::size_t bytes = coarse_group_bytes(dim);
  measure(count, dim, row, sizes);
  std::vector<float> times(dim);
  for (std::size_t k = 0; k < dim; ++k) times[k] = 1 / sizes[k];
  parallel_for(coarse_groups(count), threads, 32, [&](std::size_t begin, std::size_t end, int) {
    std::vector<float> space(dim);
    std::vector<std::uint8_t> codes(bytes / kStepBytes * kStepValues);
    for (std::size_t g = begin; g < end; ++g) {
      std::uint8_t* const group = groups + g * bytes;
      std::fill_n(group, bytes, std::uint8_t{0});
      for (std::size_t r = 0; r < kGroupRows; ++r) {
        const std::size_t i = g * kGroupRows + r;
        inverse[i] = slack[i] = 0;
        if (i >= count) continue;
        const NarrowRow made = kernels.quantize(row(i, space.data()), sizes, times.data(), dim, codes.data());
        const double norm = std::sqrt(made.square);
        inverse[i] = made.scale > 0 ? static_cast<float>(made.scale / norm) : 0;
        slack[i] = static_cast<float>((norm > 0 ? std::sqrt(made.residue) / norm : 0) * 1.000001) + score_rounding(dim);
        std::uint8_t* out = group + 2 * r;
        for (std::size_t k = 0; k < codes.size(); k += kStepValues, out += kStepBytes) {
          out[0] = static_cast<std::uint8_t>(codes[k] | codes[k + 2] << 4);
          out[1] = static_cast<std::uint8_t>(codes[k + 1] | codes[k + 3] << 4);
        }
      }
    }
  });
}

}  // namespace

std::size_t coarse_groups(std::size_t rows) { return (rows + kGroupRows - 1) / kGroupRows; }
std::size_t coarse_group_bytes(std::size_t dim) { return (dim + kStepValues - 1) / kStepValues * kStepBytes; }

void make_coarse(const FloatRows& rows, int threads, std::uint8_t* groups, float* inverse, float* slack, float* sizes) {
  const auto row = [&rows](std::size_t i, float*) { return rows.values + i * rows.stride; };
  fill(rows.count, rows.dim, threads, row, groups, inverse, slack, sizes);
}

void make_coarse(const std::int8_t* codes, std::size_t count, std::size_t dim, int threads, std::uint8_t* groups,
                 float* inverse, float* slack, float* sizes) {
  const auto row = [&](std::size_t i, float* space) {
    std::copy_n(codes + i * dim, dim, space);
    return static_cast<const float*>(space);
  };
  fill(count, dim, threads, row, groups, inverse, slack, sizes);
}

}  // namespace nlptk
