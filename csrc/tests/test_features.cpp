// Hashes, templates, word lists, token features and the 16-bit model; runs under ASan and UBSan.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "lexicon.hpp"
#include "linear_model.hpp"
#include "random.hpp"
#include "templates.hpp"
#include "token_features.hpp"

namespace {

using nlptk::Templates;
using nlptk::TokenAtom;

void hashes_are_frozen() {
  // Models hold these values: a change makes every trained model worthless.
  CHECK(nlptk::hash_text(U"", 0) == nlptk::kHashSeed);
  CHECK(nlptk::hash_text(U"word", 4) == 0x8F6A0D62847C0334ULL);
  CHECK(nlptk::feature_key(nlptk::hash_text(U"word", 4)) == 0x1298C510U);
  CHECK(nlptk::hash_text(U"\0", 1) != nlptk::hash_text(U"\0\0", 2));
}

void lexicon_finds_what_it_holds() {
  std::vector<std::uint32_t> keys;
  for (char32_t c = 0; c < 3000; ++c) keys.push_back(nlptk::Lexicon::word_key(nlptk::hash_text(&c, 1)));
  const nlptk::Lexicon lexicon(keys.data(), keys.size());
  for (char32_t c = 0; c < 3000; ++c) CHECK(lexicon.find(nlptk::hash_text(&c, 1)) == c + 1);
  for (char32_t c = 3000; c < 6000; ++c) CHECK(lexicon.find(nlptk::hash_text(&c, 1)) == 0);
  CHECK(nlptk::Lexicon().find(1) == 0);
  CHECK(nlptk::Lexicon(nullptr, 0).find(1) == 0);
  const std::uint32_t twice[] = {keys[7], keys[7]};
  const char32_t seven = 7;
  CHECK(nlptk::Lexicon(twice, 2).find(nlptk::hash_text(&seven, 1)) == 1);
}

void malformed_templates_are_rejected() {
  CHECK(rejects([] { Templates({{0, 0, 0}}, {0}, {1}); }, "does not match"));
  CHECK(rejects([] { Templates({{0, 0, 0}}, {0, 2}, {1}); }, "does not match"));
  CHECK(rejects([] { Templates({{0, 0, 0}}, {1, 1}, {1}); }, "does not match"));
  CHECK(rejects([] { Templates({{0, 0, 0}, {0, 0, 0}}, {0, 2, 1, 2}, {1, 2, 3}); }, "must not decrease"));
  CHECK(rejects([] { Templates({}, {}, {}); }, "does not match"));
}

nlptk::TokenFeatures one_atom(TokenAtom atom, std::int32_t parameter = 0, std::int32_t offset = 0) {
  return {{{atom, parameter}}, Templates({{0, 0, offset}}, {0, 1}, {42}), {}};
}

// Keys of all tokens of a text that is one sentence.
std::vector<std::uint32_t> keys_of(const nlptk::TokenFeatures& features, const std::u32string& text,
                                   const std::vector<std::int32_t>& starts, const std::vector<std::int32_t>& ends) {
  std::vector<std::uint32_t> keys(starts.size() * features.size());
  nlptk::TokenWorkspace workspace;
  features.keys(text.data(), text.size(), starts.data(), ends.data(), 0, starts.size(), nullptr, workspace,
                keys.data());
  return keys;
}

void atoms_read_nothing_outside_the_text() {
  const std::u32string text = U"Aa a";  // the first and the last token touch the edges of the buffer
  for (int atom = 0; atom <= static_cast<int>(TokenAtom::spaced); ++atom)
    for (const std::int32_t parameter : {0, 1, 2, 3, 16, 1 << 30})
      for (const std::int32_t offset : {-3, -1, 0, 1, 3})
        keys_of(one_atom(static_cast<TokenAtom>(atom), parameter, offset), text, {0, 3, 4}, {2, 4, 4});
  CHECK(keys_of(one_atom(TokenAtom::suffix, 3), text, {0}, {2})[0] == 0);
  CHECK(keys_of(one_atom(TokenAtom::suffix, 2), text, {0}, {2})[0] != 0);
  CHECK(keys_of(one_atom(TokenAtom::word), U"", {}, {}).empty());
}

void edges_of_a_sentence_have_marks_of_their_own() {
  const auto before = keys_of(one_atom(TokenAtom::word, 0, -1), U"a a a", {0, 2, 4}, {1, 3, 5});
  const auto after = keys_of(one_atom(TokenAtom::word, 0, 1), U"a a a", {0, 2, 4}, {1, 3, 5});
  CHECK(before[0] != before[1] && before[1] == before[2]);
  CHECK(after[2] != after[1] && after[1] == after[0]);
  CHECK(before[0] != after[2]);
  const auto far = keys_of(one_atom(TokenAtom::word, 0, -2), U"a a a", {0, 2, 4}, {1, 3, 5});
  CHECK(far[0] != far[1] && far[1] == before[0] && far[2] == before[1]);
}

void malformed_atoms_are_rejected() {
  CHECK(rejects([] { one_atom(static_cast<TokenAtom>(-1)); }, "unknown atom"));
  CHECK(rejects([] { one_atom(static_cast<TokenAtom>(14)); }, "unknown atom"));
  CHECK(rejects([] { one_atom(TokenAtom::prefix, -1); }, "negative"));
  CHECK(rejects([] { one_atom(TokenAtom::cluster, 0); }, "word classes"));
  CHECK(rejects([] { one_atom(TokenAtom::gazetteer, 0); }, "gazetteer"));
  CHECK(rejects([] { nlptk::Gazetteer(nullptr, nullptr, 0, {}, 0, true); }, "power of two"));
  CHECK(rejects([] { nlptk::Gazetteer(nullptr, nullptr, 0, {0, 0, 0}, 0, true); }, "power of two"));
  CHECK(rejects([] { nlptk::TokenFeatures({}, Templates({{0, 0, 0}}, {0, 1}, {1}), {}); }, "not there"));
  CHECK(rejects([] { nlptk::TokenFeatures({{}}, Templates({{1, 0, 0}}, {0, 1}, {1}), {}); }, "not there"));
  CHECK(one_atom(TokenAtom::column, 4).columns() == 5);
}

void names_are_found_the_longest_first_from_the_left() {
  const std::u32string names[] = {U"a", U"ab", U"newyork", U"yorkcity"};
  std::vector<std::uint32_t> keys;
  for (const auto& name : names) keys.push_back(nlptk::Lexicon::word_key(nlptk::hash_text(name.data(), name.size())));
  const std::uint16_t classes[] = {0, 5, 65535, 1};
  const auto places = [&](const std::u32string& text, const std::vector<std::int32_t>& starts,
                          const std::vector<std::int32_t>& ends, bool ignore_case, std::vector<std::uint8_t> prefixes) {
    const nlptk::Gazetteer gazetteer(keys.data(), classes, keys.size(), std::move(prefixes), 8, ignore_case);
    std::vector<std::uint64_t> out(2 * starts.size(), 77);
    gazetteer.match(text.data(), starts.data(), ends.data(), starts.size(), out.data(), 2);
    std::vector<std::uint64_t> found;
    for (std::size_t t = 0; t < starts.size(); ++t) {
      CHECK(out[2 * t + 1] == 77);
      found.push_back(out[2 * t]);
    }
    return found;
  };
  using Values = std::vector<std::uint64_t>;
  const std::uint64_t york = 2 + 4 * 65535;
  const std::vector<std::int32_t> starts = {0, 4, 9, 14}, ends = {3, 8, 13, 15};
  CHECK((places(U"New York City a", starts, ends, true, {255}) == Values{york, york + 2, 1, 5}));
  CHECK((places(U"New York City a", starts, ends, false, {255}) == Values{1, 1, 1, 5}));
  CHECK((places(U"New York City a", starts, ends, true, {0}) == Values{1, 1, 1, 5}));  // no prefix, no long name
  CHECK((places(U"a b", {0, 2}, {1, 3}, true, {255}) == Values{2 + 20, 2 + 22}));
  CHECK((places(U"a  b", {0, 2, 3}, {1, 2, 4}, true, {255}) == Values{2 + 20, 2 + 21, 2 + 22}));  // a token of nothing
  CHECK(places(U"", {}, {}, true, {255}).empty());
}

// The arrays of a small random model, right in every way.
struct Arrays {
  std::vector<std::uint32_t> keys;
  std::vector<std::uint16_t> sizes, pair_labels;
  std::vector<std::int16_t> weights;
  std::vector<float> transitions, start, end;
  std::size_t labels;

