#include <pybind11/stl.h>

#include <algorithm>

#include "bind.hpp"
#include "lexicon.hpp"
#include "linear_model.hpp"
#include "make_templates.hpp"
#include "parallel.hpp"
#include "templates.hpp"
#include "token_batch.hpp"
#include "token_features.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

void sequence_keys(const TokenFeatures& features, const TokenBatch& batch, std::size_t s, TextCache& cache,
                   TokenWorkspace& workspace, std::uint32_t* keys) {
  const std::size_t document = batch.document_of[s];
  features.keys(cache.get(batch.texts.spans(), document), batch.texts.spans()[document].length, batch.starts.data(),
                batch.ends.data(), static_cast<std::size_t>(batch.sequences.data()[s]),
                static_cast<std::size_t>(batch.sequences.data()[s + 1]), batch.column_data.data(), workspace, keys);
}

py::array_t<std::uint32_t> token_keys(const TokenFeatures& features, const py::sequence& texts,
                                      const Array<std::int32_t>& starts, const Array<std::int32_t>& ends,
                                      const Array<std::int64_t>& documents, const Array<std::int64_t>& sequences,
                                      const std::vector<Array<std::uint64_t>>& columns, int threads) {
  const TokenBatch batch(texts, starts, ends, documents, sequences, columns, features.columns());
  threads = resolve_threads(threads);
  py::array_t<std::uint32_t> keys({starts.size(), static_cast<py::ssize_t>(features.size())});
  std::uint32_t* out = keys.mutable_data();
  const py::gil_scoped_release release;
  struct Worker {
    TextCache cache;
    TokenWorkspace tokens;
  };
  std::vector<Worker> workers(static_cast<std::size_t>(threads));
  parallel_for(batch.sequence_count(), threads, batch.grain(threads),
               [&](std::size_t begin, std::size_t end, int thread) {
                 Worker& worker = workers[static_cast<std::size_t>(thread)];
                 for (std::size_t s = begin; s < end; ++s)
                   sequence_keys(features, batch, s, worker.cache, worker.tokens,
                                 out + static_cast<std::size_t>(batch.sequences.data()[s]) * features.size());
               });
  return keys;
}

Lexicon make_lexicon(const Array<std::uint32_t>& keys) {
  return Lexicon(keys.data(), static_cast<std::size_t>(keys.size()));
}

WordClasses make_classes(const Array<std::uint32_t>& keys, const Array<std::uint16_t>& values) {
  if (values.ndim() != 2 || values.shape(0) != keys.size())
    throw py::value_error("word classes need a row of values for each word");
  return {make_lexicon(keys), {values.data(), values.data() + values.size()},
          static_cast<std::size_t>(values.shape(1))};
}

using GazetteerArrays =
    std::tuple<Array<std::uint32_t>, Array<std::uint16_t>, Array<std::uint8_t>, std::size_t, bool>;

std::vector<Gazetteer> make_gazetteers(const std::vector<GazetteerArrays>& lists) {
  std::vector<Gazetteer> made;
  for (const auto& [keys, classes, prefixes, longest, ignore_case] : lists) {
    if (keys.size() != classes.size()) throw py::value_error("a gazetteer needs a class for each name");
    made.emplace_back(keys.data(), classes.data(), static_cast<std::size_t>(keys.size()),
                      std::vector<std::uint8_t>(prefixes.data(), prefixes.data() + prefixes.size()), longest,
                      ignore_case);
  }
  return made;
}

// A table as an array of rows of `width`, without a copy.
template <class T>
py::array_t<T> to_array(LinearRows::Table<T> values, py::ssize_t width) {
  auto* kept = new LinearRows::Table<T>(std::move(values));
  const py::capsule owner(kept, [](void* table) { delete static_cast<LinearRows::Table<T>*>(table); });
  return py::array_t<T>({static_cast<py::ssize_t>(kept->size()) / width, width}, kept->data(), owner);
}

py::tuple pack_linear_rows(std::size_t labels, const Array<std::uint32_t>& keys, const Array<std::uint16_t>& row_sizes,
                           const Array<std::uint16_t>& pair_labels, const Array<std::int16_t>& pair_weights) {
  if (keys.size() != row_sizes.size() || pair_labels.size() != pair_weights.size())
    throw py::value_error("linear model: arrays that belong together differ in length");
  LinearRows made = pack_rows({labels, static_cast<std::size_t>(keys.size()),
                               static_cast<std::size_t>(pair_labels.size()), keys.data(), row_sizes.data(),
                               pair_labels.data(), pair_weights.data()});
  return py::make_tuple(to_array(std::move(made.rows), 2), to_array(std::move(made.blocks), 8));
}

// An array that the model uses where it lies, so that no converted copy will do.
template <class T>
using InPlace = py::array_t<T, py::array::c_style>;

