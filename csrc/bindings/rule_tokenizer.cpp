#include "rule_tokenizer.hpp"

#include <cstring>

#include "bind.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
  py::array_t<T> out(static_cast<py::ssize_t>(values.size()));
  if (!values.empty()) std::memcpy(out.mutable_data(), values.data(), values.size() * sizeof(T));
  return out;
}

py::list tokenize_batch(const py::sequence& texts, bool sentences, int threads) {
  const TextBatch batch(texts);
  std::vector<RuleTokens> tokens(batch.spans().size());
  {
    const py::gil_scoped_release release;
    rule_tokenize_batch(batch.spans().data(), tokens.size(), sentences, threads, tokens.data());
  }
  py::list out(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const RuleTokens& t = tokens[i];
    py::object starts = sentences ? py::object(to_array(t.sent_starts)) : py::none();
    out[i] = py::make_tuple(to_array(t.starts), to_array(t.ends), std::move(starts));
  }
  return out;
}

// The tokens of one text as str.
py::list tokenize_words(const py::str& text) {
  RuleTokens tokens;
  {
    const TextSpan span = text_span(text);
    const py::gil_scoped_release release;
    RuleWorkspace workspace;
    rule_tokenize(span, false, workspace, tokens);
  }
  py::list out(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    PyObject* word = PyUnicode_Substring(text.ptr(), tokens.starts[i], tokens.ends[i]);
    if (word == nullptr) throw py::error_already_set();
    out[i] = py::reinterpret_steal<py::object>(word);
  }
  return out;
}

}  // namespace
}  // namespace nlptk

void bind_rule_tokenizer(py::module_& m) {
  using namespace nlptk;
  m.def("rule_tokenize", &tokenize_batch, py::arg("texts"), py::arg("sentences") = false, py::arg("threads") = 0);
  m.def(
      "rule_words", [](const py::object& text) {
        text_span(text);  // TypeError for anything but str
        return tokenize_words(text);
      },
      py::arg("text"));
}
