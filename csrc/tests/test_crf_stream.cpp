// CRF training by chunks: the first steps by hand, rows that give way, more labels on the way, and that it learns.
#include <cmath>
#include <vector>

#include "check.hpp"
#include "crf_stream.hpp"
#include "random.hpp"

namespace {

using nlptk::CrfStream;
using nlptk::StreamOptions;

StreamOptions options(unsigned bits, int passes = 2) {
  StreamOptions made;
  made.bits = bits;
  made.passes = passes;
  made.c2 = 0;
  made.rate = 0.5;
  return made;
}

double learn(CrfStream& stream, const std::vector<std::uint32_t>& keys, std::size_t width, const std::vector<std::int32_t>& gold) {
  const std::int64_t offsets[] = {0, static_cast<std::int64_t>(gold.size())};
  return stream.learn(keys.data(), width, offsets, 1, gold.data());
}

void the_first_step_is_as_computed_by_hand() {
  CrfStream stream(options(8));
  stream.grow(2);
  CHECK(std::abs(learn(stream, {5, 0}, 2, {1}) - std::log(2.0)) < 1e-6);
  const CrfStream::Model model = stream.model(0);
  CHECK(model.keys == std::vector<std::uint32_t>{5});
  CHECK(model.row_labels == std::vector<std::uint16_t>{1});  // label 0 was not seen with it
  // p is a half, so each weight moves by 0.5 * 0.5: the row's, four transitions, two starts, two ends.
  const std::vector<float> expected{0.25F, 0, 0, 0, 0, -0.25F, 0.25F, -0.25F, 0.25F};
  CHECK(model.parameters == expected);
  CHECK(stream.model(0.3).keys.empty() && stream.model(0.3).parameters.size() == 8);
}

void frequent_features_have_all_labels() {
  StreamOptions some = options(8);
  some.dense_freq = 3;
  CrfStream stream(some);
  stream.grow(3);
  for (int times = 1; times <= 4; ++times) {
    learn(stream, {7}, 1, {2});
    CHECK(stream.model(0).row_labels.size() == (times < 3 ? 1U : 3U));
  }
}

void the_rarest_of_a_full_bucket_gives_way() {
  CrfStream stream(options(4));  // two buckets: odd and even keys
  stream.grow(2);
  for (std::uint32_t key = 1; key <= 15; key += 2) learn(stream, {key, key == 9 ? 0 : key}, 2, {1});
  CHECK(stream.model(0).keys.size() == 8 && stream.replaced() == 0);
  learn(stream, {101}, 1, {0});  // 9 was there once, the others twice
  CHECK(stream.replaced() == 1);
  CHECK(stream.model(0).keys == (std::vector<std::uint32_t>{1, 3, 5, 7, 11, 13, 15, 101}));
  // No row that the sequence itself uses gives way, so one of nine new keys finds no place.
  learn(stream, {201, 203, 205, 207, 209, 211, 213, 215, 217}, 9, {0});
  CHECK(stream.replaced() == 9);
  CHECK(stream.model(0).keys == (std::vector<std::uint32_t>{201, 203, 205, 207, 209, 211, 213, 215}));
  stream.end_pass();
  learn(stream, {301}, 1, {0});  // unknown now
  CHECK(stream.model(0).keys.size() == 8 && stream.replaced() == 9);
}

void rare_features_go_after_the_first_pass() {
  StreamOptions some = options(8);
  some.min_freq = 2;
  CrfStream stream(some);
  stream.grow(2);
  learn(stream, {3, 3, 4}, 3, {1});
  CHECK(stream.model(0).keys.size() == 2);
  stream.end_pass();
  CHECK(stream.model(0).keys == std::vector<std::uint32_t>{3});
}

void more_labels_keep_the_weights() {
  CrfStream stream(options(6));
  stream.grow(2);
  learn(stream, {5, 6}, 1, {0, 1});
  const CrfStream::Model before = stream.model(0);
  stream.grow(9);  // a longer row
  const CrfStream::Model after = stream.model(0);
  CHECK(after.keys == before.keys && after.row_labels == before.row_labels);
  const std::size_t rows = before.row_labels.size();
  for (std::size_t i = 0; i < rows; ++i) CHECK(after.parameters[i] == before.parameters[i]);
  for (std::size_t a = 0; a < 9; ++a) {
    for (std::size_t b = 0; b < 9; ++b)
      CHECK(after.parameters[rows + a * 9 + b] == (a < 2 && b < 2 ? before.parameters[rows + a * 2 + b] : 0));
    CHECK(after.parameters[rows + 81 + a] == (a < 2 ? before.parameters[rows + 4 + a] : 0));
    CHECK(after.parameters[rows + 90 + a] == (a < 2 ? before.parameters[rows + 6 + a] : 0));
  }
  learn(stream, {5, 6}, 1, {8, 1});
  CHECK(rejects([&] { learn(stream, {5}, 1, {9}); }, "gold label"));
  CHECK(rejects([&] { learn(stream, {5}, 1, {-1}); }, "gold label"));
}

void it_learns_and_repeats() {
  nlptk::Random random(3);
  std::vector<std::uint32_t> keys;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> gold;
  for (int s = 0; s < 200; ++s) {
    for (std::size_t u = random.below(6); u > 0; --u) {
      gold.push_back(static_cast<std::int32_t>(random.below(5)));
      keys.insert(keys.end(), {static_cast<std::uint32_t>(gold.back()) + 1, 100 + static_cast<std::uint32_t>(random.below(50))});
    }
    offsets.push_back(static_cast<std::int64_t>(gold.size()));
  }
  const auto run = [&](int passes, std::uint64_t seed, double c2) {
    StreamOptions some = options(8, passes);
    some.seed = seed;
    some.c2 = c2;
    CrfStream stream(some);
    stream.grow(5);
    double loss = 0;
    for (int pass = 0; pass < passes; ++pass) {
      loss = stream.learn(keys.data(), 2, offsets.data(), offsets.size() - 1, gold.data());
      stream.end_pass();
    }
    CHECK(std::isfinite(loss));
    return std::make_pair(loss, stream.model(0).parameters);
  };
  const auto once = run(1, 1, 0.1), often = run(6, 1, 0.1);
  CHECK(often.first < 0.1 * once.first);
  CHECK(run(6, 1, 0.1) == often && run(6, 2, 0.1) != often);
  const auto size = [](const std::vector<float>& w) {
    double sum = 0;
    for (const float value : w) sum += static_cast<double>(value) * value;
    return sum;
  };
  CHECK(size(run(6, 1, 100).second) < 0.7 * size(often.second));
  run(3, 1, 1e9);
}

void settings_out_of_range_are_rejected() {
  CHECK(rejects([] { CrfStream stream(options(3)); }, "bits"));
  CHECK(rejects([] { CrfStream stream(options(29)); }, "bits"));
  CHECK(rejects([] { CrfStream stream(options(8, 0)); }, "passes"));
  CrfStream stream(options(4));
  CHECK(rejects([&] { stream.grow(5000); }, "4096"));
}

}  // namespace

int main() {
  the_first_step_is_as_computed_by_hand();
  frequent_features_have_all_labels();
  the_rarest_of_a_full_bucket_gives_way();
  rare_features_go_after_the_first_pass();
  more_labels_keep_the_weights();
  it_learns_and_repeats();
  settings_out_of_range_are_rejected();
  std::printf("ok\n");
  return 0;
}
