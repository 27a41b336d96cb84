// One declaration for each file of bindings, and the conversions they share.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

void bind_attributes(pybind11::module_& m);
void bind_baum_welch(pybind11::module_& m);
void bind_bpe(pybind11::module_& m);
void bind_brown(pybind11::module_& m);
void bind_chain(pybind11::module_& m);
void bind_crf(pybind11::module_& m);
void bind_crf_stream(pybind11::module_& m);
void bind_fasttext(pybind11::module_& m);
void bind_features(pybind11::module_& m);
void bind_jieba(pybind11::module_& m);
void bind_linear_svm(pybind11::module_& m);
void bind_ngram_counts(pybind11::module_& m);
void bind_ngram_lm(pybind11::module_& m);
void bind_phrases(pybind11::module_& m);
void bind_pretokenize(pybind11::module_& m);
void bind_rule_tokenizer(pybind11::module_& m);
void bind_sgns(pybind11::module_& m);
void bind_segment(pybind11::module_& m);
void bind_tagger(pybind11::module_& m);
void bind_trigram(pybind11::module_& m);
void bind_unicode(pybind11::module_& m);
void bind_vectors(pybind11::module_& m);
void bind_word_ids(pybind11::module_& m);
void bind_wordpiece(pybind11::module_& m);

namespace nlptk {

// An array argument of this type, in one piece; anything that converts is taken.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

}  // namespace nlptk
