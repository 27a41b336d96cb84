// Words of a vocabulary as Python has them.
#pragma once

#include <pybind11/pybind11.h>

#include "sgns/vocabulary.hpp"

namespace nlptk {

inline pybind11::list words_of(const Vocabulary& vocabulary) {
  pybind11::list words(vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string_view word = vocabulary.word(i);
    words[i] = pybind11::str(word.data(), word.size());
  }
  return words;
}

}  // namespace nlptk
