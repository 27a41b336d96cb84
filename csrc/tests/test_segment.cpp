// The segmenter on every kind of text and with every kind of model: the rules of tokens hold. Runs under ASan and UBSan.
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"
#include "segmenter.hpp"
#include "unicode.hpp"

namespace {

using nlptk::SegmentAtom;
using nlptk::SegmentFeatures;
using nlptk::Templates;

constexpr std::size_t kLabels = nlptk::kSegmentLabels;
constexpr float kNegInf = -std::numeric_limits<float>::infinity();

std::uint32_t word_key(const std::u32string& word) {
  return nlptk::Lexicon::word_key(nlptk::hash_text(word.data(), word.size()));
}

std::uint32_t rest_key(const std::u32string& rest) { return nlptk::split_key(rest.data(), rest.size()); }

// A template for each atom at each of three offsets.
SegmentFeatures all_atoms(std::vector<std::uint32_t> splits = {}) {
  const SegmentAtom first[] = {SegmentAtom::bias, SegmentAtom::run, SegmentAtom::chunk};
  const SegmentAtom last[] = {SegmentAtom::across, SegmentAtom::run_length, SegmentAtom::chunk_edges};
  std::vector<std::vector<nlptk::SegmentAtomSpec>> atoms(3);
  std::vector<nlptk::TemplateElement> elements;
  std::vector<std::uint32_t> starts{0};
  std::vector<std::uint64_t> seeds;
  for (std::uint32_t table = 0; table < 3; ++table)
    for (auto a = static_cast<std::int32_t>(first[table]); a <= static_cast<std::int32_t>(last[table]); ++a) {
      atoms[table].push_back({static_cast<SegmentAtom>(a), 0});
      for (const std::int32_t offset : {-2, 0, 2}) {
        elements.push_back({table, static_cast<std::uint32_t>(atoms[table].size() - 1), offset});
        starts.push_back(static_cast<std::uint32_t>(elements.size()));
        seeds.push_back(seeds.size());
      }
    }
  const std::uint32_t words[] = {word_key(U"中文"), word_key(U"文字"), word_key(U"中文文字文字")};
  return {atoms, Templates(elements, starts, seeds), {nlptk::Lexicon(words, 3)}, std::move(splits)};
}

// A model that knows no feature, only how labels follow one another.
nlptk::LinearModel chain_only(const std::vector<float>& transitions, const std::vector<float>& start,
                              const std::vector<float>& end) {
  CHECK(transitions.size() == kLabels * kLabels && start.size() == kLabels && end.size() == kLabels);
  nlptk::LinearArrays arrays;
  arrays.labels = kLabels;
  arrays.transitions = transitions.data();
  arrays.start = start.data();
  arrays.end = end.data();
  return nlptk::LinearModel(arrays);
}

nlptk::TextSpan span_of(const std::u32string& text) { return {text.data(), 4, text.size()}; }

void check_rules(const std::u32string& text, const nlptk::Segments& out) {
  CHECK(out.starts.size() == out.ends.size() && out.starts.size() == out.sentence_starts.size());
  CHECK(out.starts.empty() == text.empty());
  std::size_t at = 0;
  for (std::size_t t = 0; t < out.starts.size(); ++t) {
    const auto start = static_cast<std::size_t>(out.starts[t]);
    const auto end = static_cast<std::size_t>(out.ends[t]);
    CHECK(t == 0 ? start == 0 && out.sentence_starts[0] == 1 : start >= at);
    CHECK(start < end && end <= text.size());
    for (std::size_t i = at; i < start; ++i) CHECK(nlptk::unicode::is_space(text[i]));
    for (std::size_t i = start; i < end; ++i)
      CHECK(nlptk::unicode::is_space(text[i]) == (t == 0 && nlptk::unicode::is_space(text[0])));
    at = end;
  }
  for (std::size_t i = at; i < text.size(); ++i) CHECK(nlptk::unicode::is_space(text[i]));
}

std::vector<std::u32string> texts() {
  std::vector<std::u32string> list{
      U"", U" ", U"\n\n\n", U"a", U" a", U"a ", U"don't", U"Mr. O'Neill said: \"no\"...", U"中文文字文字 and 中文",
      U"a\n\nb\n \nc\r\n\r\nd\u2029e", U"\u0301combining first", U"e\u0301\u200D!", U"((((", U"))))\"\"", U"''''",
      std::u32string(1, U'\0'), std::u32string(U"a\0b \0", 5), std::u32string(400, U'x'), std::u32string(400, U'中'),
      std::u32string(300, U'!'), std::u32string(300, U' ') + U"x"};
  list.push_back(std::u32string{0xD800, U' ', 0xDFFF, 0xDC00, 0x10FFFF, 0x1F600});
  const char32_t letters[] = {U'a',  U'B',  U'7',  U' ', U'\n', U'.',    U'\'',   U'"',    U'-',
                              U'中', U'文', U'字', U'あ', 0x301, 0x200D, 0xD801, 0x1F468, 0x2029};
  nlptk::Random random(1);
  for (int i = 0; i < 400; ++i) {
    std::u32string text;
    for (std::size_t n = random.below(40); n > 0; --n) text += letters[random.below(std::size(letters))];
    list.push_back(text);
  }
  return list;
}

void tokens_keep_the_rules_under_every_model() {
  const SegmentFeatures features = all_atoms({rest_key(U"n't"), rest_key(U"a")});
  const std::vector<float> zeros(kLabels * kLabels), none(kLabels * kLabels, kNegInf), zero(kLabels),
      forbidden(kLabels, kNegInf);
  std::vector<float> high(kLabels, -1e30F);
  high[0] = 1e30F;
  nlptk::SegmentWorkspace workspace;
  for (const std::vector<float>* transitions : {&zeros, &none})
    for (const std::vector<float>* edge : std::initializer_list<const std::vector<float>*>{&zero, &forbidden, &high}) {
      const nlptk::LinearModel model = chain_only(*transitions, *edge, *edge);
      for (const std::u32string& text : texts()) {
        const nlptk::Segments out = nlptk::segment_text(features, model, span_of(text), workspace);
        check_rules(text, out);
        nlptk::SegmentWorkspace fresh;  // nothing is left over from the text before
        const nlptk::Segments again = nlptk::segment_text(features, model, span_of(text), fresh);
        CHECK(again.starts == out.starts && again.ends == out.ends && again.sentence_starts == out.sentence_starts);
      }
    }
}

std::vector<std::int32_t> candidates(const SegmentFeatures& features, const std::u32string& text) {
  nlptk::SegmentWorkspace workspace;
  const nlptk::SegmentCandidates found = nlptk::segment_candidates(features, span_of(text), workspace);
  CHECK(found.keys.size() == found.positions.size() * features.size());
  return found.positions;
}

void candidates_are_where_tokens_may_begin() {
  using Positions = std::vector<std::int32_t>;
  const SegmentFeatures plain = all_atoms();
  CHECK(candidates(plain, U"Ab c,d 12a").size() == 6);
  CHECK(candidates(plain, U"Ab c,d") == (Positions{0, 3, 4, 5}));
  CHECK(candidates(plain, U"don't") == (Positions{0, 3, 4}));
  CHECK(candidates(plain, U"中文 字") == (Positions{0, 1, 3}));
  CHECK(candidates(plain, U"e\u0301\u0301x") == (Positions{0}));
  CHECK(candidates(plain, U"...") == (Positions{0, 1, 2}));
  CHECK(candidates(plain, U"  \n ") == (Positions{}));
  const std::u32string text = U"We can't; cannot. Don't";
  const std::int32_t starts[] = {0, 3, 5, 8, 10, 13, 16, 18, 20};  // We ca n't ; can not . Do n't
  const std::vector<std::uint32_t> splits = nlptk::inner_split_keys(span_of(text), starts, 9);
  CHECK(splits == (std::vector<std::uint32_t>{rest_key(U"n't"), rest_key(U"not"), rest_key(U"n't")}));
  CHECK(rest_key(U"N'T") == rest_key(U"n't"));
  CHECK(candidates(all_atoms(splits), U"won't knot") == (Positions{0, 2, 3, 4, 6, 7}));
}

void paragraphs_are_parted_by_blank_lines() {
  const SegmentFeatures features = all_atoms();
  nlptk::SegmentWorkspace workspace;
  const std::u32string text = U"\n a\nb \n \t\n c\u2029d\n";
  const nlptk::SegmentCandidates found = nlptk::segment_candidates(features, span_of(text), workspace);
  CHECK(found.paragraphs == (std::vector<std::int64_t>{2, 1, 1}));
  // Sentences are dear: they begin only where they must.
  std::vector<float> transitions(kLabels * kLabels), zero(kLabels);
  for (std::size_t from = 0; from < kLabels; ++from)
    for (std::size_t to = nlptk::kSentenceOnly; to < kLabels; ++to) transitions[from * kLabels + to] = -9;
  const nlptk::LinearModel model = chain_only(transitions, zero, zero);
  const nlptk::Segments out = nlptk::segment_text(features, model, span_of(text), workspace);
  CHECK(out.starts == (std::vector<std::int32_t>{0, 2, 4, 11, 13}));
  CHECK(out.sentence_starts == (std::vector<std::uint8_t>{1, 0, 0, 1, 1}));
}

void texts_of_each_width_agree() {
  const SegmentFeatures features = all_atoms();
  const std::vector<float> zeros(kLabels * kLabels), zero(kLabels);
  const nlptk::LinearModel model = chain_only(zeros, zero, zero);
  nlptk::SegmentWorkspace workspace;
  const std::string narrow = "Two words. (And more)";
  const std::u16string middle(narrow.begin(), narrow.end());
  const std::u32string wide(narrow.begin(), narrow.end());
  const nlptk::Segments expected = nlptk::segment_text(features, model, span_of(wide), workspace);
  for (const nlptk::TextSpan& span : {nlptk::TextSpan{narrow.data(), 1, narrow.size()},
                                      nlptk::TextSpan{middle.data(), 2, middle.size()}}) {
    const nlptk::Segments out = nlptk::segment_text(features, model, span, workspace);
    CHECK(out.starts == expected.starts && out.ends == expected.ends);
  }
}

void malformed_features_are_rejected() {
  using Atoms = std::vector<std::vector<nlptk::SegmentAtomSpec>>;
  const auto make = [](const Atoms& atoms, nlptk::TemplateElement element) {
    return [=] { SegmentFeatures(atoms, Templates({element}, {0, 1}, {1}), {}, {}); };
  };
  CHECK(rejects(make({{{}}, {}}, {0, 0, 0}), "three tables"));
  CHECK(rejects(make({{{SegmentAtom::run, 0}}, {}, {}}, {0, 0, 0}), "wrong table"));
  CHECK(rejects(make({{}, {{static_cast<SegmentAtom>(99), 0}}, {}}, {1, 0, 0}), "wrong table"));
  CHECK(rejects(make({{{SegmentAtom::begin, 0}}, {}, {}}, {0, 0, 0}), "lexicon"));
  CHECK(rejects(make({{{SegmentAtom::chr, -1}}, {}, {}}, {0, 0, 0}), "lexicon"));
  CHECK(rejects(make({{{}}, {}, {}}, {0, 1, 0}), "not there"));
  CHECK(rejects(make({{{}}, {}, {}}, {3, 0, 0}), "not there"));
}

}  // namespace

int main() {
  tokens_keep_the_rules_under_every_model();
  candidates_are_where_tokens_may_begin();
  paragraphs_are_parted_by_blank_lines();
  texts_of_each_width_agree();
  malformed_features_are_rejected();
  std::printf("ok\n");
  return 0;
}
