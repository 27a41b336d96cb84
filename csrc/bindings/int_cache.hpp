// Python ints for token ids, made once: handing out an id is then a reference, not an allocation.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nlptk {

class IntCache {
 public:
  IntCache() = default;
  IntCache(const IntCache&) = delete;
  IntCache& operator=(const IntCache&) = delete;
  ~IntCache() {
    for (PyObject* number : numbers_) Py_XDECREF(number);
  }

  pybind11::list to_list(const std::vector<std::uint32_t>& ids) {
    pybind11::list out(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      PyObject* number = get(ids[i]);
      Py_INCREF(number);
      PyList_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), number);
    }
    return out;
  }

 private:
  PyObject* get(std::uint32_t id) {
    if (id >= numbers_.size()) numbers_.resize(static_cast<std::size_t>(id) + id / 2 + 1024, nullptr);
    if (numbers_[id] == nullptr) {
      numbers_[id] = PyLong_FromUnsignedLong(id);
      if (numbers_[id] == nullptr) throw pybind11::error_already_set();
    }
    return numbers_[id];
  }

  std::vector<PyObject*> numbers_;  // by id, null until it is first asked for
};

}  // namespace nlptk
