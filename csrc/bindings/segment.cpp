#include <pybind11/stl.h>

#include "bind.hpp"
#include "make_templates.hpp"
#include "parallel.hpp"
#include "segmenter.hpp"
#include "token_batch.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

constexpr std::size_t kGrain = 4;  // documents for each thread's turn: one sentence alone starts no thread

// Calls f(text number, workspace) for all texts, in threads, without the GIL.
template <class F>
void each_text(const TextBatch& texts, int threads, F&& f) {
  const py::gil_scoped_release release;
  threads = resolve_threads(threads);
  std::vector<SegmentWorkspace> workspaces(static_cast<std::size_t>(threads));
  parallel_for(texts.spans().size(), threads, kGrain, [&](std::size_t begin, std::size_t end, int thread) {
    for (std::size_t d = begin; d < end; ++d) f(d, workspaces[static_cast<std::size_t>(thread)]);
  });
}

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// One array of the rows that `member` of each part holds.
template <class Part, class T>
py::array_t<T> joined(const std::vector<Part>& parts, std::vector<T> Part::*member, std::size_t total) {
  py::array_t<T> out(static_cast<py::ssize_t>(total));
  T* to = out.mutable_data();
  for (const Part& part : parts) to = std::copy((part.*member).begin(), (part.*member).end(), to);
  return out;
}

py::tuple segment_keys(const SegmentFeatures& features, const py::sequence& text_list, int threads) {
  const TextBatch texts(text_list);
  std::vector<SegmentCandidates> found(texts.spans().size());
  each_text(texts, threads, [&](std::size_t d, SegmentWorkspace& workspace) {
    found[d] = segment_candidates(features, texts.spans()[d], workspace);
  });
  std::vector<std::int64_t> documents{0}, sequences{0};
  for (const SegmentCandidates& one : found) {
    documents.push_back(documents.back() + static_cast<std::int64_t>(one.positions.size()));
    for (const std::int64_t count : one.paragraphs) sequences.push_back(sequences.back() + count);
  }
  const auto total = static_cast<std::size_t>(documents.back());
  auto keys = joined(found, &SegmentCandidates::keys, total * features.size());
  return py::make_tuple(keys.reshape({static_cast<py::ssize_t>(total), static_cast<py::ssize_t>(features.size())}),
                        joined(found, &SegmentCandidates::positions, total), to_array(documents), to_array(sequences));
}

py::tuple segment(const SegmentFeatures& features, const LinearModel& model, const py::sequence& text_list,
                  int threads) {
  if (model.labels() != kSegmentLabels) throw py::value_error("a segmenter's model has eight labels");
  const TextBatch texts(text_list);
  std::vector<Segments> results(texts.spans().size());
  each_text(texts, threads, [&](std::size_t d, SegmentWorkspace& workspace) {
    results[d] = segment_text(features, model, texts.spans()[d], workspace);
  });
  std::vector<std::int64_t> documents{0};
  for (const Segments& one : results)
    documents.push_back(documents.back() + static_cast<std::int64_t>(one.starts.size()));
  const auto total = static_cast<std::size_t>(documents.back());
  return py::make_tuple(joined(results, &Segments::starts, total), joined(results, &Segments::ends, total),
                        joined(results, &Segments::sentence_starts, total), to_array(documents));
}

py::array_t<std::uint32_t> inner_splits(const py::str& text, const Array<std::int32_t>& starts) {
  return to_array(inner_split_keys(text_span(text), starts.data(), static_cast<std::size_t>(starts.size())));
}

}  // namespace
}  // namespace nlptk

void bind_segment(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  m.def("inner_splits", &inner_splits, "text"_a, "starts"_a);
  py::class_<SegmentFeatures>(m, "SegmentFeatures")
      .def(py::init([](const std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>& atoms,
                       const Elements& elements, const std::vector<std::uint64_t>& seeds,
                       const std::vector<Array<std::uint32_t>>& word_keys, const std::vector<std::uint32_t>& splits) {
             std::vector<std::vector<SegmentAtomSpec>> specs(atoms.size());
             for (std::size_t table = 0; table < atoms.size(); ++table)
               for (const auto& [atom, parameter] : atoms[table])
                 specs[table].push_back({static_cast<SegmentAtom>(atom), parameter});
             std::vector<Lexicon> lexicons;
             for (const auto& keys : word_keys) lexicons.emplace_back(keys.data(), static_cast<std::size_t>(keys.size()));
             return SegmentFeatures(std::move(specs), make_templates(elements, seeds), std::move(lexicons), splits);
           }),
           "atoms"_a, "elements"_a, "seeds"_a, "lexicons"_a, "splits"_a)
      .def_property_readonly("width", &SegmentFeatures::size)
      .def("keys", &segment_keys, "texts"_a, "threads"_a = 0)
      .def("segment", &segment, "model"_a, "texts"_a, "threads"_a = 0);
}
