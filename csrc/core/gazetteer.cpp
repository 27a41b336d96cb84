#include "gazetteer.hpp"

#include <stdexcept>

#include "unicode.hpp"

namespace nlptk {

enum Place : std::uint64_t { kFirst, kInside, kLast, kOnly };

Gazetteer::Gazetteer(const std::uint32_t* keys, const std::uint16_t* classes, std::size_t size,
                     std::vector<std::uint8_t> prefixes, std::size_t longest, bool ignore_case)
    : names_(keys, size),
      classes_(classes, classes + size),
      prefixes_(std::move(prefixes)),
      longest_(longest),
      ignore_case_(ignore_case) {
  if (prefixes_.empty() || (prefixes_.size() & (prefixes_.size() - 1)) != 0)
    throw std::invalid_argument("gazetteer: the bytes of the prefixes must be a power of two");
}

Gazetteer::Match Gazetteer::longest_from(const char32_t* text, const std::int32_t* starts, const std::int32_t* ends,
                                         std::size_t first, std::size_t tokens) const {
  Match best;
  std::uint64_t hash = kHashSeed;
  std::size_t length = 0;
  for (std::size_t t = first; t < tokens; ++t) {
    for (std::int32_t i = starts[t]; i < ends[t]; ++i) {
      if (unicode::is_space(text[i])) continue;
      if (length == longest_ || (length == kPrefix && !may_go_on(hash))) return best;
      ++length;
      hash = hash_step(hash, ignore_case_ ? unicode::to_lower(text[i]) : text[i]);
    }
    if (const std::uint32_t number = names_.find(hash)) best = {number, t + 1};
  }
  return best;
}

void Gazetteer::match(const char32_t* text, const std::int32_t* starts, const std::int32_t* ends, std::size_t tokens,
                      std::uint64_t* out, std::size_t stride) const {
  for (std::size_t t = 0; t < tokens;) {
    const Match match = longest_from(text, starts, ends, t, tokens);
    if (match.number == 0) {
      out[t++ * stride] = 1;
      continue;
    }
    const std::size_t first = t;
    const std::uint64_t name = 2 + 4 * std::uint64_t{classes_[match.number - 1]};
    for (; t < match.end; ++t) {
      const bool begins = t == first, ends_here = t + 1 == match.end;
      out[t * stride] = name + (begins && ends_here ? kOnly : begins ? kFirst : ends_here ? kLast : kInside);
    }
  }
}

}  // namespace nlptk
