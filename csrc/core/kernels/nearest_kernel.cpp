#include "kernels/nearest_kernel.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

// kWidth bytes as floats.
#if defined(__AVX512F__)
NLPTK_INLINE Vec widen(const std::int8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
constexpr std::size_t kTileRows = 12;  // by two vectors of queries: 24 sums in 32 registers
#elif defined(__AVX2__)
NLPTK_INLINE Vec widen(const std::int8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
constexpr std::size_t kTileRows = 6;
#else
NLPTK_INLINE Vec widen(const std::int8_t* p) {
  return Vec{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]), static_cast<float>(p[3])};
}
constexpr std::size_t kTileRows = 6;
#endif
constexpr std::size_t kLanes = 2 * kWidth;

// kRows dot products at a time, so that their sums do not wait for one another.
template <std::size_t kRows>
NLPTK_INLINE void dot_some(const std::int8_t* rows, std::size_t dim, const float* query, float* out) {
  Vec sums[kRows];
  for (std::size_t r = 0; r < kRows; ++r) sums[r] = zero();
  std::size_t k = 0;
  for (; k + kWidth <= dim; k += kWidth) {
    const Vec q = load(query + k);
    for (std::size_t r = 0; r < kRows; ++r) sums[r] = fma(widen(rows + r * dim + k), q, sums[r]);
  }
  if (k < dim) {
    const Vec q = load_lanes(query + k, first_lanes(dim - k), zero());
    for (std::size_t r = 0; r < kRows; ++r) {
      std::int8_t rest[kWidth] = {};
      std::memcpy(rest, rows + r * dim + k, dim - k);
      sums[r] = fma(widen(rest), q, sums[r]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) out[r] = sum_lanes(sums[r]);
}

void dot_rows(const std::int8_t* rows, std::size_t count, std::size_t dim, const float* query, float* out) {
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) dot_some<4>(rows + r * dim, dim, query, out + r);
  for (; r < count; ++r) dot_some<1>(rows + r * dim, dim, query, out + r);
}

// Every lane is a query: a value of a row is spread over all lanes, and no sum goes across lanes.
template <std::size_t kRows>
NLPTK_INLINE void tile(const float* rows, std::size_t dim, const float* queries, float* out) {
  Vec sums[kRows][2];
  for (std::size_t r = 0; r < kRows; ++r) sums[r][0] = sums[r][1] = zero();
  for (std::size_t k = 0; k < dim; ++k) {
    const Vec q0 = load(queries + k * kLanes), q1 = load(queries + k * kLanes + kWidth);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vec x = splat(rows[r * dim + k]);
      sums[r][0] = fma(x, q0, sums[r][0]);
      sums[r][1] = fma(x, q1, sums[r][1]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    store(out + r * kLanes, sums[r][0]);
    store(out + r * kLanes + kWidth, sums[r][1]);
  }
}

void dot_tile(const std::int8_t* rows, std::size_t count, std::size_t dim, const float* queries, float* scratch,
              float* out) {
  for (std::size_t r = 0; r < count; r += kTileRows) {
    const std::size_t some = count - r < kTileRows ? count - r : kTileRows;
    for (std::size_t k = 0; k < some * dim; ++k) scratch[k] = rows[r * dim + k];
    if (some == kTileRows)
      tile<kTileRows>(scratch, dim, queries, out + r * kLanes);
    else
      for (std::size_t s = 0; s < some; ++s) tile<1>(scratch + s * dim, dim, queries, out + (r + s) * kLanes);
  }
}

// The largest score that exact products could give. `at` is where in the products.
NLPTK_INLINE Vec upper(const UpperBound& bound, const float* const* products, std::size_t at, Vec inverse, Vec slack) {
  if (!bound.multiply) return fma(load(products[0] + at), inverse, slack);
  const Vec one = splat(1.0f), half = splat(0.5f);
  Vec above = splat(1.00001f), below = one;  // a little more for the roundings here
  for (std::size_t t = 0; t < bound.positives; ++t)
    above = above * (max(fma(load(products[t] + at), inverse, slack) + one, zero()) * half);
  for (std::size_t t = bound.positives; t < bound.positives + bound.negatives; ++t)
    below = below * (max(fma(load(products[t] + at), inverse, zero() - slack) + one, zero()) * half);
  return above / (below + splat(1e-6f));
}

std::uint64_t rows_above(const UpperBound& bound, const float* const* products, const float* inverse, const float* slack,
                         std::size_t count, float threshold) {
  const Vec least = splat(threshold), times = splat(bound.slack);
  std::uint64_t below = 0;
  for (std::size_t r = 0; r < count; r += kWidth)
    below |= static_cast<std::uint64_t>(
                 less_bits(upper(bound, products, r, load(inverse + r), load(slack + r) * times), least))
             << r;
  return ~below & (count < 64 ? (std::uint64_t{1} << count) - 1 : ~std::uint64_t{0});
}

std::uint64_t queries_above(const UpperBound& bound, const float* const* products, float inverse, float slack,
                            const float* thresholds) {
  const Vec times = splat(inverse), more = splat(slack * bound.slack);
  std::uint64_t below = 0;
  for (std::size_t j = 0; j < kLanes; j += kWidth)
    below |= static_cast<std::uint64_t>(less_bits(upper(bound, products, j, times, more), load(thresholds + j))) << j;
  return ~below & ((std::uint64_t{1} << kLanes) - 1);
}

template <class T>
NLPTK_INLINE void exact(const T* x, const float* y, std::size_t dim, double* xy, double* xx) {
  constexpr std::size_t kSums = 8;
  double dots[kSums] = {}, squares[kSums] = {};
  std::size_t k = 0;
  for (; k + kSums <= dim; k += kSums)
    for (std::size_t j = 0; j < kSums; ++j) {
      const double value = x[k + j];
      dots[j] += value * y[k + j];
      squares[j] += value * value;
    }
  for (std::size_t j = 0; k + j < dim; ++j) {
    const double value = x[k + j];
    dots[j] += value * y[k + j];
    squares[j] += value * value;
  }
  *xy = *xx = 0;
  for (std::size_t j = 0; j < kSums; ++j) *xy += dots[j], *xx += squares[j];
}

void exact_f32(const float* x, const float* y, std::size_t dim, double* xy, double* xx) { exact(x, y, dim, xy, xx); }
void exact_i8(const std::int8_t* x, const float* y, std::size_t dim, double* xy, double* xx) {
  exact(x, y, dim, xy, xx);
}

}  // namespace

extern const NearestKernels nearest_kernels;
const NearestKernels nearest_kernels = {kLanes,     dot_rows,      dot_tile,  rows_above,
                                        queries_above, exact_f32, exact_i8};

}  // namespace nlptk::NLPTK_ISA
