// Python's way to n-gram language models.
#include <pybind11/stl.h>

#include <memory>

#include "bind.hpp"
#include "ngram_lm/arpa.hpp"
#include "ngram_lm/corpus.hpp"
#include "ngram_lm/estimate.hpp"
#include "options.hpp"
#include "parallel.hpp"
#include "utf8.hpp"

namespace py = pybind11;

namespace nlptk {
namespace {

// The words of sentences, each a str, which is cut at white space, or a sequence of str; valid until clear().
class SentenceWords {
 public:
  const std::vector<std::string_view>& words() const { return words_; }
  void clear() { owners_.clear(), words_.clear(); }

  void add(py::handle sentence) {
    if (PyUnicode_Check(sentence.ptr())) {
      for_each_word(bytes_of(sentence.ptr()), [this](std::string_view word) { words_.push_back(word); });
      return;
    }
    const auto items = py::reinterpret_steal<py::object>(PySequence_Fast(sentence.ptr(), "a sentence must be a str or a list of str"));
    if (!items) throw py::error_already_set();
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(items.ptr());
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* const word = PySequence_Fast_GET_ITEM(items.ptr(), i);
      if (!PyUnicode_Check(word)) throw py::type_error(std::string("a word must be str, not ") + Py_TYPE(word)->tp_name);
      words_.push_back(bytes_of(word));
    }
    owners_.push_back(items);
  }

 private:
  // UTF-8, where a lone surrogate has the three bytes that it would have.
  std::string_view bytes_of(PyObject* text) {
    if (PyUnicode_IS_COMPACT_ASCII(text))
      return {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))};
    auto bytes = py::reinterpret_steal<py::object>(PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass"));
    if (!bytes) throw py::error_already_set();
    owners_.push_back(bytes);
    return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
  }

  std::vector<py::object> owners_;
  std::vector<std::string_view> words_;
};

// A model and the words that its numbers stand for.
class NgramLM {
 public:
  NgramLM(TermTable table, std::unique_ptr<NgramEstimate> estimate) : table_(std::move(table)), estimate_(std::move(estimate)) {
    if (table_.size() != model().words()) throw std::invalid_argument("there are not as many words as unigrams");
  }

  const NgramModel& model() const { return estimate_->model; }
  const std::vector<NgramOrderStatistics>& statistics() const { return estimate_->orders; }
  const TermTable& table() const { return table_; }

  // Appends the numbers of a sentence's words, and of </s> if asked.
  void number(py::handle sentence, bool end, std::vector<std::uint32_t>& out) const {
    SentenceWords words;
    words.add(sentence);
    const std::size_t first = out.size();
    for (const std::string_view word : words.words()) {
      out.push_back(hash_word(word));
      table_.prefetch(out.back());
    }
    for (std::size_t i = 0; i < words.words().size(); ++i) {
      const std::uint32_t found = table_.find(words.words()[i], out[first + i]);
      out[first + i] = found == TermTable::kNone ? kUnknown : found;
    }
    if (end) out.push_back(kEnd);
  }

 private:
  TermTable table_;
  std::unique_ptr<NgramEstimate> estimate_;
};

NgramSettings to_settings(const py::dict& values) {
  const Options options(values);
  NgramSettings settings;
  settings.order = options.get<std::size_t>("order", 5);
  settings.laplace = options.get<bool>("laplace", false);
  settings.alpha = options.get<double>("alpha", 1.0);
  const auto prune = options.get<std::vector<std::uint64_t>>("prune");
  for (std::size_t n = 0; n < kMostOrder && !prune.empty(); ++n) settings.prune[n] = prune[std::min(n, prune.size() - 1)];
  settings.fallback = options.get<std::optional<std::array<double, 3>>>("discount_fallback");
  return settings;
}

void add_sentences(NgramCorpus& corpus, const py::sequence& sentences) {
  SentenceWords words;
  for (const py::handle sentence : sentences) {
    words.clear();
    words.add(sentence);
    corpus.begin_sentence();
    for (const std::string_view word : words.words()) corpus.add_word(word);
    corpus.end_sentence();
  }
}

// The place of the first byte that is not UTF-8, or -1; the lines are counted if there is none.
std::int64_t add_lines(NgramCorpus& corpus, const py::buffer& data) {
  const py::buffer_info info = data.request();
  const std::string_view text(static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize));
  const py::gil_scoped_release release;
  const std::size_t bad = utf8::find_invalid(text.data(), text.size());
  if (bad < text.size()) return static_cast<std::int64_t>(bad);
  corpus.add_lines(text);
  return -1;
}

