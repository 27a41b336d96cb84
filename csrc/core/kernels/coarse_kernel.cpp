#include "kernels/coarse_kernel.hpp"

#include <cmath>
#include <cstring>
#include <initializer_list>

#include "kernels/partial_sums.hpp"
#include "kernels/simd.hpp"

namespace nlptk::NLPTK_ISA {
namespace {

// A product is at most 15 * 128, a step adds four of them to a sum in 16 bits, which so many steps cannot overflow.
constexpr std::size_t kNarrowSteps = 4;

#if defined(__AVX2__)

#if defined(__AVX512BW__)
using Bytes = __m512i;
NLPTK_INLINE Bytes load_bytes(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
NLPTK_INLINE Bytes pair(const std::int8_t* q) {
  std::int16_t both;
  std::memcpy(&both, q, sizeof both);
  return _mm512_set1_epi16(both);
}
NLPTK_INLINE Bytes low_half(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
NLPTK_INLINE Bytes high_half(Bytes x) { return low_half(_mm512_srli_epi16(x, 4)); }
NLPTK_INLINE Bytes products(Bytes codes, Bytes q) { return _mm512_maddubs_epi16(codes, q); }
NLPTK_INLINE Bytes add16(Bytes a, Bytes b) { return _mm512_add_epi16(a, b); }
NLPTK_INLINE Bytes no_sums() { return _mm512_setzero_si512(); }
NLPTK_INLINE void add_wide(Bytes sums, std::int32_t* out) {
  const __m512i halves[2] = {_mm512_cvtepi16_epi32(_mm512_castsi512_si256(sums)),
                             _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(sums, 1))};
  for (std::size_t h = 0; h < 2; ++h)
    _mm512_storeu_si512(out + 16 * h, _mm512_add_epi32(_mm512_loadu_si512(out + 16 * h), halves[h]));
}
#else
using Bytes = __m256i;
NLPTK_INLINE Bytes load_bytes(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
NLPTK_INLINE Bytes pair(const std::int8_t* q) {
  std::int16_t both;
  std::memcpy(&both, q, sizeof both);
  return _mm256_set1_epi16(both);
}
NLPTK_INLINE Bytes low_half(Bytes x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
NLPTK_INLINE Bytes high_half(Bytes x) { return low_half(_mm256_srli_epi16(x, 4)); }
NLPTK_INLINE Bytes products(Bytes codes, Bytes q) { return _mm256_maddubs_epi16(codes, q); }
NLPTK_INLINE Bytes add16(Bytes a, Bytes b) { return _mm256_add_epi16(a, b); }
NLPTK_INLINE Bytes no_sums() { return _mm256_setzero_si256(); }
NLPTK_INLINE void add_wide(Bytes sums, std::int32_t* out) {
  const __m256i halves[2] = {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(sums)),
                             _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sums, 1))};
  for (std::size_t h = 0; h < 2; ++h) {
    auto* const to = reinterpret_cast<__m256i*>(out + 8 * h);
    _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), halves[h]));
  }
}
#endif

constexpr std::size_t kVectors = kStepBytes / sizeof(Bytes);

void add_group(const std::uint8_t* group, std::size_t steps, const std::int8_t* query, std::int32_t* sums) {
  for (std::size_t s = 0; s < steps;) {
    Bytes narrow[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) narrow[v] = no_sums();
    for (std::size_t n = 0; n < kNarrowSteps && s < steps; ++n, ++s) {
      const Bytes first = pair(query + s * kStepValues), second = pair(query + s * kStepValues + 2);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const Bytes codes = load_bytes(group + s * kStepBytes + v * sizeof(Bytes));
        narrow[v] = add16(narrow[v], add16(products(low_half(codes), first), products(high_half(codes), second)));
      }
    }
    for (std::size_t v = 0; v < kVectors; ++v) add_wide(narrow[v], sums + v * (kGroupRows / kVectors));
  }
}

#else

void add_group(const std::uint8_t* group, std::size_t steps, const std::int8_t* query, std::int32_t* sums) {
  for (std::size_t s = 0; s < steps; ++s)
    for (std::size_t j = 0; j < 2; ++j) {
      const std::int32_t low = query[s * kStepValues + j], high = query[s * kStepValues + 2 + j];
      for (std::size_t r = 0; r < kGroupRows; ++r) {
        const std::int32_t byte = group[s * kStepBytes + 2 * r + j];
        sums[r] += (byte & 15) * low + (byte >> 4) * high;
      }
    }
}

