// Word vectors: numbers to text and back, n-grams of words, the nearest rows.
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <pybind11/stl.h>

#include "bind.hpp"
#include "kernels/coarse_kernel.hpp"
#include "parallel.hpp"
#include "vectors/nearest.hpp"
#include "vectors/subword_rows.hpp"
#include "vectors/text_format.hpp"
#include "vectors/text_parse.hpp"

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
        if (word == kEndOfSentence) continue;
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

py::array_t<float> make_subword_rows(const py::bytes& words, const Array<std::int64_t>& offsets, int min_n, int max_n,
                                     const py::array& buckets, const std::optional<Array<float>>& scales,
                                     const std::optional<Array<float>>& own, bool invert, int threads) {
  const std::string_view bytes = words;
  check_offsets(offsets, bytes.size());
  const bool floats = py::isinstance<py::array_t<float>>(buckets);
  if (buckets.ndim() != 2 || !(buckets.flags() & py::array::c_style) ||
      !(floats || (scales && py::isinstance<py::array_t<std::int8_t>>(buckets) && scales->size() == buckets.shape(0))))
    throw std::invalid_argument("buckets must be [buckets, dim] of float32, or of int8 with a scale for each");
  const py::ssize_t count = offsets.size() - 1, dim = buckets.shape(1);
  if (own && (own->ndim() != 2 || own->shape(0) != count || own->shape(1) != dim))
    throw std::invalid_argument("own rows must be [words, dim]");
  const SubwordSettings settings{min_n, max_n, static_cast<std::uint32_t>(buckets.shape(0))};
  const BucketRows rows{floats ? static_cast<const char*>(buckets.data()) : nullptr,
                        floats ? nullptr : static_cast<const std::int8_t*>(buckets.data()),
                        floats ? nullptr : scales->data()};
  py::array_t<float> out({count, dim});
  float* const to = out.mutable_data();
  {
    const py::gil_scoped_release release;
    subword_rows(bytes.data(), offsets.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(dim), settings,
                 rows, own ? own->data() : nullptr, invert, threads, to);
  }
  return out;
}

// The bytes of an object that has some; nothing may change them meanwhile.
std::string_view bytes_of(const py::buffer_info& info) {
  if (info.ndim != 1 || info.itemsize != 1) throw std::invalid_argument("bytes are needed");
  return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size)};
}

py::object faulty(const TextFault& fault, const py::array& matrix, const py::array& places) {
  if (fault.message.empty()) return py::make_tuple(matrix, places);
  PyObject* const message =  // of a file's bytes, which may be anything
      PyUnicode_DecodeUTF8(fault.message.data(), static_cast<Py_ssize_t>(fault.message.size()), "replace");
  if (message == nullptr) throw py::error_already_set();
  return py::make_tuple(fault.line, py::reinterpret_steal<py::str>(message));
}

py::object parse_vector_text(const py::buffer& data, std::size_t begin, std::optional<std::size_t> rows,
                             std::optional<std::size_t> dim, int threads) {
  const py::buffer_info info = data.request();
  const std::string_view text = bytes_of(info);
  if (begin > text.size()) throw std::invalid_argument("there is nothing at that place");
  std::vector<std::size_t> lines;
  {
    const py::gil_scoped_release release;
    lines = find_lines(text.substr(begin), threads);
    for (std::size_t& line : lines) line += begin;
    const auto blank = [&](std::size_t line) {
      return text.substr(lines[line], lines[line + 1] - lines[line]).find_first_not_of(" \t\r\n") == std::string_view::npos;
    };
    while (lines.size() > 1 && blank(lines.size() - 2)) lines.pop_back();
  }
  const std::size_t count = lines.size() - 1;
  if (rows && *rows != count)
    return py::make_tuple(std::min(*rows, count),
                          "the header counts " + std::to_string(*rows) + " words, but " + std::to_string(count) +
                              " lines follow: the file is cut short or its header is wrong");
  const std::size_t width = dim ? *dim : count > 0 ? count_numbers(text.substr(lines[0], lines[1] - lines[0])) : 0;
  if (count == 0 || width == 0) return py::make_tuple(std::size_t{0}, "there are no vectors");
  if (2 * width > text.size() / count)  // before so much memory is asked for
    return py::make_tuple(std::size_t{0}, "lines are too short for " + std::to_string(width) + " numbers each");
  py::array_t<float> matrix({count, width});
  py::array_t<std::int64_t> places({count, std::size_t{2}});
  float* const to = matrix.mutable_data();
  auto* const place = reinterpret_cast<WordPlace*>(places.mutable_data());
  TextFault fault;
  {
    const py::gil_scoped_release release;
    fault = parse_lines(text, lines, 0, width, threads, to, place);
  }
  return faulty(fault, matrix, places);
}

