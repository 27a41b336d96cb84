#include "ngram_lm/arpa.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "parallel.hpp"
#include "utf8.hpp"

namespace nlptk {
namespace {

constexpr std::uint32_t kNone = NgramContext::kNone;
constexpr float kNoUnknown = -100;  // log10 of <unk> where a file has none, as in KenLM

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument(message); }

// The text, or its beginning up to a whole character; messages end at NUL, so it is shown as two characters.
std::string quoted(std::string_view text, std::size_t most = 100) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string out = "'";
  for (const char c : text.substr(0, end)) {
    if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  return out + "'";
}

void append_number(std::string& out, float number) {
  std::array<char, 32> digits;  // the shortest that gives the same float again
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view strip(std::string_view line) {
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

// Takes the first field off the line; empty where there is none.
std::string_view take_field(std::string_view& line) {
  std::size_t end = 0;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const std::string_view field = line.substr(0, end);
  while (end < line.size() && is_blank(line[end])) ++end;
  line.remove_prefix(end);
  return field;
}

float number_of(std::string_view field) {
  float value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || end != field.data() + field.size() || error != std::errc() || !std::isfinite(value))
    fail(quoted(field) + " is not a number");
  return value;
}

std::string section_name(std::size_t n) { return std::string("\\").append(std::to_string(n)) + "-grams:"; }

}  // namespace

void check_arpa_words(const TermTable& table) {
  for (std::size_t w = 0; w < table.size(); ++w) {
    const std::string_view word = table.term(w);
    if (word.empty() || std::any_of(word.begin(), word.end(), parts_words))
      fail("the word " + quoted(word) + " is empty or has white space or NUL in it, which an ARPA file cannot hold");
    if (utf8::find_invalid(word.data(), word.size()) < word.size())
      fail("word number " + std::to_string(w) + " has a lone surrogate in it, which an ARPA file cannot hold");
  }
}

std::string arpa_header(const NgramModel& model) {
  std::string out = "\\data\\\n";
  for (std::size_t n = 1; n <= model.order(); ++n)
    out += "ngram " + std::to_string(n) + "=" + std::to_string(model.size(n)) + "\n";
  return out;
}

std::string arpa_lines(const NgramModel& model, const TermTable& table, std::size_t n, std::size_t first, std::size_t last) {
  std::string out;
  if (first >= last) return out;
  std::array<std::size_t, kMostOrder + 1> at{};  // of the n-gram and the beginnings of it, by order
  at[n] = first;
  for (std::size_t k = n - 1; k >= 1; --k) {
    const auto& nodes = model.lower(k);
    const auto after = std::upper_bound(nodes.begin(), nodes.end(), at[k + 1],
                                        [](std::size_t i, const NgramModel::Node& node) { return i < node.begin; });
    at[k] = static_cast<std::size_t>(after - nodes.begin()) - 1;
  }
  for (; at[n] < last; ++at[n]) {
    for (std::size_t k = n - 1; k >= 1; --k)
      while (model.lower(k)[at[k] + 1].begin <= at[k + 1]) ++at[k];
    append_number(out, model.log_prob(n, at[n]));
    for (std::size_t k = 1; k <= n; ++k) {
      out += k == 1 ? '\t' : ' ';
      out += table.term(model.word(k, at[k]));
    }
    if (n < model.order()) {
      out += '\t';
      append_number(out, model.lower(n)[at[n]].backoff);
    }
    out += '\n';
  }
  return out;
}

void ArpaReader::feed(std::string_view block) {
  const InterruptScope scope;
  const char* const bad = block.data() + utf8::find_invalid(block.data(), block.size());
  while (!block.empty()) {
    if (line_ % 1024 == 0) poll_interrupt();
    const std::size_t end = std::min(block.find('\n'), block.size());
    ++line_;
    const std::string_view line = strip(block.substr(0, end));
    if (bad < block.data() + end) fail("the line is not UTF-8; convert the file");
    if (!line.empty() && !ended_) read(line);
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

void ArpaReader::read(std::string_view line) {
  if (!started_) {
    if (line != "\\data\\") fail("an ARPA file begins with \\data\\, not with " + quoted(line, 40));
    started_ = true;
  } else if (line.front() == '\\') {
    begin_section(line);
  } else if (section_ == 0) {
    read_count(line);
  } else {
    read_entry(line);
  }
}

void ArpaReader::read_count(std::string_view line) {
  const std::string expected = "ngram " + std::to_string(counts_.size() + 1) + "=";
  std::uint64_t count = 0;
  const char* const begin = line.data() + std::min(expected.size(), line.size());
  const auto [end, error] = std::from_chars(begin, line.data() + line.size(), count);
  if (!line.starts_with(expected) || error != std::errc() || end != line.data() + line.size())
    fail("expected " + quoted(expected + "COUNT") + ", found " + quoted(line, 40));
  if (counts_.size() == kMostOrder) fail("the model is of an order above 6; 6 is the highest");
  if (count >= kNone - 1) fail("the file has 2^32 n-grams of an order or more; prune it");
  counts_.push_back(count);
}

void ArpaReader::begin_section(std::string_view line) {
  if (section_ > 0) end_section();
  const std::size_t next = section_ + 1;
  const std::string expected = counts_.empty() ? "ngram 1=COUNT" : next > counts_.size() ? "\\end\\" : section_name(next);
  if (line != expected) fail("expected " + quoted(expected) + ", found " + quoted(line, 40));
  section_ = next;
  section_line_ = line_;
  ended_ = next > counts_.size();
}

void ArpaReader::read_entry(std::string_view line) {
  const bool highest = section_ == counts_.size();
  const float log_prob = number_of(take_field(line));
  if (log_prob > 0) fail("the logarithm of a probability is above 0");
  const char* const begin = line.data();
  const char* last = begin;  // where the last word begins
  std::string_view word;
  for (std::size_t k = 1; k <= section_; ++k) {
    last = line.data();
    word = take_field(line);
    if (word.empty()) fail("expected " + std::to_string(section_) + " words, found " + std::to_string(k - 1));
  }
  float backoff = 0;
  if (!line.empty() && !highest) backoff = number_of(take_field(line));
  if (!line.empty()) fail("there is more after the n-gram than belongs there: " + quoted(line, 40));

  Entry entry{0, 0, log_prob, backoff, static_cast<std::uint32_t>(line_ - section_line_)};
  if (section_ == 1) {
    entry.word = word == "<UNK>" ? kUnknown : table_.insert(word);
    given_.resize(std::max(given_.size(), table_.size()));
    if (given_[entry.word]) fail("the 1-gram " + quoted(word) + " stands here for the second time");
    given_[entry.word] = true;
  } else {
    entry.context = find_context({begin, static_cast<std::size_t>(last - begin)});
    entry.word = word == "<UNK>" ? kUnknown : table_.find(word);
    if (entry.word == TermTable::kNone) fail("the word " + quoted(word) + " is not among the 1-grams");
    if (sorted_ && !entries_.empty()) {
      const Entry& before = entries_.back();
      sorted_ = before.context != entry.context ? before.context < entry.context : before.word < entry.word;
    }
  }
  if (entries_.size() == counts_[section_ - 1])
    fail("there are more " + std::to_string(section_) + "-grams than the " + std::to_string(counts_[section_ - 1]) +
         " that the header says");
  entries_.push_back(entry);
}

// The number of all words but the last; often they are those of the line before.
std::uint32_t ArpaReader::find_context(std::string_view words) {
  if (words == context_text_) return context_;
  std::uint32_t context = kNone;
  std::string_view left = words;
  for (std::size_t k = 1; k < section_; ++k) {
    const std::string_view word = take_field(left);
    const std::uint32_t number = word == "<UNK>" ? kUnknown : table_.find(word);
    if (number == TermTable::kNone) fail("the word " + quoted(word) + " is not among the 1-grams");
    if (k == 1) {
      context = number;
      continue;
    }
    const auto& nodes = lower_[k - 1];
    const auto first = nodes.begin() + lower_[k - 2][context].begin, last = nodes.begin() + lower_[k - 2][context + 1].begin;
    const auto at = std::lower_bound(first, last, number, [](const auto& node, std::uint32_t w) { return node.word < w; });
    if (at == last || at->word != number)
      fail("the context " + quoted(strip(words)) + " is not among the " + std::to_string(section_ - 1) + "-grams");
    context = static_cast<std::uint32_t>(at - nodes.begin());
  }
  context_text_ = words;
  return context_ = context;
}

void ArpaReader::end_section() {
  const std::uint64_t expected = counts_[section_ - 1];
  if (entries_.size() != expected)
    fail("there are " + std::to_string(entries_.size()) + " " + std::to_string(section_) + "-grams, and the header says " +
         std::to_string(expected));
  if (section_ == 1)
    set_unigrams();
  else
    set_longer();
  entries_ = {};
  sorted_ = true;
  context_text_.clear();
}

void ArpaReader::set_unigrams() {
  given_.resize(table_.size());
  for (const std::uint32_t special : {kBegin, kEnd})
    if (!given_[special]) fail("there is no " + std::string(table_.term(special)) + " among the 1-grams");
  if (!given_[kUnknown]) entries_.push_back({0, kUnknown, kNoUnknown, 0, 0});
  const bool highest = counts_.size() == 1;
  HugeVector<NgramModel::Node> nodes(highest ? 0 : table_.size() + 1);
  highest_.resize(highest ? table_.size() : 0);
  for (const Entry& entry : entries_) {
    if (highest)
      highest_[entry.word] = {entry.word, entry.log_prob};
    else
      nodes[entry.word] = {entry.word, entry.log_prob, entry.backoff, 0};
  }
  if (!highest) lower_.push_back(std::move(nodes));
}

void ArpaReader::set_longer() {
  if (!sorted_)
    std::sort(entries_.begin(), entries_.end(), [compared = std::size_t{0}](const Entry& a, const Entry& b) mutable {
      if (++compared % kCharsPerPoll == 0) poll_interrupt();
      if (a.context != b.context) return a.context < b.context;
      return a.word != b.word ? a.word < b.word : a.line < b.line;
    });
  const bool highest = section_ == counts_.size();
  HugeVector<NgramModel::Node> nodes;
  nodes.reserve(highest ? 0 : entries_.size() + 1);
  highest_.reserve(highest ? entries_.size() : 0);
  HugeVector<NgramModel::Node>& contexts = lower_.back();
  std::size_t context = 0;  // the first whose range is not begun
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (i > 0 && entries_[i - 1].context == entry.context && entries_[i - 1].word == entry.word) {
      line_ = section_line_ + entry.line;
      fail("the " + std::to_string(section_) + "-gram stands here for the second time");
    }
    while (context <= entry.context) contexts[context++].begin = static_cast<std::uint32_t>(i);
    if (highest)
      highest_.push_back({entry.word, entry.log_prob});
    else
      nodes.push_back({entry.word, entry.log_prob, entry.backoff, 0});
  }
  while (context < contexts.size()) contexts[context++].begin = static_cast<std::uint32_t>(entries_.size());
  if (highest) return;
  nodes.push_back({0, 0, 0, 0});
  lower_.push_back(std::move(nodes));
}

NgramModel ArpaReader::finish() {
  if (!started_) fail("the file is empty; an ARPA file begins with \\data\\");
  if (!ended_) fail("the file ends before \\end\\: it is cut short");
  return NgramModel(std::move(lower_), std::move(highest_), false);
}

}  // namespace nlptk
