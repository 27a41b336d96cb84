// Python's way to the second-order decoder: checks every array, releases the GIL, calls.
#include "trigram.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "bind.hpp"

namespace py = pybind11;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

// Offsets rise from 0 to `total` in steps of at least `step`.
void check_offsets(const Array<std::int64_t>& offsets, std::int64_t total, std::int64_t step, const char* name) {
  const std::int64_t* o = offsets.data();
  const py::ssize_t last = offsets.size() - 1;
  bool good = offsets.ndim() == 1 && last >= 0 && o[0] == 0 && o[last] == total;
  for (py::ssize_t i = 0; good && i < last; ++i) good = o[i + 1] - o[i] >= step;
  if (!good)
    throw std::invalid_argument(std::string(name) + " must rise from 0 to " + std::to_string(total) +
                                (step > 0 ? " with no two of them equal" : ""));
}

void check_scores(const Array<float>& scores, const char* name) {
  for (py::ssize_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores.data()[i]) || (std::isinf(scores.data()[i]) && scores.data()[i] > 0))
      throw std::invalid_argument(std::string(name) + " holds NaN or +inf at position " + std::to_string(i));
}

class TrigramModel {
 public:
  TrigramModel(Array<float> transitions, Array<std::int32_t> contexts)
      : transitions_(std::move(transitions)), contexts_(std::move(contexts)) {
    if (contexts_.ndim() != 1 || contexts_.size() < 2)
      throw std::invalid_argument("contexts must have one entry for each state and one for the boundary");
    if (transitions_.ndim() != 3 || transitions_.shape(1) != contexts_.size() ||
        transitions_.shape(2) != contexts_.size())
      throw std::invalid_argument("transitions must be [classes, states, states] with the states of contexts");
    for (py::ssize_t s = 0; s < contexts_.size(); ++s)
      if (contexts_.data()[s] < 0 || contexts_.data()[s] >= transitions_.shape(0))
        throw std::invalid_argument("contexts must be rows of transitions, state " + std::to_string(s) + " is not");
    check_scores(transitions_, "transitions");
  }

  py::tuple viterbi(const Array<std::int64_t>& candidate_offsets, const Array<std::int32_t>& states,
                    const Array<float>& scores, const Array<std::int64_t>& offsets, int threads) const {
    if (states.ndim() != 1 || scores.ndim() != 1 || states.size() != scores.size())
      throw std::invalid_argument("candidate states and scores must be two arrays of one length");
    check_offsets(candidate_offsets, states.size(), 1, "candidate_offsets");
    const py::ssize_t tokens = candidate_offsets.size() - 1;
    check_offsets(offsets, tokens, 0, "offsets");
    check_scores(scores, "candidate scores");
    for (py::ssize_t c = 0; c < states.size(); ++c)
      if (states.data()[c] < 0 || states.data()[c] >= contexts_.size() - 1)
        throw std::invalid_argument("candidate " + std::to_string(c) + " is not a state");

    const nlptk::TrigramScores model{static_cast<std::size_t>(contexts_.size()), contexts_.data(),
                                     transitions_.data()};
    const nlptk::Candidates candidates{candidate_offsets.data(), states.data(), scores.data()};
    const auto sequences = static_cast<std::size_t>(offsets.size() - 1);
    py::array_t<std::int32_t> paths(tokens);
    py::array_t<float> totals(static_cast<py::ssize_t>(sequences));
    std::int32_t* path = paths.mutable_data();
    float* total = totals.mutable_data();
    const std::int64_t* bounds = offsets.data();
    {
      const py::gil_scoped_release release;
      nlptk::trigram_viterbi_batch(model, candidates, bounds, sequences, threads, path, total);
    }
    return py::make_tuple(paths, totals);
  }

 private:
  Array<float> transitions_;
  Array<std::int32_t> contexts_;
};

}  // namespace

void bind_trigram(py::module_& m) {
  py::class_<TrigramModel>(m, "TrigramModel")
      .def(py::init<Array<float>, Array<std::int32_t>>(), py::arg("transitions"), py::arg("contexts"))
      .def("viterbi", &TrigramModel::viterbi, py::arg("candidate_offsets"), py::arg("candidate_states"),
           py::arg("candidate_scores"), py::arg("offsets"), py::arg("threads") = 0);
}
