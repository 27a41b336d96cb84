// Features as CRFsuite's users write them (dicts and lists of strings), read straight from Python's objects.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include "attributes.hpp"
#include "bind.hpp"
#include "py_text.hpp"
#include "token_batch.hpp"
#include "utf8.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

constexpr int kDeepest = 50;  // dicts in dicts
constexpr std::size_t kItemsPerPoll = 4096;

// An array that takes the vector's memory over.
template <class T>
py::array_t<T> to_array(std::vector<T>&& values) {
  auto* kept = new std::vector<T>(std::move(values));
  const py::capsule owner(kept, [](void* memory) { delete static_cast<std::vector<T>*>(memory); });
  return py::array_t<T>(static_cast<py::ssize_t>(kept->size()), kept->data(), owner);
}

// "3 (int)": what stands where something else should.
std::string describe(PyObject* object) {
  std::string shown = py::repr(object).cast<py::str>().attr("encode")("utf-8", "backslashreplace").cast<std::string>();
  if (shown.size() > 60) shown = "a value";
  return shown + " (" + Py_TYPE(object)->tp_name + ")";
}

void append_text(std::string& out, PyObject* text) {
  const TextSpan span = text_span(text);
  if (PyUnicode_IS_ASCII(text)) {
    out.append(static_cast<const char*>(span.data), span.length);
    return;
  }
  // Lone surrogates become three bytes, as "surrogatepass" has it, so no two strings become one.
  visit_text(span, [&](const auto* data) {
    for (std::size_t i = 0; i < span.length; ++i) utf8::append(out, data[i]);
  });
}

bool is_text(PyObject* object) { return PyUnicode_Check(object) || PyBytes_Check(object); }
bool is_list(PyObject* object) { return PyList_Check(object) || PyTuple_Check(object); }

void append_name(std::string& out, PyObject* text) {
  if (PyUnicode_Check(text))
    append_text(out, text);
  else
    out.append(PyBytes_AS_STRING(text), static_cast<std::size_t>(PyBytes_GET_SIZE(text)));
}

// The names and values of one item's features, with CRFsuite's meaning of dicts.
class ItemReader {
 public:
  NameList names;
  std::vector<float> values;  // beside names

  // `where` is called for messages only.
  template <class Where>
  void read(PyObject* item, const Where& where) {
    names.clear();
    values.clear();
    prefix_.clear();
    try {
      read_item(item);
    } catch (const Problem& problem) {
      throw py::value_error(problem.before + where() + problem.after);
    }
  }

 private:
  struct Problem {
    std::string before, after;
  };

  void read_item(PyObject* item) {
    if (is_text(item)) throw Problem{"", " is the string " + describe(item) + "; give a dict or a list of strings"};
    if (PyDict_Check(item) || is_list(item) || PyAnySet_Check(item)) return read_group(item, 0);
    if (PyObject_HasAttrString(item, "keys") != 0) {  // a mapping of another kind
      PyObject* const made = PyObject_CallFunctionObjArgs(reinterpret_cast<PyObject*>(&PyDict_Type), item, nullptr);
      if (made == nullptr) throw py::error_already_set();
      return read_group(py::reinterpret_steal<py::object>(made).ptr(), 0);
    }
    PyObject* const made = PySequence_List(item);
    if (made == nullptr) {
      clear_type_error();
      throw Problem{"", " is " + describe(item) + "; give a dict or a list of strings"};
    }
    read_group(py::reinterpret_steal<py::object>(made).ptr(), 0);
  }

