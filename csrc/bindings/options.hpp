// Settings that Python gives as a dict.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <utility>

namespace nlptk {

class Options {
 public:
  explicit Options(const pybind11::dict& values) : values_(values) {}

  bool has(const char* name) const { return values_.contains(name); }
  // The setting of that name, or `otherwise`; py::cast_error for one of another type.
  template <class T>
  T get(const char* name, T otherwise = {}) const {
    return has(name) ? values_[name].cast<T>() : std::move(otherwise);
  }

 private:
  const pybind11::dict& values_;
};

}  // namespace nlptk
