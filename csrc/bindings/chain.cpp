// Python's way to the linear-chain kernel: checks every array, releases the GIL, calls.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "bind.hpp"
#include "chain.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Offsets = py::array_t<std::int64_t, py::array::c_style>;

[[noreturn]] void reject(float score, const std::string& where) {
  const std::string what = std::isnan(score)    ? "NaN"
                           : std::isinf(score) ? "+inf"
                                               : "the score " + std::to_string(score);
  throw py::value_error(where + " holds " + what +
                        "; a score must be a number between -1e30 and 1e30, or -inf to forbid");
}

// Everything a call needs, checked.
struct Call {
  Floats emissions;
  Offsets offsets;
  Floats transitions;
  Floats start;
  Floats end;
  nlptk::ChainScores scores;
  std::size_t positions = 0;
  std::size_t sequences = 0;
  std::size_t labels = 0;

  std::size_t first(std::size_t s) const { return static_cast<std::size_t>(offsets.data()[s]); }
  std::size_t length(std::size_t s) const { return first(s + 1) - first(s); }
};

template <class T>
py::array_t<T, py::array::c_style> take(const py::object& given, const char* name, py::ssize_t dimensions) {
  using Array = py::array_t<T, py::array::c_style>;
  if (!Array::check_(given))
    throw py::type_error(std::string(name) + " must be a C-contiguous NumPy array of " +
                         std::string(py::str(py::dtype::of<T>())));
  auto array = py::reinterpret_borrow<Array>(given);
  if (array.ndim() != dimensions)
    throw py::value_error(std::string(name) + " must have " + std::to_string(dimensions) + " dimension" +
                          (dimensions == 1 ? "" : "s") + ", not " + std::to_string(array.ndim()));
  return array;
}

Floats take_edge(const py::object& given, const char* name, std::size_t labels) {
  if (given.is_none()) return Floats();
  Floats edge = take<float>(given, name, 1);
  if (static_cast<std::size_t>(edge.size()) != labels)
    throw py::value_error(std::string(name) + " must have one score for each of the " + std::to_string(labels) +
                          " labels, not " + std::to_string(edge.size()));
  const std::size_t bad = nlptk::first_unusable(edge.data(), labels);
  if (bad < labels) reject(edge.data()[bad], std::string(name) + " at label " + std::to_string(bad));
  return edge;
}

void check_offsets(const Call& call) {
  const std::int64_t* offsets = call.offsets.data();
  if (call.offsets.size() < 1 || offsets[0] != 0)
    throw py::value_error("offsets must begin with 0");
  for (std::size_t s = 0; s < call.sequences; ++s)
    if (offsets[s + 1] < offsets[s])
      throw py::value_error("offsets must not fall, but do at sequence " + std::to_string(s) + ": " +
                            std::to_string(offsets[s]) + " to " + std::to_string(offsets[s + 1]));
  if (offsets[call.sequences] != static_cast<std::int64_t>(call.positions))
    throw py::value_error("offsets must end with the number of emission rows, " + std::to_string(call.positions) +
                          ", not " + std::to_string(offsets[call.sequences]));
}

Call check(const py::object& emissions, const py::object& offsets, const py::object& transitions,
           const py::object& start, const py::object& end) {
  Call call;
  call.emissions = take<float>(emissions, "emissions", 2);
  call.offsets = take<std::int64_t>(offsets, "offsets", 1);
  call.transitions = take<float>(transitions, "transitions", 2);
  call.positions = static_cast<std::size_t>(call.emissions.shape(0));
  call.labels = static_cast<std::size_t>(call.emissions.shape(1));
  if (call.labels == 0) throw py::value_error("emissions must have at least one label (column)");
  if (call.transitions.shape(0) != call.emissions.shape(1) ||
      call.transitions.shape(1) != call.emissions.shape(1))
    throw py::value_error("transitions must be [" + std::to_string(call.labels) + ", " +
                          std::to_string(call.labels) + "] to match emissions, not [" +
                          std::to_string(call.transitions.shape(0)) + ", " +
                          std::to_string(call.transitions.shape(1)) + "]");
  call.sequences = static_cast<std::size_t>(std::max<py::ssize_t>(call.offsets.size(), 1) - 1);
  check_offsets(call);
  call.start = take_edge(start, "start", call.labels);
  call.end = take_edge(end, "end", call.labels);

  const std::size_t pairs = call.labels * call.labels;
  const std::size_t pair = nlptk::first_unusable(call.transitions.data(), pairs);
  if (pair < pairs)
    reject(call.transitions.data()[pair], "transitions at label " + std::to_string(pair / call.labels) + " to " +
                                              std::to_string(pair % call.labels));
  const std::size_t total = call.positions * call.labels;
  const std::size_t bad = nlptk::first_unusable(call.emissions.data(), total);
  if (bad < total) {
    const auto row = static_cast<std::int64_t>(bad / call.labels);
    const std::int64_t* ends = call.offsets.data() + 1;
    const auto s = static_cast<std::size_t>(std::upper_bound(ends, ends + call.sequences, row) - ends);
    reject(call.emissions.data()[bad], "emissions of sequence " + std::to_string(s) + " at position " +
                                           std::to_string(row - call.offsets.data()[s]) + ", label " +
                                           std::to_string(bad % call.labels));
  }
  call.scores.labels = call.labels;
  call.scores.transitions = call.transitions.data();
  call.scores.start = start.is_none() ? nullptr : call.start.data();
  call.scores.end = end.is_none() ? nullptr : call.end.data();
  return call;
}