  Arrays(std::size_t rows, std::size_t n) : labels(n) {
    nlptk::Random random(rows * 1000 + n);
    std::uint32_t key = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      keys.push_back(key += 1 + static_cast<std::uint32_t>(random.below(1 << 16)));
      const std::size_t keep = 1 + random.below(4);  // from sparse rows to full ones
      std::uint16_t size = 0;
      for (std::size_t l = 0; l < n; ++l) {
        if (l + 1 < n && random.below(4) >= keep) continue;
        pair_labels.push_back(static_cast<std::uint16_t>(l));
        weights.push_back(static_cast<std::int16_t>(random.next()));
        ++size;
      }
      sizes.push_back(size);
    }
    transitions.assign(n * n, 0.5F);
    start.assign(n, 0.0F);
    end.assign(n, -std::numeric_limits<float>::infinity());
  }
  nlptk::LinearPairs pairs() const {
    return {labels, keys.size(), weights.size(), keys.data(), sizes.data(), pair_labels.data(), weights.data()};
  }
  nlptk::LinearArrays view(const nlptk::LinearRows& packed) const {
    return {labels, packed.rows.size() / 2, packed.blocks.size() / 8, packed.rows.data(), packed.blocks.data(), 0.25F,
            transitions.data(), start.data(), end.data()};
  }
};

