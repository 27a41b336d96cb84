// Word vectors: numbers to text and back, n-grams of words, the nearest rows.
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include <pybind11/stl.h>

#include "bind.hpp"
#include "parallel.hpp"
#include "vectors/nearest.hpp"
#include "vectors/subwords.hpp"
#include "vectors/text_format.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

// Offsets into bytes: rising, from 0 to all of them or fewer.
void check_offsets(const Array<std::int64_t>& offsets, std::size_t size) {
  const std::int64_t* o = offsets.data();
  bool good = offsets.ndim() == 1 && offsets.size() > 0 && o[0] >= 0;
  for (py::ssize_t i = 1; good && i < offsets.size(); ++i) good = o[i - 1] <= o[i];
  if (!good || static_cast<std::size_t>(o[offsets.size() - 1]) > size)
    throw std::invalid_argument("offsets must rise and stay within the words");
}

// A matrix of floats whose rows are in one piece, however far apart.
std::size_t row_stride(const py::array_t<float>& matrix) {
  if (matrix.ndim() != 2) throw std::invalid_argument("the matrix must have two dimensions");
  const py::ssize_t item = matrix.itemsize();
  if ((matrix.shape(1) > 1 && matrix.strides(1) != item) || matrix.strides(0) < 0 || matrix.strides(0) % item != 0)
    throw std::invalid_argument("each row of the matrix must be in one piece");
  return static_cast<std::size_t>(matrix.strides(0) / item);
}

void write_vector_rows(const py::function& write, const py::bytes& words, const Array<std::int64_t>& offsets,
                       const py::array_t<float>& matrix, int digits, int threads) {
  const std::string_view bytes = words;
  check_offsets(offsets, bytes.size());
  const std::size_t stride = row_stride(matrix);
  if (offsets.size() != matrix.shape(0) + 1) throw std::invalid_argument("there must be one word for each row");
  const VectorRows rows{bytes.data(), offsets.data(), matrix.data(), static_cast<std::size_t>(matrix.shape(0)),
                        static_cast<std::size_t>(matrix.shape(1)), stride};
  const py::gil_scoped_release release;
  format_rows(rows, digits, threads, [&](std::string_view text) {
    const py::gil_scoped_acquire gil;
    write(py::memoryview::from_memory(text.data(), static_cast<py::ssize_t>(text.size())));
  });
}

py::tuple subword_ids(const py::bytes& words, const Array<std::int64_t>& offsets, int min_n, int max_n,
                      std::size_t buckets, int threads) {
  const std::string_view bytes = words;
  check_offsets(offsets, bytes.size());
  const SubwordSettings settings{min_n, max_n, static_cast<std::uint32_t>(buckets)};
  const auto count = static_cast<std::size_t>(offsets.size() - 1);
  const std::int64_t* const o = offsets.data();
  std::vector<std::vector<std::int32_t>> ids(count);
  {
    const py::gil_scoped_release release;
    parallel_for(count, threads, 4096, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto word = bytes.substr(static_cast<std::size_t>(o[i]), static_cast<std::size_t>(o[i + 1] - o[i]));
        for_each_subword(word, settings, [&](std::uint32_t id) { ids[i].push_back(static_cast<std::int32_t>(id)); });
      }
    });
  }
  py::array_t<std::int64_t> bounds(static_cast<py::ssize_t>(count + 1));
  std::int64_t* const bound = bounds.mutable_data();
  bound[0] = 0;
  for (std::size_t i = 0; i < count; ++i) bound[i + 1] = bound[i] + static_cast<std::int64_t>(ids[i].size());
  py::array_t<std::int32_t> all(static_cast<py::ssize_t>(bound[count]));
  for (std::size_t i = 0; i < count; ++i) std::copy(ids[i].begin(), ids[i].end(), all.mutable_data() + bound[i]);
  return py::make_tuple(all, bounds);
}

using Codes = py::array_t<std::int8_t, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;

