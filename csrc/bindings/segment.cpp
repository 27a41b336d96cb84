#include <pybind11/stl.h>

#include "bind.hpp"
#include "linear_model.hpp"
#include "make_templates.hpp"
#include "parallel.hpp"
#include "segment_features.hpp"
#include "token_batch.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

enum Label : std::int32_t { kInside = 0, kToken = 1, kSentence = 2 };

// What a text's paragraphs give: one entry for each candidate, in order.
struct Scan {
  std::vector<std::int32_t> positions;    // character offset of each candidate
  std::vector<std::uint32_t> keys;        // [candidates, width]
  std::vector<std::int64_t> paragraphs;   // candidates of each paragraph
};

py::tuple segment_keys(const SegmentFeatures& features, const py::sequence& text_list, int threads) {
  const TextBatch texts(text_list);
  std::vector<Scan> scans(texts.spans().size());
  {
    const py::gil_scoped_release release;
    std::vector<Paragraph> workers(static_cast<std::size_t>(resolve_threads(threads)));
    parallel_for(scans.size(), threads, 1, [&](std::size_t begin, std::size_t end, int thread) {
      Paragraph& paragraph = workers[static_cast<std::size_t>(thread)];
      std::vector<char32_t> text;
      for (std::size_t d = begin; d < end; ++d) {
        text.resize(texts.spans()[d].length);
        widen(texts.spans()[d], text.data());
        each_paragraph(text.data(), text.size(), [&](std::size_t from, std::size_t to) {
          features.scan(text.data(), from, to, paragraph);
          const std::size_t count = paragraph.candidates.size();
          Scan& scan = scans[d];
          for (const std::uint32_t unit : paragraph.candidates) scan.positions.push_back(paragraph.positions[unit]);
          scan.keys.resize(scan.keys.size() + count * features.size());
          features.keys(paragraph, scan.keys.data() + scan.keys.size() - count * features.size());
          scan.paragraphs.push_back(static_cast<std::int64_t>(count));
        });
      }
    });
  }
  std::size_t candidates = 0;
  std::vector<std::int64_t> documents{0}, sequences{0};
  for (const Scan& scan : scans) {
    candidates += scan.positions.size();
    documents.push_back(static_cast<std::int64_t>(candidates));
    for (const std::int64_t count : scan.paragraphs) sequences.push_back(sequences.back() + count);
  }
  py::array_t<std::int32_t> positions(static_cast<py::ssize_t>(candidates));
  py::array_t<std::uint32_t> keys({static_cast<py::ssize_t>(candidates), static_cast<py::ssize_t>(features.size())});
  std::int32_t* p = positions.mutable_data();
  std::uint32_t* k = keys.mutable_data();
  for (const Scan& scan : scans) {
    p = std::copy(scan.positions.begin(), scan.positions.end(), p);
    k = std::copy(scan.keys.begin(), scan.keys.end(), k);
  }
  return py::make_tuple(keys, positions, py::array_t<std::int64_t>(static_cast<py::ssize_t>(documents.size()), documents.data()),
                        py::array_t<std::int64_t>(static_cast<py::ssize_t>(sequences.size()), sequences.data()));
}

struct Tokens {
  std::vector<std::int32_t> starts, ends;
  std::vector<std::uint8_t> sentence_starts;
};

struct Worker {
  Paragraph paragraph;
  LinearWorkspace linear;
  std::vector<char32_t> text;
  std::vector<std::uint32_t> keys;
  std::vector<std::int32_t> path;
};

// Masks what cannot be: no token goes across white space, a paragraph begins a sentence.
void force_starts(const Paragraph& paragraph, float* emissions) {
  constexpr float kNever = -1e6F;
  for (std::size_t c = 0; c < paragraph.candidates.size(); ++c)
    if (SegmentFeatures::forced(paragraph, c)) emissions[c * 3 + kInside] = kNever;
  emissions[kToken] = kNever;
}

void segment_paragraph(const SegmentFeatures& features, const LinearModel& model, std::size_t from, std::size_t to,
                       Worker& worker, Tokens& out) {
  Paragraph& paragraph = worker.paragraph;
  features.scan(worker.text.data(), from, to, paragraph);
  const std::size_t count = paragraph.candidates.size();
  if (worker.keys.size() < count * features.size()) worker.keys.resize(count * features.size());
  if (worker.linear.emissions.size() < count * 3) worker.linear.emissions.resize(count * 3);
  if (worker.path.size() < count) worker.path.resize(count);
  features.keys(paragraph, worker.keys.data());
  float* emissions = worker.linear.emissions.data();
  model.emissions(worker.keys.data(), count, features.size(), worker.linear, emissions);
  force_starts(paragraph, emissions);
  viterbi(model.chain(), emissions, count, worker.linear.chain, worker.path.data());
  bool open = false;
  for (std::size_t c = 0; c < count; ++c) {
    if (worker.path[c] == kInside) continue;
    const std::uint32_t unit = paragraph.candidates[c];
    if (open) out.ends.push_back(paragraph.positions[unit - (paragraph.units[unit - 1] == U' ' ? 2 : 1)] + 1);
    open = true;
    out.starts.push_back(paragraph.positions[unit]);
    out.sentence_starts.push_back(worker.path[c] == kSentence ? 1 : 0);
  }
  out.ends.push_back(static_cast<std::int32_t>(to));
}

