// A rule-based English tokenizer in the conventions of the English Web Treebank, with optional sentence ends.
//
// One pass over the text and bounded or remembered look-ahead, so that time is linear in the length of any text.
// Tokens are offsets: they cover every character that is not whitespace, and leading whitespace is one token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rule_chunk.hpp"
#include "text.hpp"

namespace nlptk {

struct RuleTokens {
  std::vector<std::int32_t> starts, ends;  // [tokens], code points
  std::vector<std::uint8_t> sent_starts;   // [tokens], 1 where a sentence begins; empty unless asked for

  void clear() {
    starts.clear();
    ends.clear();
    sent_starts.clear();
  }
  std::size_t size() const { return starts.size(); }
  void add(std::size_t start, std::size_t end) {
    starts.push_back(static_cast<std::int32_t>(start));
    ends.push_back(static_cast<std::int32_t>(end));
  }
};

// Scratch memory of one thread; grows to the longest text seen and is reused.
class RuleWorkspace {
 public:
  rules::KindedText prepare(const TextSpan& text);

 private:
  std::vector<char32_t> points_;
  std::vector<rules::Kind> kinds_;
};

// Fills `tokens` (which is cleared first). std::invalid_argument for a text of 2^31 code points or more.
void rule_tokenize(const TextSpan& text, bool sentences, RuleWorkspace& workspace, RuleTokens& tokens);

// The same for a batch, over threads (<= 0: one for each core). tokens[texts].
void rule_tokenize_batch(const TextSpan* texts, std::size_t count, bool sentences, int threads, RuleTokens* tokens);

}  // namespace nlptk
