#include "unicode.hpp"

#include "bind.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

py::array_t<std::uint8_t> table_lookup(py::handle text, std::uint8_t (*property)(char32_t)) {
  const TextSpan span = text_span(text);
  py::array_t<std::uint8_t> out(static_cast<py::ssize_t>(span.length));
  std::uint8_t* to = out.mutable_data();
  visit_text(span, [&](const auto* data) {
    for (std::size_t i = 0; i < span.length; ++i) to[i] = property(data[i]);
  });
  return out;
}

py::object lower(py::handle text) {
  std::u32string points = to_u32(text);
  for (char32_t& c : points) c = unicode::to_lower(c);
  PyObject* result =
      PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, points.data(), static_cast<Py_ssize_t>(points.size()));
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

}  // namespace
}  // namespace nlptk

void bind_unicode(py::module_& m) {
  using namespace nlptk;
  m.attr("UNICODE_VERSION") = py::str(&unicode::kUnicodeVersion[0]);
  m.def(
      "char_classes",
      [](py::handle text) {
        return table_lookup(text, [](char32_t c) { return static_cast<std::uint8_t>(unicode::char_class(c)); });
      },
      py::arg("text"));
  m.def(
      "char_flags", [](py::handle text) { return table_lookup(text, &unicode::flags); }, py::arg("text"));
  m.def("lower", &lower, py::arg("text"));
}
