// Python's way to Brown clustering.
#include "brown.hpp"

#include <pybind11/functional.h>

#include "bind.hpp"

namespace py = pybind11;

namespace {

std::function<void(std::size_t)> with_gil(const py::object& callback) {
  if (callback.is_none()) return {};
  return [&callback](std::size_t done) {
    const py::gil_scoped_acquire gil;
    callback(done);
  };
}

py::tuple brown_clusters(const nlptk::Corpus& corpus, const nlptk::Vocabulary& vocabulary, std::size_t clusters,
                         const py::object& read, const py::object& clustered) {
  const auto read_hook = with_gil(read);
  const auto clustered_hook = with_gil(clustered);
  nlptk::BrownTree tree;
  {
    const py::gil_scoped_release release;
    tree = nlptk::brown_clusters(nlptk::count_bigrams(corpus, vocabulary, read_hook), vocabulary.counts(), clusters,
                                 clustered_hook);
  }
  py::array_t<std::int32_t> of_words(static_cast<py::ssize_t>(tree.clusters.size()), tree.clusters.data());
  py::array_t<std::int32_t> merges({static_cast<py::ssize_t>(tree.merges.size()), py::ssize_t{2}});
  for (std::size_t k = 0; k < tree.merges.size(); ++k) {
    merges.mutable_at(k, 0) = tree.merges[k].first;
    merges.mutable_at(k, 1) = tree.merges[k].second;
  }
  return py::make_tuple(of_words, merges);
}

}  // namespace

void bind_brown(py::module_& m) {
  m.def("brown_clusters", &brown_clusters, py::arg("corpus"), py::arg("vocabulary"), py::arg("clusters"),
        py::arg("read") = py::none(), py::arg("clustered") = py::none());
}
