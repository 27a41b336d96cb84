// Python's way to the trainer of word vectors.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <memory>

#include "bind.hpp"
#include "py_vocabulary.hpp"
#include "sgns/trainer.hpp"

namespace py = pybind11;

namespace {

using nlptk::Corpus;
using nlptk::SgnsTrainer;
using nlptk::Vocabulary;

std::shared_ptr<Corpus> make_corpus(std::vector<std::string> paths, std::vector<std::string> names, bool spooled,
                                    const std::string& errors, std::size_t chunk_bytes) {
  const auto on_invalid = errors == "strict"    ? nlptk::OnInvalid::strict
                          : errors == "replace" ? nlptk::OnInvalid::replace
                          : errors == "ignore"  ? nlptk::OnInvalid::ignore
                                                : throw std::invalid_argument("errors must be strict, replace or ignore");
  return std::make_shared<Corpus>(std::move(paths), std::move(names), spooled ? nlptk::Layout::spooled : nlptk::Layout::text,
                                  on_invalid, chunk_bytes);
}

// The words of each line of a chunk, as a thread of the training reads them.
py::list lines_of(const Corpus& corpus, std::size_t chunk) {
  if (chunk >= corpus.chunks().size()) throw std::invalid_argument("the corpus has no chunk " + std::to_string(chunk));
  nlptk::TokenReader reader(corpus);
  reader.open(corpus.chunks()[chunk]);
  py::list lines, line;
  std::string_view token;
  for (auto event = reader.next(token); event != nlptk::TokenReader::Event::end; event = reader.next(token)) {
    if (event == nlptk::TokenReader::Event::token)
      line.append(py::str(token.data(), token.size()));
    else
      lines.append(std::exchange(line, py::list()));
  }
  return lines;
}

// A callback that takes the GIL, or none.
template <class Argument, class Give>
std::function<void(Argument)> with_gil(const py::object& callback, Give give) {
  if (callback.is_none()) return {};
  return [&callback, give](Argument argument) {
    const py::gil_scoped_acquire gil;
    give(callback, argument);
  };
}

Vocabulary count_words(const Corpus& corpus, std::uint64_t min_count, std::size_t max_size, std::size_t prune_at, int threads,
                       const py::object& report) {
  Vocabulary::Settings settings;
  settings.min_count = min_count;
  settings.max_size = max_size;
  settings.prune_at = prune_at;
  settings.threads = threads;
  const auto hook = with_gil<std::size_t>(report, [](const py::object& f, std::size_t chunks) { f(chunks); });
  const py::gil_scoped_release release;
  return Vocabulary::count(corpus, settings, hook);
}

Vocabulary make_vocabulary(const std::vector<std::string>& words, std::vector<std::uint64_t> counts, std::uint64_t raw_tokens) {
  return Vocabulary({words.begin(), words.end()}, std::move(counts), raw_tokens);
}

nlptk::SgnsSettings settings_of(const py::dict& given) {
  nlptk::SgnsSettings s;
  for (const auto& [key, value] : given) {
    const auto name = key.cast<std::string>();
    if (name == "dim") s.dim = value.cast<std::size_t>();
    else if (name == "window") s.window = value.cast<int>();
    else if (name == "shrink_windows") s.shrink_windows = value.cast<bool>();
    else if (name == "cbow") s.cbow = value.cast<bool>();
    else if (name == "negative") s.negative = value.cast<int>();
    else if (name == "hs") s.hierarchical = value.cast<bool>();
    else if (name == "ns_exponent") s.ns_exponent = value.cast<double>();
    else if (name == "sample") s.sample = value.cast<double>();
    else if (name == "alpha") s.alpha = value.cast<double>();
    else if (name == "min_alpha") s.min_alpha = value.cast<double>();
    else if (name == "min_n") s.subwords.min_n = value.cast<int>();
    else if (name == "max_n") s.subwords.max_n = value.cast<int>();
    else if (name == "buckets") s.subwords.buckets = value.cast<std::uint32_t>();
    else if (name == "seed") s.seed = value.cast<std::uint64_t>();
    else if (name == "threads") s.threads = value.cast<int>();
    else if (name == "schedule") s.schedule = value.cast<std::uint64_t>();
    else if (name == "block") s.block = value.cast<std::size_t>();
    else if (name == "pool") s.pool = value.cast<std::size_t>();
    else throw std::invalid_argument("no setting of the trainer: " + name);
  }
  return s;
}

// The trainer with what it must not outlive.
class Trainer {
 public:
  Trainer(std::shared_ptr<Corpus> corpus, std::shared_ptr<Vocabulary> vocabulary, const py::dict& settings)
      : corpus_(std::move(corpus)), vocabulary_(std::move(vocabulary)) {
    const nlptk::SgnsSettings s = settings_of(settings);
    const py::gil_scoped_release release;
    trainer_ = std::make_unique<SgnsTrainer>(*corpus_, *vocabulary_, s);
  }

