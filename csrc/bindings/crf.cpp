#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "bind.hpp"
#include "crf_batch.hpp"
#include "crf_data.hpp"
#include "crf_objective.hpp"
#include "crf_online.hpp"
#include "token_batch.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

// callback(info: dict, parameters: float32 array) -> bool; false ends the training.
using Callback = std::function<bool(py::dict, py::array_t<float>)>;

class Trainer {
 public:
  explicit Trainer(std::unique_ptr<CrfData> data) : data_(std::move(data)) {}

  Trainer(const Array<std::uint32_t>& keys, const Array<std::int64_t>& offsets, const Array<std::int32_t>& gold,
          std::size_t labels, std::size_t min_freq, std::size_t dense_freq, int threads) {
    if (keys.ndim() != 2 || gold.size() != keys.shape(0))
      throw py::value_error("keys must be [units, width] and gold [units]");
    check_offsets(offsets, keys.shape(0), "offsets");
    CrfInput input;
    input.keys = keys.data();
    input.units = static_cast<std::size_t>(keys.shape(0));
    input.width = static_cast<std::size_t>(keys.shape(1));
    input.offsets = offsets.data();
    input.sequences = static_cast<std::size_t>(offsets.size() - 1);
    input.gold = gold.data();
    input.labels = labels;
    const py::gil_scoped_release release;
    data_ = std::make_unique<CrfData>(input, CrfOptions{min_freq, dense_freq, threads});
  }

  static std::unique_ptr<Trainer> from_features(const Array<std::int64_t>& starts, const Array<std::uint32_t>& ids,
                                                const std::optional<Array<float>>& values,
                                                const Array<std::int64_t>& offsets, const Array<std::int32_t>& gold,
                                                std::size_t labels, const CrfOptions& options) {
    check_offsets(starts, ids.size(), "starts");
    check_offsets(offsets, starts.size() - 1, "offsets");
    if (gold.size() != starts.size() - 1) throw py::value_error("gold must have a label for each unit");
    if (values && values->size() != ids.size()) throw py::value_error("ids and values must be parallel");
    for (py::ssize_t i = 0; values && i < values->size(); ++i)
      if (!std::isfinite(values->data()[i])) throw py::value_error("values must be finite");
    CrfInput input;
    input.keys = ids.data();
    input.units = static_cast<std::size_t>(gold.size());
    input.starts = starts.data();
    input.values = values ? values->data() : nullptr;
    input.offsets = offsets.data();
    input.sequences = static_cast<std::size_t>(offsets.size() - 1);
    input.gold = gold.data();
    input.labels = labels;
    const py::gil_scoped_release release;
    return std::make_unique<Trainer>(std::make_unique<CrfData>(input, options));
  }

  const CrfData& data() const { return *data_; }

  py::array_t<float> lbfgs(const BatchOptions& options, const Callback& callback) {
    std::vector<float> x(data_->parameters());
    {
      const py::gil_scoped_release release;
      batch_training(*data_, x, options, [&](const LbfgsProgress& progress, const float* p) {
        const py::gil_scoped_acquire gil;
        using namespace py::literals;
        return callback(py::dict("iteration"_a = progress.iteration, "objective"_a = progress.objective,
                                 "gradient_norm"_a = progress.gradient_norm, "active"_a = progress.active),
                        view(p));
      });
    }
    return view(x.data());
  }

  template <class Train>
  py::array_t<float> online(Train train, const OnlineOptions& options, const Callback& callback) {
    std::vector<float> x(data_->parameters());
    {
      const py::gil_scoped_release release;
      train(*data_, x, options, [&](const OnlineProgress& progress, const float* p) {
        const py::gil_scoped_acquire gil;
        using namespace py::literals;
        return callback(py::dict("iteration"_a = progress.iteration, "objective"_a = progress.loss), view(p));
      });
    }
    return view(x.data());
  }

  py::tuple objective(const Array<float>& parameters) {
    if (static_cast<std::size_t>(parameters.size()) != data_->parameters())
      throw py::value_error("parameters must have " + std::to_string(data_->parameters()) + " values");
    py::array_t<float> gradient(parameters.size());
    float* out = gradient.mutable_data();
    double loss = 0;
    {
      const py::gil_scoped_release release;
      loss = CrfObjective(*data_)(parameters.data(), out);
    }
    return py::make_tuple(loss, gradient);
  }

 private:
  // A copy: the search goes on writing to its own memory.
  py::array_t<float> view(const float* p) const {
    return py::array_t<float>(static_cast<py::ssize_t>(data_->parameters()), p);
  }

  std::unique_ptr<CrfData> data_;
};

template <class T>
py::array_t<T> copy(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

}  // namespace
}  // namespace nlptk

