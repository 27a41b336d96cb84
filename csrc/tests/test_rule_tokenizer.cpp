// The rule-based tokenizer: examples, and its invariants over texts that no one would write.
#include "rule_tokenizer.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"
#include "unicode.hpp"

namespace {

using nlptk::RuleTokens;
using nlptk::TextSpan;

TextSpan span_of(const std::u32string& text) { return {text.data(), 4, text.size()}; }

RuleTokens tokenize(const std::u32string& text) {
  RuleTokens tokens;
  nlptk::RuleWorkspace workspace;
  nlptk::rule_tokenize(span_of(text), true, workspace, tokens);
  return tokens;
}

std::u32string joined(const std::u32string& text) {
  const RuleTokens tokens = tokenize(text);
  std::u32string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += U'_';
    const auto start = static_cast<std::size_t>(tokens.starts[i]);
    out += text.substr(start, static_cast<std::size_t>(tokens.ends[i]) - start);
  }
  return out;
}

void check_invariants(const std::u32string& text) {
  const RuleTokens tokens = tokenize(text);
  CHECK(tokens.ends.size() == tokens.size() && tokens.sent_starts.size() == tokens.size());
  std::size_t covered = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto start = static_cast<std::size_t>(tokens.starts[i]), end = static_cast<std::size_t>(tokens.ends[i]);
    CHECK(start >= covered && start < end && end <= text.size());
    if (i == 0) CHECK(start == 0 && tokens.sent_starts[0] == 1);
    for (; covered < start; ++covered) CHECK(nlptk::unicode::is_space(text[covered]));
    covered = end;
  }
  for (; covered < text.size(); ++covered) CHECK(tokens.size() > 0 && nlptk::unicode::is_space(text[covered]));
}

void test_examples() {
  CHECK(joined(U"I can't, cannot; it's well-known.") == U"I_ca_n't_,_can_not_;_it_'s_well_-_known_.");
  CHECK(joined(U"Mr. O'Neill e-mailed a.b@c.org") == U"Mr._O'Neill_e-mailed_a.b@c.org");
  CHECK(joined(U"See http://a.com/x_(y). 9/11 5pm") == U"See_http://a.com/x_(y)_._9/11_5_pm");
  CHECK(joined(U"  lead") == U"  _lead");
  CHECK(joined(U"") == U"");
}

// Pieces that the rules look for, in any order: every rule is entered from every state.
void test_random_pieces() {
  const std::vector<std::u32string> pieces = {
      U"a", U"I", U"U", U".", U"..", U"'", U"’", U"n't", U"'s", U"-", U"--", U"/", U":", U"://", U"http://", U"www.",
      U"@", U"x@y.com", U"#", U"$", U"US$", U"1", U"12", U"1,234", U"555-1234", U"pm", U"p.m.", U"Mr.", U"etc.", U"No.",
      U"(", U")", U"\"", U"<", U">", U"<3", U":)", U"^_^", U"_", U"*", U"=", U"&", U"+", U"C++", U"!", U"?", U"…", U" ",
      U"\n", U"\n\n", U"\u3000", U"中", U"の", U"ア", U"한", U"é", U"\u0301", U"\u200D", U"\uFE0F", U"\U0001F468",
      U"\U0001F3FD", U"\U0001F1EC", U"☺", U"non", U"cannot", U"dont", U".doc", U".com", U"comp.", U"'em", U"'72", U"，",
      std::u32string(1, U'\0'), std::u32string(1, static_cast<char32_t>(0xD800)), U"\uE000", U"\U0010FFFF"};
  nlptk::Random random(7);
  for (int round = 0; round < 30000; ++round) {
    std::u32string text;
    for (std::uint64_t n = random.next() % 12; n > 0; --n) text += pieces[random.next() % pieces.size()];
    check_invariants(text);
  }
}

// Rows of anything: a rule that looks ahead again and again would not come back from these.
void test_long_rows() {
  for (const char32_t* piece : {U"a", U".", U"'", U"-", U"@", U"a@", U"www.", U"http://)", U"a.", U"1-", U"1,", U"a'", U"&",
                                U"*", U"*-", U":(", U"(:", U"中", U" ", U"\u200D", U"\U0001F600", U"Mr. ", U"A. ", U". ",
                                U"a.com", U"#a", U"_", U"<-"}) {
    std::u32string text;
    while (text.size() < 1'000'000) text += piece;
    check_invariants(text);
  }
}

void test_batch() {
  std::vector<std::u32string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(U"Text " + std::u32string(static_cast<std::size_t>(i), U'x') + U" isn't.");
  std::vector<TextSpan> spans;
  for (const auto& text : texts) spans.push_back(span_of(text));
  std::vector<RuleTokens> tokens(texts.size());
  nlptk::rule_tokenize_batch(spans.data(), spans.size(), true, 3, tokens.data());
  for (std::size_t i = 0; i < texts.size(); ++i) CHECK(tokens[i].starts == tokenize(texts[i]).starts);
}

}  // namespace

int main() {
  test_examples();
  test_random_pieces();
  test_long_rows();
  test_batch();
  return 0;
}