  // Objects are held while they are read: a user's __float__ may change the container.
  void read_group(PyObject* group, int depth) {
    if (depth > kDeepest) throw Problem{"the dicts of ", " stand in one another too deep; give at most 50"};
    if (PyDict_Check(group)) {
      PyObject *key = nullptr, *value = nullptr;
      for (Py_ssize_t at = 0; PyDict_Next(group, &at, &key, &value) != 0;) {
        const auto held_key = py::reinterpret_borrow<py::object>(key);
        const auto held_value = py::reinterpret_borrow<py::object>(value);
        read_pair(key, value, depth);
      }
    } else if (is_list(group)) {
      for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(group); ++i) {
        const auto held = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(group, i));
        add(held.ptr(), 1.0F);
      }
    } else {
      read_set(group);
    }
  }

  // In the order of their bytes: a set's own order changes from one run to the next.
  void read_set(PyObject* set) {
    std::vector<std::string> sorted;
    for (const py::handle element : py::reinterpret_borrow<py::object>(set)) {
      check_name(element.ptr());
      append_name(sorted.emplace_back(), element.ptr());
    }
    std::sort(sorted.begin(), sorted.end());
    for (const std::string& name : sorted) {
      names.text.append(prefix_).append(name);
      finish(1.0F);
    }
  }

  void read_pair(PyObject* key, PyObject* value, int depth) {
    check_name(key);
    if (PyUnicode_Check(value) || PyBytes_Check(value)) {
      names.text.append(prefix_);
      append_name(names.text, key);
      names.text.push_back(':');
      append_name(names.text, value);
      finish(1.0F);
    } else if (PyDict_Check(value) || is_list(value) || PyAnySet_Check(value)) {
      const std::size_t before = prefix_.size();
      append_name(prefix_, key);
      prefix_.push_back(':');
      read_group(value, depth + 1);
      prefix_.resize(before);
    } else {
      add(key, to_number(key, value));
    }
  }

  void add(PyObject* name, float value) {
    check_name(name);
    names.text.append(prefix_);
    append_name(names.text, name);
    finish(value);
  }

  void finish(float value) {
    names.ends.push_back(names.text.size());
    values.push_back(value);
  }

  void check_name(PyObject* name) const {
    if (!is_text(name)) throw Problem{"a feature of ", " is named " + describe(name) + "; give a string"};
  }

  float to_number(PyObject* key, PyObject* value) {
    if (value == Py_True) return 1.0F;
    const double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred() != nullptr) {
      clear_type_error();
      throw Problem{"feature " + shown(key) + " of ", " has the value " + describe(value) +
                                                          "; give a number, a string, a list or a dict"};
    }
    if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max())))
      throw Problem{"feature " + shown(key) + " of ",
                    " has the value " + describe(value) + "; give a finite number below 3.4e38"};
    return static_cast<float>(number);
  }

  std::string shown(PyObject* key) const {
    std::string name = prefix_;
    append_name(name, key);
    const std::size_t found = utf8::find_invalid(name.data(), name.size());
    return "'" + name.substr(0, found) + "'";
  }

  // Errors of the user's own, Ctrl-C among them, go on their way.
  static void clear_type_error() {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0 && PyErr_ExceptionMatches(PyExc_ValueError) == 0 &&
        PyErr_ExceptionMatches(PyExc_OverflowError) == 0)
      throw py::error_already_set();
    PyErr_Clear();
  }

  std::string prefix_;  // of the dicts that are open: "outer:inner:"
};

// An iterator over the elements, which may be made as they are asked for; ValueError if `object` is no collection.
py::object iterator(const py::object& object, const std::string& name, const char* of) {
  PyObject* made = is_text(object.ptr()) || PyDict_Check(object.ptr()) ? nullptr : PyObject_GetIter(object.ptr());
  if (made == nullptr) {
    if (PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw py::value_error(name + " is " + describe(object.ptr()) + "; give a list of " + of);
  }
  return py::reinterpret_steal<py::object>(made);
}

// A list or tuple of the elements. Errors as iterator().
py::object elements(const py::object& object, const std::string& name, const char* of) {
  if (is_list(object.ptr())) return object;
  PyObject* const made = PySequence_List(iterator(object, name, of).ptr());
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

// (offsets, starts, ids, values) of sentences; values are None where all are 1.
py::tuple encode(AttributeTable& table, const py::object& sentences, bool grow, const std::string& what,
                 std::size_t first) {
  const py::object each = iterator(sentences, what, "sentences, each a list of dicts or of lists of strings");
  std::vector<std::int64_t> offsets{0}, starts{0};
  std::vector<std::uint32_t> ids, found;
  std::vector<float> values;
  bool weighted = false;
  ItemReader reader;
  std::size_t since_poll = 0;  // sentences and items
  const auto poll = [&since_poll] {
    if (++since_poll < kItemsPerPoll) return;
    since_poll = 0;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  };
  for (std::size_t s = 0;; ++s) {
    poll();
    const auto sentence = py::reinterpret_steal<py::object>(PyIter_Next(each.ptr()));
    if (!sentence) {
      if (PyErr_Occurred() != nullptr) throw py::error_already_set();
      break;
    }
    const auto place = [&] { return "sentence " + std::to_string(first + s) + " of " + what; };
    const py::object items = is_list(sentence.ptr()) ? sentence : elements(sentence, place(), "dicts or of lists of strings");
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i) {
      const auto item = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(items.ptr(), i));
      poll();
      reader.read(item.ptr(), [&] { return "item " + std::to_string(i) + " of " + place(); });
      found.resize(reader.names.size());
      if (grow)
        table.intern(reader.names, found.data());
      else
        table.find(reader.names, found.data());
      for (std::size_t f = 0; f < found.size(); ++f) {
        if (found[f] == AttributeTable::kNone) continue;
        if (!weighted && reader.values[f] != 1.0F) {
          weighted = true;
          values.assign(ids.size(), 1.0F);
        }
        if (weighted) values.push_back(reader.values[f]);
        ids.push_back(found[f]);
      }
      starts.push_back(static_cast<std::int64_t>(ids.size()));
    }
    offsets.push_back(static_cast<std::int64_t>(starts.size()) - 1);
  }
  py::object numbers = py::none();
  if (weighted) numbers = to_array(std::move(values));
  return py::make_tuple(to_array(std::move(offsets)), to_array(std::move(starts)), to_array(std::move(ids)), numbers);
}

