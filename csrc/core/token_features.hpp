// Features of tokens, read straight from the text: words, affixes, shapes, word classes, names, other columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gazetteer.hpp"
#include "lexicon.hpp"
#include "templates.hpp"

namespace nlptk {

enum class TokenAtom : std::int32_t {
  bias = 0,
  word,      // as written
  lower,     // lower case
  norm,      // lower case, every digit as 0
  prefix,    // first `parameter` characters, lower case; absent in shorter words
  suffix,    // last `parameter` characters, lower case; absent in shorter words
  shape,     // Xxxx-dd: every character by class, runs cut at four
  pattern,   // Xx-d: shape with runs collapsed
  kind,      // coarse class of the whole word
  length,    // in characters, 10 and over as one
  spaced,    // whether white space stands before and after
  column,    // another column's value, `parameter` says which
  cluster,   // class `parameter` of the lower-cased word
  gazetteer, // place in a name of gazetteer `parameter`, and the name's class
};

// Whether the word's characters alone tell the value, so that it may be kept with the word.
bool told_by_word(TokenAtom atom);

struct TokenAtomSpec {
  TokenAtom atom = TokenAtom::bias;
  std::int32_t parameter = 0;
};

// Classes of words, several for each word: [words, width] numbers, 0 = no class.
struct WordClasses {
  Lexicon words;
  std::vector<std::uint16_t> values;
  std::size_t width = 0;
};

// Scratch memory of one thread.
struct TokenWorkspace {
  std::vector<std::uint64_t> atoms;
  std::vector<char32_t> lower;
};

// The value of an atom that the word's surroundings or another column tell.
std::uint64_t context_atom(const TokenAtomSpec& spec, const char32_t* text, std::size_t text_length, std::size_t start,
                           std::size_t end, std::size_t token, const std::uint64_t* const* column_values);

class TokenFeatures {
 public:
  TokenFeatures(std::vector<TokenAtomSpec> atoms, Templates templates, WordClasses classes,
                std::vector<Gazetteer> gazetteers = {});

  std::size_t size() const { return templates_.size(); }
  std::size_t columns() const { return columns_; }  // how many other columns the atoms refer to
  const std::vector<TokenAtomSpec>& atoms() const { return atoms_; }
  const Templates& templates() const { return templates_; }

  // Keys of the tokens [first, last) of one sentence, into keys[(last - first), size()]. starts and ends index the
  // document's tokens; column_values[c][token] are hashed values of the other columns.
  void keys(const char32_t* text, std::size_t text_length, const std::int32_t* starts, const std::int32_t* ends,
            std::size_t first, std::size_t last, const std::uint64_t* const* column_values,
            TokenWorkspace& workspace, std::uint32_t* keys) const;

  // Values of all atoms for one token but places in names, into out[atoms().size()].
  void token_atoms(const char32_t* text, std::size_t text_length, std::size_t start, std::size_t end,
                   std::size_t token, const std::uint64_t* const* column_values, TokenWorkspace& workspace,
                   std::uint64_t* out) const;
  // Values of a gazetteer's atom for the tokens of one sentence, into out[tokens], `stride` apart.
  void name_atoms(std::size_t atom, const char32_t* text, const std::int32_t* starts, const std::int32_t* ends,
                  std::size_t tokens, std::uint64_t* out, std::size_t stride) const;

 private:
  std::vector<TokenAtomSpec> atoms_;
  Templates templates_;
  WordClasses classes_;
  std::vector<Gazetteer> gazetteers_;
  bool uses_classes_ = false;
  std::size_t columns_ = 0;
};

}  // namespace nlptk
