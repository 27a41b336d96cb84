// Every scanner against the reference matcher; and texts in the widths of a Python str, surrogates and all.
#include <cstring>
#include <vector>

#include "../tests/check.hpp"
#include "../tests/pretokenize_reference.hpp"
#include "input.hpp"

namespace {

using Pieces = std::vector<std::pair<std::size_t, std::size_t>>;

void check_scanner(nlptk::Pattern pattern, const std::vector<char>& text) {
  Pieces pieces;
  nlptk::for_each_piece(pattern, text.data(), text.size(),
                        [&](std::size_t begin, std::size_t end) { pieces.emplace_back(begin, end); });
  const bool tiles = pattern != nlptk::Pattern::whitespace && pattern != nlptk::Pattern::whitespace_split;
  std::size_t covered = 0;
  for (const auto& [begin, end] : pieces) {
    CHECK(tiles ? begin == covered : begin >= covered);
    CHECK(begin < end && end <= text.size());
    CHECK((text[begin] & 0xC0) != 0x80 && (end == text.size() || (text[end] & 0xC0) != 0x80));
    covered = end;
  }
  CHECK(!tiles || covered == text.size());
  CHECK(pieces == reference::pieces(pattern, {text.data(), text.size()}));
}

template <class T>
void check_conversion(std::string_view bytes) {
  std::vector<T> points(bytes.size() / sizeof(T));
  if (!points.empty()) std::memcpy(points.data(), bytes.data(), points.size() * sizeof(T));
  if (sizeof(T) == 4)
    for (T& c : points) c = static_cast<T>(c % 0x110000);
  const nlptk::TextSpan span{points.data(), sizeof(T), points.size()};
  nlptk::utf8::Buffer buffer;
  const std::string_view text = buffer.convert(span);
  CHECK(nlptk::utf8::find_invalid(text.data(), text.size()) == text.size());
  nlptk::utf8::Offsets offsets(span, text);
  std::size_t before = 0;
  for (std::size_t at = 0; at < text.size(); at += nlptk::utf8::length_of(static_cast<unsigned char>(text[at]))) {
    const std::size_t place = offsets.to_chars(at);
    CHECK(place < points.size() && (at == 0 ? place == 0 : place == before + 1 || place == before + 2));
    const char32_t c = nlptk::utf8::decode(text.data() + at);
    CHECK(c == points[place] || c == nlptk::utf8::kReplacement || c >= 0x10000);
    before = place;
  }
  CHECK(offsets.to_chars(text.size()) == points.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string valid = fuzz::valid_utf8(bytes);
  const std::vector<char> text(valid.begin(), valid.end());
  for (int p = 0; p < nlptk::kPatterns; ++p) check_scanner(static_cast<nlptk::Pattern>(p), text);
  check_conversion<std::uint8_t>(bytes);
  check_conversion<std::uint16_t>(bytes);
  check_conversion<std::uint32_t>(bytes);
  return 0;
}
