// Word vectors: numbers to text and back, broken files, the nearest rows; runs under ASan and UBSan.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"
#include "kernels/coarse_kernel.hpp"
#include "vectors/nearest.hpp"
#include "vectors/subword_rows.hpp"
#include "vectors/text_format.hpp"
#include "vectors/text_parse.hpp"

using namespace nlptk;

namespace {

struct Source : Random {
  using Random::Random;
  float number() { return static_cast<float>(static_cast<std::int64_t>(next() >> 40) - (1 << 23)) / (1 << 22); }
};

// ---- numbers ----

float any_float(Source& random) {
  for (;;) {
    float x;
    const auto bits = static_cast<std::uint32_t>(random.next() >> 32);
    std::memcpy(&x, &bits, sizeof x);
    if (std::isfinite(x)) return x;
  }
}

void test_numbers() {
  Source random{1};
  for (int i = 0; i < 200'000; ++i) {
    const float x = i % 2 == 0 ? random.number() : any_float(random);
    char mine[64], theirs[64];
    const int digits = 1 + i % kMostDigits;
    *put_number(x, digits, mine) = '\0';
    std::snprintf(theirs, sizeof theirs, "%.*g", digits, static_cast<double>(x));
    CHECK(std::strcmp(mine, theirs) == 0);
    CHECK(std::strlen(mine) <= kNumberBytes);
    char* const end = put_number(x, 0, mine);
    *end = '\0';
    CHECK(end - mine <= static_cast<std::ptrdiff_t>(kNumberBytes));
    CHECK(std::strtof(mine, nullptr) == x);
  }
}

// ---- lines ----

TextFault parse(const std::string& text, std::size_t dim, int threads = 1, std::vector<float>* out = nullptr) {
  const std::vector<std::size_t> lines = find_lines(text, threads);
  std::vector<float> matrix((lines.size() - 1) * dim);
  std::vector<WordPlace> words(lines.size() - 1);
  const TextFault fault = parse_lines(text, lines, 0, dim, threads, matrix.data(), words.data());
  if (out != nullptr) *out = matrix;
  return fault;
}

void test_lines() {
  Source random{2};
  std::vector<float> rows(999 * 7);
  for (float& x : rows) x = random.next() % 8 == 0 ? any_float(random) : random.number();
  std::string words;
  std::vector<std::int64_t> offsets{0};
  for (int i = 0; i < 999; ++i) words += "w" + std::to_string(i), offsets.push_back(static_cast<std::int64_t>(words.size()));
  for (int threads : {1, 3}) {
    std::string text;
    format_rows({words.data(), offsets.data(), rows.data(), 999, 7, 7}, 0, threads, [&](std::string_view part) { text += part; });
    std::vector<float> again;
    CHECK(parse(text, 7, threads, &again).message.empty());
    CHECK(again == rows);
  }
  rows[500] = std::numeric_limits<float>::quiet_NaN();
  CHECK(rejects([&] { format_rows({words.data(), offsets.data(), rows.data(), 999, 7, 7}, 6, 2, [](std::string_view) {}); },
                "row 71 (w71) holds NaN"));
}

void test_broken_lines() {
  Source random{3};
  const std::string letters = "ab 01.-+e\t\n\r\xC3\xA9\xFF";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t k = random.next() % 40; k > 0; --k) text += letters[random.next() % letters.size()];
    std::vector<char> tight(text.begin(), text.end());  // so that a read beyond the end is seen
    const std::string_view view(tight.data(), tight.size());
    const std::vector<std::size_t> lines = find_lines(view, 1);
    const std::size_t dim = 1 + random.next() % 3;
    std::vector<float> matrix((lines.size() - 1) * dim);
    std::vector<WordPlace> words(lines.size() - 1);
    parse_lines(view, lines, 0, dim, 1, matrix.data(), words.data());
    count_numbers(view);
    const std::size_t rows = random.next() % 3;
    std::vector<float> binary(rows * dim);
    words.resize(rows);
    parse_binary(view, rows, dim, binary.data(), words.data());
  }
  CHECK(parse("a 1 2\nb 3\n", 2).line == 1);
  CHECK(parse("a 1 2\nb 3 x\n", 2).message.find("'x' is no number") == 0);
  CHECK(parse("a b 1 2", 2).message.empty());
  CHECK(!parse("a 3 1 2", 2).message.empty());
}

// ---- n-grams ----