#endif

float bound_group(const std::uint8_t* group, const CoarseQuery& query, const float* inverse, const float* slack,
                  float* bounds) {
  std::int32_t sums[kGroupRows] = {};
  add_group(group, query.steps, query.values, sums);
  Vec largest = splat(kNegInf);
  for (std::size_t r = 0; r < kGroupRows; ++r) bounds[r] = static_cast<float>(2 * sums[r] - query.offset) * query.scale;
  for (std::size_t r = 0; r < kGroupRows; r += kWidth) {
    const Vec bound = fma(load(bounds + r), load(inverse + r), fma(load(slack + r), splat(query.norm), splat(query.slack)));
    store(bounds + r, bound);
    largest = max(largest, bound);
  }
  return max_lanes(largest);
}

std::uint64_t at_least(const float* bounds, float low) {
  std::uint64_t below = 0;
  for (std::size_t r = 0; r < kGroupRows; r += kWidth)
    below |= static_cast<std::uint64_t>(less_bits(load(bounds + r), splat(low))) << r;
  return ~below;
}

// The code of a value in steps of 1 / times.
NLPTK_INLINE float code_of(float x, float times) {
  const float code = (x * times + 7.5f + 12582912.0f) - 12582912.0f;  // adding 1.5 * 2^23 rounds to the nearest integer
  return code < 0 ? 0 : code > 15 ? 15 : code;
}

// The square of the part of `once` times x that its codes explain.
float explained(const float* x, const float* sizes, const float* inverse, std::size_t dim, float times, float once) {
  float xy[kSums] = {}, yy[kSums] = {};
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const float y = (code_of(x[k] * inverse[k], times) - 7.5f) * sizes[k];
    xy[j] += x[k] * once * y;
    yy[j] += y * y;
  });
  return static_cast<float>(total(xy) * total(xy) / total(yy));
}

NarrowRow quantize(const float* x, const float* sizes, const float* inverse, std::size_t dim, std::uint8_t* codes) {
  double squares[kSums] = {}, ratios[kSums] = {}, xy[kSums] = {}, yy[kSums] = {}, rests[kSums] = {};
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    squares[j] += static_cast<double>(x[k]) * x[k];
    ratios[j] += static_cast<double>(x[k] * inverse[k]) * (x[k] * inverse[k]);
  });
  const double square = total(squares), deviation = std::sqrt(total(ratios) / static_cast<double>(dim));
  // So long or short that float32 might not hold what follows: nothing is said of the row.
  if (!(square < 0x1p200) || !(square > 0x1p-180) || !(deviation > 0x1p-90)) {
    std::memset(codes, 0, dim);
    return {0, square, square};
  }
  // Steps that are best for normal values (0.335 of their deviation, Max 1960) and for those with shorter and longer
  // tails; some values are enough to tell.
  const std::size_t some = dim < 96 ? dim : 96;
  const auto once = static_cast<float>(1 / deviation);
  float best = 0, most = -1;
  for (const float step : {0.2f, 0.335f, 0.45f, 0.7f})
    if (const float part = explained(x, sizes, inverse, some, once / step, once); part > most) best = once / step, most = part;
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const float code = code_of(x[k] * inverse[k], best);
    codes[k] = static_cast<std::uint8_t>(static_cast<int>(code));
    const double y = (static_cast<double>(code) - 7.5) * sizes[k];
    xy[j] += x[k] * y;
    yy[j] += y * y;
  });
  const auto scale = static_cast<float>(total(xy) / total(yy));
  for_sums(dim, [&](std::size_t j, std::size_t k) {
    const double rest = x[k] - static_cast<double>(scale) * sizes[k] * (codes[k] - 7.5);
    rests[j] += rest * rest;
  });
  return {scale, square, total(rests)};
}

}  // namespace

extern const CoarseKernels coarse_kernels;
const CoarseKernels coarse_kernels = {bound_group, at_least, quantize};

}  // namespace nlptk::NLPTK_ISA
