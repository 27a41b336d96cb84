// Phrases: words between white space, shares of a text, counting in threads and in parts, joining.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "vectors/phrase_counts.hpp"

using namespace nlptk;

namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0;;) {
    const std::string_view word = utf8::next_word(text, at);
    if (word.empty()) return words;
    words.emplace_back(word);
  }
}

void test_words_are_those_of_python() {
  const std::vector<std::string> abc{"a", "b", "c"};
  CHECK(split("") == std::vector<std::string>{});
  CHECK(split(" \t\x1C\x1F\v") == std::vector<std::string>{});
  CHECK(split("a b\fc") == abc);
  CHECK(split("\u0085a\u00A0b\u1680c\u2000") == abc);
  CHECK(split("a\u2028b\u202F\u205Fc\u3000\r") == abc);
  CHECK(split("\u200B \u200D \u00A1 \u3001 \u2020").size() == 5);  // zero width and the like are no white space
  CHECK(split("\xC2").size() == 1);                                 // cut within a character: no byte beyond it is read
  CHECK(split("a\xE3\x80") == std::vector<std::string>{"a\xE3\x80"});
  CHECK(split(std::string_view("a\0b", 3)).front().size() == 3);
}

PhraseRules rules(double threshold, double min_count = 1) {
  PhraseRules r;
  r.threshold = threshold;
  r.min_count = min_count;
  return r;
}

// What take() finds, by plain maps over all words and pairs.
std::map<std::string, double> plain(const std::vector<std::vector<std::string>>& sentences, const PhraseRules& r) {
  std::map<std::string, double> counts;
  std::map<std::pair<std::string, std::string>, std::string> pairs;
  for (const auto& sentence : sentences)
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      ++counts[sentence[i]];
      if (i == 0) continue;
      const std::string joined = sentence[i - 1] + r.delimiter + sentence[i];
      ++counts[joined];
      pairs[{sentence[i - 1], sentence[i]}] = joined;
    }
  std::map<std::string, double> found;
  for (const auto& [words, joined] : pairs) {
    const double score = (counts[joined] - r.min_count) / (counts[words.first] * counts[words.second]) *
                         static_cast<double>(counts.size());
    if (score > r.threshold) found[words.first + "|" + words.second] = score;
  }
  return found;
}

std::map<std::string, double> found_in(const PhraseTable& table) {
  std::map<std::string, double> found;
  for (const PhraseTable::Phrase& phrase : table.phrases())
    found[phrase.text.substr(0, phrase.first) + "|" + phrase.text.substr(phrase.text.size() - phrase.last)] = phrase.score;
  return found;
}

void test_counts_are_exact_whatever_the_threads() {
  std::mt19937 random(1);
  const std::vector<std::string> words{"a", "b", "c", "a_b", "b_c", "_", "d"};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<std::string>> sentences(random() % 20);
    std::string text;
    for (auto& sentence : sentences) {
      for (std::size_t n = random() % 9; n > 0; --n) sentence.push_back(words[random() % words.size()]);
      for (const std::string& word : sentence) text += word + (random() % 9 == 0 ? "\u3000" : " ");
      text += "\n";
    }
    const PhraseRules r = rules(0.5 + random() % 3);
    const auto expected = plain(sentences, r);
    for (const int threads : {1, 3}) {
      PhraseCounter counter(r, {}, 1000, threads);
      counter.add_lines(text);
      CHECK(found_in(counter.take()) == expected);
    }
    PhraseCounter counter(r, {}, 1000, 2);
    for (const auto& sentence : sentences) counter.add_sentence({sentence.begin(), sentence.end()});
    CHECK(found_in(counter.take()) == expected);
    CHECK(counter.words() == 0 && counter.types() == 0);
  }
}

void test_long_lines_are_several_sentences_and_nothing_is_lost() {
  std::string text = "x y\n";
  for (std::size_t i = 0; i < 5 * kMostWords; ++i) text += std::string(12, static_cast<char>('a' + i % 26)) + " ";
  text += " \n" + std::string(std::size_t{1} << 20, 'z') + "\nlast line";
  std::string rejoined;
  std::size_t shares = 0;
  for (std::size_t at = 0; at < text.size(); ++shares) {
    const std::string_view share = next_share(text, at);
    CHECK(!share.empty());
    rejoined += share;
  }
  CHECK(rejoined == text);
  CHECK(shares >= 4);
  for (const int threads : {1, 4}) {
    PhraseCounter counter(rules(10), {}, 1 << 20, threads);
    counter.add_lines(text);
    CHECK(counter.words() == 5 * kMostWords + 5);
    const std::string joined = join_phrases({}, text, threads);
    CHECK(split(joined) == split(text));
    CHECK(joined.starts_with("x y\naaaaaaaaaaaa b") && joined.ends_with("z\nlast line"));
    CHECK(std::count(joined.begin(), joined.end(), '\n') == 3);
  }
}

void test_the_rarest_are_forgotten() {
  PhraseCounter counter(rules(0.1), {}, 100, 2);
  std::string text;
  for (int i = 0; i < 50; ++i) text += "new york\n";
  counter.add_lines(text);
  for (int i = 0; i < 500; ++i) counter.add_lines("w" + std::to_string(i) + " v" + std::to_string(i) + "\n");
  CHECK(counter.types() <= 103 && counter.forgotten() >= 1);
  CHECK(found_in(counter.take()).contains("new|york"));
}

void test_joining() {
  PhraseRules r = rules(1);
  r.connectors = {"of"};
  const auto table = std::make_shared<PhraseTable>(
      r, std::vector<PhraseTable::Phrase>{{"new_york", 3, 4, 2.0}, {"bank_of_america", 4, 7, 3.0}, {"york_city", 4, 4, 9.0}});
  CHECK(join_phrases({table}, "", 1) == "");
  CHECK(join_phrases({table}, "\n\n of \n", 1) == "\n\nof\n");
  CHECK(join_phrases({table}, "new  york city", 2) == "new_york city");
  CHECK(join_phrases({table}, "new new york of york city of\n", 1) == "new new_york of york_city of\n");
  CHECK(join_phrases({table}, "bank of america\nbank of of america\nnew\nyork", 1) ==
        "bank_of_america\nbank of of america\nnew\nyork");
  const auto second = std::make_shared<PhraseTable>(r, std::vector<PhraseTable::Phrase>{{"new_york_city", 8, 4, 1.0}});
  CHECK(join_phrases({table, second}, "in new york city\n", 1) == "in new_york_city\n");
  CHECK(rejects([&] { PhraseTable(r, {{"ab", 2, 1, 1.0}}); }, "shorter than its words"));
}

}  // namespace

int main() {
  test_words_are_those_of_python();
  test_counts_are_exact_whatever_the_threads();
  test_long_lines_are_several_sentences_and_nothing_is_lost();
  test_the_rarest_are_forgotten();
  test_joining();
}
