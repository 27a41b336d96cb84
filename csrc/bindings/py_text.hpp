// Python str to code points, read straight from its buffer: lone surrogates and NUL come through as they are.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "text.hpp"

namespace nlptk {

// The code points of a str; valid while the object lives. TypeError for anything else.
inline TextSpan text_span(pybind11::handle object) {
  if (!PyUnicode_Check(object.ptr()))
    throw pybind11::type_error(std::string("a text must be str, not ") + Py_TYPE(object.ptr())->tp_name);
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(object.ptr()) != 0) throw pybind11::error_already_set();
#endif
  return {PyUnicode_DATA(object.ptr()), static_cast<int>(PyUnicode_KIND(object.ptr())),
          static_cast<std::size_t>(PyUnicode_GET_LENGTH(object.ptr()))};
}

inline std::u32string to_u32(pybind11::handle object) {
  const TextSpan span = text_span(object);
  std::u32string out(span.length, U'\0');
  widen(span, out.data());
  return out;
}

// The texts of a sequence, kept alive, so that kernels may read them without the GIL.
class TextBatch {
 public:
  explicit TextBatch(const pybind11::sequence& texts) {
    if (PyUnicode_Check(texts.ptr())) throw pybind11::type_error("texts must be a sequence of str, not one str");
    const std::size_t n = texts.size();
    owners_.reserve(n);
    spans_.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
      owners_.emplace_back(texts[i]);
      spans_.push_back(text_span(owners_.back()));
    }
  }
  const std::vector<TextSpan>& spans() const { return spans_; }

 private:
  std::vector<pybind11::object> owners_;
  std::vector<TextSpan> spans_;
};

}  // namespace nlptk