py::tuple quantize(const py::array_t<float>& matrix, int threads) {
  const std::size_t stride = row_stride(matrix);
  Codes codes({matrix.shape(0), matrix.shape(1)});
  Floats scales(matrix.shape(0)), inverse(matrix.shape(0)), slack(matrix.shape(0));
  const FloatRows rows{matrix.data(), static_cast<std::size_t>(matrix.shape(0)),
                       static_cast<std::size_t>(matrix.shape(1)), stride};
  std::int8_t* const code = codes.mutable_data();
  float *const scale = scales.mutable_data(), *const inv = inverse.mutable_data(), *const off = slack.mutable_data();
  double loss;
  {
    const py::gil_scoped_release release;
    loss = quantize_rows(rows, threads, code, scale, inv, off);
  }
  return py::make_tuple(codes, scales, inverse, slack, loss);
}

py::tuple describe(const Codes& codes, int threads) {
  if (codes.ndim() != 2) throw std::invalid_argument("codes must be [rows, dim]");
  Floats inverse(codes.shape(0)), slack(codes.shape(0));
  float *const inv = inverse.mutable_data(), *const off = slack.mutable_data();
  {
    const py::gil_scoped_release release;
    describe_codes(codes.data(), static_cast<std::size_t>(codes.shape(0)), static_cast<std::size_t>(codes.shape(1)),
                   threads, inv, off);
  }
  return py::make_tuple(inverse, slack);
}

py::tuple nearest(const Codes& codes, const Floats& inverse, const Floats& slack,
                  const std::optional<py::array_t<float>>& exact, const Floats& terms, std::size_t positives,
                  bool multiply, std::size_t begin, std::size_t end, std::size_t top, int threads) {
  if (codes.ndim() != 2) throw std::invalid_argument("codes must be [rows, dim]");
  if (inverse.ndim() != 1 || slack.ndim() != 1 || inverse.size() != codes.shape(0) || slack.size() != codes.shape(0))
    throw std::invalid_argument("inverse and slack must have one value for each row");
  if (terms.ndim() != 3 || terms.shape(2) != codes.shape(1))
    throw std::invalid_argument("terms must be [queries, terms, dim] with the matrix's dim");
  NearestRows rows{codes.data(), static_cast<std::size_t>(codes.shape(0)), static_cast<std::size_t>(codes.shape(1)),
                   inverse.data(), slack.data(), nullptr, 0};
  if (exact) {
    rows.exact_stride = row_stride(*exact);
    if (exact->shape(0) != codes.shape(0) || exact->shape(1) != codes.shape(1))
      throw std::invalid_argument("codes and rows must have one shape");
    rows.exact = exact->data();
  }
  const auto count = static_cast<std::size_t>(terms.shape(1));
  if (positives > count) throw std::invalid_argument("there are more positives than terms");
  const NearestQueries queries{terms.data(), static_cast<std::size_t>(terms.shape(0)), positives, count - positives,
                               multiply};
  if (begin > end) throw std::invalid_argument("the range of rows is not within the matrix");
  const auto width = static_cast<py::ssize_t>(std::min(top, end - begin));
  py::array_t<std::int64_t> found({terms.shape(0), width});
  Floats scores({terms.shape(0), width});
  std::int64_t* const row = found.mutable_data();
  float* const score = scores.mutable_data();
  {
    const py::gil_scoped_release release;
    nearest_rows(rows, queries, begin, end, top, threads, row, score);
  }
  return py::make_tuple(found, scores);
}

}  // namespace
}  // namespace nlptk

void bind_vectors(py::module_& m) {
  using namespace nlptk;
  m.def("write_vector_rows", &write_vector_rows, py::arg("write"), py::arg("words"), py::arg("offsets"), 
        py::arg("matrix"), py::arg("digits") = 0, py::arg("threads") = 0);
  m.def("subword_ids", &subword_ids, py::arg("words"), py::arg("offsets"), py::arg("min_n"), py::arg("max_n"),
        py::arg("buckets"), py::arg("threads") = 0);
  m.def("quantize_rows", &quantize, py::arg("matrix"), py::arg("threads") = 0);
  m.def("describe_codes", &describe, py::arg("codes").noconvert(), py::arg("threads") = 0);
  m.def("nearest_rows", &nearest, py::arg("codes").noconvert(), py::arg("inverse").noconvert(),
        py::arg("slack").noconvert(), py::arg("exact").noconvert(), py::arg("terms"), py::arg("positives"),
        py::arg("multiply"), py::arg("begin"), py::arg("end"), py::arg("top"), py::arg("threads") = 0);
}
