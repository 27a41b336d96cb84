#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>

#include "bind.hpp"
#include "bpe/counter.hpp"
#include "bpe/encoder.hpp"
#include "bpe/ranks.hpp"
#include "bpe/trainer.hpp"
#include "int_cache.hpp"
#include "options.hpp"
#include "parallel.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

constexpr std::size_t kLong = 4096;  // code points of a text from which on others may run meanwhile
constexpr std::size_t kGrain = 16;   // texts for each thread's turn

py::array_t<std::uint32_t> to_array(const std::vector<BpeMerge>& merges) {
  py::array_t<std::uint32_t> out({static_cast<py::ssize_t>(merges.size()), py::ssize_t{3}});
  std::uint32_t* to = out.mutable_data();
  for (const BpeMerge& merge : merges) to = std::copy_n(&merge.left, 3, to);
  return out;
}

std::vector<BpeMerge> to_merges(const Array<std::uint32_t>& rows) {
  if (rows.ndim() != 2 || rows.shape(1) != 3) throw py::value_error("merges must be uint32 [merges, 3]");
  std::vector<BpeMerge> merges(static_cast<std::size_t>(rows.shape(0)));
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::uint32_t* row = rows.data() + 3 * i;
    merges[i] = {row[0], row[1], row[2]};
  }
  return merges;
}

// The encoder as Python has it.
struct Encoder {
  Encoder(BpeModel model, BpeTextOptions options) : bpe(std::move(model), std::move(options)) {}
  BpeEncoder bpe;
  IntCache ints;
};

BpeEncoder::Request request_of(unsigned look, double dropout, std::uint64_t seed, bool offsets) {
  if (!(dropout >= 0 && dropout <= 1)) throw py::value_error("dropout must be from 0 to 1");
  return {offsets, look, dropout, seed};
}

void encode_span(const BpeEncoder& encoder, const TextSpan& text, const BpeEncoder::Request& request, BpeTokens& out) {
  BpeEncoder::Lease lease(encoder);
  BpeEncoder::Workspace& workspace = *lease;
  encoder.encode(workspace.utf8.convert(text), request, workspace, out);
}

py::list encode(Encoder& encoder, const py::object& text, unsigned look, double dropout, std::uint64_t seed) {
  const BpeEncoder::Request request = request_of(look, dropout, seed, false);
  const TextSpan span = text_span(text);
  BpeTokens out;
  if (span.length < kLong) {
    encode_span(encoder.bpe, span, request, out);
  } else {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    encode_span(encoder.bpe, span, request, out);
  }
  return encoder.ints.to_list(out.ids);
}

std::vector<BpeTokens> encode_all(const BpeEncoder& encoder, const TextBatch& texts, BpeEncoder::Request request,
                                  int threads) {
  std::vector<BpeTokens> found(texts.spans().size());
  const std::uint64_t seed = request.seed;
  const py::gil_scoped_release release;
  parallel_for(found.size(), threads, kGrain, [&](std::size_t begin, std::size_t end, int) {
    BpeEncoder::Lease lease(encoder);
    BpeEncoder::Workspace& workspace = *lease;
    BpeEncoder::Request own = request;
    for (std::size_t i = begin; i < end; ++i) {
      own.seed = seed + i;
      encoder.encode(workspace.utf8.convert(texts.spans()[i]), own, workspace, found[i]);
    }
  });
  return found;
}

py::list encode_batch(Encoder& encoder, const py::sequence& texts, unsigned look, double dropout,
                      std::uint64_t seed, int threads) {
  const TextBatch batch(texts);
  const auto found = encode_all(encoder.bpe, batch, request_of(look, dropout, seed, false), threads);
  py::list out(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) out[i] = encoder.ints.to_list(found[i].ids);
  return out;
}

