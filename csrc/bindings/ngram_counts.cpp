#include "ngram_counts.hpp"

#include <pybind11/stl.h>

#include <mutex>

#include "bind.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

using Columns = std::optional<Array<std::int32_t>>;

// In the bytes that the core has of terms: a lone surrogate has the three that it would have.
std::shared_ptr<TermTable> make_terms(const py::sequence& terms) {
  auto table = std::make_shared<TermTable>();
  const TextBatch batch(terms);
  std::string bytes;
  for (const TextSpan& term : batch.spans()) {
    bytes.clear();
    visit_text(term, [&](const auto* data) {
      for (std::size_t i = 0; i < term.length; ++i) utf8::append(bytes, data[i]);
    });
    table->insert(bytes);
  }
  if (table->size() != batch.spans().size()) throw py::value_error("a term stands there twice");
  return table;
}

py::object to_str(std::string_view bytes) {
  PyObject* const text =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogatepass");
  if (text == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(text);
}

// Python's own characters, for texts of a kind. Each table is made once and stays; the largest takes some ms.
const CharTable& char_table(bool lower, int kind) {
  static std::unique_ptr<const CharTable> tables[2][3];
  std::unique_ptr<const CharTable>& table = tables[lower ? 1 : 0][kind / 2];
  if (table == nullptr)
    table = std::make_unique<const CharTable>(kind == 1 ? 1 << 8 : kind == 2 ? 1 << 16 : 0x110000, [&](std::uint32_t c) {
      const std::uint32_t becomes = lower ? Py_UNICODE_TOLOWER(c) : c;
      return becomes | (Py_UNICODE_ISALNUM(becomes) || becomes == '_' ? CharTable::kWord : 0) |
             (Py_UNICODE_ISSPACE(becomes) ? CharTable::kSpace : 0);
    });
  return *table;
}

// str.lower() of these is not one character, or depends on what stands about: I with a dot, and capital sigma.
bool needs_python_lower(const TextSpan& text) {
  return text.kind > 1 && visit_text(text, [&](const auto* data) {
           return std::any_of(data, data + text.length, [](auto c) { return c == 0x130 || c == 0x3A3; });
         });
}

class Counter {
 public:
  Counter(const NgramRules& rules, const NgramCounter::Terms& stop_words, const NgramCounter::Terms& vocabulary,
          std::uint32_t buckets, bool signs, bool lower, int threads)
      : counter_(rules, stop_words, vocabulary, buckets, signs, threads), lower_(lower) {}

  void add(const py::sequence& texts) {
    const TextBatch batch(texts);
    std::vector<TextSpan> spans = batch.spans();
    std::vector<py::object> lowered;
    int kind = 1;
    for (TextSpan& span : spans) {
      if (lower_ && needs_python_lower(span)) {
        lowered.push_back(texts[static_cast<std::size_t>(&span - spans.data())].attr("lower")());
        span = text_span(lowered.back());
      }
      kind = std::max(kind, span.kind);
    }
    const CharTable& chars = char_table(lower_, kind);
    run([&] { counter_.add(spans, chars); });
  }

  // Documents that are sequences of words.
  void add_words(const py::sequence& documents) {
    std::vector<std::int64_t> offsets{0};
    py::list words;
    for (const py::handle document : documents) {
      for (const py::handle word : document) words.append(word);
      offsets.push_back(static_cast<std::int64_t>(words.size()));
    }
    const TextBatch batch(words);
    run([&] { counter_.add_words(batch.spans(), offsets); });
  }

  py::tuple finish() {
    run([&] { counter_.finish(); });
    return py::make_tuple(to_array(counter_.document_counts()), to_array(counter_.total_counts()));
  }

  // Term -> column.
  py::dict vocabulary(const Columns& columns) const {
    const std::int32_t* const column = checked(columns);
    py::dict out;
    for (std::size_t place = 0; place < counter_.terms(); ++place)
      if (column == nullptr || column[place] >= 0)
        out[to_str(counter_.term(place))] = py::int_(column == nullptr ? static_cast<std::int32_t>(place) : column[place]);
    return out;
  }

  // (values, indices, offsets of rows) of a matrix in compressed rows.
  template <class Value>
  py::tuple matrix(const Columns& columns) {
    const std::int32_t* const column = checked(columns);
    std::vector<std::int64_t> offsets;
    run([&] { offsets = counter_.row_offsets(column); });
    py::array_t<std::int32_t> indices(offsets.back());
    py::array_t<Value> values(offsets.back());
    std::int32_t* const to_indices = indices.mutable_data();
    Value* const to_values = values.mutable_data();
    run([&] { counter_.fill(column, offsets, to_indices, to_values); });
    return py::make_tuple(values, indices, to_array(offsets));
  }

 private:
  // One call at a time, though others of Python run beside it.
  template <class F>
  void run(F&& f) {
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(mutex_);
    f();
  }
  const std::int32_t* checked(const Columns& columns) const {
    if (!columns) return nullptr;
    if (static_cast<std::size_t>(columns->size()) != counter_.terms())
      throw py::value_error("there must be one column for each term");
    return columns->data();
  }
  static py::array_t<std::int64_t> to_array(const std::vector<std::int64_t>& values) {
    return py::array_t<std::int64_t>(static_cast<py::ssize_t>(values.size()), values.data());
  }

  NgramCounter counter_;
  bool lower_;
  std::mutex mutex_;
};

NgramUnit to_unit(const std::string& name) {
  if (name == "word") return NgramUnit::word;
  if (name == "chunk") return NgramUnit::chunk;
  if (name == "char") return NgramUnit::character;
  if (name == "char_wb") return NgramUnit::character_in_word;
  throw py::value_error("unit must be 'word', 'chunk', 'char' or 'char_wb'");
}

}  // namespace
}  // namespace nlptk

void bind_ngram_counts(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<TermTable, std::shared_ptr<TermTable>>(m, "NgramTerms")
      .def(py::init(&make_terms), "terms"_a)
      .def("__len__", &TermTable::size);
  py::class_<Counter>(m, "NgramCounter")
      .def(py::init([](const std::string& unit, std::size_t min_n, std::size_t max_n, std::size_t min_chars, bool lower,
                       const std::shared_ptr<TermTable>& stop_words, const std::shared_ptr<TermTable>& vocabulary,
                       std::uint32_t buckets, bool signs, int threads) {
             return std::make_unique<Counter>(NgramRules{to_unit(unit), min_n, max_n, min_chars}, stop_words, vocabulary,
                                              buckets, signs, lower, threads);
           }),
           "unit"_a, "min_n"_a, "max_n"_a, "min_chars"_a, "lower"_a, "stop_words"_a, "vocabulary"_a.none(true) = py::none(),
           "buckets"_a = 0, "signs"_a = true, "threads"_a = 0)
      .def("add", &Counter::add, "texts"_a)
      .def("add_words", &Counter::add_words, "documents"_a)
      .def("finish", &Counter::finish)
      .def("vocabulary", &Counter::vocabulary, "columns"_a = py::none())
      .def("matrix_f8", &Counter::matrix<double>, "columns"_a = py::none())
      .def("matrix_f4", &Counter::matrix<float>, "columns"_a = py::none())
      .def("matrix_i8", &Counter::matrix<std::int64_t>, "columns"_a = py::none());
}
