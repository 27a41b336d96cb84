// n-grams: terms by number, what readers yield, counts in threads against a plain count.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "ngram_counts.hpp"

using namespace nlptk;

namespace {

using Strings = std::vector<std::string>;

// ASCII letters are words, in lower case; what is above 0x7F is a word as it is.
CharTable ascii_table(std::size_t size) {
  return CharTable(size, [](std::uint32_t c) -> std::uint32_t {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || c > 0x7F;
    const bool space = c == ' ' || c == '\n';
    return (upper ? c + 32 : c) | (word ? CharTable::kWord : 0) | (space ? CharTable::kSpace : 0);
  });
}

TextSpan span_of(const std::string& text) { return {text.data(), 1, text.size()}; }

NgramCounter::Terms terms_of(const Strings& terms) {
  auto table = std::make_shared<TermTable>();
  for (const std::string& term : terms) table->insert(term);
  return table;
}

Strings ngrams(const NgramRules& rules, const std::string& text, const Strings& stop_words = {}) {
  const NgramCounter::Terms stop = terms_of(stop_words);
  NgramReader reader(rules, *stop);
  Strings found;
  reader.read(span_of(text), ascii_table(256), [&](std::string_view ngram) { found.emplace_back(ngram); });
  return found;
}

void test_terms_have_numbers() {
  TermTable table;
  std::vector<std::string> terms;
  for (int i = 0; i < 5000; ++i) terms.push_back(std::to_string(i * 7919 % 5000));
  for (std::uint32_t i = 0; i < terms.size(); ++i) CHECK(table.insert(terms[i]) == i);
  for (std::uint32_t i = 0; i < terms.size(); ++i) CHECK(table.insert(terms[i]) == i && table.find(terms[i]) == i);
  CHECK(table.find("x") == TermTable::kNone);
  CHECK(table.insert("") == terms.size() && table.find("") == terms.size());
  table.insert("12345678");
  table.insert(std::string_view("12345678\0", 9));
  table.insert("12345678a");
  const std::vector<std::uint32_t> order = sorted_terms(table);
  CHECK(order.size() == table.size());
  for (std::size_t i = 1; i < order.size(); ++i) CHECK(table.term(order[i - 1]) < table.term(order[i]));
}

void test_words() {
  const NgramRules one, two{NgramUnit::word, 1, 2, 2}, three{NgramUnit::word, 3, 9, 1};
  CHECK(ngrams(one, "The cat, a CAT") == (Strings{"the", "cat", "cat"}));
  CHECK(ngrams(one, "") == Strings{} && ngrams(one, "a b") == Strings{} && ngrams(two, " ,") == Strings{});
  CHECK(ngrams(two, "The cat sat") == (Strings{"the", "cat", "sat", "the cat", "cat sat"}));
  CHECK(ngrams(two, "The cat sat", {"cat"}) == (Strings{"the", "sat", "the sat"}));
  CHECK(ngrams(three, "a b c d") == (Strings{"a b c", "b c d", "a b c d"}));
  CHECK(ngrams(one, "\xE9t\xE9") == Strings{"\u00E9t\u00E9"});
}

void test_chunks() {
  const NgramRules one{NgramUnit::chunk, 1, 1, 1}, two{NgramUnit::chunk, 2, 2, 1};
  CHECK(ngrams(one, " The cat, a\n--") == (Strings{"the", "cat,", "a", "--"}));
  CHECK(ngrams(two, "The cat, a") == (Strings{"the cat,", "cat, a"}));
  CHECK(ngrams(one, " \n").empty() && ngrams(one, "").empty());
}

void test_characters() {
  const NgramRules two{NgramUnit::character, 1, 2, 1}, padded{NgramUnit::character_in_word, 2, 3, 1};
  CHECK(ngrams(two, "aB") == (Strings{"a", "b", "ab"}));
  CHECK(ngrams(two, "a \n b") == (Strings{"a", " ", "b", "a ", " b"}));
  CHECK(ngrams(two, "\n") == Strings{"\n"} && ngrams(two, "").empty());
  CHECK(ngrams(padded, "ab\nc") == (Strings{" a", "ab", "b ", " ab", "ab ", " c", "c ", " c "}));
  CHECK(ngrams({NgramUnit::character_in_word, 5, 9, 1}, "ab c") == (Strings{" ab ", " c "}));
  CHECK(ngrams(padded, " \n").empty());
}

void test_widths_of_text() {
  const NgramRules two{NgramUnit::character, 1, 1, 1};
  const NgramCounter::Terms none = terms_of({});
  NgramReader reader(two, *none);
  Strings found;
  const auto keep = [&](std::string_view ngram) { found.emplace_back(ngram); };
  const std::u16string half = u"\u4E00\xD800";
  reader.read({half.data(), 2, half.size()}, ascii_table(0x10000), keep);
  CHECK(found == (Strings{"\u4E00", "\xED\xA0\x80"}));
  found.clear();
  const std::u32string full = U"\U0001F600z";
  reader.read({full.data(), 4, full.size()}, ascii_table(0x110000), keep);
  CHECK(found == (Strings{"\U0001F600", "z"}));
  found.clear();
  const std::vector<TextSpan> words{{full.data(), 4, 1}, {half.data(), 2, 1}};
  NgramReader(NgramRules{NgramUnit::word, 2, 2, 1}, *none).read(std::span(words), keep);
  CHECK(found == Strings{"\U0001F600 \u4E00"});
}

struct Matrix {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> indices;
  std::vector<double> values;
};
Matrix matrix_of(const NgramCounter& counter, const std::int32_t* columns = nullptr) {
  Matrix m{counter.row_offsets(columns), {}, {}};
  m.indices.resize(static_cast<std::size_t>(m.offsets.back()));
  m.values.resize(m.indices.size());
  counter.fill(columns, m.offsets, m.indices.data(), m.values.data());
  return m;
}

void test_counts_in_threads() {
  std::mt19937 random(7);
  Strings texts(1000);
  for (std::string& text : texts)
    for (unsigned n = random() % 30; n > 0; --n) text += std::string(1 + random() % 3, 'a' + random() % 5) + ' ';
  std::vector<TextSpan> spans;
  std::map<std::string, std::map<std::size_t, int>> expected;  // term -> document -> count
  const NgramRules rules{NgramUnit::word, 1, 2, 2};
  for (std::size_t d = 0; d < texts.size(); ++d) {
    spans.push_back(span_of(texts[d]));
    for (const std::string& term : ngrams(rules, texts[d])) ++expected[term][d];
  }
  for (const int threads : {1, 3}) {
    NgramCounter counter(rules, terms_of({}), nullptr, 0, false, threads);
    counter.add(std::span(spans).first(300), ascii_table(256));
    counter.add(std::span(spans).subspan(300), ascii_table(256));
    counter.finish();
    CHECK(counter.documents() == texts.size() && counter.terms() == expected.size());
    const Matrix all = matrix_of(counter);
    Strings vocabulary;
    std::vector<std::int32_t> columns;
    std::size_t place = 0;
    for (const auto& [term, documents] : expected) {
      CHECK(counter.term(place) == term);
      CHECK(counter.document_counts()[place] == static_cast<std::int64_t>(documents.size()));
      std::int64_t total = 0;
      for (const auto& [d, count] : documents) {
        const auto begin = all.indices.begin() + all.offsets[d], end = all.indices.begin() + all.offsets[d + 1];
        CHECK(std::is_sorted(begin, end));
        const auto at = std::lower_bound(begin, end, static_cast<std::int32_t>(place));
        CHECK(at != end && *at == static_cast<std::int32_t>(place) && all.values[at - all.indices.begin()] == count);
        total += count;
      }
      CHECK(counter.total_counts()[place] == total);
      columns.push_back(place % 2 == 0 ? static_cast<std::int32_t>(place / 2) : -1);
      if (place % 2 == 0) vocabulary.push_back(term);
      ++place;
    }
    // Every other term, left out when counted or not looked for, is the same matrix.
    const Matrix some = matrix_of(counter, columns.data());
    NgramCounter with(rules, terms_of({}), terms_of(vocabulary), 0, false, threads);
    with.add(spans, ascii_table(256));
    with.finish();
    const Matrix same = matrix_of(with);
    CHECK(some.offsets == same.offsets && some.indices == same.indices && some.values == same.values);
  }
}

void test_hashing() {
  NgramCounter counter(NgramRules{}, terms_of({}), nullptr, 1U << 20, true, 2);
  const Strings texts{"hello world hello", "", "foo bar"};
  std::vector<TextSpan> spans;
  for (const std::string& text : texts) spans.push_back(span_of(text));
  counter.add(spans, ascii_table(256));
  counter.finish();
  const Matrix m = matrix_of(counter);
  CHECK(m.offsets == (std::vector<std::int64_t>{0, 2, 2, 4}));
  // MurmurHash3_x86_32 with seed 0 of "hello" is 0x248BFA47, of "foo" 0xF6A5C420, which is negative.
  const auto value = [&](std::int32_t column) {
    const auto at = std::find(m.indices.begin(), m.indices.end(), column);
    CHECK(at != m.indices.end());
    return m.values[static_cast<std::size_t>(at - m.indices.begin())];
  };
  CHECK(value(0x248BFA47 % (1 << 20)) == 2);
  CHECK(value((0x100000000 - 0xF6A5C420) % (1 << 20)) == -1);
}

void test_rejections() {
  CHECK(rejects([] { NgramCounter(NgramRules{NgramUnit::word, 2, 1, 1}, terms_of({}), nullptr, 0, false, 1); }, "range"));
  CHECK(rejects([] { NgramCounter(NgramRules{NgramUnit::word, 0, 1, 1}, terms_of({}), nullptr, 0, false, 1); }, "range"));
  CHECK(rejects([] { NgramCounter(NgramRules{}, terms_of({}), nullptr, 1U << 31, false, 1); }, "buckets"));
}

}  // namespace

int main() {
  test_terms_have_numbers();
  test_words();
  test_chunks();
  test_characters();
  test_widths_of_text();
  test_counts_in_threads();
  test_hashing();
  test_rejections();
}