std::unique_ptr<NgramLM> estimate(NgramCorpus& corpus, std::uint64_t min_count, const py::dict& values) {
  const NgramSettings settings = to_settings(values);
  const py::gil_scoped_release release;
  corpus.finish(min_count);
  const std::size_t words = corpus.table().size();
  auto made = std::unique_ptr<NgramEstimate>(new NgramEstimate(estimate_ngrams(corpus.take_text(), words, settings)));
  return std::make_unique<NgramLM>(corpus.take_table(), std::move(made));
}

// ---- state ----

using Level = std::tuple<Array<std::uint32_t>, Array<float>, Array<float>, Array<std::uint32_t>>;

Level level_of(const NgramLM& lm, std::size_t n) {
  const NgramModel& model = lm.model();
  if (n < 1 || n > model.order()) throw py::index_error("there is no such order");
  const auto size = static_cast<py::ssize_t>(model.size(n)), lower = n < model.order() ? size : py::ssize_t{0};
  Array<std::uint32_t> words(size), begins(n < model.order() ? size + 1 : 0);
  Array<float> log_probs(size), backoffs(lower);
  for (py::ssize_t i = 0; i < size; ++i) {
    words.mutable_data()[i] = model.word(n, static_cast<std::size_t>(i));
    log_probs.mutable_data()[i] = model.log_prob(n, static_cast<std::size_t>(i));
  }
  for (py::ssize_t i = 0; i < begins.size(); ++i) begins.mutable_data()[i] = model.lower(n)[static_cast<std::size_t>(i)].begin;
  for (py::ssize_t i = 0; i < lower; ++i) backoffs.mutable_data()[i] = model.lower(n)[static_cast<std::size_t>(i)].backoff;
  return {words, log_probs, backoffs, begins};
}

std::unique_ptr<NgramLM> from_levels(const py::sequence& words, const std::vector<Level>& levels, bool laplace) {
  SentenceWords given;
  given.add(words);
  TermTable table = special_words();
  for (std::size_t w = 0; w < given.words().size(); ++w)
    if (table.insert(given.words()[w]) != w) throw py::value_error("words are given twice, or do not begin with <unk>, <s>, </s>");
  if (levels.empty()) throw py::value_error("an n-gram model is of order 1 to 6");
  std::vector<HugeVector<NgramModel::Node>> lower;
  HugeVector<NgramModel::Leaf> highest;
  for (std::size_t n = 1; n <= levels.size(); ++n) {
    const auto& [last, log_probs, backoffs, begins] = levels[n - 1];
    const py::ssize_t size = last.size();
    const bool leaves = n == levels.size();
    if (log_probs.size() != size || backoffs.size() != (leaves ? 0 : size) || begins.size() != (leaves ? 0 : size + 1))
      throw py::value_error("the arrays of n-grams are not of one length");
    if (leaves) {
      for (py::ssize_t i = 0; i < size; ++i) highest.push_back({last.data()[i], log_probs.data()[i]});
      continue;
    }
    HugeVector<NgramModel::Node>& nodes = lower.emplace_back();
    nodes.reserve(static_cast<std::size_t>(size) + 1);
    for (py::ssize_t i = 0; i < size; ++i)
      nodes.push_back({last.data()[i], log_probs.data()[i], backoffs.data()[i], begins.data()[i]});
    nodes.push_back({0, 0, 0, begins.data()[size]});
  }
  auto made = std::unique_ptr<NgramEstimate>(new NgramEstimate{NgramModel(std::move(lower), std::move(highest), laplace), {}});
  return std::make_unique<NgramLM>(std::move(table), std::move(made));
}

std::unique_ptr<NgramLM> finish(ArpaReader& reader) {
  const py::gil_scoped_release release;
  auto made = std::unique_ptr<NgramEstimate>(new NgramEstimate{reader.finish(), {}});
  return std::make_unique<NgramLM>(reader.take_table(), std::move(made));
}

py::list words_of(const NgramLM& lm) {
  py::list words(lm.table().size());
  for (std::size_t w = 0; w < lm.table().size(); ++w) {
    const std::string_view word = lm.table().term(w);
    PyObject* const text = PyUnicode_DecodeUTF8(word.data(), static_cast<py::ssize_t>(word.size()), "surrogatepass");
    if (text == nullptr) throw py::error_already_set();
    PyList_SET_ITEM(words.ptr(), static_cast<Py_ssize_t>(w), text);
  }
  return words;
}

// ---- scoring ----

// Not with the GIL held: the thread that makes the index asks for it to look for Ctrl-C.
void prepare(const NgramLM& lm, int threads) {
  if (lm.model().prepared()) return;
  const py::gil_scoped_release release;
  lm.model().prepare(threads);
}

double score(const NgramLM& lm, const py::object& words, bool bos, bool eos) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(64);
  lm.number(words, eos, numbers);
  prepare(lm, 0);
  return lm.model().score(numbers, bos, nullptr, nullptr);
}

