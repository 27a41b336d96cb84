// BERT's text normalization: clean-up, CJK spacing, accent stripping, lower-casing, in this order.
//
// Source: google-research/bert tokenization.py (BasicTokenizer) and Hugging Face's BertNormalizer, whose results it has.
#pragma once

#include <cstdint>
#include <vector>

#include "text.hpp"
#include "wordpiece/bert_chars.hpp"

namespace nlptk::wordpiece {

struct NormalizerOptions {
  bool clean_text = true;     // control characters and U+FFFD out
  bool chinese_chars = true;  // a space on each side of a CJK ideograph
  bool strip_accents = true;  // canonical decomposition, nonspacing marks out
  bool lowercase = true;
};

// A normalized character and the place in the text of the character that it comes from.
struct Symbol {
  char32_t code;
  std::int32_t origin;
};

// Memory that normalization reuses.
struct NormalizerScratch {
  struct Part {
    char32_t code;
    bool added;  // not the first of its decomposition, so it takes the place of the one before it
  };
  std::vector<Part> parts;
  std::vector<Symbol> symbols;
};

// Fills `out` (cleared first) with the normalized characters [begin, end) of a text; origins count from its start.
// Where canonical ordering moves characters, origins keep their order, as tokenizers has it.
void normalize(const NormalizerOptions& options, const TextSpan& text, std::size_t begin, std::size_t end,
               NormalizerScratch& scratch, std::vector<Symbol>& out);

}  // namespace nlptk::wordpiece
