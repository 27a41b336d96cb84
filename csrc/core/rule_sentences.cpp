#include "rule_sentences.hpp"

namespace nlptk::rules {
namespace {

class Sentences {
 public:
  Sentences(const KindedText& text, RuleTokens& tokens) : text_(text), tokens_(tokens), count_(tokens.size()) {}

  void run() {
    tokens_.sent_starts.assign(count_, 0);
    for (std::size_t start = 0; start < count_; start = next_start(start)) tokens_.sent_starts[start] = 1;
  }

 private:
  const KindedText& text_;
  RuleTokens& tokens_;
  std::size_t count_;

  std::size_t begin(std::size_t i) const { return static_cast<std::size_t>(tokens_.starts[i]); }
  std::size_t end(std::size_t i) const { return static_cast<std::size_t>(tokens_.ends[i]); }
  std::size_t size(std::size_t i) const { return end(i) - begin(i); }
  char32_t first(std::size_t i) const { return text_.points[begin(i)]; }
  char32_t last(std::size_t i) const { return text_.points[end(i) - 1]; }
  Kind kind(std::size_t i) const { return text_.kinds[begin(i)]; }
  bool is_spaced(std::size_t i) const { return begin(i) > end(i - 1); }  // whitespace before token i

  bool blank_line_before(std::size_t i) const {
    int lines = 0;
    for (std::size_t p = end(i - 1); p < begin(i); ++p) lines += text_.points[p] == U'\n';
    return lines >= 2;
  }

  // The first token of the sentence after the one that begins at token `start`, or count_.
  std::size_t next_start(std::size_t start) const {
    for (std::size_t i = start; i + 1 < count_; ++i) {
      if (blank_line_before(i + 1)) return i + 1;
      if (!is_terminator(i) || is_list_marker(start, i)) continue;
      const std::size_t next = skip_closers(i + 1);
      if (next == count_ || blank_line_before(next) || begins_sentence(i, next)) return next;
      i = next - 1;
    }
    return count_;
  }

  // . ! ? … and runs of them
  bool is_terminator(std::size_t i) const {
    for (std::size_t p = begin(i); p < end(i); ++p) {
      const char32_t c = text_.points[p];
      const Kind k = text_.kinds[p];
      if (k != kPeriod && k != kBang && k != kEllipsis && c != U'。' && c != U'．' && c != U'｡') return false;
    }
    return true;
  }

  // "1." or "a." at the head of a sentence
  bool is_list_marker(std::size_t start, std::size_t i) const {
    return i == start + 1 && size(i) == 1 && size(start) <= (kind(start) == kDigit ? 3u : 1u);
  }

  // Quotes and brackets that are written on to the end of the sentence, and emoticons after it.
  std::size_t skip_closers(std::size_t i) const {
    while (i < count_ && !is_spaced(i) && is_closer(first(i)) && size(i) <= 2) ++i;
    return i < count_ && is_emoticon(i) && !blank_line_before(i) ? i + 1 : i;
  }

  bool is_emoticon(std::size_t i) const {
    const char32_t c = first(i);
    return size(i) >= 2 && (c == U':' || c == U';' || c == U'=' || c == U'^') && (last(i) != c || c == U'^');
  }

  bool begins_sentence(std::size_t terminator, std::size_t next) const {
    const Kind k = kind(next);
    if (k == kHan || k == kHiragana || k == kKatakana) return true;
    const char32_t mark = last(terminator);
    const bool trails_off = mark == U'…' || (mark == U'.' && size(terminator) > 1);
    const bool capital = unicode::is_upper(first(next));
    if (trails_off) return is_spaced(next) && capital;
    if (!is_spaced(next)) return capital;
    // A quotation may end in ? or ! and its sentence go on.
    if (next > terminator + 1 && unicode::is_lower(first(next))) return false;
    return k != kPeriod && k != kDash && !(k == kSingle && !is_opener(first(next)));
  }
};

}  // namespace

void mark_sentences(const KindedText& text, RuleTokens& tokens) { Sentences(text, tokens).run(); }

}  // namespace nlptk::rules
