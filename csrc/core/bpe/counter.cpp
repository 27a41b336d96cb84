#include "bpe/counter.hpp"

#include <algorithm>
#include <string>

#include "parallel.hpp"

namespace nlptk {

BpeCounter::BpeCounter(Pattern pattern, bool prefix_space, int threads)
    : pattern_(pattern),
      prefix_space_(prefix_space),
      threads_(resolve_threads(threads)),
      tables_(static_cast<std::size_t>(threads_)) {}

void BpeCounter::add_lines(std::string_view text) {
  constexpr std::size_t kShare = std::size_t{1} << 17;
  const auto line_begin = [&](std::size_t at) {
    if (at == 0 || at >= text.size()) return std::min(at, text.size());
    const std::size_t end = text.find('\n', at - 1);
    return end == std::string_view::npos ? text.size() : end + 1;
  };
  // A thread takes the lines that begin in its share. A line of many shares is looked over once, not for each of them.
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at < text.size(); at = line_begin(std::max(at + 1, begins.size() * kShare))) begins.push_back(at);
  begins.push_back(text.size());
  parallel_for(begins.size() - 1, threads_, 1, [&](std::size_t share, std::size_t, int thread) {
    const std::size_t last = begins[share + 1];
    for (std::size_t at = begins[share]; at < last;) {
      const std::size_t end = line_begin(at + 1);
      count(text.substr(at, end - at), tables_[static_cast<std::size_t>(thread)]);
      at = end;
    }
  });
}

void BpeCounter::count(std::string_view text, WordCounts& table) {
  std::string prefixed;
  if (prefix_space_ && !text.empty() && text.front() != ' ') {
    prefixed.append(1, ' ').append(text);
    text = prefixed;
  }
  unsigned pieces = 0;
  for_each_piece(pattern_, text.data(), text.size(), [&](std::size_t begin, std::size_t end) {
    if (++pieces % 4096 == 0) poll_interrupt();
    table.add(text.substr(begin, end - begin));
  });
}

std::size_t BpeCounter::size() const {
  std::size_t total = 0;
  for (const WordCounts& table : tables_) total += table.size();
  return total;
}

WordCounts BpeCounter::take() {
  while (tables_.size() > 1) {
    tables_.front().merge(std::move(tables_.back()));
    tables_.pop_back();
  }
  WordCounts all = std::move(tables_.front());
  tables_ = std::vector<WordCounts>(static_cast<std::size_t>(threads_));
  return all;
}

}  // namespace nlptk
