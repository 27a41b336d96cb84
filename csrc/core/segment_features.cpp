#include "segment_features.hpp"

#include <algorithm>
#include <stdexcept>

namespace nlptk {
namespace {

using unicode::Class;

constexpr std::size_t kLongestEntry = 6;  // of lexicon words, in characters

bool is_letter(Class c) {
  switch (c) {
    case Class::lower:
    case Class::upper:
    case Class::title:
    case Class::letter:
    case Class::hiragana:
    case Class::katakana:
    case Class::hangul: return true;
    default: return false;
  }
}

// Marks, joiners and the like belong to the character before them.
bool is_extender(Class c) { return c == Class::mark || c == Class::format; }
bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'\u2019'; }

char32_t fold(char32_t c) { return unicode::char_class(c) == Class::digit ? U'0' : unicode::to_lower(c); }

std::uint64_t class_code(char32_t c) {
  if (c == U' ') return 99;
  const Class cls = unicode::char_class(c);
  if (cls == Class::punctuation || cls == Class::symbol) return 1000 + static_cast<std::uint64_t>(c);
  return 1 + static_cast<std::uint64_t>(cls);
}

// Pattern of a stretch: classes with runs collapsed.
std::uint64_t pattern_of(const char32_t* text, std::size_t length) {
  std::uint64_t h = kHashSeed;
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t code = class_code(text[i]);
    if (code != previous) h = hash_step(h, code);
    previous = code;
  }
  return h;
}

std::uint64_t folded_hash(const char32_t* text, std::size_t length) {
  std::uint64_t h = kHashSeed;
  for (std::size_t i = 0; i < length; ++i) h = hash_step(h, fold(text[i]));
  return h;
}

std::uint64_t length_code(std::size_t length) {
  if (length <= 4) return 1 + length;
  return length <= 8 ? 6 : length <= 16 ? 7 : 8;
}

}  // namespace

SegmentFeatures::SegmentFeatures(std::vector<std::vector<SegmentAtomSpec>> atoms, Templates templates,
                                 std::vector<Lexicon> lexicons, std::vector<std::uint32_t> splits)
    : atoms_(std::move(atoms)), templates_(std::move(templates)), lexicons_(std::move(lexicons)) {
  if (atoms_.size() != 3) throw std::invalid_argument("segment features: three tables of atoms are needed");
  const SegmentAtom first[] = {SegmentAtom::bias, SegmentAtom::run, SegmentAtom::chunk};
  const SegmentAtom last[] = {SegmentAtom::across, SegmentAtom::run_length, SegmentAtom::chunk_edges};
  for (std::size_t table = 0; table < 3; ++table) {
    for (const SegmentAtomSpec& spec : atoms_[table]) {
      if (spec.atom < first[table] || spec.atom > last[table])
        throw std::invalid_argument("segment features: an atom stands in the wrong table");
      const bool lexical = spec.atom >= SegmentAtom::begin && spec.atom <= SegmentAtom::across;
      if (spec.parameter < 0 || (lexical && static_cast<std::size_t>(spec.parameter) >= lexicons_.size()))
        throw std::invalid_argument("segment features: an atom refers to a lexicon that is not there");
    }
  }
  for (const TemplateElement& element : templates_.elements())
    if (element.table >= 3 || element.column >= atoms_[element.table].size())
      throw std::invalid_argument("segment features: a template refers to an atom that is not there");
  splits_ = Lexicon(splits.data(), splits.size());
}

std::uint32_t split_key(const char32_t* rest, std::size_t length) {
  std::uint64_t h = kHashSeed;
  for (std::size_t i = length; i-- > 0;) h = hash_step(h, unicode::to_lower(rest[i]));
  return Lexicon::word_key(h);
}

void SegmentFeatures::scan(const char32_t* text, std::size_t begin, std::size_t end, Paragraph& p) const {
  p.units.clear();
  p.positions.clear();
  p.run_of.clear();
  p.chunk_of.clear();
  p.run_starts.clear();
  p.chunk_starts.clear();
  bool after_space = true;
  Class previous = Class::space;
  for (std::size_t i = begin; i < end; ++i) {
    const Class cls = unicode::char_class(text[i]);
    const auto unit = static_cast<std::uint32_t>(p.units.size());
    if (cls == Class::space) {
      if (after_space) continue;
      after_space = true;
      p.units.push_back(U' ');
    } else {
      if (after_space) p.chunk_starts.push_back(unit);
      const bool same_run = !after_space && (is_extender(cls) || (is_letter(cls) && is_letter(previous)) ||
                                             (cls == Class::digit && previous == Class::digit) ||
                                             (!is_letter(cls) && cls != Class::digit && cls != Class::han &&
                                              text[i] == p.units.back()));
      if (!same_run) p.run_starts.push_back(unit);
      if (!is_extender(cls) || after_space) previous = cls;
      after_space = false;
      p.units.push_back(text[i]);
    }
    p.positions.push_back(static_cast<std::int32_t>(i));
    p.run_of.push_back(static_cast<std::uint32_t>(p.run_starts.size()) - 1);
    p.chunk_of.push_back(static_cast<std::uint32_t>(p.chunk_starts.size()) - 1);
  }
  p.run_starts.push_back(static_cast<std::uint32_t>(p.units.size()));
  p.chunk_starts.push_back(static_cast<std::uint32_t>(p.units.size()));
  find_words(p);
  find_candidates(p);
}