std::unique_ptr<LinearModel> make_model(std::size_t labels, const InPlace<std::uint32_t>& rows,
                                        const InPlace<std::int16_t>& blocks, float scale,
                                        const Array<float>& transitions, const Array<float>& start,
                                        const Array<float>& end) {
  const auto n = static_cast<py::ssize_t>(labels);
  if (rows.ndim() != 2 || rows.shape(1) != 2 || blocks.ndim() != 2 || blocks.shape(1) != 8)
    throw py::value_error("linear model: rows must be [rows, 2] and blocks [blocks, 8]");
  if (!rows.attr("flags").attr("aligned").cast<bool>() || !blocks.attr("flags").attr("aligned").cast<bool>())
    throw py::value_error("linear model: rows and blocks must be aligned");
  if (transitions.ndim() != 2 || transitions.shape(0) != n || transitions.shape(1) != n || start.size() != n ||
      end.size() != n)
    throw py::value_error("linear model: transitions must be [labels, labels], start and end [labels]");
  return std::make_unique<LinearModel>(LinearArrays{
      labels, static_cast<std::size_t>(rows.shape(0)), static_cast<std::size_t>(blocks.shape(0)), rows.data(),
      blocks.data(), scale, transitions.data(), start.data(), end.data()});
}

py::array_t<float> model_emissions(const LinearModel& model, const Array<std::uint32_t>& keys) {
  if (keys.ndim() != 2) throw py::value_error("keys must be [units, width]");
  py::array_t<float> out({keys.shape(0), static_cast<py::ssize_t>(model.labels())});
  LinearWorkspace workspace;
  float* data = out.mutable_data();
  const py::gil_scoped_release release;
  model.emissions(keys.data(), static_cast<std::size_t>(keys.shape(0)), static_cast<std::size_t>(keys.shape(1)),
                  workspace, data);
  return out;
}

py::array_t<std::int32_t> model_predict(const LinearModel& model, const Array<std::uint32_t>& keys,
                                        const Array<std::int64_t>& offsets, int threads) {
  if (keys.ndim() != 2) throw py::value_error("keys must be [units, width]");
  check_offsets(offsets, keys.shape(0), "offsets");
  threads = resolve_threads(threads);
  const auto width = static_cast<std::size_t>(keys.shape(1));
  py::array_t<std::int32_t> out(keys.shape(0));
  std::int32_t* data = out.mutable_data();
  const py::gil_scoped_release release;
  std::vector<LinearWorkspace> workers(static_cast<std::size_t>(threads));
  parallel_for(static_cast<std::size_t>(offsets.size() - 1), threads, 16,
               [&](std::size_t begin, std::size_t end, int thread) {
    LinearWorkspace& worker = workers[static_cast<std::size_t>(thread)];
    for (std::size_t s = begin; s < end; ++s) {
      const auto first = static_cast<std::size_t>(offsets.data()[s]);
      const std::size_t length = static_cast<std::size_t>(offsets.data()[s + 1]) - first;
      worker.emissions.resize(length * model.labels());
      model.emissions(keys.data() + first * width, length, width, worker, worker.emissions.data());
      viterbi(model.chain(), worker.emissions.data(), length, worker.chain, data + first);
    }
  });
  return out;
}

std::uint64_t hash_string(const py::str& text) {
  const std::u32string points = to_u32(text);
  return hash_text(points.data(), points.size());
}

}  // namespace
}  // namespace nlptk

void bind_features(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  m.def("hash_string", &hash_string, "text"_a);
  m.def("lexicon_key", [](const py::str& text) { return Lexicon::word_key(hash_string(text)); }, "text"_a);
  py::class_<Lexicon>(m, "Lexicon")
      .def(py::init(&make_lexicon), "keys"_a)
      .def("find", [](const Lexicon& self, const py::str& text) { return self.find(hash_string(text)); }, "text"_a);
  py::class_<TokenFeatures>(m, "TokenFeatures")
      .def(py::init([](const std::vector<std::pair<std::int32_t, std::int32_t>>& atoms, const Elements& elements,
                       const std::vector<std::uint64_t>& seeds, const Array<std::uint32_t>& class_keys,
                       const Array<std::uint16_t>& class_values, const std::vector<GazetteerArrays>& gazetteers) {
             std::vector<TokenAtomSpec> specs;
             for (const auto& [atom, parameter] : atoms) specs.push_back({static_cast<TokenAtom>(atom), parameter});
             return TokenFeatures(std::move(specs), make_templates(elements, seeds),
                                  make_classes(class_keys, class_values), make_gazetteers(gazetteers));
           }),
           "atoms"_a, "elements"_a, "seeds"_a, "class_keys"_a, "class_values"_a,
           "gazetteers"_a = std::vector<GazetteerArrays>())
      .def_property_readonly("width", &TokenFeatures::size)
      .def_property_readonly("columns", &TokenFeatures::columns)
      .def("keys", &token_keys, "texts"_a, "starts"_a, "ends"_a, "documents"_a, "sequences"_a, "columns"_a,
           "threads"_a = 0);
  m.def("pack_linear_rows", &pack_linear_rows, "labels"_a, "keys"_a, "row_sizes"_a, "pair_labels"_a, "pair_weights"_a);
  py::class_<LinearModel>(m, "LinearModel")
      .def(py::init(&make_model), "labels"_a, "rows"_a.noconvert(), "blocks"_a.noconvert(), "scale"_a, "transitions"_a,
           "start"_a, "end"_a, py::keep_alive<1, 3>(), py::keep_alive<1, 4>())
      .def_property_readonly("labels", &LinearModel::labels)
      .def("emissions", &model_emissions, "keys"_a)
      .def("predict", &model_predict, "keys"_a, "offsets"_a, "threads"_a = 0);
}
