// Python's way to the E-step of Baum-Welch and to Viterbi over words: checks every array, releases the GIL, calls.
#include "baum_welch.hpp"

#include <stdexcept>
#include <string>

#include "bind.hpp"
#include "chain.hpp"

namespace py = pybind11;

namespace {

using nlptk::Array;

void check_probabilities(const Array<double>& table, const char* name) {
  for (py::ssize_t i = 0; i < table.size(); ++i)
    if (!(table.data()[i] >= 0.0 && table.data()[i] <= 1.000001))
      throw std::invalid_argument(std::string(name) + " must hold probabilities; the number at position " +
                                  std::to_string(i) + " is none");
}

void check_sequences(const Array<std::int32_t>& words, const Array<std::int64_t>& offsets, py::ssize_t vocabulary) {
  const std::int64_t* o = offsets.data();
  const py::ssize_t last = offsets.size() - 1;
  bool good = words.ndim() == 1 && offsets.ndim() == 1 && last >= 0 && o[0] == 0 && o[last] == words.size();
  for (py::ssize_t s = 0; good && s < last; ++s) good = o[s] <= o[s + 1];
  if (!good) throw std::invalid_argument("offsets must rise from 0 to the number of words");
  for (py::ssize_t t = 0; t < words.size(); ++t)
    if (words.data()[t] < 0 || words.data()[t] > vocabulary)
      throw std::invalid_argument("word " + std::to_string(t) + " is not between 0 and " + std::to_string(vocabulary));
}

py::tuple hmm_expected_counts(const Array<double>& start, const Array<double>& transitions,
                              const Array<double>& emission, const Array<std::int32_t>& words,
                              const Array<std::int64_t>& offsets, int threads) {
  const py::ssize_t n = start.size();
  if (start.ndim() != 1 || n == 0 || transitions.ndim() != 2 || transitions.shape(0) != n ||
      transitions.shape(1) != n || emission.ndim() != 2 || emission.shape(0) != n)
    throw std::invalid_argument("start, transitions and emission must be [states], [states, states], [states, words]");
  check_probabilities(start, "start");
  check_probabilities(transitions, "transitions");
  check_probabilities(emission, "emission");
  check_sequences(words, offsets, emission.shape(1));

  py::array_t<double> starts(n), steps({n, n}), emitted({emission.shape(1), n}), log_likelihoods(offsets.size() - 1);
  const nlptk::HmmParameters parameters{static_cast<std::size_t>(n), static_cast<std::size_t>(emission.shape(1)),
                                        start.data(), transitions.data(), emission.data()};
  const nlptk::HmmCounts counts{starts.mutable_data(), steps.mutable_data(), emitted.mutable_data()};
  double* totals = log_likelihoods.mutable_data();
  {
    const py::gil_scoped_release release;
    nlptk::hmm_expected_counts(parameters, words.data(), offsets.data(), static_cast<std::size_t>(offsets.size() - 1),
                               threads, counts, totals);
  }
  return py::make_tuple(log_likelihoods, starts, steps, emitted);
}

void check_scores(const Array<float>& scores, const char* name) {
  const auto size = static_cast<std::size_t>(scores.size());
  const std::size_t bad = nlptk::first_unusable(scores.data(), size);
  if (bad < size)
    throw std::invalid_argument(std::string(name) + " must hold finite scores or -inf; the number at position " +
                                std::to_string(bad) + " is neither");
}

py::array_t<std::int32_t> hmm_viterbi(const Array<float>& start, const Array<float>& transitions,
                                      const Array<float>& emission, const Array<std::int32_t>& words,
                                      const Array<std::int64_t>& offsets, int threads) {
  const py::ssize_t n = start.size();
  if (start.ndim() != 1 || n == 0 || transitions.ndim() != 2 || transitions.shape(0) != n ||
      transitions.shape(1) != n || emission.ndim() != 2 || emission.shape(0) == 0 || emission.shape(1) != n)
    throw std::invalid_argument("start, transitions and emission must be [states], [states, states], [words, states]");
  check_scores(start, "start");
  check_scores(transitions, "transitions");
  check_scores(emission, "emission");
  check_sequences(words, offsets, emission.shape(0) - 1);

  py::array_t<std::int32_t> path(words.size());
  std::int32_t* states = path.mutable_data();
  {
    const py::gil_scoped_release release;
    const nlptk::Chain chain({static_cast<std::size_t>(n), transitions.data(), start.data(), nullptr});
    nlptk::viterbi_words(chain, emission.data(), words.data(), offsets.data(),
                         static_cast<std::size_t>(offsets.size() - 1), threads, states);
  }
  return path;
}

}  // namespace

void bind_baum_welch(py::module_& m) {
  m.def("hmm_expected_counts", &hmm_expected_counts, py::arg("start"), py::arg("transitions"), py::arg("emission"),
        py::arg("words"), py::arg("offsets"), py::arg("threads") = 0);
  m.def("hmm_viterbi", &hmm_viterbi, py::arg("start"), py::arg("transitions"), py::arg("emission"), py::arg("words"),
        py::arg("offsets"), py::arg("threads") = 0);
}
