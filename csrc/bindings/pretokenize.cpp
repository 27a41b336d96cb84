#include "bpe/pretokenize.hpp"

#include <string>

#include "bind.hpp"
#include "utf8.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

py::list pieces(const py::object& text, const std::string& pattern) {
  const Pattern scanner = pattern_named(pattern.c_str());
  const TextSpan span = text_span(text);
  utf8::Buffer buffer;
  const std::string_view bytes = buffer.convert(span);
  utf8::Offsets offsets(span, bytes);
  py::list out;
  for_each_piece(scanner, bytes.data(), bytes.size(), [&](std::size_t begin, std::size_t end) {
    const std::size_t first = offsets.to_chars(begin);
    out.append(py::make_tuple(first, offsets.to_chars(end)));
  });
  return out;
}

}  // namespace
}  // namespace nlptk

void bind_pretokenize(py::module_& m) {
  using namespace nlptk;
  m.def("pretokenize", &pieces, py::arg("text"), py::arg("pattern"));
  py::tuple names(kPatterns);
  for (int i = 0; i < kPatterns; ++i) names[static_cast<std::size_t>(i)] = kPatternNames[i];
  m.attr("PRETOKENIZE_PATTERNS") = names;
}