  void run(std::uint64_t epoch, const std::vector<std::uint32_t>& chunks, const py::object& report) {
    const auto hook = with_gil<const SgnsTrainer::Status&>(report, [](const py::object& f, const SgnsTrainer::Status& status) {
      f(status.tokens, status.loss, status.alpha);
    });
    const py::gil_scoped_release release;
    trainer_->run(epoch, chunks, hook);
  }

  py::tuple status() const {
    const SgnsTrainer::Status status = trainer_->status();
    return py::make_tuple(status.tokens, status.loss, status.alpha);
  }
  void set_tokens(std::uint64_t tokens) { trainer_->set_tokens(tokens); }

  py::array_t<float> word_vectors() const {
    py::array_t<float> vectors({vocabulary_->size(), trainer_->dim()});
    float* data = vectors.mutable_data();
    const py::gil_scoped_release release;
    trainer_->word_vectors(data);
    return vectors;
  }

  void finish() {
    const py::gil_scoped_release release;
    trainer_->finish();
  }

  // A view of the trainer's own memory, [rows, dim].
  static py::array_t<float> view(const py::object& self, bool out) {
    SgnsTrainer& t = *self.cast<Trainer&>().trainer_;
    const auto step = static_cast<py::ssize_t>(sizeof(float));
    return py::array_t<float>({static_cast<py::ssize_t>(out ? t.out_rows() : t.in_rows()), static_cast<py::ssize_t>(t.dim())},
                              {static_cast<py::ssize_t>(t.stride()) * step, step}, out ? t.out() : t.in(), self);
  }

 private:
  std::shared_ptr<Corpus> corpus_;
  std::shared_ptr<Vocabulary> vocabulary_;
  std::unique_ptr<SgnsTrainer> trainer_;
};

}  // namespace

void bind_sgns(py::module_& m) {
  py::class_<Corpus, std::shared_ptr<Corpus>>(m, "TokenCorpus")
      .def(py::init(&make_corpus), py::arg("paths"), py::arg("names"), py::arg("spooled") = false, py::arg("errors") = "strict",
           py::arg("chunk_bytes") = std::size_t{1} << 20)
      .def_property_readonly("bytes", &Corpus::bytes)
      .def_property_readonly("chunks", [](const Corpus& corpus) { return corpus.chunks().size(); })
      .def("lines", &lines_of, py::arg("chunk"));
  py::class_<Vocabulary, std::shared_ptr<Vocabulary>>(m, "WordVocabulary")
      .def(py::init(&make_vocabulary), py::arg("words"), py::arg("counts"), py::arg("raw_tokens") = 0)
      .def_static("count", &count_words, py::arg("corpus"), py::arg("min_count"), py::arg("max_size") = 0,
                  py::arg("prune_at") = Vocabulary::Settings().prune_at, py::arg("threads") = 0, py::arg("report") = py::none())
      .def("__len__", &Vocabulary::size)
      .def("words", &nlptk::words_of)
      .def("counts", [](const Vocabulary& v) { return py::array_t<std::uint64_t>(static_cast<py::ssize_t>(v.size()), v.counts().data()); })
      .def_property_readonly("tokens", &Vocabulary::tokens)
      .def_property_readonly("raw_tokens", &Vocabulary::raw_tokens)
      .def_property_readonly("raw_words", &Vocabulary::raw_words)
      .def_property_readonly("pruned_below", &Vocabulary::pruned_below);
  py::class_<Trainer>(m, "SgnsTrainer")
      .def(py::init<std::shared_ptr<Corpus>, std::shared_ptr<Vocabulary>, const py::dict&>(), py::arg("corpus"),
           py::arg("vocabulary"), py::arg("settings"))
      .def("run", &Trainer::run, py::arg("epoch"), py::arg("chunks"), py::arg("report") = py::none())
      .def_property_readonly("status", &Trainer::status)
      .def("set_tokens", &Trainer::set_tokens, py::arg("tokens"))
      .def("word_vectors", &Trainer::word_vectors)
      .def("finish", &Trainer::finish)
      .def_property_readonly("inputs", [](const py::object& self) { return Trainer::view(self, false); })
      .def_property_readonly("outputs", [](const py::object& self) { return Trainer::view(self, true); });
}
