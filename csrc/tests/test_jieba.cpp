// jieba's kernels over a dictionary and models made by hand: the trie against std::map, the best path against all
// paths, and what must hold for texts that no one would write.
#include "segment/jieba.hpp"

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "check.hpp"
#include "parallel.hpp"
#include "random.hpp"
#include "unicode.hpp"

namespace {

using namespace nlptk;

TextSpan span_of(const std::u32string& text) { return {text.data(), 4, text.size()}; }

std::u32string random_text(Random& random, std::u32string_view letters, std::size_t most) {
  std::u32string text(random.below(most + 1), U' ');
  for (char32_t& c : text) c = letters[random.below(letters.size())];
  return text;
}

// ---- double array ------------------------------------------------------------------------------------------------

void check_same(const DoubleArray& trie, const std::map<std::u32string, std::uint32_t>& words) {
  for (const auto& [word, id] : words) {
    const std::uint32_t node = trie.find(word);
    CHECK(node != DoubleArray::kNone && trie.id(node) == id && trie.spell(node) == word);
    for (std::size_t n = 1; n < word.size(); ++n) {
      const std::uint32_t beginning = trie.find(word.substr(0, n));
      const auto found = words.find(word.substr(0, n));
      CHECK(beginning != DoubleArray::kNone);
      CHECK(trie.id(beginning) == (found == words.end() ? DoubleArray::kNone : found->second));
    }
    const std::uint32_t longer = trie.find(word + U"\U0001F600");
    CHECK(longer == DoubleArray::kNone);
  }
}

void test_double_array() {
  Random random(1);
  const std::u32string letters = U"abcdefg一丁七万丈三上下不与\U00020000\U00020001\xD800";
  std::map<std::u32string, std::uint32_t> known;
  std::vector<std::u32string> words;
  for (int i = 0; i < 3000; ++i) {
    const std::u32string word = random_text(random, letters, 5);
    if (word.empty()) continue;
    known[word] = static_cast<std::uint32_t>(words.size());  // of equal words the last counts
    words.push_back(word);
  }
  DoubleArray trie(words);
  check_same(trie, known);
  CHECK(trie.find(U"z") == DoubleArray::kNone && trie.find(U"") == DoubleArray::kRoot);

  BlobWriter out;
  trie.write(out);
  const std::string bytes = out.take();
  BlobReader in(bytes);
  DoubleArray read(in);
  check_same(read, known);
  for (std::size_t n = 0; n < bytes.size(); n += 1 + bytes.size() / 97) {
    CHECK(rejects(
        [&] {
          BlobReader part(std::string_view(bytes).substr(0, n));
          DoubleArray{part};
        },
        "cut short"));
  }

  // New letters and words move families about; nothing may be lost.
  const std::u32string more = letters + U"hijklmnopqrstuvwxyz世丘丙业丛东";
  for (DoubleArray* grown : {&trie, &read}) {
    std::map<std::u32string, std::uint32_t> now = known;
    for (int i = 0; i < 5000; ++i) {
      const std::u32string word = random_text(random, more, 6);
      if (word.empty() || now.count(word) > 0) continue;
      const auto id = static_cast<std::uint32_t>(now.size() + 10'000);
      grown->set_id(grown->insert(word), id);
      now[word] = id;
    }
    check_same(*grown, now);
  }
  DoubleArray none(std::vector<std::u32string>{});
  CHECK(none.find(U"a") == DoubleArray::kNone);
  none.set_id(none.insert(U"ab"), 7);
  CHECK(none.id(none.find(U"ab")) == 7 && none.id(none.find(U"a")) == DoubleArray::kNone);
}

// ---- a small jieba -----------------------------------------------------------------------------------------------

std::string dictionary_bytes() {
  const std::vector<JiebaDictionary::Entry> entries{
      {U"我", 100, "r"},  {U"来到", 30, "v"},   {U"北京", 60, "ns"},     {U"清华", 20, "nz"}, {U"清华大学", 10, "nt"},
      {U"大学", 40, "n"}, {U"华大", 2, ""},     {U"学", 5, "n"},         {U"大", 50, "a"},    {U"北京大学", 9, "nt"},
      {U"京大", 1, ""},   {U"T恤", 3, "n"},     {U"T恤衫", 2, "n"},      {U"生", 7, "v"},     {U"大学生", 15, "n"},
  };
  std::int64_t total = 0;
  for (const auto& entry : entries) total += entry.count;
  return JiebaDictionary(entries, total).to_bytes();
}

// 网 and 易 begin and end a word; everything else is rather a word of its own.
std::string hmm_bytes() {
  BlobWriter out;
  out.value(std::array<double, 4>{-0.3, JiebaHmm::kMinFloat, JiebaHmm::kMinFloat, -1.5});
  const double no = JiebaHmm::kMinFloat;
  out.value(std::array<double, 16>{no, -0.5, -0.9, no, -0.6, no, no, -0.8, no, -0.3, -1.3, no, -0.7, no, no, -0.7});
  out.array(std::vector<std::uint32_t>{U'网', U'易', U'我'});
  out.array(std::vector<double>{-2, -9, -9, -9, -9, -2, -9, -9, -9, -9, -9, -1});
  return out.take();
}

// Two tags: "n" and "v", each with the four places; 网 may begin an n, 易 end one.
std::string tagger_bytes() {
  BlobWriter out;
  const std::string places = "BBEEMMSS";  // sorted by place, then tag
  out.array(std::vector<char>(places.begin(), places.end()));
  const std::string names = "n\nv\nn\nv\nn\nv\nn\nv\n";
  out.array(std::vector<char>(names.begin(), names.end()));
  out.array(std::vector<double>{-1, -2, -3.14e100, -3.14e100, -3.14e100, -3.14e100, -1.5, -2.5});
  std::vector<std::uint8_t> from, to;
  std::vector<double> scores;
  const auto step = [&](int a, int b, double score) {
    from.push_back(static_cast<std::uint8_t>(a));
    to.push_back(static_cast<std::uint8_t>(b));
    scores.push_back(score);
  };
  for (int tag = 0; tag < 2; ++tag) {
    for (const int inner : {0, 4}) {
      step(inner + tag, 2 + tag, -0.5);
      step(inner + tag, 4 + tag, -1.5);
    }
    for (const int last : {2, 6}) {
      for (int next = 0; next < 2; ++next) {
        step(last + tag, next, -1.0 - next);
        step(last + tag, 6 + next, -1.2 - next);
      }
    }
  }
  out.array(from);
  out.array(to);
  out.array(scores);
  out.array(std::vector<std::uint32_t>{U'易', U'网'});
  out.array(std::vector<std::uint8_t>{1, 1});
  out.array(std::vector<std::uint32_t>{2, 4});
  out.array(std::vector<std::uint8_t>{2, 7, 0, 6});
  out.array(std::vector<std::uint8_t>{1, 1, 1, 1});
  out.array(std::vector<double>{-1, -4, -1, -4});
  return out.take();
}

std::u32string joined(const std::u32string& text, const JiebaWords& words) {
  std::u32string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += U'/';
    std::u32string word = text.substr(static_cast<std::size_t>(words.starts[i]),
                                      static_cast<std::size_t>(words.ends[i] - words.starts[i]));
    for (const auto& [at, glued] : words.glued) {
      if (at == i) word = glued;
    }
    out += word;
  }
  return out;
}

std::u32string cut(const Jieba& jieba, const std::u32string& text, JiebaMode mode = JiebaMode::accurate,
                   bool hmm = true) {
  JiebaWorkspace workspace;
  JiebaWords words;
  jieba.cut(span_of(text), mode, hmm, workspace, words);
  return joined(text, words);
}

void test_examples() {
  Jieba jieba(dictionary_bytes(), hmm_bytes());
  CHECK(cut(jieba, U"") == U"");
  CHECK(cut(jieba, U"我来到北京清华大学") == U"我/来到/北京/清华大学");
  CHECK(cut(jieba, U"我来到北京清华大学", JiebaMode::full) == U"我/来到/北京/清华/清华大学/华大/大学");
  CHECK(cut(jieba, U"清华大学", JiebaMode::search) == U"清华/华大/大学/清华大学");
  CHECK(cut(jieba, U"网易 a1.5%\r\n，") == U"网易/ /a1.5%/\r\n/，");
  CHECK(cut(jieba, U"网易", JiebaMode::accurate, false) == U"网/易");
  CHECK(cut(jieba, U"ab1 易", JiebaMode::accurate, false) == U"ab1/ /易");
  CHECK(cut(jieba, U" ，！ ", JiebaMode::full) == U"/ /，！/ /");  // "" beside white space, as in jieba
  CHECK(cut(jieba, U"xT恤衫", JiebaMode::full) == U"T恤/T恤衫/x");  // letters come late, as in jieba

  jieba.add(U"bc", 5);
  jieba.add(U"b", 5);
  CHECK(cut(jieba, U"abcd", JiebaMode::full) == U"bc/ad");  // and are glued over what was between
  jieba.add(U"网易", 0);
  CHECK(cut(jieba, U"网易") == U"网/易");
  CHECK(jieba.count(U"清华大") == 0 && !jieba.count(U"清北") && jieba.count(U"北京") == 60);
  jieba.keep_whole(U"New York", true);
  CHECK(cut(jieba, U"我New York大") == U"我/New York/大");
  jieba.keep_whole(U"New York", false);
  CHECK(cut(jieba, U"我New York大") == U"我/New/ /York/大");
  CHECK(rejects([&] { jieba.add(U"", 1); }, "a character"));
  CHECK(rejects([&] { jieba.add(U"a", -1); }, "between 0 and 2^53"));
  CHECK(rejects([] { Jieba(std::string(40, '\0'), hmm_bytes()); }, "another format"));
  CHECK(rejects([] { JiebaDictionary(std::vector<JiebaDictionary::Entry>{}, 1); }, "no words"));
}

// ---- the best path against all paths -----------------------------------------------------------------------------

// The best sum from `at`, formed from the right as jieba does; ties to the longer word.
double best_from(const JiebaDictionary& dictionary, const std::u32string& text, std::size_t at,
                 std::vector<std::size_t>& nexts) {
  if (at == text.size()) return 0;
  double best = -1e300;
  for (std::size_t end = at + 1; end <= text.size(); ++end) {
    std::vector<std::size_t> after(nexts.size());
    const double rest = best_from(dictionary, text, end, after);
    const auto count = dictionary.count(text.substr(at, end - at)).value_or(0);
    bool any = count > 0;
    for (std::size_t n = 1; end == at + 1 && !any && at + n <= text.size(); ++n) {
      if (dictionary.count(text.substr(at, n)).value_or(0) > 0) break;
      any = at + n == text.size();  // no word begins here
    }
    if (!any) continue;
    const double score = std::log(count > 0 ? static_cast<double>(count) : 1.0) -
                         std::log(static_cast<double>(dictionary.total())) + rest;
    if (score < best) continue;
    best = score;
    nexts = after;
    nexts[at] = end;
  }
  return best;
}

void test_best_path() {
  const JiebaDictionary dictionary(dictionary_bytes());
  const JiebaHmm hmm(hmm_bytes());
  const JiebaCutter cutter(dictionary, hmm);
  Random random(2);
  for (int i = 0; i < 3000; ++i) {
    const std::u32string text = random_text(random, U"我来到北京清华大学生T恤衫网", 7);
    JiebaWorkspace workspace;
    workspace.prepare(span_of(text));
    cutter.best_path(0, text.size(), workspace);
    std::vector<std::size_t> nexts(text.size());
    const double best = best_from(dictionary, text, 0, nexts);
    CHECK(workspace.scores[0] == best);
    for (std::size_t at = 0; at < text.size(); at = nexts[at]) CHECK(workspace.nexts[at] == nexts[at]);
  }
}

// ---- texts that no one would write -------------------------------------------------------------------------------

void test_invariants() {
  Jieba jieba(dictionary_bytes(), hmm_bytes());
  jieba.set_tagger(tagger_bytes());
  jieba.set_idf(JiebaIdf({U"北京", U"大学"}, {2.0, 3.0}, 2.5).to_bytes());
  Random random(3);
  const std::u32string letters = std::u32string(U"我来到北京清华大学生网易网易网易T恤aZ09.%-+#&_ \r\n\t，。\u3000\u9FD5\u9FD6") +
                                 U'\0' + char32_t{0xD800} + char32_t{0x20000} + char32_t{0x10FFFF};
  for (int i = 0; i < 4000; ++i) {
    const std::u32string text = random_text(random, letters, 40);
    JiebaWorkspace workspace;
    JiebaTagWorkspace scratch;
    for (const bool hmm : {false, true}) {
      JiebaWords words;
      jieba.cut(span_of(text), JiebaMode::accurate, hmm, workspace, words);
      std::int32_t at = 0;
      for (std::size_t w = 0; w < words.size(); ++w) {
        CHECK(words.starts[w] == at && words.ends[w] > at);
        at = words.ends[w];
      }
      CHECK(at == static_cast<std::int32_t>(text.size()));
      JiebaTagged tagged;
      jieba.tag(span_of(text), hmm, workspace, scratch, tagged);
      CHECK(tagged.tags.size() == tagged.words.size());
      at = 0;
      for (std::size_t w = 0; w < tagged.tags.size(); ++w) {
        CHECK(tagged.words.starts[w] == at && tagged.tags[w] < jieba.tag_names().size());
        at = tagged.words.ends[w];
      }
      CHECK(at == static_cast<std::int32_t>(text.size()));
    }
    JiebaWords tokens;
    const TextSpan span = span_of(text);
    jieba.tokens(&span, 1, true, 1, &tokens);
    std::size_t covered = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const auto start = static_cast<std::size_t>(tokens.starts[t]);
      CHECK(start >= covered && (t > 0 || start == 0));
      for (; covered < start; ++covered) CHECK(unicode::is_space(text[covered]));
      covered = static_cast<std::size_t>(tokens.ends[t]);
    }
    for (; covered < text.size(); ++covered) CHECK(unicode::is_space(text[covered]) && tokens.size() > 0);
    for (const JiebaMode mode : {JiebaMode::full, JiebaMode::search}) {
      JiebaWords words;
      jieba.cut(span, mode, true, workspace, words);
      for (std::size_t w = 0; w < words.size(); ++w)
        CHECK(words.starts[w] <= words.ends[w] && words.ends[w] <= static_cast<std::int32_t>(text.size()));
    }
    JiebaTagged tagged;
    for (const auto method : {Jieba::Keywords::tfidf, Jieba::Keywords::textrank}) {
      const auto found = jieba.keywords(span, method, true, {"n", "ns", "nt"}, false, 3, workspace, scratch, tagged);
      CHECK(found.size() <= 3);
      for (std::size_t k = 1; k < found.size(); ++k) CHECK(found[k - 1].weight >= found[k].weight);
    }
  }
  // One step for each character: a million takes no deeper stack than ten.
  const std::u32string longest(1'000'000, U'网');
  JiebaWorkspace workspace;
  JiebaWords words;
  jieba.cut(span_of(longest), JiebaMode::accurate, true, workspace, words);
  CHECK(words.size() > 0 && words.ends.back() == 1'000'000);
}

