// The pre-tokenization scanners and UTF-8: examples, the tables, and a reference on texts that no one would write.
#include "bpe/pretokenize.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "bpe/runs.hpp"
#include "utf8.hpp"
#include "check.hpp"
#include "pretokenize_reference.hpp"
#include "random.hpp"

namespace {

using nlptk::Pattern;
using Pieces = std::vector<std::pair<std::size_t, std::size_t>>;

// On the heap and no byte longer, so that ASan sees every read beyond the end.
Pieces scan(Pattern pattern, std::string_view text) {
  const std::vector<char> exact(text.begin(), text.end());
  Pieces pieces;
  nlptk::for_each_piece(pattern, exact.data(), exact.size(),
                        [&](std::size_t begin, std::size_t end) { pieces.emplace_back(begin, end); });
  return pieces;
}

std::string shown(Pattern pattern, std::string_view text) {
  std::string out;
  for (const auto& [begin, end] : scan(pattern, text)) out += "|" + std::string(text.substr(begin, end - begin));
  return out;
}

void test_examples() {
  using enum Pattern;
  CHECK(shown(gpt2, "I'll say 'tis 42  times\n\n") == "|I|'ll| say| '|tis| 42| | times|\n\n");
  CHECK(shown(gpt2, "Don'T x\xC2\xB2 \xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82") ==
        "|Don|'|T| x|\xC2\xB2| \xE4\xB8\xAD\xE6\x96\x87|\xE3\x80\x82");
  CHECK(shown(cl100k, "Don'T 12345 (ok)!\r\n\n a \n ") == "|Don|'T| |123|45| (|ok|)!\r\n\n| a| \n ");
  CHECK(shown(llama3, "Don'T 12345 (ok)!\r\n\n a \n ") == "|Don|'T| |123|45| (|ok|)!\r\n\n| a| \n| ");
  CHECK(shown(qwen2, "in 1984") == "|in| |1|9|8|4");
  CHECK(shown(o200k, "camelCase HTTPServer's a/b //\n/c e\xCC\x81T\xCC\x81") ==
        "|camel|Case| HTTPServer's| a|/b| //\n/|c| e\xCC\x81|T\xCC\x81");
  CHECK(shown(o200k, "\xE4\xB8\xAD" "AB. \xCC\x81" "AB") == "|\xE4\xB8\xAD|AB|.| \xCC\x81|AB");
  CHECK(shown(whitespace, " it's  _a1_ \xE3\x80\x80!? ") == "|it|'|s|_a1_|!?");
  CHECK(shown(whitespace_split, " it's  a\xC2\x85" "b ") == "|it's|a|b");
  CHECK(shown(none, " a b ") == "| a b ");
  CHECK(nlptk::pattern_named("o200k") == o200k);
  CHECK(rejects([] { nlptk::pattern_named("gpt3"); }, "no pre-tokenization is named \"gpt3\"; there are gpt2, "));
}

void test_tables() {
  for (unsigned c = 0; c < 128; ++c)
    CHECK(nlptk::pretokenize::kAscii.of[c] ==
          nlptk::pretokenize::kClassCell[nlptk::pretokenize::kClassRow[c >> 6] * 64u + (c & 63)]);
  // What the scanners take for letters without a look at the table.
  for (char32_t c = 0x4E00; c <= 0x9FFF; ++c)
    CHECK(nlptk::pretokenize::kClassCell[nlptk::pretokenize::kClassRow[c >> 6] * 64u + (c & 63)] ==
          (nlptk::pretokenize::kOther | nlptk::pretokenize::kWord));
}

// Each count of a run against the obvious one, with every byte at every place.
void test_runs() {
  const auto letter = [](unsigned char c) { return (c | 32u) - 'a' < 26u; };
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t place = 0; place < 16; ++place) {
      unsigned char block[16];
      for (const char fill : {'a', 'Z', '~'}) {
        std::fill(block, block + 16, static_cast<unsigned char>(fill));
        block[place] = static_cast<unsigned char>(byte);
        std::size_t either = 0, lower = 0;
        while (either < 16 && letter(block[either])) ++either;
        while (lower < 16 && block[lower] >= 'a' && block[lower] <= 'z') ++lower;
        CHECK(nlptk::runs::letters(block, true) == either);
        CHECK(nlptk::runs::letters(block, false) == lower);
      }
    }
  // Runs of Han characters from first to last, ended by each neighbour.
  for (const char32_t inside : {0x4E00, 0x4FFF, 0x5000, 0x9FFF})
    for (const char32_t after : {0x41, 0xE9, 0x3001, 0x4DB5, 0x4DFF, 0xA000, 0xAC00, 0xFF0C, 0x20000})
      for (std::size_t count = 0; count < 6; ++count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) nlptk::utf8::append(text, inside);
        while (text.size() < 20) nlptk::utf8::append(text, after);
        CHECK(nlptk::runs::han(reinterpret_cast<const unsigned char*>(text.data())) == 3 * count);
      }
}