void emissions_are_the_sums_of_the_rows() {
  for (const std::size_t labels : {1, 2, 3, 15, 16, 17, 33, 300}) {
    const Arrays arrays(50, labels);
    const nlptk::LinearRows packed = nlptk::pack_rows(arrays.pairs());
    const nlptk::LinearModel model(arrays.view(packed));
    constexpr std::size_t kUnits = 21, kWidth = 5;
    nlptk::Random random(labels);
    std::vector<std::uint32_t> keys(kUnits * kWidth);
    for (std::uint32_t& key : keys) {
      key = random.below(3) == 0 ? 0 : arrays.keys[random.below(50)];
      if (random.below(8) == 0) key = 0xFFFFFFFFU;  // in no row
    }
    std::vector<float> emissions(kUnits * labels);
    nlptk::LinearWorkspace workspace;
    model.emissions(keys.data(), kUnits, kWidth, workspace, emissions.data());
    std::vector<std::vector<int>> dense(50, std::vector<int>(labels));
    for (std::size_t r = 0, pair = 0; r < 50; ++r)
      for (std::size_t k = 0; k < arrays.sizes[r]; ++k, ++pair) dense[r][arrays.pair_labels[pair]] = arrays.weights[pair];
    for (std::size_t u = 0; u < kUnits; ++u)
      for (std::size_t l = 0; l < labels; ++l) {
        int sum = 0;
        for (std::size_t k = 0; k < kWidth; ++k) {
          const auto at = std::find(arrays.keys.begin(), arrays.keys.end(), keys[u * kWidth + k]);
          if (at != arrays.keys.end()) sum += dense[static_cast<std::size_t>(at - arrays.keys.begin())][l];
        }
        CHECK(emissions[u * labels + l] == static_cast<float>(sum) * 0.25F);
      }
  }
}

// Makes the change to the pairs or their view and expects packing to refuse them.
template <class F>
bool packing_rejects(F&& change, const std::string& part) {
  Arrays arrays(20, 4);
  nlptk::LinearPairs view = arrays.pairs();
  change(arrays, view);
  return rejects([&] { nlptk::pack_rows(view); }, part);
}

// Makes the change to the packed rows of a model of 40 labels or its view and expects the model to refuse them.
template <class F>
bool model_rejects(F&& change, const std::string& part) {
  Arrays arrays(20, 40);
  nlptk::LinearRows packed = nlptk::pack_rows(arrays.pairs());
  nlptk::LinearArrays view = arrays.view(packed);
  change(arrays, packed, view);
  return rejects([&] { nlptk::LinearModel model(view); }, part);
}

void malformed_pairs_are_rejected() {
  using View = nlptk::LinearPairs;
  CHECK(packing_rejects([](Arrays&, View& v) { v.labels = 0; }, "labels"));
  CHECK(packing_rejects([](Arrays&, View& v) { v.labels = 70000; }, "labels"));
  CHECK(packing_rejects([](Arrays&, View& v) { v.labels = 3; }, "row"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.keys[5] = a.keys[4]; }, "increasing"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.keys[0] = 0; }, "one is 0"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.sizes[3] = 0; }, "size"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.sizes[3] = 5; }, "size"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.sizes[19] = 65535; }, "size"));
  CHECK(packing_rejects([](Arrays&, View& v) { v.pairs += 1; }, "add up"));
  CHECK(packing_rejects([](Arrays&, View& v) { v.pairs -= 1; }, "size"));
  CHECK(packing_rejects([](Arrays& a, View&) { a.pair_labels.back() = 4; }, "range"));
  CHECK(packing_rejects([](Arrays&, View& v) { v.pairs = std::size_t{1} << 33; }, "2^31"));
}

