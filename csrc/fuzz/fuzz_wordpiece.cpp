// WordPiece: both ways to the ids of a text agree; without normalization they are those of a slow greedy match.
//
// Input: settings, then the text.
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../tests/check.hpp"
#include "input.hpp"
#include "wordpiece/wordpiece.hpp"

namespace {

using namespace nlptk;
using namespace nlptk::wordpiece;

const std::vector<std::string> kTokens = {
    "[UNK]", "[MASK]", "a", "b", "ab", "abc", "the", "##a", "##b", "##bc", "##\xC3\xA9", "e", "##e", "1",
    "##23", "'", "s", "!", "word", "##rd", "\xE4\xB8\xAD", "##\xE4\xB8\xAD", "wo", "[", "]", "mask", "##'",
    "\xE5\x8C\x97", "\xC3\x9F", "##\xC3\x9F", "W", "##\xF0\x9F\x98\x80", "##B", "\xCC\x81", "##\xCC\x81", "i",
    "##i", "\xEA\xB0\x81"};
constexpr std::int32_t kUnknown = 0;

// The least bits are the normalizer's settings.
constexpr unsigned kModels = 64;

std::unique_ptr<WordPiece> make_model(unsigned settings) {
  NormalizerOptions options;
  options.clean_text = (settings & 1) != 0;
  options.chinese_chars = (settings & 2) != 0;
  options.strip_accents = (settings & 4) != 0;
  options.lowercase = (settings & 8) != 0;
  std::vector<AddedToken> added;
  if ((settings & 16) != 0)
    added = {{U"[MASK]", 1}, {U"ab c", 100, true, true, true, false}, {U"\u00E9", 101, false, false, false, true}};
  std::vector<std::int32_t> ids(kTokens.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
  const std::size_t most = (settings & 32) != 0 ? 5 : 100;
  return std::make_unique<WordPiece>(options, Vocabulary(kTokens, ids, "[UNK]", "##", most), std::move(added));
}

void split_word(const std::u32string& word, std::size_t most, std::vector<std::int32_t>& out) {
  static const std::map<std::string, std::int32_t> ids = [] {
    std::map<std::string, std::int32_t> found;
    for (std::size_t i = 0; i < kTokens.size(); ++i) found[kTokens[i]] = static_cast<std::int32_t>(i);
    return found;
  }();
  std::vector<std::int32_t> pieces;
  for (std::size_t at = 0; at < word.size() && word.size() <= most;) {
    std::size_t end = word.size();
    std::map<std::string, std::int32_t>::const_iterator found = ids.end();
    for (; end > at; --end) {
      std::string piece = at > 0 ? "##" : "";
      for (std::size_t i = at; i < end; ++i) utf8::append(piece, word[i]);
      if ((found = ids.find(piece)) != ids.end()) break;
    }
    if (end == at) {
      pieces.clear();
      break;
    }
    pieces.push_back(found->second);
    at = end;
  }
  if (pieces.empty()) pieces.push_back(kUnknown);
  out.insert(out.end(), pieces.begin(), pieces.end());
}

std::vector<std::int32_t> slow_ids(const std::u32string& text, std::size_t most) {
  std::vector<std::int32_t> ids;
  std::u32string word;
  const auto end_word = [&] {
    if (!word.empty()) split_word(word, most, ids);
    word.clear();
  };
  for (const char32_t c : text) {
    const std::uint8_t flags = char_flags(c);
    if ((flags & (kSpace | kPunctuation)) != 0) end_word();
    if ((flags & kSpace) != 0) continue;
    word += c;
    if ((flags & kPunctuation) != 0) end_word();
  }
  end_word();
  return ids;
}

void check_places(const Pieces& pieces, const TextSpan& text) {
  const auto length = static_cast<std::int32_t>(text.length);
  CHECK(pieces.starts.size() == pieces.ids.size() && pieces.ends.size() == pieces.ids.size());
  for (std::size_t i = 0; i < pieces.ids.size(); ++i) {
    CHECK(pieces.starts[i] >= 0 && pieces.starts[i] < pieces.ends[i] && pieces.ends[i] <= length);
    CHECK(i == 0 || (pieces.starts[i] >= pieces.starts[i - 1] && pieces.words[i] >= pieces.words[i - 1]));
  }
  const WordSpans spans = word_spans(text, pieces);
  std::int32_t done = 0;
  for (std::size_t i = 0; i < spans.starts.size(); ++i) {
    CHECK(spans.starts[i] >= done && spans.ends[i] > spans.starts[i] && spans.ends[i] <= length);
    done = spans.ends[i];
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array<std::unique_ptr<WordPiece>, kModels> models;
  fuzz::Input input(data, size);
  const auto settings = static_cast<unsigned>(input.below(kModels));
  if (models[settings] == nullptr) models[settings] = make_model(settings);
  const WordPiece& model = *models[settings];

  // The bytes as Latin-1 and as UTF-8, in the widths in which Python would keep them.
  const std::string_view bytes = input.rest();
  const std::u32string points = fuzz::code_points(fuzz::valid_utf8(bytes));
  std::vector<std::uint16_t> halves;
  for (const char32_t c : points) halves.push_back(static_cast<std::uint16_t>(c));  // surrogates and all
  const WordPiece::Lease lease(model);
  for (const TextSpan& text : {TextSpan{bytes.data(), 1, bytes.size()}, TextSpan{halves.data(), 2, halves.size()},
                               TextSpan{points.data(), 4, points.size()}}) {
    Pieces pieces;
    model.encode(text, *lease, pieces);
    std::vector<std::int32_t> ids;
    model.encode(text, *lease, ids);
    CHECK(ids == pieces.ids);
    check_places(pieces, text);
    if (text.kind == 4 && settings % 32 == 0) CHECK(ids == slow_ids(points, settings == 32 ? 5 : 100));
  }
  return 0;
}
