#include "segment/jieba.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bind.hpp"
#include "parallel.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

constexpr std::size_t kLong = 4096;  // characters from which a single cut lets other threads run

std::string_view view(const py::buffer_info& info) {
  return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize)};
}

JiebaWorkspace& workspace() {
  thread_local JiebaWorkspace made;
  return made;
}

// ---- words as str ------------------------------------------------------------------------------------------------

// A Han character as str, made once: half of the words of a text are one character.
PyObject* han_character(char32_t c) {
  static std::array<PyObject*, 0xA000 - 0x4E00> made{};
  PyObject*& known = made[c - 0x4E00];
  if (known == nullptr) known = PyUnicode_FromOrdinal(static_cast<int>(c));
  Py_XINCREF(known);
  return known;
}

// text[start:end]; where it begins with a Han character its width is known without a look at the rest.
PyObject* substring(PyObject* text, const TextSpan& span, std::int32_t start, std::int32_t end) {
  if (span.kind == 2 && end > start) {
    const std::uint16_t* const from = static_cast<const std::uint16_t*>(span.data) + start;
    if (*from >= 0x4E00 && *from < 0xA000) {
      if (end - start == 1) return han_character(*from);
      PyObject* word = PyUnicode_New(end - start, 0xFFFF);
      if (word != nullptr)
        std::memcpy(PyUnicode_2BYTE_DATA(word), from, static_cast<std::size_t>(end - start) * sizeof *from);
      return word;
    }
  }
  return PyUnicode_Substring(text, start, end);
}

void set_item(py::list& list, std::size_t i, PyObject* item) {
  if (item == nullptr) throw py::error_already_set();
  if ((~i & 0xFFFFF) == 0 && PyErr_CheckSignals() != 0) {
    Py_DECREF(item);
    throw py::error_already_set();
  }
  PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), item);
}

py::list word_list(const py::object& text, const TextSpan& span, const JiebaWords& words) {
  py::list out(words.size());
  for (std::size_t i = 0; i < words.size(); ++i)
    set_item(out, i, substring(text.ptr(), span, words.starts[i], words.ends[i]));
  for (const auto& [i, glued] : words.glued)
    out[i] = py::reinterpret_steal<py::object>(
        PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, glued.data(), static_cast<Py_ssize_t>(glued.size())));
  return out;
}

// ---- calls -------------------------------------------------------------------------------------------------------

JiebaMode mode_of(int mode) {
  if (mode < 0 || mode > 2) throw std::invalid_argument("the mode must be 0, 1 or 2");
  return static_cast<JiebaMode>(mode);
}

TextSpan cut_into(const Jieba& self, const py::object& text, int mode, bool hmm, JiebaWords& words) {
  const TextSpan span = text_span(text);
  const JiebaMode how = mode_of(mode);
  if (span.length < kLong) {
    self.cut(span, how, hmm, workspace(), words);
  } else {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    self.cut(span, how, hmm, workspace(), words);
  }
  return span;
}

py::list cut(const Jieba& self, const py::object& text, int mode, bool hmm) {
  thread_local JiebaWords words;
  const TextSpan span = cut_into(self, text, mode, hmm, words);
  return word_list(text, span, words);
}

py::array_t<std::int32_t> array_of(const std::vector<std::int32_t>& items) {
  return py::array_t<std::int32_t>(static_cast<py::ssize_t>(items.size()), items.data());
}

py::tuple spans(const Jieba& self, const py::object& text, int mode, bool hmm) {
  thread_local JiebaWords words;
  cut_into(self, text, mode, hmm, words);
  return py::make_tuple(array_of(words.starts), array_of(words.ends));
}

py::array_t<std::int32_t> join(const std::vector<JiebaWords>& documents, std::vector<std::int32_t> JiebaWords::*column,
                               std::size_t total) {
  py::array_t<std::int32_t> out(static_cast<py::ssize_t>(total));
  std::int32_t* to = out.mutable_data();
  for (const JiebaWords& words : documents) to = std::copy((words.*column).begin(), (words.*column).end(), to);
  return out;
}

py::tuple tokens(const Jieba& self, const py::sequence& texts, bool hmm, int threads) {
  const TextBatch batch(texts);
  std::vector<JiebaWords> documents(batch.spans().size());
  {
    const py::gil_scoped_release release;
    self.tokens(batch.spans().data(), documents.size(), hmm, threads, documents.data());
  }
  py::array_t<std::int64_t> offsets(static_cast<py::ssize_t>(documents.size() + 1));
  std::int64_t* to = offsets.mutable_data();
  *to = 0;
  for (const JiebaWords& words : documents) {
    to[1] = to[0] + static_cast<std::int64_t>(words.size());
    ++to;
  }
  const auto total = static_cast<std::size_t>(*to);
  return py::make_tuple(join(documents, &JiebaWords::starts, total), join(documents, &JiebaWords::ends, total),
                        offsets);
}

// ---- tags and keywords -------------------------------------------------------------------------------------------

