#include "rule_chunk.hpp"

#include <string_view>

namespace nlptk::rules {

namespace {

// What the name of a mailbox is made of.
bool is_local(char32_t c) {
  return is_ascii_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}

}  // namespace

// http://..., www...., mailto:...
std::size_t Chunk::scan_url(std::size_t p) const {
  std::size_t q = p;
  if (spells(p, "www.") && is_alnum(p + 4)) {
    q = p + 4;
  } else if (spells(p, "mailto:") && is_alnum(p + 7)) {
    q = p + 7;
  } else if (has(kSlash)) {
    while (q - p < 12 && is_ascii_alpha(at(q))) ++q;
    if (q - p < 2 || !spells(q, "://") || at(q + 3) == 0) return p;
    q += 3;
  }
  return q == p ? p : url_end(q);
}

// From q on, as far as an address goes; closing punctuation does not belong to it, unless it closes a bracket in it.
std::size_t Chunk::url_end(std::size_t q) const {
  static constexpr std::u32string_view kStops = U"<>\"“”«»|{}^`，。；、（）「」";
  std::size_t end = q;
  std::ptrdiff_t open = 0;  // round brackets opened less closed
  for (; end < end_ && kStops.find(at(end)) == std::u32string_view::npos; ++end)
    open += (at(end) == U'(') - (at(end) == U')');
  static constexpr std::u32string_view kTrailing = U".,;:!?'’‘…*])";
  while (end > q && kTrailing.find(at(end - 1)) != std::u32string_view::npos) {
    if (at(end - 1) == U')' && open++ >= 0) break;
    --end;
  }
  return end;
}

// mailbox@host, or NAME@PLACE without a domain
std::size_t Chunk::scan_mail(std::size_t p) {
  if (at_ != end_ && (at_ < p || at(at_) != U'@')) {
    const std::size_t from = at_ = p;
    while (at_ < end_ && at(at_) != U'@') ++at_;
    for (local_ = at_; local_ > from && is_local(at(local_ - 1));) --local_;
  }
  if (at_ == end_ || local_ > p || !is_ascii_alnum(at(at_ + 1))) return p;
  std::size_t end = at_ + 1;
  while (is_local(at(end))) ++end;
  while (!is_ascii_alnum(at(end - 1))) --end;
  return end;
}

// example.com/path, report-2.doc, comp.lang.c: told by the last label (the first of a news group).
std::size_t Chunk::scan_name(std::size_t p) {
  if (p < no_name_until_) return p;
  std::size_t run = p, dot = p;
  bool host = true;
  for (; run < end_; ++run) {
    const char32_t c = at(run);
    if (c == '.' && is_ascii_alnum(at(run + 1))) {
      if (dot == p && known(p, run, lexicon::kNewsgroup) && is_ascii_alpha(at(run + 1))) return group_end(run);
      dot = run;
    } else if (c == '_' || c == '~' || c == '%' || c == '#') {
      host = false;
    } else if (!is_ascii_alnum(c) && c != '-') {
      break;
    }
  }
  no_name_until_ = run;
  std::size_t end = run;
  while (end > dot + 1 && !is_ascii_alnum(at(end - 1))) --end;
  if (dot == p || end - dot < 2 || !is_ascii_alnum(at(dot - 1))) return p;
  const std::uint16_t properties = entry(dot + 1, end).properties;
  const bool one_case = is_upper(dot + 1) == is_upper(end - 1);
  if ((properties & lexicon::kExtension) && one_case && (end - dot > 2 || !host)) return end;
  if (!(properties & lexicon::kDomain) || !host || !one_case) return p;
  if (at(end) == U'/' && is_alnum(end + 1)) return url_end(end);
  return end;
}

std::size_t Chunk::group_end(std::size_t dot) const {
  while (at(dot) == U'.' && is_ascii_alpha(at(dot + 1)))
    for (++dot; is_ascii_alnum(at(dot)) || at(dot) == U'-' || at(dot) == U'+';) ++dot;
  return dot;
}

}  // namespace nlptk::rules
