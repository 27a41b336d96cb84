// Sentence ends for the rule-based tokenizer.
#pragma once

#include "rule_tokenizer.hpp"

namespace nlptk::rules {

// Fills tokens.sent_starts. A sentence ends at . ! ? and runs of them, with the quotes, brackets and emoticons that
// close on it, and at a blank line; after dots that trail off only where a capital follows.
void mark_sentences(const KindedText& text, RuleTokens& tokens);

}  // namespace nlptk::rules
