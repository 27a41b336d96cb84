// Features of the segmenter: where in a text may a token or a sentence begin, and what speaks for it.
//
// A text is read by paragraphs (parted by blank lines). A paragraph is a row of characters in which every run of white
// space is one unit; beside them stand the rows of its runs (letters, digits, one repeated sign; a Han character
// is a run of its own) and of its chunks (what stands between white space).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lexicon.hpp"
#include "templates.hpp"

namespace nlptk {

// A longer rest of a word is no feature, and no split stands before it.
inline constexpr std::uint8_t kLongestRest = 12;

enum class SegmentAtom : std::int32_t {
  // Table 0: characters.
  bias = 0,
  chr,       // as written; white space is one space
  fold,      // lower case, every digit as 0
  cls,       // character class; punctuation and symbols as themselves
  place,     // at the paragraph's start, after white space, where a run begins, inside a run
  head,      // the word before this character, from its start; absent at the start
  rest,      // the word from this character to its end; absent if longer than 12
  nesting,   // inside quotes, inside brackets
  repeated,  // equal to the character before, to the one before that
  begin,     // length of the longest entry of lexicon `parameter` that begins here, 0 if none
  end,       // of the longest that ends before this character
  across,    // of the longest that holds this character and the one before
  // Table 1: runs.
  run,
  run_pattern,
  run_length,
  // Table 2: chunks.
  chunk,
  chunk_pattern,
  chunk_core,  // without the punctuation round it
  chunk_edges,  // first and last character by class, and how many there are
};

struct SegmentAtomSpec {
  SegmentAtom atom = SegmentAtom::bias;
  std::int32_t parameter = 0;
};

// A paragraph made ready: its units, candidates and atom tables. Scratch memory of one thread.
struct Paragraph {
  std::vector<char32_t> units;
  std::vector<std::int32_t> positions;   // of each unit in the text
  std::vector<std::uint32_t> run_of, chunk_of;
  std::vector<std::uint32_t> word_start;  // unit at which the word round a unit begins
  std::vector<std::uint64_t> rest;        // hash from the end of the word back to this unit
  std::vector<std::uint8_t> rest_length;  // 255 for longer
  std::vector<std::uint32_t> run_starts, chunk_starts;  // units, with an end mark
  std::vector<std::uint32_t> candidates;  // units at which a token may begin
  std::vector<std::uint64_t> char_atoms, run_atoms, chunk_atoms;
  std::vector<std::uint8_t> begin, end, across;  // lexicon matches
};

class SegmentFeatures {
 public:
  // `splits` are hashes of word rests (see Paragraph::rest) before which a token may begin inside a run of letters.
  SegmentFeatures(std::vector<std::vector<SegmentAtomSpec>> atoms, Templates templates, std::vector<Lexicon> lexicons,
                  std::vector<std::uint32_t> splits);

  std::size_t size() const { return templates_.size(); }

  // Finds units and candidates of text[begin, end), which starts and ends with no white space.
  void scan(const char32_t* text, std::size_t begin, std::size_t end, Paragraph& paragraph) const;
  // Fills the atom tables of a scanned paragraph.
  void atoms(Paragraph& paragraph) const;
  // Keys of the candidates [first, last) of a paragraph with atoms, into keys[last - first, size()].
  void keys(const Paragraph& paragraph, std::size_t first, std::size_t last, std::uint32_t* keys) const;
  // True where white space or nothing stands before the candidate: a token must begin there.
  static bool forced(const Paragraph& paragraph, std::size_t candidate) {
    const std::uint32_t unit = paragraph.candidates[candidate];
    return unit == 0 || paragraph.units[unit - 1] == U' ';
  }

 private:
  void find_words(Paragraph& paragraph) const;
  void find_candidates(Paragraph& paragraph) const;
  void match(const Lexicon& lexicon, Paragraph& paragraph) const;
  void char_atoms(Paragraph& paragraph) const;
  void run_atoms(Paragraph& paragraph) const;
  void chunk_atoms(Paragraph& paragraph) const;

  std::vector<std::vector<SegmentAtomSpec>> atoms_;  // by table
  Templates templates_;
  std::vector<Lexicon> lexicons_;
  Lexicon splits_;
};

// The key under which a word rest is listed in `splits`: characters hashed from the last to the first, lower case.
std::uint32_t split_key(const char32_t* rest, std::size_t length);

// Calls f(begin, end) for each paragraph of the text: no white space at either end, blank lines between.
template <class F>
void each_paragraph(const char32_t* text, std::size_t length, F&& f);

}  // namespace nlptk

#include "unicode.hpp"

namespace nlptk {

template <class F>
void each_paragraph(const char32_t* text, std::size_t length, F&& f) {
  std::size_t begin = 0;
  while (true) {
    while (begin < length && unicode::is_space(text[begin])) ++begin;
    if (begin == length) return;
    std::size_t end = begin;  // one past the last character that is not white space
    std::size_t i = begin;
    while (i < length) {
      if (!unicode::is_space(text[i])) {
        end = ++i;
        continue;
      }
      int lines = 0;
      while (i < length && unicode::is_space(text[i])) {
        if (text[i] == U'\n' || text[i] == U'\x0C' || text[i] == U'\u2028') ++lines;
        if (text[i] == U'\u2029') lines += 2;
        ++i;
      }
      if (lines >= 2) break;
    }
    f(begin, end);
    begin = i;
  }
}

}  // namespace nlptk
