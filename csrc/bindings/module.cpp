// The extension module: each kernel binds itself in a file of its own.
#include <pybind11/pybind11.h>

#include "bind.hpp"
#include "cpu.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace {

bool signal_pending() {
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;  // the raised exception stays set for the translator below
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "C++ kernels of nlptk; see _core.pyi";
  nlptk::interrupt_hook().store(&signal_pending);
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const nlptk::Interrupted&) {
      if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
  m.def("isa", [] { return nlptk::isa_name(nlptk::active_isa()); });
  bind_attributes(m);
  bind_baum_welch(m);
  bind_bpe(m);
  bind_brown(m);
  bind_chain(m);
  bind_rule_tokenizer(m);
  bind_crf(m);
  bind_crf_stream(m);
  bind_fasttext(m);
  bind_features(m);
  bind_tagger(m);
  bind_trigram(m);
  bind_segment(m);
  bind_sgns(m);
  bind_unicode(m);
  bind_linear_svm(m);
  bind_ngram_counts(m);
  bind_ngram_lm(m);
  bind_phrases(m);
  bind_pretokenize(m);
  bind_word_ids(m);
  bind_wordpiece(m);
  bind_jieba(m);
  bind_vectors(m);
}
