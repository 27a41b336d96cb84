// BPE: trie, both encoders against the definition, special tokens, counting and training.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bpe/counter.hpp"
#include "bpe/encoder.hpp"
#include "bpe/ranks.hpp"
#include "bpe/trainer.hpp"
#include "check.hpp"
#include "random.hpp"

using namespace nlptk;

namespace {

void test_trie() {
  // 学 is E5 AD A6, 字 is E5 AD 97: strings that end within a character, and such that go on after it.
  const std::vector<std::string> keys{"a", "ab", "abc", "学", "学学", "\xE5", "\xE5\xAD", "学\xE5\xAD", "学\xE5", "\xA6x", "学a"};
  std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<std::uint32_t> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) values[i] = static_cast<std::uint32_t>(i);
  const TokenTrie trie(views, values);
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(trie.find(keys[i]) == i);
  for (const char* other : {"", "b", "abcd", "字", "学字", "\xE5\xAD\xA6\xE5\xAD\x97"}) CHECK(trie.find(other) == TokenTrie::kNone);
  Random random(1);
  const std::vector<std::string> parts{"a", "b", "c", "学", "字", "x", "é"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t n = random.below(6); n > 0; --n) text += parts[random.below(parts.size())];
    text = text.substr(std::min(text.size(), random.below(3)));  // from within a character, too
    std::size_t best = 0;
    for (const std::string& key : keys)
      if (text.compare(0, key.size(), key) == 0) best = std::max(best, key.size());
    CHECK(trie.longest(text.data(), text.size()).length == best);
  }
}

// All merges in turn, each wherever it stands: quadratic and plain.
std::vector<std::string> merge_all(std::vector<std::string> word, const std::vector<std::pair<std::string, std::string>>& merges) {
  for (;;) {
    std::size_t best = merges.size(), place = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const auto at = std::find(merges.begin(), merges.end(), std::pair(word[i], word[i + 1]));
      const auto rank = static_cast<std::size_t>(at - merges.begin());
      if (rank < best) best = rank, place = i;
    }
    if (best == merges.size()) return word;
    word[place] += word[place + 1];
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

void test_encoders_do_what_the_definition_says() {
  Random random(2);
  int linear = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> tokens{"a", "b", "c"};
    std::vector<std::pair<std::string, std::string>> names;
    std::vector<BpeMerge> merges;
    for (std::size_t n = random.below(14); n > 0; --n) {
      const auto left = static_cast<TokenId>(random.below(tokens.size()));
      const auto right = static_cast<TokenId>(random.below(tokens.size()));
      const std::pair pair(tokens[left], tokens[right]);
      const std::string joined = pair.first + pair.second;
      if (joined.size() > 9 || std::find(names.begin(), names.end(), pair) != names.end()) continue;
      const auto at = static_cast<std::size_t>(std::find(tokens.begin(), tokens.end(), joined) - tokens.begin());
      if (at == tokens.size()) tokens.push_back(joined);
      names.push_back(pair);
      merges.push_back({left, right, static_cast<TokenId>(at)});
    }
    if (round % 2 == 1) {  // an order that no training gives
      for (std::size_t i = merges.size(); i > 1; --i) {
        const std::size_t j = random.below(i);
        std::swap(merges[i - 1], merges[j]);
        std::swap(names[i - 1], names[j]);
      }
    }
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < tokens.size(); ++i) ids.push_back(static_cast<TokenId>(7 * i));
    const BpeModel model(tokens, ids, merges, {});
    linear += model.linear();
    for (int text = 0; text < 20; ++text) {
      std::string piece;
      std::vector<std::string> units;
      for (std::size_t n = 1 + random.below(30); n > 0; --n) units.emplace_back(1, "abc"[random.below(3)]), piece += units.back();
      std::vector<std::string> expected = merge_all(units, names), found;
      std::vector<TokenId> symbols, out;
      for (const std::string& unit : units) symbols.push_back(model.find(unit));
      HeapMerger().encode(model, symbols, 0, random, out);
      for (const TokenId token : out) found.emplace_back(model.bytes(model.external(token)));
      CHECK(found == expected);
      if (!model.linear()) continue;
      out.clear();
      found.clear();
      Backtracker().encode(model, piece, out);
      for (const TokenId token : out) found.emplace_back(model.bytes(model.external(token)));
      CHECK(found == expected);
    }
  }
  CHECK(linear > 150);
}

BpeTrained trained(const std::vector<std::string>& lines, std::size_t vocab_size, std::size_t longest = 0) {
  BpeCounter counter(Pattern::gpt2, false, 2);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  counter.add_lines(text);
  BpeTrainOptions options;
  options.vocab_size = vocab_size;
  options.max_token_length = longest;
  for (int byte = 0; byte < 256; ++byte) options.alphabet.emplace_back(1, static_cast<char>(byte));
  return bpe_train(counter.take(), options, [](std::size_t) {});
}

const std::vector<std::string> kLines{"the cat and the other cat", "aaaa aaaaa aaaaaaa", "学学学学 大学 大学", ""};

