#include "rule_tokenizer.hpp"

#include <limits>
#include <stdexcept>
#include <string_view>

#include "parallel.hpp"
#include "rule_sentences.hpp"

namespace nlptk {

rules::KindedText RuleWorkspace::prepare(const TextSpan& text) {
  points_.resize(text.length);
  kinds_.resize(text.length);
  widen(text, points_.data());
  for (std::size_t i = 0; i < text.length; ++i) kinds_[i] = rules::kind_of(points_[i]);
  return {points_.data(), kinds_.data(), text.length};
}

namespace rules {
namespace {

class Tokenizer : public Chunk {
 public:
  Tokenizer(const KindedText& text, RuleTokens& out) : Chunk(text), out_(out) {}

  void run() {
    std::size_t p = skip_space(0);
    if (p > 0) out_.add(0, p);
    while (p < text_.length) {
      begin_ = p;
      bits_ = 0;
      for (end_ = p; end_ < text_.length && text_.kinds[end_] != kSpace; ++end_) bits_ |= bit(text_.kinds[end_]);
      chunk();
      p = skip_space(end_);
    }
  }

 private:
  RuleTokens& out_;

  // Beyond the end of the chunk, too.
  std::size_t skip_space(std::size_t i) const {
    while (i < text_.length && text_.kinds[i] == kSpace) ++i;
    return i;
  }

  std::size_t emit(std::size_t from, std::size_t to) {
    out_.add(from, to);
    return to;
  }

  // ---- the chunk

  void chunk() {
    at_ = local_ = begin_;
    no_name_until_ = begin_;
    if (bits_ == bit(kLetter)) {
      emit_word(begin_, end_);
      return;
    }
    for (std::size_t p = begin_; p < end_;) p = next(p);
  }

  // Emits the token or tokens that begin at p and returns where they end.
  std::size_t next(std::size_t p) {
    const Kind k = kind(p);
    if (k == kLetter || k == kDigit || k == kUnderscore) return alphanumeric(p, k);
    std::size_t q = scan_sign(p, k);
    if (q == p) q = scan_emoticon(p);
    if (q == p) q = scan_run(p, k);
    return emit(p, skip(q, kMark));
  }

  std::size_t alphanumeric(std::size_t p, Kind k) {
    std::size_t q = p;
    if (has(kColon) || has(kPeriod)) q = scan_url(p);
    if (q == p && has(kAt)) q = scan_mail(p);
    if (q == p && has(kPeriod)) q = scan_name(p);
    if (q != p) return emit(p, skip(q, kMark));
    if (k == kUnderscore && !is_alnum(skip(p, kUnderscore))) return emit(p, skip(skip(p, kUnderscore), kMark));
    return k == kDigit ? number(p) : word(p, skip_word(p));
  }

  // ---- numbers

  // Digits with their separators, then what is written on to them.
  std::size_t number(std::size_t p) {
    const std::size_t q = skip(number_end(p), kMark);
    if (!is_word(q)) return word(p, q);
    const std::size_t r = skip_word(q);
    if (known(q, r, lexicon::kUnit) || spells(q, "p.m") || spells(q, "a.m")) return emit(p, q);
    return word(p, r);
  }

  // ---- words

  // The word text[p, q) and what is joined to it; q stands at its first character that is not a word's.
  std::size_t word(std::size_t p, std::size_t q) {
    while (q < end_) {
      std::size_t joined = q;
      switch (kind(q)) {
        case kApostrophe: {
          const std::size_t after = clitic(p, q);
          if (after != q) return after;
          joined = join_apostrophe(p, q);
          break;
        }
        case kPeriod: return period(p, q);
        case kHyphen:
          if (is_word(q + 1) && known(p, q, lexicon::kPrefix)) joined = skip_word(q + 1);
          break;
        default: joined = join_sign(p, q);
      }
      if (joined == q) break;
      q = joined;
    }
    return emit_word(p, q);
  }

  std::size_t emit_word(std::size_t p, std::size_t q) {
    if (q - p <= lexicon::kLongest) {
      const std::size_t split = entry(p, q).split;
      if (split != 0) p = emit(p, p + split);
    }
    return emit(p, q);
  }

  // do|n't, it|'s: emits both and returns their end, or returns q.
  std::size_t clitic(std::size_t p, std::size_t q) {
    const std::size_t r = skip_word(q + 1);
    if (r == q + 1) return q;
    if (r == q + 2 && (at(q + 1) | 32) == 't' && (at(q - 1) | 32) == 'n' && q - p > 1) {
      emit(p, q - 1);
      return emit(q - 1, r);
    }
    if (spells(p, "y'all") && r == p + 5) return emit(emit(p, q + 1), r);
    if (!known(q + 1, r, lexicon::kClitic) || kind(q - 1) == kDigit) return q;
    emit_word(p, q);
    return emit(q, r);
  }

  // O'Connell, 1960's
  std::size_t join_apostrophe(std::size_t p, std::size_t q) const {
    const std::size_t r = skip_word(q + 1);
    if (r == q + 1 || kind(q + 1) == kDigit) return q;
    const bool digits = kind(p) == kDigit && kind(q - 1) == kDigit;
    return digits && !known(q + 1, r, lexicon::kClitic) ? q : r;
  }

