// N-gram models: counts and probabilities of a text small enough to do by hand, sums, ARPA files, hashed against searched.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.hpp"
#include "ngram_lm/arpa.hpp"
#include "ngram_lm/corpus.hpp"
#include "ngram_lm/estimate.hpp"
#include "random.hpp"

using namespace nlptk;

namespace {

struct Made {
  TermTable table;
  std::unique_ptr<NgramEstimate> estimate;
  const NgramModel& model() const { return estimate->model; }
};

Made make(std::string_view text, NgramSettings settings, std::uint64_t min_count = 1) {
  NgramCorpus corpus;
  corpus.add_lines(text);
  corpus.finish(min_count);
  const std::size_t words = corpus.table().size();
  auto estimate = std::unique_ptr<NgramEstimate>(new NgramEstimate(estimate_ngrams(corpus.take_text(), words, settings)));
  return {corpus.take_table(), std::move(estimate)};
}

std::string random_text(std::uint64_t seed) {
  Random random(seed);
  std::string text;
  for (std::size_t s = 0; s < 400; ++s) {
    for (std::size_t n = random.below(9); n > 0; --n) {
      text += 'a' + static_cast<char>(random.below(1 + random.below(20)));
      text += n % 2 ? " " : " \t";
    }
    text += s % 3 ? "\n" : "\r\n";
  }
  return text;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-5; }

void test_by_hand() {
  NgramSettings settings;
  settings.order = 2;
  settings.fallback = {{0.5, 1, 1.5}};
  const Made made = make("a b\na a b\n\n", settings);
  const NgramModel& model = made.model();
  CHECK(model.words() == 5);  // <unk> <s> </s> a b
  CHECK(made.table.term(3) == "a" && made.table.term(4) == "b");
  // <s> a 2, a b 2, b </s> 2, a a 1, <s> </s> 1
  CHECK(model.size(2) == 5);
  const auto& orders = made.estimate->orders;
  CHECK(orders[1].seen[0] == 2 && orders[1].seen[1] == 3);
  CHECK(orders[0].ngrams == 3);  // a after <s> and a; b after a; </s> after b and <s>
  CHECK(orders[0].seen[0] == 1 && orders[0].seen[1] == 2);
  // All adjusted counts are 5, of which 0.5 + 1 + 1 go to the 4 words besides <s>.
  const double a = 1.0 / 5 + 2.5 / 5 / 4, unknown = 2.5 / 5 / 4;
  CHECK(near(model.log_prob(1, 3), std::log10(a)));
  CHECK(near(model.log_prob(1, 0), std::log10(unknown)));
  CHECK(model.log_prob(1, kBegin) == 0);
  // After <s>: a twice, </s> once.
  const double after = (1 + 0.5) / 3;
  CHECK(near(model.lower(1)[kBegin].backoff, std::log10(after)));
  const std::vector<std::uint32_t> words{3, 0};
  std::vector<float> log_probs(2);
  std::vector<std::uint8_t> matched(2);
  model.score(words, true, log_probs.data(), matched.data());
  CHECK(near(log_probs[0], std::log10(1.0 / 3 + after * a)) && matched[0] == 2);
  CHECK(near(log_probs[1], std::log10((1 + 0.5) / 3 * unknown)) && matched[1] == 1);  // a b twice, a a once
}

void test_sums_and_search() {
  for (std::size_t order = 1; order <= kMostOrder; ++order) {
    for (const bool laplace : {false, true}) {
      NgramSettings settings;
      settings.order = order;
      settings.laplace = laplace;
      settings.fallback = {{0.5, 1, 1.5}};
      if (order > 2 && !laplace) settings.prune = {0, 0, 1, 1, 2, 2};
      const Made made = make(random_text(order), settings, 2);
      const NgramModel& model = made.model();
      Random random(7);
      std::vector<std::uint32_t> words;
      for (std::size_t i = 0; i < 200; ++i) words.push_back(random.below(12) == 0 ? 0 : 2 + random.below(1 + random.below(model.words() - 2)));
      std::vector<float> hashed(words.size()), next(model.words());
      std::vector<std::uint8_t> matched(words.size());
      model.score(words, true, hashed.data(), matched.data());
      NgramContext context;
      std::uint8_t longest;
      model.step(context, kBegin, longest);
      for (std::size_t i = 0; i < words.size(); ++i) {
        model.distribution(context, next.data());
        double sum = 0;
        for (const float log_prob : next) sum += std::exp(log_prob);
        CHECK(near(sum, 1));
        const float searched = model.step(context, words[i], longest);
        CHECK(searched == hashed[i] && longest == matched[i]);
        CHECK(near(next[words[i]], searched * std::log(10.0)));
      }
    }
  }
}

std::string arpa_of(const Made& made) {
  std::string text = arpa_header(made.model());
  for (std::size_t n = 1; n <= made.model().order(); ++n) {
    text += "\n\\" + std::to_string(n) + "-grams:\n";
    for (std::size_t first = 0; first < made.model().size(n); first += 7)  // blocks that begin anywhere
      text += arpa_lines(made.model(), made.table, n, first, std::min(first + 7, made.model().size(n)));
  }
  return text + "\n\\end\\\n";
}

void test_arpa() {
  NgramSettings settings;
  settings.order = 4;
  settings.fallback = {{0.5, 1, 1.5}};
  const Made made = make(random_text(3), settings);
  const std::string text = arpa_of(made);
  ArpaReader reader;
  reader.feed(text);
  const Made again{{}, std::unique_ptr<NgramEstimate>(new NgramEstimate{reader.finish(), {}})};
  CHECK(arpa_of({reader.take_table(), std::unique_ptr<NgramEstimate>(new NgramEstimate{NgramModel(
            {again.model().lower(1), again.model().lower(2), again.model().lower(3)}, again.model().highest(), false), {}})}) == text);

  const auto refuses = [](const char* content, const char* part) {
    return rejects([&] {
      ArpaReader bad;
      bad.feed(content);
      bad.finish();
    }, part);
  };
  CHECK(refuses("hello\n", "begins with"));
  CHECK(refuses("", "empty"));
  CHECK(refuses("\\data\\\nngram 2=1\n", "ngram 1=COUNT"));
  CHECK(refuses("\\data\\\nngram 1=2\n\\1-grams:\n-1 <s>\n", "cut short"));
  CHECK(refuses("\\data\\\nngram 1=1\n\\1-grams:\n-1 <s>\n\\end\\\n", "no </s>"));
}

void test_bad_text() {
  NgramCorpus corpus;
  CHECK(rejects([&] { corpus.add_lines("a\nb <s> c\n"); }, "sentence 2 holds the word '<s>'"));
  CHECK(rejects([] { estimate_ngrams({}, 3, {}); }, "no sentence"));
  CHECK(rejects([] { make("a b\n", {}); }, "too small or odd"));
  CHECK(rejects([] { NgramModel({}, {{0, -1}, {1, 0}, {1, -1}}, false); }, "not numbered"));
}

}  // namespace

int main() {
  test_by_hand();
  test_sums_and_search();
  test_arpa();
  test_bad_text();
}
