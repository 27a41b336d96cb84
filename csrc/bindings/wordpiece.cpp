#include "wordpiece/wordpiece.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "bind.hpp"
#include "parallel.hpp"
#include "py_text.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

using wordpiece::AddedToken;
using wordpiece::NormalizerOptions;
using wordpiece::Pieces;
using wordpiece::Vocabulary;
using wordpiece::WordPiece;
using wordpiece::WordSpans;
using Ids = std::vector<std::int32_t>;

// A text this long is encoded without the GIL; for a shorter one handing it over costs more than it gives.
constexpr std::size_t kLongText = 1 << 14;

py::array_t<std::int32_t> array(const Ids& values) {
  return py::array_t<std::int32_t>(static_cast<py::ssize_t>(values.size()), values.data());
}

// A tokenizer, and int objects for its ids and for offsets: making one for each piece takes longer than finding the
// piece.
class Tokenizer {
 public:
  Tokenizer(const std::vector<std::string>& tokens, const Ids& ids, const std::string& unk_token,
            const std::string& prefix, std::size_t max_chars, const NormalizerOptions& options,
            std::vector<AddedToken> added, Ids before, Ids after)
      : before_(std::move(before)), after_(std::move(after)) {
    if (tokens.size() != ids.size()) throw std::invalid_argument("there must be as many ids as tokens");
    std::int32_t largest = 0;
    const auto check = [&](std::int32_t id) {
      if (id < 0 || id > WordPiece::kMaxId)
        throw std::invalid_argument("id " + std::to_string(id) + " is not in 0 to " +
                                    std::to_string(WordPiece::kMaxId));
      largest = std::max(largest, id);
    };
    for (const std::int32_t id : ids) check(id);
    for (const AddedToken& token : added) check(token.id);
    Vocabulary vocabulary(tokens, ids, unk_token, prefix, max_chars);
    model_ = std::make_unique<WordPiece>(options, std::move(vocabulary), std::move(added));
    const std::size_t known = std::min<std::size_t>(static_cast<std::size_t>(largest) + 1, 4 * tokens.size() + 1024);
    for (std::size_t id = 0; id < known; ++id) ints_.push_back(py::int_(id));
  }

  py::list encode(const py::object& text, bool add_special_tokens) const {
    const TextSpan span = text_span(text);
    const WordPiece::Lease lease(*model_);
    Ids& ids = (*lease).ids;
    ids.clear();
    if (add_special_tokens) ids = before_;
    if (span.length < kLongText) {
      model_->encode(span, *lease, ids);
    } else {
      const py::gil_scoped_release release;
      const InterruptScope interrupt;
      model_->encode(span, *lease, ids);
    }
    if (add_special_tokens) ids.insert(ids.end(), after_.begin(), after_.end());
    return to_list(ids);
  }

  py::list encode_batch(const py::sequence& texts, bool add_special_tokens, int threads) const {
    const TextBatch batch(texts);
    std::vector<Ids> ids(batch.spans().size());
    {
      const py::gil_scoped_release release;
      model_->encode_batch(batch.spans().data(), ids.size(), threads, ids.data());
    }
    py::list out(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (add_special_tokens) {
        ids[i].insert(ids[i].begin(), before_.begin(), before_.end());
        ids[i].insert(ids[i].end(), after_.begin(), after_.end());
      }
      PyList_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), to_list(ids[i]).release().ptr());
    }
    return out;
  }

  // Lists of ids, of (start, end) and of word numbers.
  py::tuple pieces(const py::object& text) const {
    const Pieces found = find(text_span(text));
    py::list offsets(found.ids.size());
    for (std::size_t i = 0; i < found.ids.size(); ++i) {
      PyObject* pair = PyTuple_New(2);
      if (pair == nullptr) throw py::error_already_set();
      PyList_SET_ITEM(offsets.ptr(), static_cast<Py_ssize_t>(i), pair);
      PyTuple_SET_ITEM(pair, 0, to_int(found.starts[i]));
      PyTuple_SET_ITEM(pair, 1, to_int(found.ends[i]));
    }
    return py::make_tuple(to_list(found.ids), std::move(offsets), to_list(found.words));
  }

  py::tuple words(const py::object& text) const {
    const TextSpan span = text_span(text);
    const Pieces found = find(span);
    const WordSpans spans = wordpiece::word_spans(span, found);
    return py::make_tuple(array(spans.starts), array(spans.ends), array(spans.first_piece), array(found.ids));
  }

 private:
  std::unique_ptr<WordPiece> model_;
  Ids before_, after_;  // what stands round a single text
  std::vector<py::int_> ints_;

  Pieces find(const TextSpan& span) const {
    const py::gil_scoped_release release;
    const InterruptScope interrupt;
    const WordPiece::Lease lease(*model_);
    Pieces found;
    model_->encode(span, *lease, found);
    return found;
  }

  // A new reference.
  PyObject* to_int(std::int32_t number) const {
    const auto place = static_cast<std::size_t>(number);
    if (place < ints_.size()) return py::object(ints_[place]).release().ptr();
    PyObject* made = PyLong_FromSize_t(place);
    if (made == nullptr) throw py::error_already_set();
    return made;
  }

  py::list to_list(const Ids& ids) const {
    py::list out(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) PyList_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), to_int(ids[i]));
    return out;
  }
};

// Tuples (content, id, single_word, lstrip, rstrip, normalized).
std::vector<AddedToken> added_tokens(const py::sequence& entries) {
  std::vector<AddedToken> tokens;
  for (const py::handle entry : entries) {
    const auto [content, id, single_word, lstrip, rstrip, normalized] =
        entry.cast<std::tuple<py::str, std::int32_t, bool, bool, bool, bool>>();
    tokens.push_back({to_u32(content), id, single_word, lstrip, rstrip, normalized});
  }
  return tokens;
}

}  // namespace
}  // namespace nlptk

void bind_wordpiece(py::module_& m) {
  using namespace nlptk;
  py::class_<Tokenizer>(m, "WordPieceTokenizer")
      .def(py::init([](const std::vector<std::string>& tokens, const Ids& ids, const std::string& unk_token,
                       const std::string& prefix, std::size_t max_chars, bool clean_text, bool chinese_chars,
                       bool strip_accents, bool lowercase, const py::sequence& added, Ids before, Ids after) {
             return std::make_unique<Tokenizer>(tokens, ids, unk_token, prefix, max_chars,
                                                NormalizerOptions{clean_text, chinese_chars, strip_accents, lowercase},
                                                added_tokens(added), std::move(before), std::move(after));
           }),
           py::arg("tokens"), py::arg("ids"), py::arg("unk_token"), py::arg("prefix"), py::arg("max_chars"),
           py::arg("clean_text"), py::arg("chinese_chars"), py::arg("strip_accents"), py::arg("lowercase"),
           py::arg("added"), py::arg("before"), py::arg("after"))
      .def("encode", &Tokenizer::encode, py::arg("text"), py::arg("add_special_tokens") = true)
      .def("encode_batch", &Tokenizer::encode_batch, py::arg("texts"), py::arg("add_special_tokens") = true,
           py::arg("threads") = 0)
      .def("pieces", &Tokenizer::pieces, py::arg("text"))
      .def("words", &Tokenizer::words, py::arg("text"));
}
