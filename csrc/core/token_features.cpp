#include "token_features.hpp"

#include <algorithm>
#include <stdexcept>

#include "unicode.hpp"

namespace nlptk {
namespace {

using unicode::Class;

// The letter a character stands as in a shape.
char32_t shape_of(char32_t c) {
  switch (unicode::char_class(c)) {
    case Class::upper:
    case Class::title: return U'X';
    case Class::lower: return U'x';
    case Class::digit: return U'd';
    case Class::han: return U'H';
    case Class::letter:
    case Class::hiragana:
    case Class::katakana:
    case Class::hangul: return U'L';
    default: return c;
  }
}

struct Shapes {
  std::uint64_t shape = kHashSeed;    // runs cut at four
  std::uint64_t pattern = kHashSeed;  // runs collapsed
  std::uint64_t kind = 0;
};

Shapes shapes_of(const char32_t* word, std::size_t length) {
  enum : std::uint64_t { kUpper = 1, kLower = 2, kDigit = 4, kHan = 8, kLetter = 16, kHyphen = 32, kOther = 64 };
  Shapes result;
  std::uint64_t seen = 0;
  std::size_t uppers = 0;
  char32_t previous = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const char32_t s = shape_of(word[i]);
    run = i > 0 && s == previous ? run + 1 : 1;
    if (run == 1) result.pattern = hash_step(result.pattern, s);
    if (run <= 4) result.shape = hash_step(result.shape, s);
    previous = s;
    switch (s) {
      case U'X': seen |= kUpper, ++uppers; break;
      case U'x': seen |= kLower; break;
      case U'd': seen |= kDigit; break;
      case U'H': seen |= kHan; break;
      case U'L': seen |= kLetter; break;
      case U'-': seen |= kHyphen; break;
      default: seen |= kOther;
    }
  }
  const bool initial = length > 0 && shape_of(word[0]) == U'X';
  result.kind = 1 + (seen | (initial ? 128 : 0) | (uppers > 1 ? 256 : 0));
  return result;
}

}  // namespace

bool told_by_word(TokenAtom atom) {
  return atom != TokenAtom::spaced && atom != TokenAtom::column && atom != TokenAtom::gazetteer;
}

std::uint64_t context_atom(const TokenAtomSpec& spec, const char32_t* text, std::size_t text_length, std::size_t start,
                           std::size_t end, std::size_t token, const std::uint64_t* const* column_values) {
  if (spec.atom == TokenAtom::column) return column_values[spec.parameter][token];
  const bool before = start == 0 || unicode::is_space(text[start - 1]);
  const bool after = end == text_length || unicode::is_space(text[end]);
  return std::uint64_t{1} + (before ? 1 : 0) + (after ? 2 : 0);
}

TokenFeatures::TokenFeatures(std::vector<TokenAtomSpec> atoms, Templates templates, WordClasses classes,
                             std::vector<Gazetteer> gazetteers)
    : atoms_(std::move(atoms)),
      templates_(std::move(templates)),
      classes_(std::move(classes)),
      gazetteers_(std::move(gazetteers)) {
  for (const TokenAtomSpec& spec : atoms_) {
    if (spec.atom < TokenAtom::bias || spec.atom > TokenAtom::gazetteer)
      throw std::invalid_argument("token features: unknown atom");
    if (spec.parameter < 0) throw std::invalid_argument("token features: a parameter must not be negative");
    if (spec.atom == TokenAtom::column) columns_ = std::max(columns_, static_cast<std::size_t>(spec.parameter) + 1);
    if (spec.atom == TokenAtom::cluster && static_cast<std::size_t>(spec.parameter) >= classes_.width)
      throw std::invalid_argument("token features: an atom refers to word classes that are not there");
    if (spec.atom == TokenAtom::gazetteer && static_cast<std::size_t>(spec.parameter) >= gazetteers_.size())
      throw std::invalid_argument("token features: an atom refers to a gazetteer that is not there");
    uses_classes_ |= spec.atom == TokenAtom::cluster;
  }
  for (const TemplateElement& element : templates_.elements())
    if (element.table != 0 || element.column >= atoms_.size())
      throw std::invalid_argument("token features: a template refers to an atom that is not there");
}