void segment_text(const SegmentFeatures& features, const LinearModel& model, const TextSpan& span, Worker& worker,
                  Tokens& out) {
  if (worker.text.size() < span.length) worker.text.resize(span.length);
  widen(span, worker.text.data());
  std::size_t leading = 0;
  while (leading < span.length && unicode::is_space(worker.text[leading])) ++leading;
  if (leading > 0) {  // white space before the first word is a token of its own
    out.starts.push_back(0);
    out.ends.push_back(static_cast<std::int32_t>(leading));
    out.sentence_starts.push_back(1);
  }
  const std::size_t first = out.starts.size();
  each_paragraph(worker.text.data(), span.length, [&](std::size_t from, std::size_t to) {
    segment_paragraph(features, model, from, to, worker, out);
  });
  if (leading > 0 && out.starts.size() > first) out.sentence_starts[first] = 0;  // it belongs to that first sentence
}

py::tuple segment(const SegmentFeatures& features, const LinearModel& model, const py::sequence& text_list,
                  int threads) {
  if (model.labels() != 3) throw py::value_error("a segmenter's model has three labels");
  const TextBatch texts(text_list);
  std::vector<Tokens> results(texts.spans().size());
  {
    const py::gil_scoped_release release;
    std::vector<Worker> workers(static_cast<std::size_t>(resolve_threads(threads)));
    parallel_for(results.size(), threads, 4, [&](std::size_t begin, std::size_t end, int thread) {
      for (std::size_t d = begin; d < end; ++d)
        segment_text(features, model, texts.spans()[d], workers[static_cast<std::size_t>(thread)], results[d]);
    });
  }
  std::vector<std::int64_t> documents{0};
  for (const Tokens& tokens : results)
    documents.push_back(documents.back() + static_cast<std::int64_t>(tokens.starts.size()));
  const py::ssize_t total = documents.back();
  py::array_t<std::int32_t> starts(total), ends(total);
  py::array_t<std::uint8_t> sentence_starts(total);
  std::int32_t* s = starts.mutable_data();
  std::int32_t* e = ends.mutable_data();
  std::uint8_t* f = sentence_starts.mutable_data();
  for (const Tokens& tokens : results) {
    s = std::copy(tokens.starts.begin(), tokens.starts.end(), s);
    e = std::copy(tokens.ends.begin(), tokens.ends.end(), e);
    f = std::copy(tokens.sentence_starts.begin(), tokens.sentence_starts.end(), f);
  }
  return py::make_tuple(starts, ends, sentence_starts,
                        py::array_t<std::int64_t>(static_cast<py::ssize_t>(documents.size()), documents.data()));
}

// Keys of the word rests at token starts inside runs of letters or digits: what `splits` is made of.
std::vector<std::pair<std::uint32_t, std::u32string>> inner_splits(const py::str& text_object,
                                                                   const Array<std::int32_t>& starts) {
  const std::u32string text = to_u32(text_object);
  const SegmentFeatures plain({{{SegmentAtom::bias, 0}}, {}, {}}, Templates({{0, 0, 0}}, {0, 1}, {1}), {}, {});
  std::vector<std::pair<std::uint32_t, std::u32string>> found;
  Paragraph paragraph;
  py::ssize_t next = 0;
  each_paragraph(text.data(), text.size(), [&](std::size_t from, std::size_t to) {
    plain.scan(text.data(), from, to, paragraph);
    for (std::size_t u = 0, c = 0; u < paragraph.units.size(); ++u) {
      while (next < starts.size() && starts.data()[next] < paragraph.positions[u]) ++next;
      const bool candidate = c < paragraph.candidates.size() && paragraph.candidates[c] == u;
      if (candidate) ++c;
      if (next == starts.size() || starts.data()[next] != paragraph.positions[u] || candidate) continue;
      if (paragraph.rest_length[u] > 12) continue;
      const std::size_t length = paragraph.rest_length[u];
      found.emplace_back(split_key(paragraph.units.data() + u, length),
                         std::u32string(paragraph.units.data() + u, length));
    }
  });
  return found;
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
                       const std::vector<Lexicon>& lexicons, const std::vector<std::uint32_t>& splits) {
             std::vector<std::vector<SegmentAtomSpec>> specs(atoms.size());
             for (std::size_t table = 0; table < atoms.size(); ++table)
               for (const auto& [atom, parameter] : atoms[table])
                 specs[table].push_back({static_cast<SegmentAtom>(atom), parameter});
             return SegmentFeatures(std::move(specs), make_templates(elements, seeds), lexicons, splits);
           }),
           "atoms"_a, "elements"_a, "seeds"_a, "lexicons"_a, "splits"_a)
      .def_property_readonly("width", &SegmentFeatures::size)
      .def("keys", &segment_keys, "texts"_a, "threads"_a = 0)
      .def("segment", &segment, "model"_a, "texts"_a, "threads"_a = 0);
}