void test_random_texts() {
  const std::vector<std::string> parts = {
      "a", "B", "s", "S", "t", "ll", "re", "VE", "'", "'", "'s", "'LL", "\xC5\xBF", "\xE2\x84\xAA", " ", " ", "  ", "\n",
      "\r", "\t", "\xC2\x85", "\xC2\xA0", "\xE3\x80\x80", "1", "12", "\xC2\xB2", "\xD9\xA3", "\xC3\xA9", "\xC3\x89",
      "\xC7\x85", "\xCA\xB0", "\xCC\x81", "\xE0\xA4\xBF", "\xE4\xB8\xAD", "\xE4\xB7\x80", "\xE4\xB6\xB5", "\xE9\xBE\xA5",
      "\xEA\xB0\x80", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xF0\x9F\x98\x80", "\xF0\xA0\x80\x80", "\xF0\x9D\x90\x80", "/", "_",
      "-", "!", "word", "Wordword", "wordwordwordwordword", "\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD",
      std::string(1, '\0')};
  nlptk::Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::uint64_t n = random.next() % 16; n > 0; --n) text += parts[random.next() % parts.size()];
    for (int p = 0; p < nlptk::kPatterns; ++p) {
      const auto pattern = static_cast<Pattern>(p);
      CHECK(scan(pattern, text) == reference::pieces(pattern, text));
    }
  }
}

// Every code point there and back, and what is no UTF-8 (RFC 3629, section 3).
void test_utf8() {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (nlptk::utf8::is_surrogate(c)) continue;
    std::string bytes;
    nlptk::utf8::append(bytes, c);
    CHECK(bytes.size() == nlptk::utf8::length_of(static_cast<unsigned char>(bytes[0])));
    CHECK(nlptk::utf8::decode(bytes.data()) == c && nlptk::utf8::find_invalid(bytes.data(), bytes.size()) == bytes.size());
  }
  for (const std::string_view bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE4\xB8",
                                     "\xE4(\xAD", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
                                     "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    for (std::size_t before = 0; before < 20; ++before)
      for (const std::string_view unit : {"a", "\xE4\xB8\xAD"}) {
        std::string text;
        for (std::size_t i = 0; i < before; ++i) text += unit;
        const std::size_t at = text.size();
        text += bad;
        const std::vector<char> exact(text.begin(), text.end());
        CHECK(nlptk::utf8::find_invalid(exact.data(), exact.size()) == at);
      }
}

// From each width of a Python string, and offsets back.
void test_conversion() {
  nlptk::Random random(5);
  nlptk::utf8::Buffer buffer;
  const std::vector<char32_t> alphabet = {0,      'a',    'z',    0x7F,   0x80,   0xFF,   0x100,  0x7FF,   0x800,
                                          0x4E2D, 0xD7FF, 0xD800, 0xD83D, 0xDBFF, 0xDC00, 0xDE00, 0xDFFF,  0xE000,
                                          0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF};
  for (int round = 0; round < 20000; ++round) {
    const int kind = 1 << random.next() % 3;
    std::vector<char32_t> points(random.next() % 40);
    const bool mostly_han = random.next() % 2 == 0;
    for (char32_t& c : points) {
      c = mostly_han && random.next() % 8 > 0 ? 0x5929 : alphabet[random.next() % alphabet.size()];
      c &= kind == 1 ? 0xFF : kind == 2 ? 0xFFFF : 0x1FFFFF;
    }
    const std::vector<std::uint8_t> bytes(points.begin(), points.end());
    const std::vector<std::uint16_t> pairs(points.begin(), points.end());
    const void* data = kind == 1 ? static_cast<const void*>(bytes.data())
                                 : kind == 2 ? static_cast<const void*>(pairs.data()) : points.data();
    const nlptk::TextSpan span{data, kind, points.size()};
    std::string expected;
    std::vector<std::size_t> starts, bounds;
    for (std::size_t i = 0; i < points.size();) {
      starts.push_back(i);
      bounds.push_back(expected.size());
      const char32_t c = points[i++];
      const bool pair = c >= 0xD800 && c < 0xDC00 && i < points.size() && points[i] >= 0xDC00 && points[i] < 0xE000;
      if (pair)
        nlptk::utf8::append(expected, 0x10000 + (c - 0xD800) * 0x400 + (points[i++] - 0xDC00));
      else
        nlptk::utf8::append(expected, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    }
    const std::string_view got = buffer.convert(span);
    CHECK(got == expected);
    nlptk::utf8::Offsets offsets(span, got);
    for (std::size_t i = 0; i < starts.size(); ++i)
      if (random.next() % 3 > 0) CHECK(offsets.to_chars(bounds[i]) == starts[i]);
    CHECK(offsets.to_chars(got.size()) == points.size());
  }
}

}  // namespace

int main() {
  test_examples();
  test_tables();
  test_runs();
  test_random_texts();
  test_utf8();
  test_conversion();
}
