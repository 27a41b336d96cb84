// Python's way to the fastText classifier.
#include <pybind11/stl.h>

#include <memory>

#include "bind.hpp"
#include "fasttext/trainer.hpp"
#include "options.hpp"
#include "py_text.hpp"
#include "py_vocabulary.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

FastTextLoss loss_of(const std::string& name) {
  return name == "softmax" ? FastTextLoss::softmax
         : name == "hs"    ? FastTextLoss::hierarchical
         : name == "ova"   ? FastTextLoss::one_vs_all
                           : throw std::invalid_argument("loss must be softmax, hs or ova");
}

FastTextSettings settings_of(const py::dict& given) {
  const Options options(given);
  FastTextSettings s;
  s.dim = options.get("dim", s.dim);
  s.loss = loss_of(options.get<std::string>("loss", "softmax"));
  s.features.word_ngrams = options.get("word_ngrams", s.features.word_ngrams);
  s.features.subwords.min_n = options.get("min_n", s.features.subwords.min_n);
  s.features.subwords.max_n = options.get("max_n", s.features.subwords.max_n);
  s.features.subwords.buckets = options.get("bucket", s.features.subwords.buckets);
  s.min_count = options.get("min_count", s.min_count);
  s.rate = options.get("rate", s.rate);
  s.epochs = options.get("epochs", s.epochs);
  s.shuffle = options.get("shuffle", s.shuffle);
  s.seed = options.get("seed", s.seed);
  s.threads = options.get("threads", s.threads);
  return s;
}

// Strings, or sequences of strings, kept alive.
class PyDocuments {
 public:
  explicit PyDocuments(const py::sequence& given) {
    const std::size_t n = given.size();
    if (n == 0 || PyUnicode_Check(py::object(given[0]).ptr())) {
      texts_ = std::make_unique<TextBatch>(given);
      documents_ = std::make_unique<Documents>(texts_->spans());
      return;
    }
    std::vector<TextSpan> tokens;
    std::vector<std::size_t> offsets{0};
    for (std::size_t i = 0; i < n; ++i) {
      lists_.emplace_back(given[i].cast<py::sequence>());
      const TextBatch& list = lists_.back();
      tokens.insert(tokens.end(), list.spans().begin(), list.spans().end());
      offsets.push_back(tokens.size());
    }
    documents_ = std::make_unique<Documents>(std::move(tokens), std::move(offsets));
  }
  const Documents& get() const { return *documents_; }

 private:
  std::unique_ptr<TextBatch> texts_;
  std::vector<TextBatch> lists_;
  std::unique_ptr<Documents> documents_;
};

std::unique_ptr<FastTextTrainer> make_trainer(const py::sequence& given, const Array<std::uint32_t>& labels,
                                              const Array<std::int64_t>& offsets, std::size_t label_count,
                                              const std::vector<std::string>& extra, const py::dict& settings) {
  const PyDocuments documents(given);
  const FastTextSettings s = settings_of(settings);
  std::vector<std::uint32_t> numbers(labels.data(), labels.data() + labels.size());
  std::vector<std::size_t> bounds(offsets.data(), offsets.data() + offsets.size());
  const py::gil_scoped_release release;
  return std::make_unique<FastTextTrainer>(documents.get(), std::move(numbers), std::move(bounds), label_count, extra, s);
}

std::shared_ptr<FastTextModel> make_model(const std::vector<std::string>& words, const Array<std::uint32_t>& buckets,
                                          const Array<float>& inputs, const Array<float>& outputs,
                                          const std::vector<std::uint64_t>& label_counts, std::uint64_t documents,
                                          const py::dict& settings) {
  const FastTextSettings s = settings_of(settings);
  FastTextFeatures features({words.begin(), words.end()}, {buckets.data(), buckets.data() + buckets.size()}, s.features);
  auto model = std::make_shared<FastTextModel>(std::move(features), s.dim, s.loss, label_counts, documents);
  const auto fill = [&](const Array<float>& from, std::size_t rows, float* to) {
    if (from.ndim() != 2 || static_cast<std::size_t>(from.shape(0)) != rows || static_cast<std::size_t>(from.shape(1)) != s.dim)
      throw std::invalid_argument("a table of weights must be " + std::to_string(rows) + " x " + std::to_string(s.dim));
    for (std::size_t row = 0; row < rows; ++row) std::copy_n(from.data() + row * s.dim, s.dim, to + row * model->stride());
  };
  fill(inputs, model->in_rows(), model->in());
  fill(outputs, model->out_rows(), model->out());
  return model;
}

// A view of the model's own memory, [rows, dim].
py::array_t<float> view(const py::object& self, bool out) {
  FastTextModel& m = self.cast<FastTextModel&>();
  const auto step = static_cast<py::ssize_t>(sizeof(float));
  return py::array_t<float>({static_cast<py::ssize_t>(out ? m.out_rows() : m.in_rows()), static_cast<py::ssize_t>(m.dim())},
                            {static_cast<py::ssize_t>(m.stride()) * step, step}, out ? m.out() : m.in(), self);
}

py::array_t<float> probabilities(const FastTextModel& model, const py::sequence& given, int threads) {
  const PyDocuments documents(given);
  py::array_t<float> found({documents.get().size(), model.labels()});
  float* const data = found.mutable_data();
  const py::gil_scoped_release release;
  model.probabilities(documents.get(), threads, data);
  return found;
}

}  // namespace
}  // namespace nlptk

void bind_fasttext(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<FastTextModel, std::shared_ptr<FastTextModel>>(m, "FastTextModel")
      .def(py::init(&make_model), "words"_a, "buckets"_a, "inputs"_a, "outputs"_a, "label_counts"_a, "documents"_a, "settings"_a)
      .def("words", [](const FastTextModel& model) { return words_of(model.features().vocabulary()); })
      .def("buckets",
           [](const FastTextModel& model) {
             const std::vector<std::uint32_t> found = model.features().buckets();
             return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(found.size()), found.data());
           })
      .def_property_readonly("inputs", [](const py::object& self) { return view(self, false); })
      .def_property_readonly("outputs", [](const py::object& self) { return view(self, true); })
      .def("probabilities", &probabilities, "documents"_a, "threads"_a = 0);
  py::class_<FastTextTrainer>(m, "FastTextTrainer")
      .def(py::init(&make_trainer), "documents"_a, "labels"_a, "offsets"_a, "label_count"_a, "extra"_a, "settings"_a)
      .def("run", &FastTextTrainer::run, "epoch"_a, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("model", [](const FastTextTrainer& trainer) { return trainer.model(); });
}
