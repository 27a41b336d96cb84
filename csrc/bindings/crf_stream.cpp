#include "crf_stream.hpp"

#include "bind.hpp"
#include "token_batch.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

double learn(CrfStream& stream, const Array<std::uint32_t>& keys, const Array<std::int64_t>& offsets,
             const Array<std::int32_t>& gold) {
  if (keys.ndim() != 2 || gold.ndim() != 1 || gold.size() != keys.shape(0))
    throw py::value_error("keys must be [units, width] and gold [units]");
  check_offsets(offsets, keys.shape(0), "offsets");
  const py::gil_scoped_release release;
  return stream.learn(keys.data(), static_cast<std::size_t>(keys.shape(1)), offsets.data(),
                      static_cast<std::size_t>(offsets.size() - 1), gold.data());
}

template <class T>
py::array_t<T> copy(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::tuple model(const CrfStream& stream, double prune) {
  CrfStream::Model found;
  {
    const py::gil_scoped_release release;
    found = stream.model(prune);
  }
  return py::make_tuple(copy(found.keys), copy(found.row_starts), copy(found.row_labels), copy(found.parameters));
}

}  // namespace
}  // namespace nlptk

void bind_crf_stream(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<CrfStream>(m, "CrfStream")
      .def(py::init([](unsigned bits, std::size_t min_freq, std::size_t dense_freq, double c2, double rate, int passes,
                       std::uint64_t seed) {
             return CrfStream({bits, min_freq, dense_freq, c2, rate, passes, seed});
           }),
           "bits"_a, py::kw_only(), "min_freq"_a = 1, "dense_freq"_a = 20, "c2"_a = 0.1, "rate"_a = 0.1, "passes"_a = 5,
           "seed"_a = 1)
      .def("grow", &CrfStream::grow, "labels"_a)
      .def("learn", &learn, "keys"_a, "offsets"_a, "gold"_a)
      .def("end_pass", &CrfStream::end_pass, py::call_guard<py::gil_scoped_release>())
      .def("model", &model, "prune"_a = 0.0)
      .def_property_readonly("labels", &CrfStream::labels)
      .def_property_readonly("sequences", &CrfStream::sequences)
      .def_property_readonly("replaced", &CrfStream::replaced);
}