// A word is a stretch of letters, digits, apostrophes and what extends them.
void SegmentFeatures::find_words(Paragraph& p) const {
  const std::size_t n = p.units.size();
  p.word_start.resize(n);
  p.rest.resize(n);
  p.rest_length.resize(n);
  const auto in_word = [&](std::size_t i) {
    const Class c = unicode::char_class(p.units[i]);
    return is_letter(c) || c == Class::digit || is_extender(c) || is_apostrophe(p.units[i]);
  };
  for (std::size_t i = 0; i < n;) {
    std::size_t end = i;
    while (end < n && in_word(end)) ++end;
    if (end == i) {
      p.word_start[i] = static_cast<std::uint32_t>(i);
      p.rest[i] = kAbsent;
      p.rest_length[i] = 255;
      ++i;
      continue;
    }
    std::uint64_t h = kHashSeed;
    for (std::size_t k = end; k-- > i;) {
      h = hash_step(h, unicode::to_lower(p.units[k]));
      p.word_start[k] = static_cast<std::uint32_t>(i);
      p.rest[k] = h;
      p.rest_length[k] = static_cast<std::uint8_t>(std::min<std::size_t>(end - k, 255));
    }
    i = end;
  }
}

void SegmentFeatures::find_candidates(Paragraph& p) const {
  p.candidates.clear();
  for (std::uint32_t u = 0; u < p.units.size(); ++u) {
    if (p.units[u] == U' ') continue;
    bool candidate = u == 0 || p.units[u - 1] == U' ';
    if (!candidate) {
      const Class cls = unicode::char_class(p.units[u]);
      if (is_extender(cls)) continue;
      const bool in_run = p.run_of[u] == p.run_of[u - 1] && (is_letter(cls) || cls == Class::digit);
      candidate = !in_run || (p.rest_length[u] <= kLongestRest && splits_.find(p.rest[u]) != 0);
    }
    if (candidate) p.candidates.push_back(u);
  }
}

// Longest entries that begin at, end before and lie across each unit.
void SegmentFeatures::match(const Lexicon& lexicon, Paragraph& p) const {
  const std::size_t n = p.units.size();
  p.begin.assign(n, 0);
  p.end.assign(n + 1, 0);
  p.across.assign(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (p.units[i] == U' ') continue;
    std::uint64_t h = kHashSeed;
    for (std::size_t length = 1; length <= kLongestEntry && i + length <= n; ++length) {
      h = hash_step(h, p.units[i + length - 1]);
      if (length < 2 || lexicon.find(h) == 0) continue;
      const auto l = static_cast<std::uint8_t>(length);
      p.begin[i] = l;
      p.end[i + length] = std::max(p.end[i + length], l);
      for (std::size_t k = i + 1; k < i + length; ++k) p.across[k] = std::max(p.across[k], l);
    }
  }
}