void test_damaged_tables() {
  const std::string dictionary = dictionary_bytes(), tagger = tagger_bytes();
  Jieba jieba(dictionary, hmm_bytes());
  for (std::size_t n = 8; n < tagger.size(); n += 8)
    CHECK(rejects([&] { jieba.set_tagger(std::string_view(tagger).substr(0, n)); }, "tables"));
  Random random(4);
  for (int i = 0; i < 300; ++i) {  // whatever is accepted must be safe to use
    std::string damaged = dictionary;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    try {
      const Jieba other(damaged, hmm_bytes());
      CHECK(cut(other, U"我来到北京清华大学T恤衫").size() >= 10);
    } catch (const std::invalid_argument&) {
    }
  }
}

// One very long text must not leave a thread with its memory for ever.
void test_memory_is_given_back() {
  const Jieba jieba(dictionary_bytes(), hmm_bytes());
  JiebaWorkspace workspace;
  JiebaWords words;
  jieba.cut(span_of(std::u32string(kKeptLength + 1, U'-')), JiebaMode::accurate, false, workspace, words);
  CHECK(workspace.text.size() > kKeptLength && words.size() > kKeptLength);
  jieba.cut(span_of(U"我来到"), JiebaMode::accurate, false, workspace, words);
  CHECK(workspace.scores.capacity() < 100 && words.starts.capacity() < 100);
}

// A loop of long cuts on one thread, which no parallel_for looks after, must end when the user asks to stop.
void test_interrupt() {
  interrupt_hook().store([] { return true; });
  const Jieba jieba(dictionary_bytes(), hmm_bytes());
  const std::u32string text(200'000, U'我');
  for (const JiebaMode mode : {JiebaMode::accurate, JiebaMode::full, JiebaMode::search}) {
    JiebaWorkspace workspace;
    JiebaWords words;
    bool interrupted = false;
    const InterruptScope scope;
    for (int i = 0; i < 2000 && !interrupted; ++i) {
      try {
        jieba.cut(span_of(text), mode, true, workspace, words);
      } catch (const Interrupted&) {
        interrupted = true;
      }
    }
    CHECK(interrupted);
    jieba.cut(span_of(U"我来到"), mode, true, workspace, words);
    CHECK(words.size() > 0);
  }
  interrupt_hook().store(nullptr);
}

}  // namespace

int main() {
  test_double_array();
  test_examples();
  test_best_path();
  test_invariants();
  test_damaged_tables();
  test_memory_is_given_back();
  test_interrupt();
  std::puts("jieba: ok");
}
