#include "rule_tokenizer.hpp"

#include <algorithm>

#include "bind.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

// One array for all documents.
template <class T>
py::array_t<T> join(const std::vector<RuleTokens>& documents, std::vector<T> RuleTokens::*column) {
  std::size_t total = 0;
  for (const RuleTokens& tokens : documents) total += (tokens.*column).size();
  py::array_t<T> out(static_cast<py::ssize_t>(total));
  T* to = out.mutable_data();
  for (const RuleTokens& tokens : documents) to = std::copy((tokens.*column).begin(), (tokens.*column).end(), to);
  return out;
}

py::tuple tokenize(const py::sequence& texts, bool sentences, int threads) {
  const TextBatch batch(texts);
  std::vector<RuleTokens> documents(batch.spans().size());
  {
    const py::gil_scoped_release release;
    rule_tokenize_batch(batch.spans().data(), documents.size(), sentences, threads, documents.data());
  }
  py::array_t<std::int64_t> offsets(static_cast<py::ssize_t>(documents.size() + 1));
  std::int64_t* to = offsets.mutable_data();
  *to = 0;
  for (const RuleTokens& tokens : documents) {
    to[1] = to[0] + static_cast<std::int64_t>(tokens.size());
    ++to;
  }
  py::object sent_starts = sentences ? py::object(join(documents, &RuleTokens::sent_starts)) : py::none();
  return py::make_tuple(join(documents, &RuleTokens::starts), join(documents, &RuleTokens::ends), sent_starts, offsets);
}

// The tokens of one text as str, without an array between.
py::list words(const py::object& text) {
  RuleTokens tokens;
  const TextSpan span = text_span(text);
  {
    const py::gil_scoped_release release;
    RuleWorkspace workspace;
    rule_tokenize(span, false, workspace, tokens);
  }
  py::list out(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    PyObject* word = PyUnicode_Substring(text.ptr(), tokens.starts[i], tokens.ends[i]);
    if (word == nullptr) throw py::error_already_set();
    PyList_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), word);
  }
  return out;
}

}  // namespace
}  // namespace nlptk

void bind_rule_tokenizer(py::module_& m) {
  using namespace nlptk;
  m.def("rule_tokenize", &tokenize, py::arg("texts"), py::arg("sentences") = false, py::arg("threads") = 0);
  m.def("rule_words", &words, py::arg("text"));
}
