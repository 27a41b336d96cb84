// Files of word vectors: numbers to text and back.
#include <stdexcept>

#include "bind.hpp"
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

}  // namespace
}  // namespace nlptk

void bind_vectors(py::module_& m) {
  using namespace nlptk;
  m.def("write_vector_rows", &write_vector_rows, py::arg("write"), py::arg("words"), py::arg("offsets"), 
        py::arg("matrix"), py::arg("digits") = 0, py::arg("threads") = 0);
}
