// One pass over a sentence gives the scores that feature keys and look-ups one by one give; runs under ASan and UBSan.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "linear_model.hpp"
#include "random.hpp"
#include "token_features.hpp"
#include "token_tagger.hpp"

namespace {

using nlptk::TokenAtom;

// Words, affixes and spacing of one token, pairs and triples, from two before to three after.
nlptk::TokenFeatures make_features() {
  const std::vector<nlptk::TokenAtomSpec> atoms = {{TokenAtom::bias}, {TokenAtom::lower}, {TokenAtom::suffix, 2},
                                                   {TokenAtom::spaced}, {TokenAtom::kind}, {TokenAtom::column, 0}};
  const std::vector<std::vector<std::pair<std::uint32_t, int>>> templates = {
      {{0, 0}},         {{1, 0}},         {{1, -2}},        {{1, 3}},          {{2, -1}},
      {{2, 1}, {4, 1}}, {{3, 0}},         {{3, 1}, {1, 1}}, {{1, -1}, {1, 0}}, {{1, 0}, {4, -1}, {2, 2}},
      {{5, 0}},         {{5, -1}, {1, 0}}};
  std::vector<nlptk::TemplateElement> elements;
  std::vector<std::uint32_t> first{0};
  std::vector<std::uint64_t> seeds;
  for (const auto& parts : templates) {
    for (const auto& [atom, offset] : parts) elements.push_back({0, atom, offset});
    first.push_back(static_cast<std::uint32_t>(elements.size()));
    seeds.push_back(1000 + seeds.size());
  }
  return {atoms, nlptk::Templates(elements, first, seeds), {}};
}

// Sentences of random words, some empty, some too long to be remembered, in one text.
struct Sentences {
  std::u32string text;
  std::vector<std::int32_t> starts, ends;
  std::vector<std::size_t> offsets{0};
  std::vector<std::uint64_t> column;

  explicit Sentences(std::size_t count) {
    nlptk::Random random(count);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t tokens = random.below(6); tokens > 0; --tokens) {
        starts.push_back(static_cast<std::int32_t>(text.size()));
        const std::size_t length = random.below(20) == 0 ? 14 + random.below(8) : random.below(4);
        for (std::size_t i = 0; i < length; ++i) text.push_back(U'a' + static_cast<char32_t>(random.below(26)));
        ends.push_back(static_cast<std::int32_t>(text.size()));
        column.push_back(random.below(3));  // 0: absent
        if (random.below(3) > 0) text.push_back(U' ');
      }
      offsets.push_back(starts.size());
    }
  }
};

// A model that knows half of the features that occur.
struct Model {
  std::vector<std::uint32_t> keys;
  std::vector<std::uint16_t> sizes, labels;
  std::vector<std::int16_t> weights;
  std::vector<float> transitions, start, end;
  nlptk::LinearRows packed;

  Model(std::vector<std::uint32_t> seen, std::size_t n) : transitions(n * n), start(n), end(n) {
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    nlptk::Random random(n);
    for (const std::uint32_t key : seen) {
      if (key == 0 || random.below(2) == 0) continue;
      keys.push_back(key);
      std::uint16_t size = 0;
      const std::size_t keep = 1 + random.below(4);
      for (std::size_t l = 0; l < n; ++l) {
        if (l + 1 < n && random.below(4) >= keep) continue;
        labels.push_back(static_cast<std::uint16_t>(l));
        weights.push_back(static_cast<std::int16_t>(random.next()));
        ++size;
      }
      sizes.push_back(size);
    }
    packed = nlptk::pack_rows(
        {n, keys.size(), weights.size(), keys.data(), sizes.data(), labels.data(), weights.data()});
  }
  nlptk::LinearArrays view() const {
    return {start.size(), packed.rows.size() / 2, packed.blocks.size() / 8, packed.rows.data(), packed.blocks.data(),
            0.25F, transitions.data(), start.data(), end.data()};
  }
};

void one_pass_gives_the_scores_of_the_long_way() {
  const nlptk::TokenFeatures features = make_features();
  const Sentences all(6000);  // more different words than are remembered
  const std::uint64_t* columns[] = {all.column.data()};
  nlptk::TokenWorkspace tokens;
  std::vector<std::uint32_t> keys(all.starts.size() * features.size());
  for (std::size_t s = 0; s + 1 < all.offsets.size(); ++s)
    features.keys(all.text.data(), all.text.size(), all.starts.data(), all.ends.data(), all.offsets[s],
                  all.offsets[s + 1], columns, tokens, keys.data() + all.offsets[s] * features.size());
  for (const std::size_t labels : {1, 2, 9, 17, 300}) {
    const Model arrays(keys, labels);
    const nlptk::LinearModel model(arrays.view());
    nlptk::LinearWorkspace linear;
    std::vector<float> expected(all.starts.size() * labels);
    model.emissions(keys.data(), all.starts.size(), features.size(), linear, expected.data());
    const nlptk::TokenTagger tagger(features, model);
    const nlptk::TokenText text{all.text.data(), all.text.size(), all.starts.data(), all.ends.data(), columns};
    for (int round = 0; round < 2; ++round) {  // the second remembers the first
      auto workspace = tagger.lend();
      std::vector<float> found(expected.size());
      for (std::size_t s = 0; s + 1 < all.offsets.size(); ++s)
        tagger.emissions(text, all.offsets[s], all.offsets[s + 1], *workspace,
                         found.data() + all.offsets[s] * labels);
      CHECK(found == expected);
      tagger.give_back(std::move(workspace));
    }
  }
}

void a_model_without_features_gives_zeros() {
  const nlptk::TokenFeatures features = make_features();
  const Model arrays({}, 3);
  const nlptk::LinearModel model(arrays.view());
  const nlptk::TokenTagger tagger(features, model);
  const std::u32string text = U"a b";
  const std::int32_t starts[] = {0, 2}, ends[] = {1, 3};
  const std::uint64_t column[] = {1, 2};
  const std::uint64_t* columns[] = {column};
  float scores[6] = {1, 1, 1, 1, 1, 1};
  auto workspace = tagger.lend();
  tagger.emissions({text.data(), text.size(), starts, ends, columns}, 0, 2, *workspace, scores);
  for (const float score : scores) CHECK(score == 0);
}

}  // namespace

int main() {
  one_pass_gives_the_scores_of_the_long_way();
  a_model_without_features_gives_zeros();
  std::printf("ok\n");
  return 0;
}
