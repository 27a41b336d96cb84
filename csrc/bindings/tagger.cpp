#include "bind.hpp"
#include "linear_model.hpp"
#include "parallel.hpp"
#include "token_batch.hpp"
#include "token_features.hpp"
#include "token_tagger.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace nlptk {
namespace {

constexpr std::size_t kTokensTogether = 1024;  // decoded together: their scores stay in the cache

// What one thread needs; what its workspace remembers goes back to the tagger at the end.
struct TaggerThread {
  TextCache cache;
  std::unique_ptr<TaggerWorkspace> workspace;
  std::vector<float> emissions;
};

void sequence_emissions(const TokenTagger& tagger, const TokenBatch& batch, std::size_t s, TaggerThread& thread,
                        float* emissions) {
  const std::vector<TextSpan>& spans = batch.texts.spans();
  const std::size_t document = batch.document_of[s];
  const TokenText text{thread.cache.get(spans, document), spans[document].length, batch.starts.data(),
                       batch.ends.data(), batch.column_data.data()};
  if (thread.workspace == nullptr) thread.workspace = tagger.lend();
  tagger.emissions(text, static_cast<std::size_t>(batch.sequences.data()[s]),
                   static_cast<std::size_t>(batch.sequences.data()[s + 1]), *thread.workspace, emissions);
}

// Calls work(begin, end, thread's things) for blocks of sequences.
template <class Work>
void over_sequences(const TokenTagger& tagger, const TokenBatch& batch, int threads, Work work) {
  threads = resolve_threads(threads);
  const py::gil_scoped_release release;
  std::vector<TaggerThread> workers(static_cast<std::size_t>(threads));
  parallel_for(batch.sequence_count(), threads, batch.grain(threads),
               [&](std::size_t begin, std::size_t end, int thread) {
                 work(begin, end, workers[static_cast<std::size_t>(thread)]);
               });
  for (TaggerThread& worker : workers)
    if (worker.workspace != nullptr) tagger.give_back(std::move(worker.workspace));
}

using Columns = std::vector<Array<std::uint64_t>>;

py::array_t<std::int32_t> tag(const TokenTagger& tagger, const py::sequence& texts, const Array<std::int32_t>& starts,
                              const Array<std::int32_t>& ends, const Array<std::int64_t>& documents,
                              const Array<std::int64_t>& sequences, const Columns& columns, int threads) {
  const TokenBatch batch(texts, starts, ends, documents, sequences, columns, tagger.features().columns());
  py::array_t<std::int32_t> labels(starts.size());
  std::int32_t* out = labels.mutable_data();
  const std::int64_t* offsets = batch.sequences.data();
  const std::size_t width = tagger.model().labels();
  over_sequences(tagger, batch, threads, [&](std::size_t begin, std::size_t end, TaggerThread& thread) {
    for (std::size_t first = begin, last = begin; first < end; first = last) {
      std::size_t tokens = 0;
      while (last < end && tokens < kTokensTogether) {
        const auto length = static_cast<std::size_t>(offsets[last + 1] - offsets[last]);
        if (thread.emissions.size() < (tokens + length) * width) thread.emissions.resize((tokens + length) * width);
        if (length > 0) sequence_emissions(tagger, batch, last, thread, thread.emissions.data() + tokens * width);
        tokens += length;
        ++last;
      }
      viterbi_sequences(tagger.model().chain(), thread.emissions.data(), offsets + first, last - first,
                        out + offsets[first], nullptr);
    }
  });
  return labels;
}

py::array_t<float> emissions(const TokenTagger& tagger, const py::sequence& texts, const Array<std::int32_t>& starts,
                             const Array<std::int32_t>& ends, const Array<std::int64_t>& documents,
                             const Array<std::int64_t>& sequences, const Columns& columns, int threads) {
  const TokenBatch batch(texts, starts, ends, documents, sequences, columns, tagger.features().columns());
  const std::size_t width = tagger.model().labels();
  py::array_t<float> scores({starts.size(), static_cast<py::ssize_t>(width)});
  float* out = scores.mutable_data();
  const std::int64_t* offsets = batch.sequences.data();
  over_sequences(tagger, batch, threads, [&](std::size_t begin, std::size_t end, TaggerThread& thread) {
    for (std::size_t s = begin; s < end; ++s)
      if (offsets[s + 1] > offsets[s])
        sequence_emissions(tagger, batch, s, thread, out + static_cast<std::size_t>(offsets[s]) * width);
  });
  return scores;
}

}  // namespace
}  // namespace nlptk

void bind_tagger(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<TokenTagger>(m, "TokenTagger")
      .def(py::init<const TokenFeatures&, const LinearModel&>(), "features"_a, "model"_a, py::keep_alive<1, 2>(),
           py::keep_alive<1, 3>())
      .def("tag", &tag, "texts"_a, "starts"_a, "ends"_a, "documents"_a, "sequences"_a, "columns"_a, "threads"_a = 0)
      .def("emissions", &emissions, "texts"_a, "starts"_a, "ends"_a, "documents"_a, "sequences"_a, "columns"_a,
           "threads"_a = 0);
}
