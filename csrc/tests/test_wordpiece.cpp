// WordPiece: hand-worked texts, both ways to ids against each other on random text, threads, refusals.
#include "wordpiece/wordpiece.hpp"

#include <random>
#include <string>

#include "check.hpp"

using namespace nlptk;
using namespace nlptk::wordpiece;

namespace {

const std::vector<std::string> kTokens = {"[UNK]", "[MASK]", "un", "##aff", "##able", "a", "##a", "b",  "ab", "!", "[", "]",
                                          "mask",  "你",     "e",  "x y",   "straightforwardly", "##ßx", "straight"};

TextSpan span(const std::u32string& text) { return {text.data(), 4, text.size()}; }

WordPiece make(const NormalizerOptions& options, std::vector<AddedToken> added, std::size_t max_chars = 100) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < kTokens.size(); ++i) ids.push_back(static_cast<std::int32_t>(i));
  return {options, Vocabulary(kTokens, ids, "[UNK]", "##", max_chars), std::move(added)};
}

const std::vector<AddedToken> kMask = {{U"[MASK]", 1, false, false, false, false}};

std::vector<std::int32_t> short_ids(const WordPiece& model, const TextSpan& text) {
  const WordPiece::Lease lease(model);
  std::vector<std::int32_t> ids;
  model.encode(text, *lease, ids);
  return ids;
}

Pieces general(const WordPiece& model, const TextSpan& text) {
  const WordPiece::Lease lease(model);
  Pieces pieces;
  model.encode(text, *lease, pieces);
  return pieces;
}

using Ids = std::vector<std::int32_t>;

void test_hand_worked() {
  const WordPiece model = make({}, kMask);
  const auto ids = [&](const std::u32string& text) { return short_ids(model, span(text)); };
  CHECK(ids(U"Unaffable!") == (Ids{2, 3, 4, 9}));
  CHECK(ids(U"") == Ids{});
  CHECK(ids({U' ', U'\t', 0x3000, 0, 0xFFFD}) == Ids{});
  CHECK(ids(U"a[MASK]b [mask]") == (Ids{5, 1, 7, 10, 12, 11}));
  CHECK(ids(U"你a你") == (Ids{13, 5, 13}));
  CHECK(ids(U"\u00c9 e\u0301 \u0130") == (Ids{14, 14, 0}));
  CHECK(ids(U"STRAIGHTFORWARDLY straightßx ß") == (Ids{16, 18, 17, 0}));  // too long for the cache's entries, and not ASCII
  CHECK(ids(std::u32string{U'a', 0xD800, U'b', 0xDFFF}) == Ids{8});
}

void test_places() {
  const WordPiece model = make({}, kMask);
  const std::u32string text = U" una\u0301ffable\u0301 [MASK]你\u00ad";
  const Pieces pieces = general(model, {text.data(), 4, text.size()});
  CHECK(pieces.ids == (Ids{2, 3, 4, 1, 13}));
  CHECK(pieces.starts == (Ids{1, 3, 7, 13, 19}));
  CHECK(pieces.ends == (Ids{3, 7, 11, 19, 20}));
  CHECK(pieces.words == (Ids{0, 0, 0, 1, 2}));
  const WordSpans spans = word_spans(span(text), pieces);
  CHECK(spans.starts == (Ids{0, 1, 13, 19}));
  CHECK(spans.ends == (Ids{1, 12, 19, 21}));
  CHECK(spans.first_piece == (Ids{0, 0, 3, 4, 5}));
}

void test_longest_word() {
  const WordPiece model = make({}, {}, 3);
  CHECK(short_ids(model, span(U"aaa aaaa")) == (Ids{5, 6, 6, 0}));
  CHECK(short_ids(make({}, {}), span(std::u32string(100, U'a'))).size() == 100);
  CHECK(short_ids(make({}, {}), span(std::u32string(101, U'a'))) == Ids{0});
}

// Texts in the three widths of a Python str, of characters that meet every branch.
void test_both_ways_agree() {
  std::u32string alphabet = U"aabABuUnfle019 \t![]MASKx y\u00e9\u00df\u0301\u302e\u0e31\uac01你\ufa0e\u0130"
                            U"\U0001F600\U00020000\U0001d165";
  alphabet += {0, 0xD800, 0xFFFD};
  std::mt19937 random(7);
  for (int bits = 0; bits < 16; ++bits) {
    NormalizerOptions options;
    options.clean_text = bits & 1;
    options.chinese_chars = bits & 2;
    options.strip_accents = bits & 4;
    options.lowercase = bits & 8;
    const WordPiece model = make(options, {kMask[0], {U"x y", 15, true, true, true, false}, {U"\U0001F600", 7}}, 12);
    for (int round = 0; round < 3000; ++round) {
      const std::size_t length = random() % 40;
      std::u32string wide;
      std::u16string middle;
      std::string narrow;
      for (std::size_t i = 0; i < length; ++i) {
        const char32_t c = alphabet[random() % alphabet.size()];
        wide.push_back(c);
        middle.push_back(static_cast<char16_t>(c));
        narrow.push_back(static_cast<char>(c & 0xFF));
      }
      for (const TextSpan& text : {span(wide), TextSpan{middle.data(), 2, length}, TextSpan{narrow.data(), 1, length}}) {
        const Pieces pieces = general(model, text);
        CHECK(short_ids(model, text) == pieces.ids);
        CHECK(short_ids(model, text) == pieces.ids);  // again, from the cache
        for (std::size_t i = 0; i < pieces.ids.size(); ++i) {
          CHECK(pieces.starts[i] < pieces.ends[i] && pieces.ends[i] <= static_cast<std::int32_t>(length));
          CHECK(i == 0 || pieces.starts[i] >= pieces.starts[i - 1]);
        }
        std::int32_t done = 0;
        const WordSpans spans = word_spans(text, pieces);
        for (std::size_t i = 0; i < spans.starts.size(); ++i) {
          CHECK(spans.starts[i] >= done && spans.ends[i] > spans.starts[i]);
          done = spans.ends[i];
        }
      }
    }
  }
}

void test_batch() {
  const WordPiece model = make({}, kMask);
  std::vector<std::u32string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(std::u32string(static_cast<std::size_t>(i % 30), U'a') + U" b!");
  std::vector<TextSpan> spans;
  for (const std::u32string& text : texts) spans.push_back(span(text));
  for (const int threads : {1, 4}) {
    std::vector<Ids> ids(texts.size());
    model.encode_batch(spans.data(), spans.size(), threads, ids.data());
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(ids[i] == short_ids(model, spans[i]));
  }
}

void test_refusals() {
  CHECK(rejects([] { Vocabulary({"a"}, {0}, "[UNK]", "##", 100); }, "no unknown token '[UNK]'"));
  CHECK(rejects([] { make({}, {{U"", 1}}); }, "an added token is empty"));
  const WordPiece model = make({}, {});
  const TextSpan huge{nullptr, 1, std::size_t{1} << 31};
  CHECK(rejects([&] { short_ids(model, huge); }, "2^31 characters or more"));
  CHECK(rejects([&] { general(model, huge); }, "2^31 characters or more"));
}

}  // namespace

int main() {
  test_hand_worked();
  test_places();
  test_longest_word();
  test_both_ways_agree();
  test_batch();
  test_refusals();
}