// (log10 probabilities, orders of the n-grams that gave them, numbers of the words) of a sentence.
py::tuple full_scores(const NgramLM& lm, const py::object& words, bool bos, bool eos) {
  std::vector<std::uint32_t> numbers;
  lm.number(words, eos, numbers);
  prepare(lm, 0);
  const auto size = static_cast<py::ssize_t>(numbers.size());
  py::array_t<float> log_probs(size);
  py::array_t<std::uint8_t> matched(size);
  lm.model().score(numbers, bos, log_probs.mutable_data(), matched.mutable_data());
  return py::make_tuple(log_probs, matched, py::array_t<std::uint32_t>(size, numbers.data()));
}

// float64 [sentences, 2]: log10 of each, and of its unknown words alone; int64 [sentences, 2]: tokens, unknown ones.
py::tuple score_batch(const NgramLM& lm, const py::sequence& sentences, bool bos, bool eos, int threads) {
  std::vector<std::uint32_t> numbers;
  std::vector<std::size_t> starts{0};
  for (const py::handle sentence : sentences) {
    lm.number(sentence, eos, numbers);
    starts.push_back(numbers.size());
  }
  const std::size_t count = starts.size() - 1;
  py::array_t<double> sums({count, std::size_t{2}});
  py::array_t<std::int64_t> counts({count, std::size_t{2}});
  double* const sum = sums.mutable_data();
  std::int64_t* const tokens = counts.mutable_data();
  prepare(lm, threads);
  {
    const py::gil_scoped_release release;
    parallel_for(count, threads, 64, [&](std::size_t begin, std::size_t end, int) {
      std::vector<float> log_probs;
      for (std::size_t s = begin; s < end; ++s) {
        const std::span<const std::uint32_t> words(numbers.data() + starts[s], starts[s + 1] - starts[s]);
        log_probs.resize(words.size());
        sum[2 * s] = lm.model().score(words, bos, log_probs.data(), nullptr);
        sum[2 * s + 1] = 0;
        tokens[2 * s] = static_cast<std::int64_t>(words.size());
        tokens[2 * s + 1] = 0;
        for (std::size_t i = 0; i < words.size(); ++i) {
          if (words[i] != kUnknown) continue;
          sum[2 * s + 1] += log_probs[i];
          ++tokens[2 * s + 1];
        }
      }
    });
  }
  return py::make_tuple(sums, counts);
}

// ---- states: int64 [rows, order], the words of the context and then the numbers of its n-grams, -1 for none ----

std::vector<NgramContext> contexts_of(const NgramModel& model, const Array<std::int64_t>& states) {
  const auto columns = static_cast<py::ssize_t>(model.order());
  if (states.ndim() != 2 || states.shape(1) != columns)
    throw py::value_error("states must be [rows, " + std::to_string(columns) + "]");
  std::vector<NgramContext> contexts(static_cast<std::size_t>(states.shape(0)));
  for (std::size_t r = 0; r < contexts.size(); ++r) {
    const std::int64_t* const row = states.data() + r * model.order();
    if (row[0] < 0 || row[0] >= columns) throw py::value_error("a state is not one that the model gave");
    contexts[r].length = static_cast<std::uint32_t>(row[0]);
    for (std::size_t n = 1; n < model.order(); ++n) {
      if (row[n] < -1 || row[n] >= static_cast<std::int64_t>(model.size(n)))
        throw py::value_error("a state is not one that the model gave");
      contexts[r].nodes[n - 1] = row[n] < 0 ? NgramModel::kNone : static_cast<std::uint32_t>(row[n]);
    }
  }
  return contexts;
}

py::array_t<std::int64_t> states_of(const NgramModel& model, const std::vector<NgramContext>& contexts) {
  py::array_t<std::int64_t> states({contexts.size(), model.order()});
  std::int64_t* to = states.mutable_data();
  for (const NgramContext& context : contexts) {
    *to++ = context.length;
    for (std::size_t n = 1; n < model.order(); ++n)
      *to++ = context.nodes[n - 1] == NgramModel::kNone ? -1 : static_cast<std::int64_t>(context.nodes[n - 1]);
  }
  return states;
}

py::array_t<std::int64_t> start(const NgramLM& lm, std::size_t rows, bool bos) {
  NgramContext context;
  std::uint8_t matched;
  if (bos) lm.model().step(context, kBegin, matched);
  return states_of(lm.model(), std::vector<NgramContext>(rows, context));
}