void SegmentFeatures::char_atoms(Paragraph& p) const {
  const std::size_t n = p.units.size();
  const std::size_t width = atoms_[0].size();
  p.char_atoms.resize(n * width);
  std::int32_t matched = -1;
  for (std::size_t a = 0; a < width; ++a) {
    const SegmentAtomSpec spec = atoms_[0][a];
    if (spec.atom >= SegmentAtom::begin && spec.parameter != matched) {
      match(lexicons_[static_cast<std::size_t>(spec.parameter)], p);
      matched = spec.parameter;
    }
    std::uint64_t* out = p.char_atoms.data() + a;
    std::uint64_t head = kHashSeed;
    bool quoted = false;
    int depth = 0;
    for (std::size_t u = 0; u < n; ++u, out += width) {
      const char32_t c = p.units[u];
      switch (spec.atom) {
        case SegmentAtom::bias: *out = 1; break;
        case SegmentAtom::chr: *out = 1 + static_cast<std::uint64_t>(c); break;
        case SegmentAtom::fold: *out = 1 + static_cast<std::uint64_t>(fold(c)); break;
        case SegmentAtom::cls: *out = class_code(c); break;
        case SegmentAtom::place:
          *out = u == 0 ? 1 : p.units[u - 1] == U' ' ? 2 : p.run_of[u] != p.run_of[u - 1] ? 3 : 4;
          break;
        case SegmentAtom::head:
          if (p.word_start[u] == u) head = kHashSeed;
          *out = p.word_start[u] == u ? kAbsent : head;
          head = hash_step(head, unicode::to_lower(c));
          break;
        case SegmentAtom::rest: *out = p.rest_length[u] <= kLongestRest ? p.rest[u] : kAbsent; break;
        case SegmentAtom::nesting:
          *out = 1 + (quoted ? 1 : 0) + (depth > 0 ? 2 : 0);
          if (c == U'"') quoted = !quoted;
          if (c == U'\u201C' || c == U'\u300C') quoted = true;
          if (c == U'\u201D' || c == U'\u300D') quoted = false;
          if (c == U'(' || c == U'[' || c == U'\uFF08') ++depth;
          if ((c == U')' || c == U']' || c == U'\uFF09') && depth > 0) --depth;
          break;
        case SegmentAtom::repeated:
          *out = 1 + (u > 0 && p.units[u - 1] == c ? 1 : 0) + (u > 1 && p.units[u - 2] == c ? 2 : 0);
          break;
        case SegmentAtom::begin: *out = 1 + p.begin[u]; break;
        case SegmentAtom::end: *out = 1 + p.end[u]; break;
        default: *out = 1 + p.across[u]; break;
      }
    }
  }
}

void SegmentFeatures::run_atoms(Paragraph& p) const {
  const std::size_t n = p.run_starts.size() - 1;
  const std::size_t width = atoms_[1].size();
  p.run_atoms.resize(n * width);
  for (std::size_t r = 0; r < n; ++r) {
    const char32_t* text = p.units.data() + p.run_starts[r];
    std::size_t length = p.run_starts[r + 1] - p.run_starts[r];
    while (length > 0 && text[length - 1] == U' ') --length;
    for (std::size_t a = 0; a < width; ++a) {
      std::uint64_t& out = p.run_atoms[r * width + a];
      switch (atoms_[1][a].atom) {
        case SegmentAtom::run: out = folded_hash(text, length); break;
        case SegmentAtom::run_pattern: out = pattern_of(text, length); break;
        default: out = length_code(length); break;
      }
    }
  }
}

void SegmentFeatures::chunk_atoms(Paragraph& p) const {
  const std::size_t n = p.chunk_starts.size() - 1;
  const std::size_t width = atoms_[2].size();
  p.chunk_atoms.resize(n * width);
  for (std::size_t k = 0; k < n; ++k) {
    const char32_t* text = p.units.data() + p.chunk_starts[k];
    std::size_t length = p.chunk_starts[k + 1] - p.chunk_starts[k];
    while (length > 0 && text[length - 1] == U' ') --length;
    for (std::size_t a = 0; a < width; ++a) {
      std::uint64_t& out = p.chunk_atoms[k * width + a];
      switch (atoms_[2][a].atom) {
        case SegmentAtom::chunk: out = folded_hash(text, length); break;
        case SegmentAtom::chunk_pattern: out = pattern_of(text, length); break;
        case SegmentAtom::chunk_core: {
          std::size_t first = 0;
          std::size_t last = length;
          while (first < last && !unicode::is_alnum(text[first])) ++first;
          while (last > first && !unicode::is_alnum(text[last - 1])) --last;
          out = folded_hash(text + first, last - first);
          break;
        }
        default:
          out = hash_step(hash_step(class_code(text[0]), class_code(text[length - 1])), length_code(length));
          break;
      }
    }
  }
}

void SegmentFeatures::atoms(Paragraph& p) const {
  char_atoms(p);
  run_atoms(p);
  chunk_atoms(p);
}

void SegmentFeatures::keys(const Paragraph& p, std::size_t first, std::size_t last, std::uint32_t* keys) const {
  const AtomTable tables[] = {
      {p.char_atoms.data(), p.units.size(), atoms_[0].size()},
      {p.run_atoms.data(), p.run_starts.size() - 1, atoms_[1].size()},
      {p.chunk_atoms.data(), p.chunk_starts.size() - 1, atoms_[2].size()},
  };
  for (std::size_t c = first; c < last; ++c, keys += templates_.size()) {
    const std::uint32_t unit = p.candidates[c];
    const std::size_t base[] = {unit, p.run_of[unit], p.chunk_of[unit]};
    templates_.keys(tables, base, keys);
  }
}

}  // namespace nlptk