// Ids, and of each token the first character that it has part in and the one after the last, for all texts together.
py::tuple encode_offsets(const Encoder& encoder, const py::sequence& texts, unsigned look, double dropout,
                         std::uint64_t seed, int threads) {
  const TextBatch batch(texts);
  for (const TextSpan& span : batch.spans())
    if (span.length > std::size_t{0x7FFFFFFF})
      throw py::value_error("a text of more than 2147483647 characters has no offsets; cut it");
  auto found = encode_all(encoder.bpe, batch, request_of(look, dropout, seed, true), threads);
  std::vector<std::int64_t> bounds{0};
  for (const BpeTokens& tokens : found) bounds.push_back(bounds.back() + static_cast<std::int64_t>(tokens.ids.size()));
  const auto total = static_cast<py::ssize_t>(bounds.back());
  py::array_t<std::uint32_t> ids(total);
  py::array_t<std::int32_t> starts(total), ends(total);
  std::uint32_t* to = ids.mutable_data();
  std::int32_t *start = starts.mutable_data(), *end = ends.mutable_data();
  {
    const py::gil_scoped_release release;
    utf8::Buffer buffer;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const TextSpan& span = batch.spans()[i];
      const std::string_view bytes = buffer.convert(span);
      const auto inside = [&](std::size_t at) {
        return at < bytes.size() && (static_cast<std::uint8_t>(bytes[at]) & 0xC0) == 0x80;
      };
      utf8::Offsets from(span, bytes), until(span, bytes);
      for (std::size_t t = 0; t < found[i].ids.size(); ++t) {
        std::size_t first = found[i].begins[t], last = found[i].ends[t];
        while (inside(first)) --first;
        while (inside(last)) ++last;
        *to++ = found[i].ids[t];
        *start++ = static_cast<std::int32_t>(from.to_chars(first));
        *end++ = static_cast<std::int32_t>(until.to_chars(last));
      }
    }
  }
  return py::make_tuple(ids, starts, ends, py::array_t<std::int64_t>(static_cast<py::ssize_t>(bounds.size()), bounds.data()));
}

// Start, end and id of each special token in a text, in characters: of those that are looked for in the text given, or
// of those that are looked for in the normalized one.
py::list find_special(const Encoder& encoder, const py::object& text, bool normalized) {
  const TextSpan span = text_span(text);
  utf8::Buffer buffer;
  const std::string_view bytes = buffer.convert(span);
  utf8::Offsets offsets(span, bytes);
  py::list out;
  SpecialTokens::Found found;
  for (std::size_t at = 0; encoder.bpe.special(normalized).next(bytes, at, found); at = found.end) {
    const std::size_t begin = offsets.to_chars(found.begin);
    out.append(py::make_tuple(begin, offsets.to_chars(found.end), found.id));
  }
  return out;
}

py::bytes decode(const Encoder& encoder, const Array<std::uint32_t>& ids, bool skip_special) {
  std::string text;
  {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    text = encoder.bpe.decode(ids.data(), static_cast<std::size_t>(ids.size()), skip_special);
  }
  return text;
}

std::unique_ptr<Encoder> make_encoder(std::vector<std::string> tokens, std::vector<TokenId> ids,
                                         const Array<std::uint32_t>& merges, const std::string& pattern,
                                         const py::list& special, const py::dict& options) {
  BpeOptions model;
  BpeTextOptions text;
  text.pattern = pattern_named(pattern.c_str());
  const Options given(options);
  model.byte_level = given.get<bool>("byte_level");
  model.marks_start = given.get<bool>("marks_start");
  model.marks_end = given.get<bool>("marks_end");
  model.ignore_merges = given.get<bool>("ignore_merges");
  model.fuse_unknown = given.get<bool>("fuse_unk");
  text.prefix_space = given.get<bool>("prefix_space");
  model.unknown = given.get("unk_id", model.unknown);
  if (given.has("fallback")) {
    model.byte_fallback = true;
    model.fallback = given.get<std::vector<TokenId>>("fallback");
    if (model.fallback.size() != 256) throw py::value_error("fallback must have an id for each of 256 bytes");
  }
  for (const py::handle entry : special) {
    const auto row = entry.cast<py::tuple>();
    text.special.push_back({row[0].cast<std::string>(), row[1].cast<TokenId>(), row[2].cast<bool>(),
                            row[3].cast<bool>(), row[4].cast<bool>(), row[5].cast<bool>(), row[6].cast<bool>(),
                            row[7].cast<bool>()});
  }
  const std::vector<BpeMerge> rows = to_merges(merges);
  const py::gil_scoped_release release;
  return std::make_unique<Encoder>(BpeModel(std::move(tokens), std::move(ids), rows, std::move(model)),
                                      std::move(text));
}

