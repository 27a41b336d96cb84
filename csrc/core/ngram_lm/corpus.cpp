#include "ngram_lm/corpus.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "parallel.hpp"

namespace nlptk {

TermTable special_words() {
  TermTable table;
  for (const char* const word : {"<unk>", "<s>", "</s>"}) table.insert(word);
  return table;
}

NgramCorpus::NgramCorpus(const std::vector<std::string_view>& vocabulary) : table_(special_words()), closed_(true) {
  for (const std::string_view word : vocabulary) table_.insert(word);
}

void NgramCorpus::add(std::uint32_t number) {
  if (text_.size() >= 0xFFFFFFFE) throw std::invalid_argument("a corpus of 2^32 words or more is too large; give less text");
  text_.push_back(number);
  sentences_ += number == kEnd;
}

void NgramCorpus::add_word(std::string_view word) {
  const std::uint32_t hash = hash_word(word);
  std::uint32_t number = closed_ ? table_.find(word, hash) : table_.insert(word, hash);
  if (number == TermTable::kNone) number = kUnknown;
  if (number == kBegin || number == kEnd)
    throw std::invalid_argument("sentence " + std::to_string(sentences_ + 1) + " holds the word '" + std::string(word) +
                                "', which stands for where sentences begin or end; remove it");
  add(number);
}

void NgramCorpus::add_lines(std::string_view text) {
  const InterruptScope scope;
  while (!text.empty()) {
    poll_interrupt();
    const std::size_t end = std::min(text.find('\n'), text.size());
    begin_sentence();
    for_each_word(text.substr(0, end), [this](std::string_view word) { add_word(word); });
    end_sentence();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void NgramCorpus::finish(std::uint64_t min_count) {
  std::vector<std::uint32_t> counts(table_.size());
  for (const std::uint32_t number : text_) ++counts[number];
  std::vector<std::uint32_t> order(table_.size() - 3);  // the special words stay where they are
  std::iota(order.begin(), order.end(), 3);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : table_.term(a) < table_.term(b);
  });
  TermTable table = special_words();
  std::vector<std::uint32_t> numbers(table_.size(), kUnknown);
  numbers[kBegin] = kBegin, numbers[kEnd] = kEnd;
  for (const std::uint32_t old : order)
    if (closed_ || counts[old] >= min_count) numbers[old] = table.insert(table_.term(old));
  for (std::uint32_t& number : text_) number = numbers[number];
  table_ = std::move(table);
}

}  // namespace nlptk