AttributeTable from_arrays(const Array<std::uint8_t>& bytes, const Array<std::int64_t>& offsets) {
  check_offsets(offsets, bytes.size(), "the attributes' offsets");
  return {reinterpret_cast<const char*>(bytes.data()), offsets.data(), static_cast<std::size_t>(offsets.size() - 1)};
}

py::tuple arrays(const AttributeTable& table) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> offsets{0};
  for (std::uint32_t id = 0; id < table.size(); ++id) {
    const std::string_view name = table.name(id);
    bytes.insert(bytes.end(), name.begin(), name.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  return py::make_tuple(to_array(std::move(bytes)), to_array(std::move(offsets)));
}

AttributeTable select_names(const AttributeTable& table, const Array<std::uint32_t>& ids) {
  for (py::ssize_t i = 0; i < ids.size(); ++i)
    if (ids.data()[i] >= table.size()) throw py::value_error("ids must be below " + std::to_string(table.size()));
  return table.select(ids.data(), static_cast<std::size_t>(ids.size()));
}

AttributeWeights make_weights(const Array<std::uint32_t>& row_starts, const Array<std::uint16_t>& row_labels,
                              const Array<float>& weights, std::size_t labels) {
  if (row_starts.ndim() != 1 || row_starts.size() < 1) throw py::value_error("row_starts must be [attributes + 1]");
  if (row_labels.size() != weights.size()) throw py::value_error("row_labels and weights must be parallel");
  return {row_starts.data(), static_cast<std::size_t>(row_starts.size() - 1), row_labels.data(), weights.data(),
          static_cast<std::size_t>(weights.size()), labels};
}

py::array_t<float> emissions(const AttributeWeights& model, const Array<std::int64_t>& starts,
                             const Array<std::uint32_t>& ids, const std::optional<Array<float>>& values, int threads) {
  check_offsets(starts, ids.size(), "starts");
  if (values && values->size() != ids.size()) throw py::value_error("ids and values must be parallel");
  for (py::ssize_t i = 0; i < ids.size(); ++i)
    if (ids.data()[i] >= model.attributes())
      throw py::value_error("ids must be below " + std::to_string(model.attributes()));
  const auto units = static_cast<std::size_t>(starts.size() - 1);
  py::array_t<float> scores({static_cast<py::ssize_t>(units), static_cast<py::ssize_t>(model.labels())});
  float* const out = scores.mutable_data();
  const float* const given = values ? values->data() : nullptr;
  {
    const py::gil_scoped_release release;
    model.emissions(starts.data(), units, ids.data(), given, threads, out);
  }
  return scores;
}

}  // namespace
}  // namespace nlptk

void bind_attributes(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<AttributeTable>(m, "AttributeTable")
      .def(py::init<>())
      .def_static("from_arrays", &from_arrays, "bytes"_a, "offsets"_a)
      .def("__len__", &AttributeTable::size)
      .def("encode", &encode, "sentences"_a, "grow"_a = false, "what"_a = "X", "first"_a = 0)
      .def("arrays", &arrays)
      .def("select", &select_names, "ids"_a);
  py::class_<AttributeWeights>(m, "AttributeWeights")
      .def(py::init(&make_weights), "row_starts"_a, "row_labels"_a, "weights"_a, "labels"_a)
      .def("emissions", &emissions, "starts"_a, "ids"_a, "values"_a, "threads"_a = 0);
}