py::tuple viterbi(const py::object& emissions, const py::object& offsets, const py::object& transitions,
                  const py::object& start, const py::object& end, int threads) {
  const Call call = check(emissions, offsets, transitions, start, end);
  py::array_t<std::int32_t> paths(static_cast<py::ssize_t>(call.positions));
  py::array_t<float> scores(static_cast<py::ssize_t>(call.sequences));
  const float* rows = call.emissions.data();
  const std::int64_t* bounds = call.offsets.data();
  std::int32_t* path = paths.mutable_data();
  float* score = scores.mutable_data();
  {
    const py::gil_scoped_release release;
    const nlptk::Chain chain(call.scores);
    nlptk::viterbi_batch(chain, rows, bounds, call.sequences, threads, path, score);
  }
  return py::make_tuple(paths, scores);
}

py::list viterbi_nbest(const py::object& emissions, const py::object& offsets, const py::object& transitions,
                       const py::object& start, const py::object& end, std::int64_t n, int threads) {
  const Call call = check(emissions, offsets, transitions, start, end);
  if (n < 1) throw py::value_error("n must be at least 1, not " + std::to_string(n));
  struct Found {
    std::vector<std::int32_t> paths;
    std::vector<float> scores;
  };
  std::vector<Found> found(call.sequences);
  const float* rows = call.emissions.data();
  {
    const py::gil_scoped_release release;
    const nlptk::Chain chain(call.scores);
    threads = nlptk::resolve_threads(threads);
    std::vector<nlptk::ChainWorkspace> workspaces(static_cast<std::size_t>(threads));
    nlptk::parallel_for(call.sequences, threads, 1, [&](std::size_t begin, std::size_t last, int thread) {
      for (std::size_t s = begin; s < last; ++s) {
        const std::size_t length = call.length(s);
        // There are labels ** length paths and no more.
        std::size_t most = 1;
        for (std::size_t t = 0; t < length && most < static_cast<std::size_t>(n); ++t) {
          most *= call.labels;
          if (call.labels == 1) break;
        }
        most = std::min(most, static_cast<std::size_t>(n));
        Found& here = found[s];
        here.paths.resize(most * length);
        here.scores.resize(most);
        const std::size_t count = nlptk::viterbi_nbest(
            chain, rows + call.first(s) * call.labels, length, most,
            workspaces[static_cast<std::size_t>(thread)], here.paths.data(), here.scores.data());
        here.paths.resize(count * length);
        here.scores.resize(count);
      }
    });
  }
  py::list result;
  for (std::size_t s = 0; s < call.sequences; ++s) {
    const Found& here = found[s];
    const auto count = static_cast<py::ssize_t>(here.scores.size());
    py::array_t<std::int32_t> paths({count, static_cast<py::ssize_t>(call.length(s))});
    py::array_t<float> scores(count);
    std::copy(here.paths.begin(), here.paths.end(), paths.mutable_data());
    std::copy(here.scores.begin(), here.scores.end(), scores.mutable_data());
    result.append(py::make_tuple(paths, scores));
  }
  return result;
}

py::array_t<double> log_partition(const py::object& emissions, const py::object& offsets,
                                  const py::object& transitions, const py::object& start, const py::object& end,
                                  int threads) {
  const Call call = check(emissions, offsets, transitions, start, end);
  py::array_t<double> totals(static_cast<py::ssize_t>(call.sequences));
  const float* rows = call.emissions.data();
  double* total = totals.mutable_data();
  {
    const py::gil_scoped_release release;
    const nlptk::Chain chain(call.scores);
    threads = nlptk::resolve_threads(threads);
    std::vector<nlptk::ChainWorkspace> workspaces(static_cast<std::size_t>(threads));
    nlptk::parallel_for(call.sequences, threads, 16, [&](std::size_t begin, std::size_t last, int thread) {
      for (std::size_t s = begin; s < last; ++s)
        total[s] = nlptk::log_partition(chain, rows + call.first(s) * call.labels, call.length(s),
                                        workspaces[static_cast<std::size_t>(thread)]);
    });
  }
  return totals;
}