JiebaTagWorkspace& tag_scratch() {
  thread_local JiebaTagWorkspace made;
  return made;
}

py::str to_str(const std::u32string& text) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, text.data(), static_cast<Py_ssize_t>(text.size())));
}

std::vector<py::str> tag_strings(const Jieba& self) {
  std::vector<py::str> names;
  for (const std::string& name : self.tag_names()) names.emplace_back(name);
  return names;
}

// A named tuple (a subclass of tuple with two fields) without a call through Python.
PyObject* make_pair(PyTypeObject* type, PyObject* first, const py::str& second) {
  if (first == nullptr) return nullptr;
  PyObject* made = type->tp_alloc(type, 2);
  if (made == nullptr) {
    Py_DECREF(first);
    return nullptr;
  }
  PyTuple_SET_ITEM(made, 0, first);
  PyTuple_SET_ITEM(made, 1, py::str(second).release().ptr());
  PyObject_GC_UnTrack(made);  // two str: nothing for the garbage collector to follow
  return made;
}

PyTypeObject* pair_type(const py::object& pair) {
  auto* const type = reinterpret_cast<PyTypeObject*>(pair.ptr());
  if (!PyType_Check(pair.ptr()) || PyType_IsSubtype(type, &PyTuple_Type) == 0)
    throw py::type_error("a pair must be a kind of tuple");
  return type;
}

py::list posseg(const Jieba& self, const py::object& text, bool hmm, const py::object& pair) {
  thread_local JiebaTagged tagged;
  const TextSpan span = text_span(text);
  PyTypeObject* const type = pair_type(pair);
  const auto tag = [&] { self.tag(span, hmm, workspace(), tag_scratch(), tagged); };
  if (span.length < kLong) {
    tag();
  } else {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    tag();
  }
  const std::vector<py::str> names = tag_strings(self);
  py::list out(tagged.tags.size());
  for (std::size_t i = 0; i < tagged.tags.size(); ++i)
    set_item(out, i, make_pair(type, substring(text.ptr(), span, tagged.words.starts[i], tagged.words.ends[i]),
                               names[tagged.tags[i]]));
  return out;
}

py::tuple tagged_tokens(const Jieba& self, const py::sequence& texts, bool hmm, int threads) {
  const TextBatch batch(texts);
  std::vector<JiebaTagged> documents(batch.spans().size());
  {
    const py::gil_scoped_release release;
    self.tagged_tokens(batch.spans().data(), documents.size(), hmm, threads, documents.data());
  }
  py::array_t<std::int64_t> offsets(static_cast<py::ssize_t>(documents.size() + 1));
  std::int64_t* bounds = offsets.mutable_data();
  *bounds = 0;
  for (const JiebaTagged& document : documents) {
    bounds[1] = bounds[0] + static_cast<std::int64_t>(document.tags.size());
    ++bounds;
  }
  py::array_t<std::int32_t> starts(*bounds), ends(*bounds), tags(*bounds);
  std::int32_t *start = starts.mutable_data(), *end = ends.mutable_data(), *tag = tags.mutable_data();
  for (const JiebaTagged& document : documents) {
    start = std::copy(document.words.starts.begin(), document.words.starts.end(), start);
    end = std::copy(document.words.ends.begin(), document.words.ends.end(), end);
    tag = std::copy(document.tags.begin(), document.tags.end(), tag);
  }
  return py::make_tuple(starts, ends, tags, offsets);
}

// Keywords as str, or pairs where `pair` is a type; each in a tuple with its weight if asked for.
py::list keywords(const Jieba& self, const py::object& text, bool textrank, bool hmm,
                  const std::vector<std::string>& tags, std::size_t most, bool weights, const py::object& pair) {
  thread_local JiebaTagged tagged;
  const TextSpan span = text_span(text);
  PyTypeObject* const type = pair.is_none() ? nullptr : pair_type(pair);
  std::vector<JiebaKeyword> found;
  {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    found = self.keywords(span, textrank ? Jieba::Keywords::textrank : Jieba::Keywords::tfidf, hmm, tags,
                          type != nullptr, most, workspace(), tag_scratch(), tagged);
  }
  const std::vector<py::str> names = type != nullptr ? tag_strings(self) : std::vector<py::str>();
  py::list out(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t at = found[i].word;
    PyObject* item = substring(text.ptr(), span, tagged.words.starts[at], tagged.words.ends[at]);
    if (type != nullptr) item = make_pair(type, item, names[tagged.tags[at]]);
    if (weights && item != nullptr) {
      PyObject* with_weight = PyTuple_New(2);
      PyObject* weight = PyFloat_FromDouble(found[i].weight);
      if (with_weight == nullptr || weight == nullptr) throw py::error_already_set();
      PyTuple_SET_ITEM(with_weight, 0, item);
      PyTuple_SET_ITEM(with_weight, 1, weight);
      item = with_weight;
    }
    set_item(out, i, item);
  }
  return out;
}

