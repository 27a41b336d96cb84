#include "linear_svm.hpp"

#include "bind.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

template <class T>
std::span<const T> span_of(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// (weights [problems, width + 1], passes of each) of problems over the same rows: labels and costs [problems, rows].
py::tuple fit(const Array<std::int32_t>& offsets, const Array<std::int32_t>& columns, const Array<double>& values,
              std::size_t width, const Array<std::int8_t>& labels, const Array<double>& costs, bool squared, double bias,
              double tolerance, int most_passes, std::uint64_t seed, int threads) {
  if (labels.ndim() != 2 || costs.ndim() != 2 || labels.shape(0) != costs.shape(0) || labels.shape(1) != costs.shape(1))
    throw py::value_error("labels and costs must be [problems, rows]");
  const auto problems = static_cast<std::size_t>(labels.shape(0)), count = static_cast<std::size_t>(labels.shape(1));
  py::array_t<double> weights({problems, width + 1});
  py::array_t<int> passes(labels.shape(0));
  double* const to = weights.mutable_data();
  int* const made = passes.mutable_data();
  {
    const py::gil_scoped_release release;
    const SparseRows rows(span_of(offsets), span_of(columns), span_of(values), width);
    parallel_for(problems, threads, 1, [&](std::size_t p, std::size_t, int) {
      made[p] = fit_linear_svm(rows, span_of(labels).subspan(p * count, count), span_of(costs).subspan(p * count, count),
                               {squared, bias, tolerance, most_passes, seed + p}, {to + p * (width + 1), width + 1});
    });
  }
  return py::make_tuple(weights, passes);
}

}  // namespace
}  // namespace nlptk

void bind_linear_svm(py::module_& m) {
  using namespace py::literals;
  m.def("fit_linear_svm", &nlptk::fit, "offsets"_a, "columns"_a, "values"_a, "width"_a, "labels"_a, "costs"_a, "squared"_a,
        "bias"_a, "tolerance"_a, "most_passes"_a, "seed"_a, "threads"_a = 0);
}