void TokenFeatures::token_atoms(const char32_t* text, std::size_t text_length, std::size_t start, std::size_t end,
                                std::size_t token, const std::uint64_t* const* column_values,
                                TokenWorkspace& workspace, std::uint64_t* out) const {
  const char32_t* word = text + start;
  const std::size_t length = end - start;
  if (workspace.lower.size() < length) workspace.lower.resize(length);
  char32_t* lower = workspace.lower.data();
  for (std::size_t i = 0; i < length; ++i) lower[i] = unicode::to_lower(word[i]);
  const Shapes shapes = shapes_of(word, length);
  const std::uint64_t lower_hash = hash_text(lower, length);
  const std::uint32_t number = uses_classes_ ? classes_.words.find(lower_hash) : 0;

  for (std::size_t a = 0; a < atoms_.size(); ++a) {
    const auto parameter = static_cast<std::size_t>(atoms_[a].parameter);
    std::uint64_t value = kAbsent;
    switch (atoms_[a].atom) {
      case TokenAtom::bias: value = 1; break;
      case TokenAtom::word: value = hash_text(word, length); break;
      case TokenAtom::lower: value = lower_hash; break;
      case TokenAtom::norm: {
        value = kHashSeed;
        for (std::size_t i = 0; i < length; ++i)
          value = hash_step(value, unicode::char_class(lower[i]) == Class::digit ? U'0' : lower[i]);
        break;
      }
      case TokenAtom::prefix:
        if (parameter <= length) value = hash_text(lower, parameter);
        break;
      case TokenAtom::suffix:
        if (parameter <= length) value = hash_text(lower + length - parameter, parameter);
        break;
      case TokenAtom::shape: value = shapes.shape; break;
      case TokenAtom::pattern: value = shapes.pattern; break;
      case TokenAtom::kind: value = shapes.kind; break;
      case TokenAtom::length: value = 1 + std::min<std::size_t>(length, 10); break;
      case TokenAtom::spaced:
      case TokenAtom::column:
        value = context_atom(atoms_[a], text, text_length, start, end, token, column_values);
        break;
      case TokenAtom::cluster:
        value = number == 0 ? 1 : 2 + std::uint64_t{classes_.values[(number - 1) * classes_.width + parameter]};
        break;
      case TokenAtom::gazetteer: continue;  // names are longer than tokens: name_atoms() puts them there
    }
    out[a] = value;
  }
}

void TokenFeatures::name_atoms(std::size_t atom, const char32_t* text, const std::int32_t* starts, const std::int32_t* ends,
                               std::size_t tokens, std::uint64_t* out, std::size_t stride) const {
  gazetteers_[static_cast<std::size_t>(atoms_[atom].parameter)].match(text, starts, ends, tokens, out, stride);
}

void TokenFeatures::keys(const char32_t* text, std::size_t text_length, const std::int32_t* starts,
                         const std::int32_t* ends, std::size_t first, std::size_t last,
                         const std::uint64_t* const* column_values, TokenWorkspace& workspace,
                         std::uint32_t* keys) const {
  const std::size_t tokens = last - first;
  const std::size_t width = atoms_.size();
  if (workspace.atoms.size() < tokens * width) workspace.atoms.resize(tokens * width);
  for (std::size_t a = 0; a < width; ++a)
    if (atoms_[a].atom == TokenAtom::gazetteer)
      name_atoms(a, text, starts + first, ends + first, tokens, workspace.atoms.data() + a, width);
  for (std::size_t t = 0; t < tokens; ++t)
    token_atoms(text, text_length, static_cast<std::size_t>(starts[first + t]),
                static_cast<std::size_t>(ends[first + t]), first + t, column_values, workspace,
                workspace.atoms.data() + t * width);
  const AtomTable table{workspace.atoms.data(), tokens, width};
  for (std::size_t t = 0; t < tokens; ++t) templates_.keys(&table, &t, keys + t * templates_.size());
}

}  // namespace nlptk
