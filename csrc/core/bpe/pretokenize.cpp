#include "pretokenize.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

namespace nlptk {
namespace pretokenize {
#include "pretokenize_tables.inc"
}  // namespace pretokenize

Pattern pattern_named(const char* name) {
  std::string known;
  for (int i = 0; i < kPatterns; ++i) {
    if (std::strcmp(name, kPatternNames[i]) == 0) return static_cast<Pattern>(i);
    known += std::string(i > 0 ? ", " : "") + kPatternNames[i];
  }
  throw std::invalid_argument("no pre-tokenization is named \"" + std::string(name) + "\"; there are " + known);
}

}  // namespace nlptk
