// Numbers of words out of a Python dictionary, for lists of lists of strings.
#include <cstdint>
#include <vector>

#include "bind.hpp"

namespace py = pybind11;

namespace {

bool is_list(const py::handle& item) { return PyList_CheckExact(item.ptr()) || PyTuple_CheckExact(item.ptr()); }

// Remembers the numbers of string objects by their address while the caller's lists keep them alive: a string that
// occurs again as the same object, as words of tokenizers that share them do, is not looked at a second time.
class SeenObjects {
 public:
  explicit SeenObjects(std::int64_t words) {
    while (shift_ > 64 - kMostBits && words >> (64 - shift_) > 0) --shift_;
    entries_.resize(std::size_t{1} << (64 - shift_));
  }

  struct Entry {
    const PyObject* object = nullptr;
    std::int32_t number = 0;
  };
  Entry& of(const PyObject* object) {
    return entries_[(reinterpret_cast<std::uintptr_t>(object) * 0x9E3779B97F4A7C15u) >> shift_];
  }

 private:
  static constexpr int kMostBits = 13;
  int shift_ = 63;
  std::vector<Entry> entries_;
};

// None where X is not made of lists or tuples of strings only; the caller then says what it is, or goes another way.
py::object word_ids(const py::dict& numbers, const py::object& sentences, std::int32_t unknown) {
  if (!is_list(sentences)) return py::none();
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sentences.ptr());
  PyObject** const rows = PySequence_Fast_ITEMS(sentences.ptr());
  py::array_t<std::int64_t> offsets(count + 1);
  std::int64_t* const bounds = offsets.mutable_data();
  bounds[0] = 0;
  for (Py_ssize_t s = 0; s < count; ++s) {
    if (!is_list(rows[s])) return py::none();
    bounds[s + 1] = bounds[s] + PySequence_Fast_GET_SIZE(rows[s]);
  }
  py::array_t<std::int32_t> ids(bounds[count]);
  std::int32_t* next = ids.mutable_data();
  SeenObjects seen(bounds[count]);
  for (Py_ssize_t s = 0; s < count; ++s) {
    PyObject** const words = PySequence_Fast_ITEMS(rows[s]);
    for (Py_ssize_t t = 0; t < bounds[s + 1] - bounds[s]; ++t) {
      SeenObjects::Entry& entry = seen.of(words[t]);
      if (entry.object == words[t]) {
        *next++ = entry.number;
        continue;
      }
      if (!PyUnicode_CheckExact(words[t])) return py::none();
      PyObject* const number = PyDict_GetItemWithError(numbers.ptr(), words[t]);  // borrowed
      if (number == nullptr && PyErr_Occurred() != nullptr) throw py::error_already_set();
      entry = {words[t], number == nullptr ? unknown : static_cast<std::int32_t>(PyLong_AsLong(number))};
      *next++ = entry.number;
    }
  }
  return py::make_tuple(ids, offsets);
}

}  // namespace

void bind_word_ids(py::module_& m) {
  m.def("word_ids", &word_ids, py::arg("numbers"), py::arg("sentences"), py::arg("unknown"));
}