// Parts of a batch have sums of their own, added up in order: the same result from any number of threads.
constexpr std::size_t kParts = 16;
constexpr double kWork = 1e9;  // label pairs in one round, well under a second

void expectations_of(const Call& call, const nlptk::Chain& chain, int threads, double* total, float* marginals,
                     double* transitions, double* start, double* end) {
  const std::size_t n = call.labels;
  const std::size_t size = n * n + 2 * n;
  std::vector<double> parts(kParts * size);
  threads = nlptk::resolve_threads(threads);
  std::vector<nlptk::ChainWorkspace> workspaces(static_cast<std::size_t>(threads));
  const float* rows = call.emissions.data();
  const double pairs = static_cast<double>(n) * static_cast<double>(n) + 16.0;
  for (std::size_t round = 0; round < call.sequences;) {
    std::size_t stop = round;
    double work = 0.0;
    while (stop < call.sequences && work < kWork) work += static_cast<double>(call.length(stop++)) * pairs + 16.0;
    const std::size_t count = stop - round;
    nlptk::parallel_for(kParts, threads, 1, [&](std::size_t part, std::size_t, int thread) {
      double* sums = parts.data() + part * size;
      nlptk::ChainExpectations expected{sums, sums + n * n, sums + n * n + n};
      for (std::size_t s = round + count * part / kParts; s < round + count * (part + 1) / kParts; ++s)
        total[s] = nlptk::forward_backward(chain, rows + call.first(s) * n, call.length(s),
                                           workspaces[static_cast<std::size_t>(thread)],
                                           marginals + call.first(s) * n, &expected);
    });
    round = stop;
  }
  for (std::size_t part = 0; part < kParts; ++part) {
    const double* sums = parts.data() + part * size;
    for (std::size_t k = 0; k < n * n; ++k) transitions[k] += sums[k];
    for (std::size_t k = 0; k < n; ++k) start[k] += sums[n * n + k];
    for (std::size_t k = 0; k < n; ++k) end[k] += sums[n * n + n + k];
  }
}

py::tuple forward_backward(const py::object& emissions, const py::object& offsets, const py::object& transitions,
                           const py::object& start, const py::object& end, int threads) {
  const Call call = check(emissions, offsets, transitions, start, end);
  const auto n = static_cast<py::ssize_t>(call.labels);
  py::array_t<double> totals(static_cast<py::ssize_t>(call.sequences));
  py::array_t<float> marginals({static_cast<py::ssize_t>(call.positions), n});
  py::array_t<double> expected({n, n});
  py::array_t<double> starts(n);
  py::array_t<double> ends(n);
  for (py::array_t<double>* sums : {&expected, &starts, &ends})
    std::fill(sums->mutable_data(), sums->mutable_data() + sums->size(), 0.0);
  double* total = totals.mutable_data();
  float* marginal = marginals.mutable_data();
  double* transition_sums = expected.mutable_data();
  double* start_sums = starts.mutable_data();
  double* end_sums = ends.mutable_data();
  {
    const py::gil_scoped_release release;
    const nlptk::Chain chain(call.scores);
    expectations_of(call, chain, threads, total, marginal, transition_sums, start_sums, end_sums);
  }
  return py::make_tuple(totals, marginals, expected, starts, ends);
}

}  // namespace

void bind_chain(py::module_& m) {
  const auto start = py::arg("start") = py::none();
  const auto end = py::arg("end") = py::none();
  const auto threads = py::arg("threads") = 0;
  m.def("viterbi", &viterbi, py::arg("emissions"), py::arg("offsets"), py::arg("transitions"), start, end,
        threads);
  m.def("viterbi_nbest", &viterbi_nbest, py::arg("emissions"), py::arg("offsets"), py::arg("transitions"), start,
        end, py::arg("n") = 1, threads);
  m.def("log_partition", &log_partition, py::arg("emissions"), py::arg("offsets"), py::arg("transitions"), start,
        end, threads);
  m.def("forward_backward", &forward_backward, py::arg("emissions"), py::arg("offsets"), py::arg("transitions"),
        start, end, threads);
  m.def("max_add_peak", &nlptk::max_add_peak, py::arg("seconds") = 0.05,
        py::call_guard<py::gil_scoped_release>());
}