// ---- tables ------------------------------------------------------------------------------------------------------

py::bytes compile_dictionary(const py::sequence& words, const py::sequence& counts, const py::sequence& tags,
                             std::int64_t total) {
  std::vector<JiebaDictionary::Entry> entries(words.size());
  if (counts.size() != entries.size() || tags.size() != entries.size())
    throw std::invalid_argument("words, counts and tags must be as many");
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i] = {to_u32(words[i]), py::cast<std::int64_t>(counts[i]), py::cast<std::string>(tags[i])};
  return JiebaDictionary(entries, total).to_bytes();
}

py::list entries(const Jieba& self) {
  py::list out;
  for (const auto& entry : self.entries()) out.append(py::make_tuple(to_str(entry.word), entry.count, entry.tag));
  return out;
}

py::bytes compile_idf(const py::sequence& words, const std::vector<double>& values, double median) {
  std::vector<std::u32string> texts;
  for (const py::handle word : words) texts.push_back(to_u32(word));
  return JiebaIdf(texts, values, median).to_bytes();
}

void set_stop_words(Jieba& self, const py::iterable& words) {
  JiebaStopWords texts;
  for (const py::handle word : words) texts.add(to_u32(word));
  const py::gil_scoped_release release;
  self.set_stop_words(std::move(texts));
}

// Calls a setter that reads bytes, without the GIL.
template <void (Jieba::*Set)(std::string_view)>
void set_tables(Jieba& self, const py::buffer& bytes) {
  const py::buffer_info info = bytes.request();
  const py::gil_scoped_release release;
  (self.*Set)(view(info));
}

}  // namespace
}  // namespace nlptk

void bind_jieba(py::module_& m) {
  using namespace nlptk;
  m.def("hash_bytes", [](const py::buffer& bytes) { return hash_bytes(view(bytes.request())); }, py::arg("data"));
  m.def("jieba_compile", &compile_dictionary, py::arg("words"), py::arg("counts"), py::arg("tags"), py::arg("total"));
  m.def("jieba_compile_idf", &compile_idf, py::arg("words"), py::arg("values"), py::arg("median"));
  m.def(
      "jieba_is_block",
      [](const py::str& word) {
        const std::u32string text = to_u32(word);
        return std::all_of(text.begin(), text.end(), is_jieba_block);
      },
      py::arg("word"));
  py::class_<Jieba>(m, "Jieba")
      .def(py::init([](const py::buffer& dictionary, const py::buffer& hmm) {
             return std::make_unique<Jieba>(view(dictionary.request()), view(hmm.request()));
           }),
           py::arg("dictionary"), py::arg("hmm"))
      .def("cut", &cut, py::arg("text"), py::arg("mode"), py::arg("hmm"))
      .def("spans", &spans, py::arg("text"), py::arg("mode"), py::arg("hmm"))
      .def("tokens", &tokens, py::arg("texts"), py::arg("hmm"), py::arg("threads") = 0)
      .def(
          "add",
          [](Jieba& self, const py::str& word, std::int64_t count) {
            const std::u32string text = to_u32(word);
            const py::gil_scoped_release release;  // waits for cuts of other threads
            self.add(text, count);
          },
          py::arg("word"), py::arg("count"))
      .def(
          "set_tag",
          [](Jieba& self, const py::str& word, const std::string& tag) {
            const std::u32string text = to_u32(word);
            const py::gil_scoped_release release;
            self.set_tag(text, tag);
          },
          py::arg("word"), py::arg("tag"))
      .def(
          "keep_whole",
          [](Jieba& self, const py::str& word, bool keep) {
            const std::u32string text = to_u32(word);
            const py::gil_scoped_release release;
            self.keep_whole(text, keep);
          },
          py::arg("word"), py::arg("keep"))
      .def("set_total", &Jieba::set_total, py::call_guard<py::gil_scoped_release>(), py::arg("total"))
      .def("count", [](const Jieba& self, const py::str& text) { return self.count(to_u32(text)); }, py::arg("text"))
      .def_property_readonly("total", &Jieba::total)
      .def("entries", &entries)
      .def("posseg", &posseg, py::arg("text"), py::arg("hmm"), py::arg("pair"))
      .def("tagged_tokens", &tagged_tokens, py::arg("texts"), py::arg("hmm"), py::arg("threads") = 0)
      .def("keywords", &keywords, py::arg("text"), py::arg("textrank"), py::arg("hmm"), py::arg("tags"),
           py::arg("most"), py::arg("weights"), py::arg("pair"))
      .def_property_readonly("tag_names", &Jieba::tag_names)
      .def_property_readonly("has_tagger", &Jieba::has_tagger)
      .def_property_readonly("has_idf", &Jieba::has_idf)
      .def("set_tagger", &set_tables<&Jieba::set_tagger>, py::arg("tables"))
      .def("set_idf", &set_tables<&Jieba::set_idf>, py::arg("tables"))
      .def("set_stop_words", &set_stop_words, py::arg("words"));
}