py::object parse_vector_binary(const py::buffer& data, std::size_t begin, std::size_t rows, std::size_t dim) {
  const py::buffer_info info = data.request();
  const std::string_view bytes = bytes_of(info);
  if (begin > bytes.size()) throw std::invalid_argument("there is nothing at that place");
  if (rows == 0 || dim == 0) return py::make_tuple(std::size_t{0}, "there are no vectors");
  if (dim > bytes.size() / 4 || rows > (bytes.size() - begin) / (4 * dim + 2))
    return py::make_tuple(std::size_t{0}, "the file is too short for the " + std::to_string(rows) + " vectors of " +
                                              std::to_string(dim) + " numbers that its header counts");
  py::array_t<float> matrix({rows, dim});
  py::array_t<std::int64_t> places({rows, std::size_t{2}});
  float* const to = matrix.mutable_data();
  auto* const place = reinterpret_cast<WordPlace*>(places.mutable_data());
  TextFault fault;
  {
    const py::gil_scoped_release release;
    fault = parse_binary(bytes.substr(begin), rows, dim, to, place);
  }
  for (std::size_t i = 0; fault.message.empty() && i < rows; ++i) {
    place[i].begin += static_cast<std::int64_t>(begin);
    place[i].end += static_cast<std::int64_t>(begin);
  }
  return faulty(fault, matrix, places);
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

using Groups = py::array_t<std::uint8_t, py::array::c_style>;

py::tuple make_groups(const py::array& matrix, int threads) {
  const bool is_codes = py::isinstance<Codes>(matrix);
  if (matrix.ndim() != 2 || !(is_codes || py::isinstance<py::array_t<float>>(matrix)))
    throw std::invalid_argument("the matrix must be [rows, dim] of float32 or of int8 in one piece");
  const auto count = static_cast<std::size_t>(matrix.shape(0)), dim = static_cast<std::size_t>(matrix.shape(1));
  Groups groups({coarse_groups(count), coarse_group_bytes(dim)});
  const auto padded = static_cast<py::ssize_t>(coarse_groups(count) * kGroupRows);
  Floats inverse(padded), slack(padded), sizes(matrix.shape(1));
  std::uint8_t* const group = groups.mutable_data();
  float *const inv = inverse.mutable_data(), *const off = slack.mutable_data(), *const size = sizes.mutable_data();
  const FloatRows rows{is_codes ? nullptr : static_cast<const float*>(matrix.data()), count, dim,
                       is_codes ? 0 : row_stride(matrix)};
  const auto* const codes = is_codes ? static_cast<const std::int8_t*>(matrix.data()) : nullptr;
  {
    const py::gil_scoped_release release;
    if (is_codes)
      make_coarse(codes, count, dim, threads, group, inv, off, size);
    else
      make_coarse(rows, threads, group, inv, off, size);
  }
  return py::make_tuple(groups, inverse, slack, sizes);
}

py::tuple nearest(const Codes& codes, const Floats& inverse, const Floats& slack,
                  const std::optional<py::array_t<float>>& exact,
                  const std::optional<std::tuple<Groups, Floats, Floats, Floats>>& coarse, const Floats& terms, std::size_t positives,
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
  CoarseRows some{};
  if (coarse) {
    const auto& [groups, its_inverse, its_slack, sizes] = *coarse;
    const auto padded = static_cast<py::ssize_t>(coarse_groups(rows.count) * kGroupRows);
    if (static_cast<std::size_t>(groups.size()) != coarse_groups(rows.count) * coarse_group_bytes(rows.dim) ||
        its_inverse.size() != padded || its_slack.size() != padded || static_cast<std::size_t>(sizes.size()) != rows.dim)
      throw std::invalid_argument("the groups are not of these rows");
    some = {groups.data(), its_inverse.data(), its_slack.data(), sizes.data()};
    rows.coarse = &some;
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
  m.def("subword_rows", &make_subword_rows, py::arg("words"), py::arg("offsets"), py::arg("min_n"), py::arg("max_n"),
        py::arg("buckets"), py::arg("scales"), py::arg("own"), py::arg("invert") = false, py::arg("threads") = 0);
  m.def("parse_vector_text", &parse_vector_text, py::arg("data"), py::arg("begin"), py::arg("rows"), py::arg("dim"),
        py::arg("threads") = 0);
  m.def("parse_vector_binary", &parse_vector_binary, py::arg("data"), py::arg("begin"), py::arg("rows"), py::arg("dim"));
  m.def("quantize_rows", &quantize, py::arg("matrix"), py::arg("threads") = 0);
  m.def("describe_codes", &describe, py::arg("codes").noconvert(), py::arg("threads") = 0);
  m.def("coarse_rows", &make_groups, py::arg("matrix").noconvert(), py::arg("threads") = 0);
  m.def("nearest_rows", &nearest, py::arg("codes").noconvert(), py::arg("inverse").noconvert(),
        py::arg("slack").noconvert(), py::arg("exact").noconvert(), py::arg("coarse"), py::arg("terms"), py::arg("positives"),
        py::arg("multiply"), py::arg("begin"), py::arg("end"), py::arg("top"), py::arg("threads") = 0);
}