void test_training() {
  const BpeTrained found = trained(kLines, 300);
  CHECK(found.tokens.size() <= 300);
  CHECK(found.tokens[0] == "!");  // GPT-2's order of the bytes
  const std::set<std::string> all(found.tokens.begin(), found.tokens.end());
  CHECK(all.size() == found.tokens.size());
  CHECK(all.count("aa") == 1 && all.count(" the") + all.count("the") >= 1);
  for (const BpeMerge& merge : found.merges)
    CHECK(found.tokens[merge.merged] == found.tokens[merge.left] + found.tokens[merge.right]);
  for (const std::string& token : trained(kLines, 400, 3).tokens) CHECK(token.size() < 4);

  WordCounts nothing;
  CHECK(rejects([&] { bpe_train(std::move(nothing), {}, [](std::size_t) {}); }, "nothing to learn from"));
  CHECK(rejects([&] { trained(kLines, 255); }, "vocab_size is 255"));
}

void test_counting_in_threads() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += (i % 7 == 0 ? "\n" : " ") + std::string("word") + std::to_string(i % 97);
  std::map<std::string, std::uint64_t> counts[2];
  for (const int threads : {1, 3}) {
    BpeCounter counter(Pattern::gpt2, false, threads);
    counter.add_lines(text);
    counter.take().for_each([&](const WordCounts::Word& word) { counts[threads == 3][std::string(word.text())] = word.count; });
  }
  CHECK(counts[0] == counts[1]);
  CHECK(counts[0].at("\n") > 5000);
}

BpeEncoder encoder_of(const BpeTrained& model, BpeTextOptions text) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < model.tokens.size(); ++i) ids.push_back(static_cast<TokenId>(i));
  return BpeEncoder(BpeModel(model.tokens, ids, model.merges, {}), std::move(text));
}

void test_texts_come_back() {
  BpeTextOptions options;
  options.special = {{"<s>", 1000, true, false, true, false}, {"<s>>", 1001, false, false, false, false}};
  const BpeEncoder encoder = encoder_of(trained(kLines, 320), options);
  BpeEncoder::Lease lease(encoder);
  const std::vector<std::string> texts{"the cat", "a <s> b<s>>", "", "\xF0\x9F\x98\x80 学", std::string("\0x", 2), "<s", "  <s>"};
  for (const std::string& text : texts) {
    BpeTokens tokens;
    encoder.encode(text, {.offsets = true, .look = BpeEncoder::kAll, .dropout = 0, .seed = 0}, *lease, tokens);
    std::size_t end = 0;
    for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
      CHECK(tokens.begins[i] == end);
      end = tokens.ends[i];
    }
    CHECK(end == text.size());
    const std::string back = encoder.decode(tokens.ids.data(), tokens.ids.size(), false);
    if (text.find(" <s>") == std::string::npos) CHECK(back == text);  // <s> takes the white space before it along
  }
  const TokenId wrong = 999;
  CHECK(rejects([&] { encoder.decode(&wrong, 1, true); }, "the id 999"));
}

// Normalized tokens are looked for in what the others leave; what is decoded only is never found.
void test_special_tokens_of_two_kinds() {
  BpeTextOptions options;
  options.special = {{"<s>", 1000}, {"b<", 1001}, {"c", 1002}};
  options.special[1].normalized = true;
  options.special[2].searched = options.special[2].special = false;
  const BpeEncoder encoder = encoder_of(trained(kLines, 260), options);
  BpeEncoder::Lease lease(encoder);
  const auto ids = [&](unsigned look) {
    BpeTokens tokens;
    encoder.encode("b<s>b<c", {.offsets = true, .look = look, .dropout = 0, .seed = 0}, *lease, tokens);
    CHECK(tokens.ends.back() == 7);
    return std::count_if(tokens.ids.begin(), tokens.ids.end(), [](TokenId id) { return id >= 1000; }) * 100 +
           static_cast<std::ptrdiff_t>(tokens.ids.size());
  };
  CHECK(ids(BpeEncoder::kNone) == 7);
  CHECK(ids(BpeEncoder::kGiven) == 105);
  CHECK(ids(BpeEncoder::kNormalized) == 205);
  CHECK(ids(BpeEncoder::kAll) == 204);
  const TokenId hidden = 1002;
  CHECK(encoder.decode(&hidden, 1, true) == "c");
}

void test_models_that_do_not_fit_together() {
  const auto make = [](std::vector<std::string> tokens, std::vector<TokenId> ids, std::vector<BpeMerge> merges) {
    BpeModel(std::move(tokens), std::move(ids), merges, {});
  };
  CHECK(rejects([&] { make({"a", "b"}, {0}, {}); }, "one id for each token"));
  CHECK(rejects([&] { make({"a", "b"}, {0, 1}, {{0, 1, 2}}); }, "names a token"));
  CHECK(rejects([&] { make({"a", "b", "ba"}, {0, 1, 2}, {{0, 1, 2}}); }, "not its two parts joined"));
  CHECK(rejects([&] { make({"a", "a"}, {0, 1}, {}); }, "are equal"));
  CHECK(rejects([&] { make({"a", "b"}, {3, 3}, {}); }, "share the id 3"));
  CHECK(rejects([&] { make({"a", "b"}, {0, 2'000'000'000}, {}); }, "too large gaps"));
}

void test_merges_of_ranks() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* token : {"ab", "bc", "abc", "xyz"}) tokens.emplace_back(token);
  const std::vector<BpeMerge> merges = merges_of_ranks(tokens);
  CHECK(merges.size() == 3);  // of xyz no part is a token
  CHECK(merges[2].left == 256 && merges[2].right == 'c' && merges[2].merged == 258);
}

}  // namespace

int main() {
  test_trie();
  test_encoders_do_what_the_definition_says();
  test_training();
  test_counting_in_threads();
  test_texts_come_back();
  test_special_tokens_of_two_kinds();
  test_models_that_do_not_fit_together();
  test_merges_of_ranks();
}
