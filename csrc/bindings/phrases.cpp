#include <pybind11/stl.h>

#include "bind.hpp"
#include "parallel.hpp"
#include "utf8.hpp"
#include "vectors/phrase_counts.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

// Python's str as bytes: UTF-8, where a lone surrogate has the three bytes that it would have.
class Words {
 public:
  const std::vector<std::string_view>& of(const py::sequence& words) {
    owners_.clear();
    views_.clear();
    for (const py::handle word : words) {
      if (!PyUnicode_Check(word.ptr()))
        throw py::type_error(std::string("a word must be str, not ") + Py_TYPE(word.ptr())->tp_name);
      auto bytes = py::reinterpret_steal<py::object>(PyUnicode_AsEncodedString(word.ptr(), "utf-8", "surrogatepass"));
      if (!bytes) throw py::error_already_set();
      views_.emplace_back(PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr())));
      owners_.push_back(std::move(bytes));
    }
    return views_;
  }

 private:
  std::vector<py::object> owners_;
  std::vector<std::string_view> views_;
};

std::string_view view_of(const py::buffer_info& info) {
  return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize)};
}

// The place of the first byte that is not UTF-8, or -1; the text is counted if there is none.
std::int64_t add_lines(PhraseCounter& counter, const py::buffer& data) {
  const py::buffer_info info = data.request();
  const std::string_view text = view_of(info);
  const py::gil_scoped_release release;
  const std::size_t bad = utf8::find_invalid(text.data(), text.size());
  if (bad < text.size()) return static_cast<std::int64_t>(bad);
  counter.add_lines(text);
  return -1;
}

void add_sentences(PhraseCounter& counter, const py::iterable& sentences) {
  Words words;
  for (const py::handle sentence : sentences) counter.add_sentence(words.of(sentence.cast<py::sequence>()));
}

PhraseRules to_rules(std::string delimiter, std::vector<std::string> connectors, bool npmi, double threshold,
                     double min_count) {
  return {std::move(delimiter), std::move(connectors), npmi, threshold, min_count};
}

// (words, end, score) of each phrase of a sentence, by places of words.
py::list find(const PhraseTable& table, const py::sequence& sentence) {
  Words words;
  std::vector<PhraseTable::Group> groups;
  std::string joined;
  table.group(words.of(sentence), groups, joined);
  py::list out;
  for (const PhraseTable::Group& group : groups)
    if (group.phrase != nullptr) out.append(py::make_tuple(group.begin, group.end, group.phrase->score));
  return out;
}

// (text, bytes of the first word, of the last, score) of each phrase.
py::list phrases(const PhraseTable& table) {
  py::list out;
  for (const PhraseTable::Phrase& phrase : table.phrases())
    out.append(py::make_tuple(py::bytes(phrase.text), phrase.first, phrase.last, phrase.score));
  return out;
}

}  // namespace
}  // namespace nlptk

void bind_phrases(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<PhraseRules>(m, "PhraseRules")
      .def(py::init(&to_rules), "delimiter"_a, "connectors"_a, "npmi"_a, "threshold"_a, "min_count"_a);
  py::class_<PhraseTable, std::shared_ptr<PhraseTable>>(m, "PhraseTable")
      .def(py::init([](const PhraseRules& rules, const std::vector<std::tuple<std::string, std::uint32_t, std::uint32_t, double>>& rows) {
             std::vector<PhraseTable::Phrase> phrases;
             for (const auto& [text, first, last, score] : rows) phrases.push_back({text, first, last, score});
             return std::make_shared<PhraseTable>(rules, std::move(phrases));
           }),
           "rules"_a, "phrases"_a)
      .def("__len__", [](const PhraseTable& table) { return table.phrases().size(); })
      .def_property_readonly("phrases", &phrases)
      .def("find", &find, "sentence"_a);
  py::class_<PhraseCounter>(m, "PhraseCounter")
      .def(py::init([](const PhraseRules& rules, const std::vector<std::shared_ptr<PhraseTable>>& before,
                       std::size_t max_types, int threads) {
             return PhraseCounter(rules, PhrasePasses(before.begin(), before.end()), max_types, threads);
           }),
           "rules"_a, "before"_a, "max_types"_a, "threads"_a = 0)
      .def_property_readonly("types", &PhraseCounter::types)
      .def_property_readonly("words", &PhraseCounter::words)
      .def_property_readonly("forgotten", &PhraseCounter::forgotten)
      .def("add_lines", &add_lines, "data"_a)
      .def("add_sentences", &add_sentences, "sentences"_a)
      .def("take", [](PhraseCounter& counter) { return std::make_shared<PhraseTable>(counter.take()); },
           py::call_guard<py::gil_scoped_release>());
  m.def(
      "join_phrases",
      [](const std::vector<std::shared_ptr<PhraseTable>>& passes, const py::buffer& data, int threads) -> py::object {
        const py::buffer_info info = data.request();
        const std::string_view text = view_of(info);
        std::string joined;
        {
          const py::gil_scoped_release release;
          const std::size_t bad = utf8::find_invalid(text.data(), text.size());
          if (bad < text.size()) {
            const py::gil_scoped_acquire acquire;
            return py::int_(bad);
          }
          joined = join_phrases(PhrasePasses(passes.begin(), passes.end()), text, threads);
        }
        return py::bytes(joined);
      },
      "passes"_a, "data"_a, "threads"_a = 0);
}