void test_subwords() {
  std::vector<float> buckets(10 * 3), own(2 * 3), vectors(2 * 3), back(2 * 3);
  Source random{4};
  for (float& x : buckets) x = random.number();
  for (float& x : own) x = random.number();
  const std::string words = "otter</s>";
  const std::int64_t offsets[] = {0, 5, 9};
  const SubwordSettings settings{3, 6, 10};
  const BucketRows rows{reinterpret_cast<const char*>(buckets.data()), nullptr, nullptr};
  subword_rows(words.data(), offsets, 2, 3, settings, rows, own.data(), false, 1, vectors.data());
  subword_rows(words.data(), offsets, 2, 3, settings, rows, vectors.data(), true, 1, back.data());
  for (std::size_t k = 0; k < 6; ++k) CHECK(std::fabs(back[k] - own[k]) < 1e-5f);
  for (std::size_t k = 3; k < 6; ++k) CHECK(vectors[k] == own[k]);  // the mark of a sentence's end has no n-grams
}

// ---- nearest rows ----

struct Scored {
  double score;
  std::int64_t row;
};

// Every score in double, sorted.
std::vector<Scored> slow(const std::vector<float>& matrix, std::size_t dim, const float* terms, std::size_t positives,
                         std::size_t count, bool multiply) {
  std::vector<Scored> all;
  for (std::size_t row = 0; row * dim < matrix.size(); ++row) {
    double above = 1, below = 1, score = 0;
    for (std::size_t t = 0; t < count; ++t) {
      double product = 0, square = 0;
      for (std::size_t k = 0; k < dim; ++k) {
        const double x = matrix[row * dim + k];
        product += x * terms[t * dim + k], square += x * x;
      }
      score = square > 0 ? product / std::sqrt(square) : 0;
      (t < positives ? above : below) *= (1 + score) / 2;
    }
    all.push_back({multiply ? above / (below + 1e-6) : score, static_cast<std::int64_t>(row)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return all;
}

void test_nearest(std::uint64_t seed) {
  Source random{seed};
  const std::size_t rows = 1 + random.next() % 200, dim = 1 + random.next() % 70;
  const std::size_t queries = 1 + random.next() % (seed % 2 == 0 ? 3 : 40);
  const bool multiply = random.next() % 2 == 0;
  const std::size_t positives = multiply ? 1 + random.next() % 2 : 1, count = positives + (multiply ? random.next() % 2 : 0);
  std::vector<float> matrix(rows * dim), terms(queries * count * dim);
  for (float& x : matrix) x = random.number();
  for (std::size_t t = 0; t < queries * count; ++t) {
    double square = 0;
    for (std::size_t k = 0; k < dim; ++k) terms[t * dim + k] = random.number() + 0.01f, square += std::pow(terms[t * dim + k], 2);
    for (std::size_t k = 0; k < dim; ++k) terms[t * dim + k] /= static_cast<float>(std::sqrt(square));
  }
  std::vector<std::int8_t> codes(rows * dim);
  std::vector<float> inverse(rows), slack(rows);
  quantize_rows({matrix.data(), rows, dim, dim}, 2, codes.data(), nullptr, inverse.data(), slack.data());
  std::vector<std::uint8_t> groups(coarse_groups(rows) * coarse_group_bytes(dim));
  std::vector<float> group_inverse(coarse_groups(rows) * kGroupRows), group_slack(group_inverse.size()), sizes(dim);
  make_coarse(FloatRows{matrix.data(), rows, dim, dim}, 2, groups.data(), group_inverse.data(), group_slack.data(),
              sizes.data());
  const CoarseRows coarse{groups.data(), group_inverse.data(), group_slack.data(), sizes.data()};
  const NearestRows nearest{codes.data(), rows, dim, inverse.data(), slack.data(), matrix.data(), dim,
                            seed % 4 == 0 ? nullptr : &coarse};
  const std::size_t top = 1 + random.next() % 12, width = std::min(top, rows);
  std::vector<std::int64_t> found(queries * width);
  std::vector<float> scores(queries * width);
  nearest_rows(nearest, {terms.data(), queries, positives, count - positives, multiply}, 0, rows, top, 1 + int(seed % 3),
               found.data(), scores.data());
  for (std::size_t q = 0; q < queries; ++q) {
    const std::vector<Scored> wanted = slow(matrix, dim, terms.data() + q * count * dim, positives, count, multiply);
    for (std::size_t i = 0; i < width; ++i) {
      const double size = std::max(1.0, std::fabs(wanted[i].score));
      CHECK(std::fabs(scores[q * width + i] - wanted[i].score) <= 2e-6 * size);
      const bool clear = i + 1 == rows || wanted[i].score - wanted[i + 1].score > 1e-10 * size;
      const bool clear_before = i == 0 || wanted[i - 1].score - wanted[i].score > 1e-10 * size;
      if (clear && clear_before) CHECK(found[q * width + i] == wanted[i].row);
    }
  }
}

void test_coarse_kernels() {
  std::vector<const CoarseKernels*> tables{&baseline::coarse_kernels};
#ifdef NLPTK_X86
  if (active_isa() >= Isa::avx2) tables.push_back(&avx2::coarse_kernels);
  if (active_isa() >= Isa::avx512) tables.push_back(&avx512::coarse_kernels);
#endif
  Source random{7};
  for (const CoarseKernels* kernels : tables)
    for (const std::size_t steps : {0, 1, 3, 4, 5, 75, 500})
      for (const bool largest : {false, true}) {
        std::vector<std::uint8_t> group(steps * kStepBytes, 0xFF);
        std::vector<std::int8_t> query(steps * kStepValues, -128);
        if (!largest) {
          for (std::uint8_t& byte : group) byte = static_cast<std::uint8_t>(random.next());
          for (std::int8_t& value : query) value = static_cast<std::int8_t>(random.next());
        }
        float inverse[kGroupRows], slack[kGroupRows], bounds[kGroupRows];
        for (std::size_t r = 0; r < kGroupRows; ++r) inverse[r] = static_cast<float>(r % 4), slack[r] = static_cast<float>(r % 3);
        const float most = kernels->bound_group(group.data(), {query.data(), steps, 7, 0.5f, 2, 0.25f}, inverse, slack, bounds);
        CHECK(most == *std::max_element(bounds, bounds + kGroupRows));
        for (std::size_t r = 0; r < kGroupRows; ++r) {
          std::int32_t sum = 0;
          for (std::size_t k = 0; k < steps * kStepValues; ++k) {
            const std::uint8_t byte = group[k / 4 * kStepBytes + 2 * r + k % 2];
            sum += (k % 4 < 2 ? byte & 15 : byte >> 4) * query[k];
          }
          CHECK(bounds[r] == static_cast<float>(2 * sum - 7) * 0.5f * inverse[r] + slack[r] * 2 + 0.25f);
        }
      }
}

void test_coarse_rows_leave_what_they_say() {
  for (const CoarseKernels* kernels : {&coarse_kernels(), &baseline::coarse_kernels}) {
    Source random{3};
    for (const std::size_t dim : {1, 2, 7, 100, 300}) {
      std::vector<float> row(dim), sizes(dim), inverse(dim);
      for (std::size_t k = 0; k < dim; ++k) {
        inverse[k] = static_cast<float>(1 + k % 8);
        sizes[k] = 1 / inverse[k];
        row[k] = sizes[k] * (2 * random.number() - 1);
      }
      std::vector<std::uint8_t> codes(dim);
      const NarrowRow made = kernels->quantize(row.data(), sizes.data(), inverse.data(), dim, codes.data());
      double square = 0, residue = 0;
      for (std::size_t k = 0; k < dim; ++k) {
        CHECK(codes[k] < 16);
        square += row[k] * static_cast<double>(row[k]);
        residue += std::pow(row[k] - static_cast<double>(made.scale) * sizes[k] * (codes[k] - 7.5), 2);
      }
      CHECK(std::fabs(made.square - square) <= 1e-9 * square && std::fabs(made.residue - residue) <= 1e-9 * square);
      if (dim >= 100) CHECK(residue < 0.015 * square);
    }
  }
}

void test_rejects() {
  const float bad[] = {1, std::numeric_limits<float>::infinity()};
  std::int8_t codes[2];
  CHECK(rejects([&] { quantize_rows({bad, 1, 2, 2}, 1, codes, nullptr, nullptr, nullptr); }, "row 0 holds NaN or an infinity"));
  const std::int8_t code[] = {1, 2};
  float inverse[1], slack[1];
  describe_codes(code, 1, 2, 1, inverse, slack);
  const NearestRows rows{code, 1, 2, inverse, slack, nullptr, 0};
  std::int64_t found[1];
  float scores[1];
  const float query[] = {1, 0, 1, 1};
  nearest_rows(rows, {query, 1, 1, 0, false}, 0, 1, 3, 1, found, scores);
  CHECK(found[0] == 0 && std::fabs(scores[0] - 1 / std::sqrt(5.0)) < 1e-6);
  CHECK(rejects([&] { nearest_rows(rows, {query, 1, 1, 0, false}, 0, 2, 1, 1, found, scores); }, "range of rows"));
  CHECK(rejects([&] { nearest_rows(rows, {query, 1, 2, 0, false}, 0, 1, 1, 1, found, scores); }, "terms"));
  CHECK(rejects([&] { nearest_rows(rows, {query, 1, 1, 1, true}, 0, 1, 1, 1, found, scores); }, "must have length 1"));
  CHECK(rejects([&] { nearest_rows(rows, {bad, 1, 1, 0, false}, 0, 1, 1, 1, found, scores); }, "NaN"));
}

}  // namespace

int main() {
  test_numbers();
  test_lines();
  test_broken_lines();
  test_subwords();
  test_coarse_kernels();
  test_coarse_rows_leave_what_they_say();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) test_nearest(seed);
  test_rejects();
}
