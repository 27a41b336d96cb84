// The fastText classifier: tokens, n-grams in buckets, the kernels against plain loops, and that it learns.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "check.hpp"
#include "fasttext/trainer.hpp"
#include "kernels/fasttext_kernel.hpp"
#include "random.hpp"

using namespace nlptk;

namespace {

TextSpan span_of(const std::string& text) { return {text.data(), 1, text.size()}; }

std::vector<TextSpan> spans_of(const std::vector<std::string>& texts) {
  std::vector<TextSpan> spans;
  for (const std::string& text : texts) spans.push_back(span_of(text));
  return spans;
}

std::vector<std::string> tokens_of(const Documents& documents, std::size_t document) {
  utf8::Buffer buffer;
  std::vector<std::string> tokens;
  documents.for_each_token(document, buffer, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

void test_texts_are_cut_at_white_space() {
  const std::vector<std::string> texts{std::string(" a\tb\nc\vd\fe\rf\0g  h ", 19), "", " \t", "x"};
  const Documents documents(spans_of(texts));
  CHECK(documents.size() == 4);
  CHECK((tokens_of(documents, 0) == std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "</s>"}));
  CHECK((tokens_of(documents, 1) == std::vector<std::string>{"</s>"}));
  CHECK((tokens_of(documents, 2) == std::vector<std::string>{"</s>"}));
  const std::vector<std::string> words{"a b", "", "c"};
  const Documents lists(spans_of(words), {0, 2, 2, 3});
  CHECK(lists.size() == 3);
  CHECK((tokens_of(lists, 0) == std::vector<std::string>{"a b", "</s>"}));
  CHECK((tokens_of(lists, 2) == std::vector<std::string>{"c", "</s>"}));
}

void test_ranks() {
  Random random(3);
  std::vector<bool> in(1000);
  RankedSet set(in.size());
  for (int i = 0; i < 300; ++i) {
    const auto number = static_cast<std::uint32_t>(random.below(in.size()));
    in[number] = true;
    set.insert(number);
  }
  set.rank_all();
  std::vector<std::uint32_t> members;
  for (std::uint32_t number = 0; number < in.size(); ++number) {
    CHECK(set.rank(number) == (in[number] ? members.size() : RankedSet::kNone));
    if (in[number]) members.push_back(number);
  }
  CHECK(set.size() == members.size() && set.members() == members);
}

void test_rows_of_a_model_that_is_read_are_those_of_training() {
  const std::vector<std::string> texts{"an otter swims", "the otter", "\xC3\xA9t\xC3\xA9", ""};
  const Documents documents(spans_of(texts));
  FastTextFeatureSettings settings;
  settings.word_ngrams = 3;
  settings.subwords = {2, 4, 97};
  FeatureLists lists;
  const FastTextFeatures trained(documents, 1, {"badger"}, settings, 1, lists);
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < trained.vocabulary().size(); ++i) words.push_back(trained.vocabulary().word(i));
  const FastTextFeatures read(words, trained.buckets(), settings);
  CHECK(read.rows() == trained.rows() && read.buckets() == trained.buckets());
  const FeatureLists again = read.read(documents, 2);
  std::vector<std::uint32_t> a, b;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto rows = trained.rows_of(lists[i].items, a), same = read.rows_of(again[i].items, b);
    CHECK(std::vector(rows.begin(), rows.end()) == std::vector(same.begin(), same.end()));
    CHECK(again[i].unseen == 0);
    CHECK(trained.tells(lists[i].items) == (i != 3));
    for (const std::uint32_t row : rows) CHECK(row < trained.rows());
  }
  // three words and the end, three pairs, two triples
  CHECK(lists[0].items.size() == 4 + 3 + 2);
  CHECK(rejects([&] { FastTextFeatures(words, {5, 5}, settings); }, "rise"));
  CHECK(rejects([&] { FastTextFeatures(words, {97}, settings); }, "out of range"));
  CHECK(rejects([&] { FastTextFeatures(words, {}, settings); }, "no row"));
}

