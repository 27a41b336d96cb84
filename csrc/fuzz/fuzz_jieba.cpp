// jieba: a dictionary and an HMM made from a seed cut a text as the Python source does.
//
// Input: the seed and settings, then a byte for each character of the text.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "../tests/check.hpp"
#include "input.hpp"
#include "jieba_reference.hpp"
#include "random.hpp"
#include "segment/jieba.hpp"

namespace {

using namespace nlptk;

const std::u32string kHan = U"一我来到北京清华大学生网易\u9FD5";
const std::u32string kAlphabet = kHan + kHan + U"aZb09.%-+#&_ \r\n\t，。\u3000\u9FD6\u00E9\u0130" +
                                 U"\U0001F600\U00020000" + char32_t{0} + char32_t{0xD800};
constexpr std::size_t kModels = 32;

struct Model {
  std::unique_ptr<Jieba> kernel;
  reference::Jieba slow;
};

std::u32string random_word(Random& random) {
  const std::u32string letters = kHan + U"a0.%";
  std::u32string word(1 + random.below(4), U' ');
  for (char32_t& c : word) c = letters[random.below(letters.size())];
  return word;
}

// Few different numbers, so that ties are many.
double random_score(Random& random) {
  return random.below(5) == 0 ? JiebaHmm::kMinFloat : -0.5 * static_cast<double>(random.below(6));
}

std::string make_hmm(Random& random, reference::Jieba& slow) {
  for (double& score : slow.start) score = random_score(random);
  for (auto& row : slow.transitions)
    for (double& score : row) score = random_score(random);
  std::vector<std::uint32_t> characters;
  std::vector<double> emissions;
  for (const char32_t c : kHan) {
    if (random.below(4) == 0) continue;  // unknown to the HMM
    characters.push_back(c);
    for (double& score : slow.emissions[c]) emissions.push_back(score = random_score(random));
  }
  BlobWriter out;
  out.value(slow.start);
  out.value(slow.transitions);
  out.array(characters);
  out.array(emissions);
  return out.take();
}

Model make_model(std::uint64_t seed) {
  Model model;
  Random random(seed);
  std::vector<JiebaDictionary::Entry> entries;
  for (std::size_t n = 1 + random.below(60); n > 0; --n) {
    const auto count = static_cast<std::int64_t>(random.below(4) == 0 ? random.below(1000) : 1 + random.below(3));
    entries.push_back({random_word(random), count, ""});
    model.slow.add(entries.back().word, count);
  }
  if (model.slow.total == 0) {
    entries.push_back({U"北京", 1, ""});
    model.slow.add(U"北京", 1);
  }
  const std::string dictionary = JiebaDictionary(entries, model.slow.total).to_bytes();
  model.kernel = std::make_unique<Jieba>(dictionary, make_hmm(random, model.slow));
  for (std::size_t n = random.below(20); n > 0; --n) {
    const std::u32string word = random_word(random);
    const auto count = static_cast<std::int64_t>(random.below(4));
    model.kernel->add(word, count);
    model.slow.add(word, count);
    if (count == 0) model.slow.force_split.insert(word);
  }
  return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array<Model, kModels> models;
  fuzz::Input input(data, size);
  const std::size_t seed = input.below(kModels);
  if (models[seed].kernel == nullptr) models[seed] = make_model(seed);
  const Model& model = models[seed];
  const bool use_hmm = input.flag();
  std::u32string text;
  for (const char byte : input.rest()) text += kAlphabet[static_cast<unsigned char>(byte) % kAlphabet.size()];
  const std::vector<char32_t> exact(text.begin(), text.end());
  const TextSpan span{exact.data(), 4, exact.size()};

  JiebaWorkspace workspace;
  JiebaWords words;
  const auto word = [&](std::size_t i) {
    const auto begin = static_cast<std::size_t>(words.starts[i]);
    return text.substr(begin, static_cast<std::size_t>(words.ends[i]) - begin);
  };
  model.kernel->cut(span, JiebaMode::accurate, use_hmm, workspace, words);
  std::vector<std::u32string> found;
  std::int32_t covered = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(words.starts[i] == covered && words.ends[i] > covered);
    covered = words.ends[i];
    found.push_back(word(i));
  }
  CHECK(covered == static_cast<std::int32_t>(text.size()));
  CHECK(found == model.slow.cut(text, use_hmm));

  model.kernel->cut(span, JiebaMode::search, use_hmm, workspace, words);
  found.clear();
  for (std::size_t i = 0; i < words.size(); ++i) found.push_back(word(i));
  CHECK(found == model.slow.cut_for_search(text, use_hmm));

  model.kernel->cut(span, JiebaMode::full, use_hmm, workspace, words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(words.starts[i] >= 0 && words.starts[i] <= words.ends[i]);
    CHECK(words.ends[i] <= static_cast<std::int32_t>(text.size()));
  }
  return 0;
}