// The place of the first byte that is not UTF-8, or -1; the text is counted if there is none.
std::int64_t add_lines(BpeCounter& counter, const py::buffer& data) {
  const py::buffer_info info = data.request();
  const std::string_view text(static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize));
  const py::gil_scoped_release release;
  const std::size_t bad = utf8::find_invalid(text.data(), text.size());
  if (bad < text.size()) return static_cast<std::int64_t>(bad);
  counter.add_lines(text);
  return -1;
}

template <class F>
void each_str(const py::iterable& texts, F&& f) {
  utf8::Buffer buffer;
  for (const py::handle text : texts) {
    const auto owned = py::reinterpret_borrow<py::object>(text);
    const TextSpan span = text_span(owned);
    if (span.length < kLong) {
      f(buffer.convert(span));
    } else {
      const py::gil_scoped_release release;
      const InterruptScope interrupt;
      f(buffer.convert(span));
    }
  }
}

py::tuple train(BpeCounter& counter, std::size_t vocab_size, const py::dict& options,
                const std::function<void(std::size_t)>& progress) {
  BpeTrainOptions settings;
  settings.vocab_size = vocab_size;
  const Options given(options);
  settings.byte_level = given.get<bool>("byte_level");
  settings.marks_start = given.get<bool>("marks_start");
  settings.marks_end = given.get<bool>("marks_end");
  settings.min_frequency = given.get<std::size_t>("min_frequency");
  settings.limit_alphabet = given.get<std::size_t>("limit_alphabet");
  settings.max_token_length = given.get<std::size_t>("max_token_length");
  settings.special = given.get<std::vector<std::string>>("special");
  settings.alphabet = given.get<std::vector<std::string>>("alphabet");
  BpeTrained trained;
  {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    auto last = std::chrono::steady_clock::now();
    trained = bpe_train(counter.take(), settings, [&](std::size_t done) {
      poll_interrupt();
      const auto now = std::chrono::steady_clock::now();
      if (!progress || now - last < std::chrono::milliseconds(100)) return;
      last = now;
      const py::gil_scoped_acquire acquire;
      progress(done);
    });
  }
  py::list tokens;
  for (const std::string& token : trained.tokens) tokens.append(py::bytes(token));
  return py::make_tuple(tokens, trained.special, to_array(trained.merges));
}

}  // namespace
}  // namespace nlptk

void bind_bpe(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<BpeCounter>(m, "BpeCounter")
      .def(py::init([](const std::string& pattern, bool prefix_space, int threads) {
             return BpeCounter(pattern_named(pattern.c_str()), prefix_space, threads);
           }),
           "pattern"_a, "prefix_space"_a = false, "threads"_a = 0)
      .def_property_readonly("pieces", &BpeCounter::size)
      .def("add_lines", &add_lines, "data"_a)
      .def("add_texts", [](BpeCounter& c, const py::iterable& t) { each_str(t, [&](auto text) { c.add_text(text); }); },
           "texts"_a)
      .def("add_pieces", [](BpeCounter& c, const py::iterable& t) { each_str(t, [&](auto text) { c.add_piece(text); }); },
           "pieces"_a)
      .def("train", &train, "vocab_size"_a, "options"_a, "progress"_a = py::none());
  py::class_<Encoder>(m, "BpeEncoder")
      .def(py::init(&make_encoder), "tokens"_a, "ids"_a, "merges"_a, "pattern"_a, "special"_a, "options"_a)
      .def_property_readonly("linear", [](const Encoder& encoder) { return encoder.bpe.model().linear(); })
      .def("encode", &encode, "text"_a, "look"_a = 3, "dropout"_a = 0.0, "seed"_a = 0)
      .def("encode_batch", &encode_batch, "texts"_a, "look"_a = 3, "dropout"_a = 0.0, "seed"_a = 0,
           "threads"_a = 0)
      .def("encode_offsets", &encode_offsets, "texts"_a, "look"_a = 3, "dropout"_a = 0.0, "seed"_a = 0,
           "threads"_a = 0)
      .def("find_special", &find_special, "text"_a, "normalized"_a = false)
      .def("decode", &decode, "ids"_a, "skip_special"_a = true);
  m.def("merges_of_ranks", [](const std::vector<std::string>& tokens) { return to_array(merges_of_ranks(tokens)); },
        "tokens"_a);
}