py::array_t<std::int64_t> advance(const NgramLM& lm, const Array<std::int64_t>& states, const Array<std::int64_t>& tokens) {
  std::vector<NgramContext> contexts = contexts_of(lm.model(), states);
  if (tokens.ndim() != 1 || tokens.size() != states.shape(0)) throw py::value_error("there must be one token for each state");
  for (std::size_t r = 0; r < contexts.size(); ++r) {
    const std::int64_t token = tokens.data()[r];
    if (token < 0 || token >= static_cast<std::int64_t>(lm.model().words()))
      throw py::value_error("token " + std::to_string(token) + " is not a number of a word");
    std::uint8_t matched;
    lm.model().step(contexts[r], static_cast<std::uint32_t>(token), matched);
  }
  return states_of(lm.model(), contexts);
}

py::array_t<float> distributions(const NgramLM& lm, const Array<std::int64_t>& states, int threads) {
  const std::vector<NgramContext> contexts = contexts_of(lm.model(), states);
  const std::size_t words = lm.model().words();
  py::array_t<float> out({contexts.size(), words});
  float* const to = out.mutable_data();
  const py::gil_scoped_release release;
  parallel_for(contexts.size(), threads, 1,
               [&](std::size_t r, std::size_t, int) { lm.model().distribution(contexts[r], to + r * words); });
  return out;
}

py::array_t<std::uint32_t> numbers(const NgramLM& lm, const py::object& words) {
  std::vector<std::uint32_t> found;
  lm.number(words, false, found);
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(found.size()), found.data());
}

// (n-grams before pruning, counts of adjusted counts 1 to 4, discounts of 1, 2 and 3 or more) of each order.
py::list statistics(const NgramLM& lm) {
  py::list out;
  for (const NgramOrderStatistics& of : lm.statistics())
    out.append(py::make_tuple(of.ngrams, of.seen, std::vector<double>(of.discounts.begin() + 1, of.discounts.end())));
  return out;
}

}  // namespace
}  // namespace nlptk

void bind_ngram_lm(py::module_& m) {
  using namespace nlptk;
  using namespace py::literals;
  py::class_<NgramLM>(m, "NgramModel")
      .def(py::init(&from_levels), "words"_a, "levels"_a, "laplace"_a)
      .def_property_readonly("order", [](const NgramLM& lm) { return lm.model().order(); })
      .def_property_readonly("laplace", [](const NgramLM& lm) { return lm.model().laplace(); })
      .def_property_readonly("statistics", &statistics)
      .def("words", &words_of)
      .def("size", [](const NgramLM& lm, std::size_t n) { return n < 1 || n > lm.model().order() ? 0 : lm.model().size(n); }, "n"_a)
      .def("level", &level_of, "n"_a)
      .def("prepare", &prepare, "threads"_a = 0)
      .def("numbers", &numbers, "words"_a)
      .def("score", &score, "words"_a, "bos"_a, "eos"_a)
      .def("full_scores", &full_scores, "words"_a, "bos"_a, "eos"_a)
      .def("score_batch", &score_batch, "sentences"_a, "bos"_a, "eos"_a, "threads"_a)
      .def("start", &start, "rows"_a, "bos"_a)
      .def("advance", &advance, "states"_a, "tokens"_a)
      .def("distributions", &distributions, "states"_a, "threads"_a)
      .def("check_arpa_words", [](const NgramLM& lm) { check_arpa_words(lm.table()); })
      .def("arpa_header", [](const NgramLM& lm) { return py::bytes(arpa_header(lm.model())); })
      .def("arpa_lines",
           [](const NgramLM& lm, std::size_t n, std::size_t first, std::size_t last) {
             if (n < 1 || n > lm.model().order()) throw py::index_error("there is no such order");
             last = std::min(last, lm.model().size(n));
             std::string lines;
             {
               const py::gil_scoped_release release;
               lines = arpa_lines(lm.model(), lm.table(), n, first, last);
             }
             return py::bytes(lines);
           },
           "n"_a, "first"_a, "last"_a);
  py::class_<NgramCorpus>(m, "NgramCorpus")
      .def(py::init([](const std::optional<py::sequence>& vocabulary) {
             if (!vocabulary) return NgramCorpus();
             SentenceWords words;
             words.add(*vocabulary);
             return NgramCorpus(words.words());
           }),
           "vocabulary"_a = py::none())
      .def_property_readonly("sentences", &NgramCorpus::sentences)
      .def_property_readonly("tokens", &NgramCorpus::tokens)
      .def("add_sentences", &add_sentences, "sentences"_a)
      .def("add_lines", &add_lines, "data"_a)
      .def("estimate", &estimate, "min_count"_a, "settings"_a);
  py::class_<ArpaReader>(m, "ArpaReader")
      .def(py::init<>())
      .def_property_readonly("line", &ArpaReader::line)
      .def("feed",
           [](ArpaReader& reader, const py::bytes& block) {
             const std::string_view text = block;
             const py::gil_scoped_release release;
             reader.feed(text);
           },
           "block"_a)
      .def("finish", &finish);
}