  // R&D, w/o, US$, C++, C#, sh*t
  std::size_t join_sign(std::size_t p, std::size_t q) const {
    const std::size_t left = q - p;
    switch (at(q)) {
      case U'&': {
        const std::size_t r = skip_word(q + 1);
        const std::size_t right = r - q - 1;
        return right >= 1 && right <= 2 && left <= 4 && is_upper(p) == is_upper(q + 1) && is_upper(q - 1) == is_upper(p)
                   ? r
                   : q;
      }
      case U'/':
        if (left != 1 || !is_ascii_alpha(at(p))) return q;
        if ((at(p) | 32) == 'w' && (spells(q + 1, "out") || !is_word(q + 1))) return skip_word(q + 1) > q + 1 ? q + 4 : q + 1;
        return is_ascii_alpha(at(q + 1)) && !is_word(q + 2) && kind(q + 2) != kSlash ? q + 2 : q;
      case U'$': return left <= 3 && kind(q + 1) != kRepeat && is_currency_country(p, q) ? q + 1 : q;
      case U'+': return left == 1 && at(p) == U'C' && at(q + 1) == U'+' ? q + 2 : q;
      case U'#': return left == 1 && (at(p) == U'C' || at(p) == U'F') && !is_word(q + 1) ? q + 1 : q;
      case U'*': return kind(q - 1) == kLetter && kind(skip_same(q)) == kLetter ? skip_word(skip_same(q)) : q;
      default: return q;
    }
  }

  bool is_currency_country(std::size_t p, std::size_t q) const {
    for (const std::string_view country : {"us", "u", "c", "ca", "can", "a", "au", "nz", "hk", "nt", "s", "r"})
      if (country.size() == q - p && spells(p, country) && is_upper(p)) return true;
    return false;
  }

  // ---- periods after words

  // What follows a period that could belong to the word before it.
  enum class Follows { nothing, number, starter, capital, other };

  Follows follows(std::size_t dot) const {
    std::size_t i = dot + 1;
    for (int closers = 0; i < end_ && closers < 4 && is_closer(at(i)); ++closers) ++i;
    if (i < end_) return Follows::other;  // U.S.-led
    const std::size_t next = skip_space(i);
    int lines = 0;
    for (std::size_t s = i; s < next; ++s) lines += text_.points[s] == U'\n';
    if (next == text_.length || lines >= 2) return Follows::nothing;
    if (text_.kinds[next] == kDigit) return Follows::number;
    if (!unicode::is_upper(text_.points[next])) return Follows::other;
    std::size_t r = next;
    while (r < text_.length && r - next <= lexicon::kLongest && (bit(text_.kinds[r]) & kWordBits) != 0) ++r;
    const bool starter = known(next, r, lexicon::kStarter);
    return starter ? Follows::starter : Follows::capital;
  }

  // The word text[p, q) with a period at q: emits it with or without.
  std::size_t period(std::size_t p, std::size_t q) {
    if (q - p == 1 && kind(p) == kLetter) return letter_period(p, q);
    if (spells(p, "ph.d") && !is_word(p + 4)) return acronym(p, p + 4);
    const std::uint16_t properties = entry(p, q).properties;
    if (!(properties & (lexicon::kAbbreviation | lexicon::kMayEnd | lexicon::kBeforeNumber)) ||
        ((properties & lexicon::kCapital) && !is_upper(p)) || kind(q + 1) == kPeriod)
      return emit_word(p, q);
    const Follows what = follows(q);
    bool keep = what != Follows::nothing;
    if (properties & lexicon::kBeforeNumber) keep = what == Follows::number || kind(q + 1) == kDigit;
    if ((properties & lexicon::kMayEnd) && what == Follows::starter) keep = false;
    return emit(p, keep ? q + 1 : q);
  }

  // J. or the first letter of U.S.
  std::size_t letter_period(std::size_t p, std::size_t q) {
    std::size_t end = q;
    while (at(end) == U'.' && kind(end + 1) == kLetter && !is_word(end + 2)) end += 2;
    if (end > q) return acronym(p, end);
    const Follows what = kind(q + 1) == kLetter && is_upper(q + 1) ? Follows::capital : follows(q);
    const bool number = known(p, q, lexicon::kBeforeNumber) && what == Follows::number;
    const bool initial = is_upper(p) && (what == Follows::capital || (what == Follows::other && kind(q + 1) != kPeriod &&
                                                                       !(at(p) == U'I' && q + 1 == end_)));
    return emit(p, number || initial ? q + 1 : q);
  }

  // Letters with periods between them, the last at end - 1.
  std::size_t acronym(std::size_t p, std::size_t end) {
    if (at(end) != U'.') return word(p, end);
    const Follows what = follows(end);
    const bool keep = kind(end + 1) == kPeriod || (what != Follows::nothing && what != Follows::starter);
    if (!keep) return emit(p, end);
    if (kind(end + 1) == kApostrophe) return word(p, end + 1);
    return emit(p, end + 1);
  }

};

}  // namespace
}  // namespace rules

void rule_tokenize(const TextSpan& text, bool sentences, RuleWorkspace& workspace, RuleTokens& tokens) {
  if (text.length > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw std::invalid_argument("the text has 2^31 characters or more; split it into documents");
  const rules::KindedText kinded = workspace.prepare(text);
  tokens.clear();
  rules::Tokenizer(kinded, tokens).run();
  if (sentences) rules::mark_sentences(kinded, tokens);
}

void rule_tokenize_batch(const TextSpan* texts, std::size_t count, bool sentences, int threads, RuleTokens* tokens) {
  threads = resolve_threads(threads);
  std::vector<RuleWorkspace> workspaces(static_cast<std::size_t>(threads));
  parallel_for(count, threads, 8, [&](std::size_t begin, std::size_t end, int thread) {
    for (std::size_t i = begin; i < end; ++i)
      rule_tokenize(texts[i], sentences, workspaces[static_cast<std::size_t>(thread)], tokens[i]);
  });
}

}  // namespace nlptk
