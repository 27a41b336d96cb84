#include "word_counts.hpp"

#include <stdexcept>
#include <utility>

namespace nlptk {

void WordCounts::insert(std::size_t at, std::string_view text, std::uint32_t hash, std::uint64_t count) {
  if (text.size() > 0xFFFFFFFF) throw std::invalid_argument("a piece of text is longer than 4 GiB");
  words_[at] = {texts_.keep(text), static_cast<std::uint32_t>(text.size()), hash, count};
  if (++size_ * 2 > words_.size()) grow();
}

void WordCounts::grow() {
  std::vector<Word> old(words_.size() * 2);
  old.swap(words_);
  const std::size_t mask = words_.size() - 1;
  for (const Word& word : old) {
    if (word.data == nullptr) continue;
    std::size_t at = word.hash & mask;
    while (words_[at].data != nullptr) at = (at + 1) & mask;
    words_[at] = word;
  }
}

void WordCounts::merge(WordCounts&& other) {
  if (other.size_ > size_) std::swap(*this, other);
  other.for_each([&](const Word& word) { add(word.text(), word.hash, word.count); });
  other = WordCounts();
}

}  // namespace nlptk