void test_kernels(std::size_t dim, std::size_t n) {
  Random random(dim * 131 + n);
  const FastTextKernels& kernels = fasttext_kernels();
  const std::size_t stride = row_stride(dim), table_rows = 2 * n + 1;
  std::vector<float, HugePageAllocator<float>> table(table_rows * stride), x(stride), dx(stride), scores(row_stride(n));
  const auto draw = [&](auto& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (i % stride < dim) values[i] = static_cast<float>(random.uniform() - 0.5);
  };
  draw(table), draw(x);
  std::vector<std::uint32_t> rows;
  for (std::size_t j = 0; j < n; ++j) rows.push_back(static_cast<std::uint32_t>(2 * j + 1));
  const auto close = [](double a, double b) { return std::abs(a - b) < 1e-5 * (1 + std::abs(b)); };

  kernels.sum_rows(table.data(), stride, rows.data(), n, 0.25f, dx.data());
  for (std::size_t k = 0; k < stride; ++k) {
    double sum = 0;
    for (const std::uint32_t row : rows) sum += 0.25 * static_cast<double>(table[row * stride + k]);
    CHECK(close(dx[k], sum));
  }
  for (const std::uint32_t* chosen : {static_cast<const std::uint32_t*>(rows.data()), static_cast<const std::uint32_t*>(nullptr)}) {
    const auto at = [&](std::size_t j) { return chosen == nullptr ? j : chosen[j]; };
    kernels.score(table.data(), stride, chosen, n, x.data(), scores.data());
    std::vector<double> exact(n, 0);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < dim; ++k) exact[j] += static_cast<double>(table[at(j) * stride + k]) * static_cast<double>(x[k]);
      CHECK(close(scores[j], exact[j]));
    }
    double total = 0;
    for (const double score : exact) total += std::exp(score);
    auto shares = scores;
    kernels.softmax(shares.data(), n);
    for (std::size_t j = 0; j < n; ++j) CHECK(close(shares[j], std::exp(exact[j]) / total));
    shares = scores;
    kernels.sigmoid(shares.data(), n);
    for (std::size_t j = 0; j < n; ++j) CHECK(close(shares[j], 1 / (1 + std::exp(-exact[j]))));

    auto before = table;
    std::vector<float> g(n);
    for (float& value : g) value = static_cast<float>(random.uniform() - 0.5);
    kernels.learn(table.data(), stride, chosen, n, g.data(), x.data(), dx.data());
    for (std::size_t k = 0; k < stride; ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t place = at(j) * stride + k;
        sum += static_cast<double>(g[j]) * static_cast<double>(before[place]);
        CHECK(close(table[place], static_cast<double>(before[place]) + static_cast<double>(g[j]) * static_cast<double>(x[k])));
        before[place] = table[place];
      }
      CHECK(close(dx[k], sum));
    }
    CHECK(before == table);  // no other row has changed
  }
  const auto before = table;
  const std::vector<std::uint32_t> twice{0, 0};
  kernels.add_to_rows(table.data(), stride, twice.data(), 2, x.data());
  for (std::size_t k = 0; k < stride; ++k) CHECK(close(table[k], static_cast<double>(before[k]) + 2 * static_cast<double>(x[k])));
}

void test_it_learns(FastTextLoss loss, int threads) {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> labels;
  std::vector<std::size_t> offsets{0};
  const char* const words[3] = {"otter river", "star sky", "bread oven"};
  for (std::uint32_t i = 0; i < 600; ++i) {
    texts.push_back(std::string("the ") + words[i % 3] + " and");
    labels.push_back(i % 3);
    offsets.push_back(labels.size());
  }
  FastTextSettings settings;
  settings.dim = 20;
  settings.loss = loss;
  settings.features.word_ngrams = 2;
  settings.features.subwords = {3, 4, 1000};
  settings.rate = 0.5;
  settings.threads = threads;
  const Documents documents(spans_of(texts));
  FastTextTrainer trainer(documents, labels, offsets, 3, {}, settings);
  double first = 0, last = 0;
  for (std::uint64_t epoch = 0; epoch < settings.epochs; ++epoch) (epoch == 0 ? first : last) = trainer.run(epoch);
  CHECK(last < first / 2);
  const std::vector<std::string> asked{"an otter", "sky", "oven", ""};
  std::vector<float> found(12);
  trainer.model()->probabilities(Documents(spans_of(asked)), threads, found.data());
  for (std::size_t i = 0; i < 3; ++i) CHECK(found[i * 3 + i] > 0.5f);
  for (std::size_t j = 0; j < 3; ++j) CHECK(std::abs(found[9 + j] - 1.0f / 3) < 1e-6f);
  CHECK(rejects([&] { FastTextTrainer(documents, labels, offsets, 2, {}, settings); }, "out of range"));
  settings.rate = 1e38;
  CHECK(rejects(
      [&] {
        FastTextTrainer wild(documents, labels, offsets, 3, {}, settings);
        for (std::uint64_t epoch = 0; epoch < settings.epochs; ++epoch) wild.run(epoch);
      },
      "astray"));
}

}  // namespace

int main() {
  test_texts_are_cut_at_white_space();
  test_ranks();
  test_rows_of_a_model_that_is_read_are_those_of_training();
  for (const std::size_t dim : {1, 16, 33, 100, 300})
    for (const std::size_t n : {1, 2, 5, 16, 37}) test_kernels(dim, n);
  for (const FastTextLoss loss : {FastTextLoss::softmax, FastTextLoss::hierarchical, FastTextLoss::one_vs_all})
    for (const int threads : {1, 2}) test_it_learns(loss, threads);
  return 0;
}
