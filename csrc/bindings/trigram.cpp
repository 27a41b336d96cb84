#include "trigram.hpp"

#include <stdexcept>
#include <string>

#include "bind.hpp"

namespace py = pybind11;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

// Offsets must rise from 0 to `total`; the step says how far apart two of them must be at least.
void check_offsets(const Array<std::int64_t>& offsets, std::int64_t total, std::int64_t step, const char* name) {
  if (offsets.ndim() != 1 || offsets.shape(0) < 1) throw std::invalid_argument(std::string(name) + " must be [n + 1]");
  const std::int64_t* o = offsets.data();
  const py::ssize_t n = offsets.shape(0) - 1;
  bool good = o[0] == 0 && o[n] == total;
  for (py::ssize_t i = 0; good && i < n; ++i) good = o[i + 1] - o[i] >= step;
  if (!good) throw std::invalid_argument(std::string(name) + " must rise from 0 to the size of what they divide");
}

py::tuple trigram_viterbi(const Array<float>& transitions, const Array<std::int64_t>& candidate_offsets,
                          const Array<std::int32_t>& candidate_states, const Array<float>& candidate_scores,
                          const Array<std::int64_t>& offsets, int threads) {
  if (transitions.ndim() != 3 || transitions.shape(0) < 1 || transitions.shape(0) != transitions.shape(1) ||
      transitions.shape(0) != transitions.shape(2))
    throw std::invalid_argument("transitions must be [states, states, states]");
  if (candidate_states.ndim() != 1 || candidate_scores.ndim() != 1 ||
      candidate_states.shape(0) != candidate_scores.shape(0))
    throw std::invalid_argument("candidate_states and candidate_scores must be of one length");
  check_offsets(candidate_offsets, candidate_states.shape(0), 1, "candidate_offsets");
  const py::ssize_t tokens = candidate_offsets.shape(0) - 1;
  check_offsets(offsets, tokens, 0, "offsets");
  const std::int32_t* state = candidate_states.data();
  for (py::ssize_t c = 0; c < candidate_states.shape(0); ++c)
    if (state[c] < 0 || state[c] >= transitions.shape(0) - 1)
      throw std::invalid_argument("candidate_states must be below the boundary state");

  const nlptk::TrigramScores model{static_cast<std::size_t>(transitions.shape(0)), transitions.data()};
  const nlptk::Candidates candidates{candidate_offsets.data(), candidate_states.data(), candidate_scores.data()};
  const auto sequences = static_cast<std::size_t>(offsets.shape(0) - 1);
  py::array_t<std::int32_t> path(tokens);
  py::array_t<float> scores(static_cast<py::ssize_t>(sequences));
  std::int32_t* path_data = path.mutable_data();
  float* score_data = scores.mutable_data();
  const std::int64_t* offset_data = offsets.data();
  {
    const py::gil_scoped_release release;
    nlptk::trigram_viterbi_batch(model, candidates, offset_data, sequences, threads, path_data, score_data);
  }
  return py::make_tuple(path, scores);
}

}  // namespace

void bind_trigram(py::module_& m) {
  m.def("trigram_viterbi", &trigram_viterbi, py::arg("transitions"), py::arg("candidate_offsets"),
        py::arg("candidate_states"), py::arg("candidate_scores"), py::arg("offsets"), py::arg("threads") = 0);
}
