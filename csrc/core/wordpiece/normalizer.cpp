#include "wordpiece/normalizer.hpp"

#include <algorithm>

namespace nlptk::wordpiece {
namespace {

// Clean-up and CJK spacing.
void clean(const NormalizerOptions& options, const TextSpan& text, std::size_t begin, std::size_t end,
           std::vector<Symbol>& out) {
  visit_text(text, [&](const auto* data) {
    for (std::size_t i = begin; i < end; ++i) {
      const char32_t c = scalar(data[i]);
      const std::uint8_t flags = char_flags(c);
      const auto origin = static_cast<std::int32_t>(i);
      if (options.clean_text && (flags & kControl)) continue;
      if (options.clean_text && (flags & kSpace)) {
        out.push_back({U' ', origin});
      } else if (options.chinese_chars && (flags & kChinese)) {
        out.insert(out.end(), {{U' ', origin}, {c, origin}, {U' ', origin}});
      } else {
        out.push_back({c, origin});
      }
    }
  });
}

void order_canonically(std::vector<NormalizerScratch::Part>& parts) {
  using Part = NormalizerScratch::Part;
  const auto starter = [](const Part& part) { return !(char_flags(part.code) & kNonStarter); };
  for (auto from = parts.begin(); from != parts.end();) {
    from = std::find_if_not(from, parts.end(), starter);
    const auto to = std::find_if(from, parts.end(), starter);
    std::stable_sort(from, to,
                     [](const Part& a, const Part& b) { return combining_class(a.code) < combining_class(b.code); });
    from = to;
  }
}

void strip_accents(NormalizerScratch& scratch, std::vector<Symbol>& symbols) {
  std::vector<NormalizerScratch::Part>& parts = scratch.parts;
  parts.clear();
  char32_t codes[kMaxDecomposition];
  for (const Symbol& symbol : symbols) {
    const std::size_t n = decompose(symbol.code, codes);
    for (std::size_t k = 0; k < n; ++k) parts.push_back({codes[k], k > 0});
  }
  order_canonically(parts);
  scratch.symbols.clear();
  std::size_t taken = 0;  // of `symbols`
  for (const NormalizerScratch::Part& part : parts) {
    if (!part.added) ++taken;
    if (char_flags(part.code) & kMark) continue;
    scratch.symbols.push_back({part.code, symbols[taken == 0 ? 0 : taken - 1].origin});
  }
  symbols.swap(scratch.symbols);
}

void lower(NormalizerScratch& scratch, std::vector<Symbol>& symbols) {
  scratch.symbols.clear();
  char32_t codes[kMaxLower];
  for (const Symbol& symbol : symbols) {
    const std::size_t n = lower_case(symbol.code, codes);
    for (std::size_t k = 0; k < n; ++k) scratch.symbols.push_back({codes[k], symbol.origin});
  }
  symbols.swap(scratch.symbols);
}

}  // namespace

void normalize(const NormalizerOptions& options, const TextSpan& text, std::size_t begin, std::size_t end,
               NormalizerScratch& scratch, std::vector<Symbol>& out) {
  out.clear();
  clean(options, text, begin, end, out);
  if (options.strip_accents) strip_accents(scratch, out);
  if (options.lowercase) lower(scratch, out);
}

}  // namespace nlptk::wordpiece
