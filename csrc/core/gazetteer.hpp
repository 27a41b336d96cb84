// A list of names of one or more words, with a class each: which tokens of a sentence spell one of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lexicon.hpp"

namespace nlptk {

class Gazetteer {
 public:
  // keys: word_key of hash_text over a name's characters without white space, so that it does not matter how the text
  // is cut into tokens; in lower case where case is ignored. classes[i] belongs to keys[i]. prefixes: bit (key modulo
  // the number of bits) is set for the key of each name's first kPrefix characters, if it has more: most searches end
  // there. longest: characters of the longest name. Throws std::invalid_argument unless the bytes of prefixes are a
  // power of two.
  Gazetteer(const std::uint32_t* keys, const std::uint16_t* classes, std::size_t size,
            std::vector<std::uint8_t> prefixes, std::size_t longest, bool ignore_case);

  static constexpr std::size_t kPrefix = 2;

  // Into out[t * stride]: 1 for a token in no name, else 2 + 4 * class + place. Names are taken from left to right,
  // the longest first, and do not overlap.
  void match(const char32_t* text, const std::int32_t* starts, const std::int32_t* ends, std::size_t tokens,
             std::uint64_t* out, std::size_t stride) const;

 private:
  struct Match {
    std::uint32_t number = 0;  // one more than the name's place in the list, 0 for none
    std::size_t end = 0;       // token after its last
  };
  bool may_go_on(std::uint64_t prefix_hash) const {
    const std::size_t bit = Lexicon::word_key(prefix_hash) & (8 * prefixes_.size() - 1);
    return (prefixes_[bit / 8] >> (bit % 8) & 1) != 0;
  }
  Match longest_from(const char32_t* text, const std::int32_t* starts, const std::int32_t* ends, std::size_t first,
                     std::size_t tokens) const;

  Lexicon names_;
  std::vector<std::uint16_t> classes_;
  std::vector<std::uint8_t> prefixes_;
  std::size_t longest_ = 0;
  bool ignore_case_ = true;
};

}  // namespace nlptk
