"""Taggers, segmenters and pipelines survive pickles and copies, and scikit-learn's tools take taggers."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from tagged_sentences import NX, NY

import nlptk
from nlptk.doc import Doc
from nlptk.errors import ConfigError
from nlptk.lexicons import Gazetteer, WordClasses
from nlptk.tag.component import Tagger
from nlptk.tag.crf import CRFTagger
from nlptk.tag.hmm import HMMTagger
from nlptk.tokenize.segmenter import Segmenter

AGAIN = {"pickle": lambda one: pickle.loads(pickle.dumps(one)), "deepcopy": copy.deepcopy, "copy": copy.copy}
again = pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN.keys())
CRF = {"max_iterations": 5, "threads": 1}
TAGGERS = {
    "crf": lambda: CRFTagger("ner", **CRF),
    "crf own templates": lambda: CRFTagger(("word", "lower[-1]|word"), algorithm="lbfgs", scheme=None, **CRF),
    "hmm": lambda: HMMTagger(n_word_states=2, threads=1),
    "hmm bigrams": lambda: HMMTagger(order=2, threads=1),
}
taggers = pytest.mark.parametrize("make", TAGGERS.values(), ids=TAGGERS.keys())
TEXT = "Anna lives in New Haven. Carl met Dahl."


def documents() -> list[Doc]:
    docs = []
    for words, labels in zip(NX, NY, strict=True):
        doc = Doc(" ".join(words))
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        doc.set_tokens(ends - [len(word) for word in words], ends, np.arange(len(words)) == 0)
        doc.set_column("ent", labels)
        docs.append(doc)
    return docs


@again
@taggers
def test_an_unfitted_tagger_keeps_its_settings_and_can_be_fitted(again, make):
    tagger = again(make())
    assert tagger.get_params() == make().get_params()
    with pytest.raises(ConfigError, match="not fitted"):
        tagger.predict(NX)
    assert tagger.fit(NX, NY).predict(NX) == make().fit(NX, NY).predict(NX)


@again
@taggers
def test_a_fitted_tagger_keeps_settings_answers_and_state(again, make):
    tagger = make().fit(NX, NY)
    tagger.note = "an attribute of the user's"
    other = again(tagger)
    assert other.get_params() == tagger.get_params()
    assert other.note == tagger.note
    unseen = [["Greta", "Dahl", "is", "in", "Haven"], [], ["!"]]
    assert other.predict(NX + unseen) == tagger.predict(NX + unseen)
    config, arrays = other.to_state()
    assert config == tagger.to_state()[0]
    for name, array in tagger.to_state()[1].items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].tobytes() == array.tobytes()
    again(other)


@again
def test_lexicons_go_with_the_tagger(again):
    classes = WordClasses(("c",), np.array([1, 2], np.uint32), np.array([[1], [2]], np.uint16))
    names = {"places": Gazetteer.of("places", [("New Haven", "town")])}
    templates = ["word", "cluster:c", "gazetteer:places"]
    tagger = CRFTagger(templates, clusters=classes, gazetteers=names, **CRF).fit(NX, NY)
    other = again(tagger)
    assert other.predict(NX) == tagger.predict(NX)
    assert other.clusters.keys.tolist() == [1, 2]
    assert other.gazetteers["places"].keys.tolist() == names["places"].keys.tolist()


def test_a_deep_copy_is_independent():
    tagger = CRFTagger("ner", **CRF).fit(NX, NY)
    before = tagger.predict(NX)
    copy.deepcopy(tagger).fit(NX, [["O"] * len(tags) for tags in NY])
    assert tagger.predict(NX) == before


@again
def test_marginals_are_kept_to_the_bit(again):
    tagger = CRFTagger("ner", **CRF).fit(NX, NY)
    assert again(tagger).predict_marginals(NX) == tagger.predict_marginals(NX)


@again
@pytest.mark.parametrize("model", ["crf", "hmm"])
def test_tagger_components(again, model):
    unfitted = again(Tagger("ent", model))
    assert unfitted.labels == ()
    assert unfitted.tagger.get_params() == Tagger("ent", model).tagger.get_params()
    component = unfitted.fit(documents())
    component.name = "names"
    other = again(component)
    assert (other.name, other.labels, other.assigns) == ("names", component.labels, component.assigns)
    for one, two in zip(other.pipe(documents()), component.pipe(documents()), strict=True):
        assert one.column("ent") == two.column("ent")


@again
def test_segmenters(again):
    unfitted = again(Segmenter(max_iterations=3, threads=1))
    with pytest.raises(ConfigError, match="not trained"):
        unfitted.tokenize(TEXT)
    assert unfitted.settings.max_iterations == 3
    segmenter = unfitted.fit(documents())
    other = again(segmenter)
    assert other.tokenize(TEXT) == segmenter.tokenize(TEXT)
    assert other.settings == segmenter.settings


@again
def test_pipelines(again):
    nlp = nlptk.blank("en")
    nlp.add_pipe("tagger", name="names", config={"column": "ent", "threads": 1})
    nlp.get_pipe("names").fit(documents())
    nlp.add_pipe("sentencizer", name="dots", before="names")
    nlp.disable_pipe("dots")
    nlp.meta["license"] = "MIT"
    other = again(nlp)
    assert other.meta == nlp.meta
    assert other.disabled == ["dots"]
    assert other.pipe_names == nlp.pipe_names
    assert other.get_pipe("names").name == "names"
    assert [(t.text, t.ent_type_) for t in other(TEXT)] == [(t.text, t.ent_type_) for t in nlp(TEXT)]


def test_a_deep_copy_of_a_pipeline_is_edited_alone():
    nlp = nlptk.blank("en")
    other = copy.deepcopy(nlp)
    other.rename_pipe("tokenizer", "words")
    other.meta["license"] = "MIT"
    assert nlp.pipe_names == ["tokenizer"]
    assert "license" not in nlp.meta
    assert nlp.get_pipe("tokenizer").name == "tokenizer"


@again
def test_a_component_keeps_the_name_it_was_given(again):
    nlp = nlptk.Language("zh")
    nlp.add_pipe("jieba", name="words")
    assert again(nlp).get_pipe("words").name == "words"


@taggers
def test_scikit_learn_clones(make):
    fitted = make().fit(NX, NY)
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    assert not hasattr(unfitted, "classes_")


@pytest.fixture
def workers():
    """Joblib keeps its processes for later; other tests look whether there are any."""
    yield
    get_reusable_executor().shutdown(wait=True)


def test_scikit_learn_predicts_and_searches_by_folds(workers):
    X, Y = NX * 2, NY * 2
    found = cross_val_predict(CRFTagger("ner", **CRF), X, Y, cv=2, n_jobs=2)
    assert found.shape == (len(X),)
    assert [len(labels) for labels in found] == [len(tags) for tags in Y]
    assert found.tolist() == CRFTagger("ner", **CRF).fit(NX, NY).predict(X)
    same = cross_val_predict(HMMTagger(n_word_states=0), [["a", "b"]] * 4, [["A", "B"]] * 4, cv=2)
    assert same.tolist() == [["A", "B"]] * 4  # of one length, yet a list for each sentence
    search = GridSearchCV(CRFTagger("ner", **CRF), {"c2": [0.1, 1e4]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"c2": 0.1}
