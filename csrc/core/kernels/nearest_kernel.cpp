#include "kernels/nearest_kernel.hpp"

#include <cstring>

#include "kernels/partial_sums.hpp"
#include "kernels/simd.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t kTileRows = 12;  // by two vectors of queries: 24 sums in 32 registers
#else
constexpr std::size_t kTileRows = 6;
#endif
constexpr std::size_t kLanes = 2 * kWidth;

// Sums of products of bytes and 16-bit values, kept apart over lanes.
#if defined(__AVX512BW__)
using Sums = __m512i;
NLPTK_INLINE Sums no_sums() { return _mm512_setzero_si512(); }
NLPTK_INLINE Sums add_products(Sums sums, const std::int8_t* x, const std::int16_t* q) {
  const __m512i wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
  return _mm512_add_epi32(sums, _mm512_madd_epi16(wide, _mm512_loadu_si512(q)));
}
NLPTK_INLINE __m128i fold(Sums a) {
  const __m256i b = _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
}
#elif defined(__AVX2__)
struct Sums {
  __m256i a, b;
};
NLPTK_INLINE Sums no_sums() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
NLPTK_INLINE __m256i products16(const std::int8_t* x, const std::int16_t* q) {
  return _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))),
                           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q)));
}
NLPTK_INLINE Sums add_products(Sums sums, const std::int8_t* x, const std::int16_t* q) {
  return {_mm256_add_epi32(sums.a, products16(x, q)), _mm256_add_epi32(sums.b, products16(x + 16, q + 16))};
}
NLPTK_INLINE __m128i fold(Sums sums) {
  const __m256i a = _mm256_add_epi32(sums.a, sums.b);
  return _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}
#else
struct Sums {
  std::int32_t lane[8];
};
NLPTK_INLINE Sums no_sums() { return {}; }
NLPTK_INLINE Sums add_products(Sums sums, const std::int8_t* x, const std::int16_t* q) {
  for (std::size_t k = 0; k < kDotChunk; ++k) sums.lane[k % 8] += static_cast<std::int32_t>(x[k]) * q[k];
  return sums;
}
#endif

// The sums of four rows.
NLPTK_INLINE void put_sums(const Sums* sums, std::int32_t* out) {
#if defined(__AVX2__)
  const __m128i ab = _mm_hadd_epi32(fold(sums[0]), fold(sums[1])), cd = _mm_hadd_epi32(fold(sums[2]), fold(sums[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_hadd_epi32(ab, cd));
#else
  for (std::size_t r = 0; r < 4; ++r) {
    out[r] = 0;
    for (const std::int32_t value : sums[r].lane) out[r] += value;
  }
#endif
}

// Four rows at a time, so that their sums do not wait for one another.
void dot_rows(const std::int8_t* const* rows, std::size_t count, std::size_t dim, const std::int16_t* query, std::int32_t* out) {
  const std::size_t whole = dim / kDotChunk * kDotChunk;
  for (std::size_t r = 0; r < count; r += 4) {
    const std::int8_t* row[4];
    for (std::size_t i = 0; i < 4; ++i) row[i] = rows[r + i < count ? r + i : count - 1];
    Sums sums[4] = {no_sums(), no_sums(), no_sums(), no_sums()};
    for (std::size_t k = 0; k < whole; k += kDotChunk)
      for (std::size_t i = 0; i < 4; ++i) sums[i] = add_products(sums[i], row[i] + k, query + k);
    if (dim > kDotChunk && whole < dim) {  // the row's last chunk, which reaches back over values that are done
      for (std::size_t i = 0; i < 4; ++i) sums[i] = add_products(sums[i], row[i] + dim - kDotChunk, query + whole);
    } else if (whole < dim) {
      for (std::size_t i = 0; i < 4; ++i) {
        std::int8_t chunk[kDotChunk] = {};
        std::memcpy(chunk + kDotChunk - dim, row[i], dim);
        sums[i] = add_products(sums[i], chunk, query);
      }
    }
    std::int32_t four[4];
    put_sums(sums, four);
    for (std::size_t i = 0; i < 4 && r + i < count; ++i) out[r + i] = four[i];
  }
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

NarrowRow quantize(const float* x, std::size_t dim, std::int8_t* codes) {
  float most[kSums] = {};
  double squares[kSums] = {}, rests[kSums] = {};
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const float size = __builtin_fabsf(x[k]);
    most[j] = most[j] < size ? size : most[j];
    squares[j] += static_cast<double>(x[k]) * x[k];
  });
  float largest = 0;
  double square = 0;
  for (std::size_t j = 0; j < kSums; ++j) largest = largest < most[j] ? most[j] : largest, square += squares[j];
  const float scale = largest / 127;
  if (!(square <= 1e300) || !(scale > 0x1p-100f)) {
    std::memset(codes, 0, dim);
    return {0, square, square};
  }
  const float times = 1 / scale;
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const float code = (x[k] * times + 12582912.0f) - 12582912.0f;  // adding 1.5 * 2^23 rounds to the nearest integer
    codes[k] = static_cast<std::int8_t>(static_cast<int>(code));
    const double rest = x[k] - static_cast<double>(scale) * code;
    rests[j] += rest * rest;
  });
  double residue = 0;
  for (std::size_t j = 0; j < kSums; ++j) residue += rests[j];
  return {scale, square, residue};
}

template <class T>
NLPTK_INLINE void exact(const T* x, const float* y, std::size_t dim, double* xy, double* xx) {
  double dots[kSums] = {}, squares[kSums] = {};
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const double value = x[k];
    dots[j] += value * y[k];
    squares[j] += value * value;
  });
  *xy = *xx = 0;
  for (std::size_t j = 0; j < kSums; ++j) *xy += dots[j], *xx += squares[j];
}

void exact_f32(const float* x, const float* y, std::size_t dim, double* xy, double* xx) { exact(x, y, dim, xy, xx); }
void exact_i8(const std::int8_t* x, const float* y, std::size_t dim, double* xy, double* xx) {
  exact(x, y, dim, xy, xx);
}

}  // namespace

extern const NearestKernels nearest_kernels;
const NearestKernels nearest_kernels = {kLanes,        dot_rows, dot_tile,  rows_above,
                                        queries_above, quantize, exact_f32, exact_i8};

}  // namespace nlptk::NLPTK_ISA