void malformed_models_are_rejected() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  using Rows = nlptk::LinearRows;
  using View = nlptk::LinearArrays;
  const auto reference = [](std::uint32_t block, std::uint32_t kind) { return block << nlptk::kRowKindBits | kind; };
  CHECK(model_rejects([](Arrays&, Rows&, View& v) { v.labels = 0; }, "labels"));
  CHECK(model_rejects([](Arrays&, Rows&, View& v) { v.labels = 70000; }, "labels"));
  for (const float scale : {0.0F, -1.0F, kInfinity, nan, 1e22F})
    CHECK(model_rejects([&](Arrays&, Rows&, View& v) { v.scale = scale; }, "scale"));
  CHECK(model_rejects([](Arrays&, Rows&, View& v) { v.rows = std::size_t{1} << 30; }, "too many rows"));
  CHECK(model_rejects([](Arrays&, Rows& p, View&) { p.rows[10] = p.rows[8]; }, "increasing"));
  CHECK(model_rejects([](Arrays&, Rows& p, View&) { p.rows[0] = 0; }, "one is 0"));
  CHECK(model_rejects([](Arrays&, Rows& p, View&) { p.rows[7] = nlptk::inline_row(40, 1); }, "refers"));
  const auto blocks = [](const View& v) { return static_cast<std::uint32_t>(v.blocks); };
  for (const std::uint32_t kind : {1U, 2U, nlptk::kDenseKind})  // a dense row has five blocks
    CHECK(model_rejects([&](Arrays&, Rows& p, View& v) {
      p.rows[7] = reference(blocks(v) - (kind == nlptk::kDenseKind ? 4 : kind - 1), kind);
    }, "refers"));
  CHECK(model_rejects([&](Arrays&, Rows& p, View&) { p.rows[7] = 0xFFFFFFFFU; }, "refers"));
  for (const std::vector<std::int16_t>& block : {std::vector<std::int16_t>{1, 9, 2, 9, 40, 9, 0, 0}, {40, 9, 0, 0, 0, 0, 0, 0},
                                                 {1, 9, -1, 9, 0, 0, 0, 0}, {3, 9, 3, 9, 0, 0, 0, 0}, {3, 9, 0, 9, 0, 0, 0, 0}})
    CHECK(model_rejects([&](Arrays&, Rows& p, View&) {  // labels out of range or order
      std::copy(block.begin(), block.end(), p.blocks.begin());
      p.rows[7] = reference(0, 1);
    }, "refers"));
  CHECK(model_rejects([](Arrays&, Rows&, View& v) { v.blocks = 0; }, "refers"));
  CHECK(model_rejects([](Arrays&, Rows&, View& v) { v.labels = 8; }, "refers"));  // all rows would be dense
  for (const float score : {nan, kInfinity, 2e30F, -2e30F}) {
    CHECK(model_rejects([&](Arrays& a, Rows&, View&) { a.transitions[15] = score; }, "transition"));
    CHECK(model_rejects([&](Arrays& a, Rows&, View&) { a.start[3] = score; }, "transition"));
    CHECK(model_rejects([&](Arrays& a, Rows&, View&) { a.end[0] = score; }, "transition"));
  }
}

void a_model_of_no_features_scores_nothing() {
  const Arrays arrays(0, 3);
  const nlptk::LinearModel model(arrays.view({}));
  const std::vector<std::uint32_t> keys{0, 5};
  std::vector<float> emissions(6, 9.0F);
  nlptk::LinearWorkspace workspace;
  model.emissions(keys.data(), 2, 1, workspace, emissions.data());
  CHECK(std::all_of(emissions.begin(), emissions.end(), [](float e) { return e == 0.0F; }));
  model.emissions(nullptr, 0, 1, workspace, nullptr);
  CHECK(rejects([&] { model.emissions(keys.data(), 1, 65536, workspace, emissions.data()); }, "65535"));
}

}  // namespace

int main() {
  hashes_are_frozen();
  lexicon_finds_what_it_holds();
  malformed_templates_are_rejected();
  atoms_read_nothing_outside_the_text();
  edges_of_a_sentence_have_marks_of_their_own();
  malformed_atoms_are_rejected();
  names_are_found_the_longest_first_from_the_left();
  emissions_are_the_sums_of_the_rows();
  malformed_pairs_are_rejected();
  malformed_models_are_rejected();
  a_model_of_no_features_scores_nothing();
  std::printf("ok\n");
  return 0;
}