void bind_crf(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<Trainer>(m, "CrfTrainer")
      .def(py::init<const Array<std::uint32_t>&, const Array<std::int64_t>&, const Array<std::int32_t>&, std::size_t,
                    std::size_t, std::size_t, int>(),
           "keys"_a, "offsets"_a, "gold"_a, "labels"_a, "min_freq"_a = 1, "dense_freq"_a = 0, "threads"_a = 0)
      .def_static(
          "from_features",
          [](const Array<std::int64_t>& starts, const Array<std::uint32_t>& ids, const std::optional<Array<float>>& values,
             const Array<std::int64_t>& offsets, const Array<std::int32_t>& gold, std::size_t labels, double min_freq,
             bool all_states, bool all_transitions, bool boundaries, int threads) {
            CrfOptions options;
            options.dense_freq = all_states ? 1 : 0;
            options.threads = threads;
            options.pair_freq = min_freq;
            options.only_seen = true;
            options.all_transitions = all_transitions;
            options.boundaries = boundaries;
            return Trainer::from_features(starts, ids, values, offsets, gold, labels, options);
          },
          "starts"_a, "ids"_a, "values"_a, "offsets"_a, "gold"_a, "labels"_a, py::kw_only(), "min_freq"_a = 0.0,
          "all_states"_a = false, "all_transitions"_a = false, "boundaries"_a = true, "threads"_a = 0)
      .def_property_readonly("keys", [](const Trainer& t) { return copy(t.data().keys); })
      .def_property_readonly("row_starts", [](const Trainer& t) { return copy(t.data().row_starts); })
      .def_property_readonly("row_labels", [](const Trainer& t) { std::vector<std::uint16_t> labels(t.data().row_labels);
        for (std::uint16_t& label : labels) label &= kLabelMask;
        return copy(labels); })
      .def_property_readonly("parameters", [](const Trainer& t) { return t.data().parameters(); })
      .def("objective", &Trainer::objective, "parameters"_a)
      .def(
          "lbfgs",
          [](Trainer& t, double c1, double c2, int max_iterations, int memory, double epsilon, int period,
             double delta, int max_linesearch, const Callback& callback, int warm_passes, std::uint64_t seed) {
            BatchOptions options;
            options.lbfgs = {c1, c2, max_iterations, memory, epsilon, period, delta, max_linesearch, 1};
            options.warm_passes = warm_passes;
            options.seed = seed;
            return t.lbfgs(options, callback);
          },
          "c1"_a, "c2"_a, "max_iterations"_a, "memory"_a, "epsilon"_a, "period"_a, "delta"_a, "max_linesearch"_a,
          "callback"_a, "warm_passes"_a = 4, "seed"_a = 1)
      .def(
          "averaged_perceptron",
          [](Trainer& t, int max_iterations, double epsilon, std::uint64_t seed, const Callback& callback) {
            return t.online(averaged_perceptron, {max_iterations, 0.0, epsilon, seed}, callback);
          },
          "max_iterations"_a, "epsilon"_a, "seed"_a, "callback"_a)
      .def(
          "passive_aggressive",
          [](Trainer& t, int type, double c, bool error_sensitive, bool averaging, int max_iterations, double epsilon,
             std::uint64_t seed, const Callback& callback) {
            const PassiveAggressiveOptions more{type, c, error_sensitive, averaging};
            const auto train = [&](const CrfData& data, std::vector<float>& x, const OnlineOptions& options,
                                   const OnlineCallback& report) { passive_aggressive(data, x, options, more, report); };
            return t.online(train, {max_iterations, 0.0, epsilon, seed}, callback);
          },
          "type"_a, "c"_a, "error_sensitive"_a, "averaging"_a, "max_iterations"_a, "epsilon"_a, "seed"_a, "callback"_a)
      .def(
          "arow",
          [](Trainer& t, double variance, double gamma, int max_iterations, double epsilon, std::uint64_t seed,
             const Callback& callback) {
            const auto train = [&](const CrfData& data, std::vector<float>& x, const OnlineOptions& options,
                                   const OnlineCallback& report) { arow(data, x, options, {variance, gamma}, report); };
            return t.online(train, {max_iterations, 0.0, epsilon, seed}, callback);
          },
          "variance"_a, "gamma"_a, "max_iterations"_a, "epsilon"_a, "seed"_a, "callback"_a)
      .def(
          "sgd",
          [](Trainer& t, double c2, int max_iterations, std::uint64_t seed, const Callback& callback) {
            return t.online(stochastic_gradient, {max_iterations, c2, 0.0, seed}, callback);
          },
          "c2"_a, "max_iterations"_a, "seed"_a, "callback"_a);
}
