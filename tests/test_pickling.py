"""Pickles and copies of what holds kernels: taggers, segmenter, pipelines; scikit-learn's processes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict
from tagged_sentences import NX, NY, train_namer

import nlptk
from nlptk.component import Component
from nlptk.doc import Doc
from nlptk.errors import ConfigError
from nlptk.tag.component import Tagger
from nlptk.tag.crf import CRFTagger
from nlptk.tag.hmm import HMMTagger
from nlptk.tokenize.segmenter import Segmenter

TEXT = "Anna left.  Carl met her."


def segmented() -> Doc:
    starts = [0, 5, 9, 12, 17, 21, 24]
    ends = [4, 9, 10, 16, 20, 24, 25]
    return Doc(TEXT, np.array(starts, np.int32), np.array(ends, np.int32), sent_starts=[1, 0, 0, 1, 0, 0, 0])


MODELS: dict[str, Callable[[], Any]] = {
    "crf": train_namer,
    "crf, two threads": lambda: CRFTagger("pos", threads=2, max_iterations=2).fit(NX, NY),
    "hmm": lambda: HMMTagger(n_word_states=3).fit(NX, NY),
    "hmm, bigrams": lambda: HMMTagger(order=2).fit(NX, NY),
}
AGAIN = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "old pickle": lambda thing: pickle.loads(pickle.dumps(thing, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(scope="module", params=MODELS)
def model(request) -> Any:
    return MODELS[request.param]()


@pytest.fixture(params=AGAIN)
def again(request) -> Callable[[Any], Any]:
    return AGAIN[request.param]


def test_a_fitted_tagger_tags_as_before(model, again):
    model.note = ["kept"]
    twin = again(model)
    assert type(twin) is type(model)
    assert twin.predict(NX) == model.predict(NX)
    assert twin.classes_ == model.classes_
    assert twin.note == ["kept"]
    settings = {"clusters", "gazetteers"}  # equal as objects only
    assert {k: v for k, v in twin.get_params().items() if k not in settings} == {
        k: v for k, v in model.get_params().items() if k not in settings
    }
    before, after = model.to_state()[1], twin.to_state()[1]
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_deep_copy_shares_nothing_that_training_changes(model):
    twin = copy.deepcopy(model)
    expected = model.predict(NX)
    twin.fit([["x"]], [["Y"]])
    assert twin.predict([["x"]]) == [["Y"]]
    assert model.predict(NX) == expected


@pytest.mark.parametrize("kind", [CRFTagger, HMMTagger])
def test_an_unfitted_tagger_stays_unfitted(kind, again):
    twin = again(kind(threads=1))
    assert twin.threads == 1
    with pytest.raises(ConfigError, match="not fitted"):
        twin.predict(NX)
    assert twin.fit(NX, NY).score(NX, NY) > 0.5


def test_a_clone_is_unfitted_and_has_the_settings(model):
    twin = clone(model)
    assert repr(twin.get_params()) == repr(model.get_params())
    with pytest.raises(ConfigError, match="not fitted"):
        twin.predict(NX)
    assert twin.fit(NX, NY).predict(NX) == model.predict(NX)


@pytest.fixture
def processes():
    """Joblib keeps its processes for later; other tests look whether there are any."""
    yield 2
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.parametrize("kind", [CRFTagger, HMMTagger])
def test_cross_validation_in_processes(kind, processes):
    found = cross_val_predict(kind(threads=1), NX * 4, NY * 4, cv=2, n_jobs=processes)
    assert [len(labels) for labels in found] == [len(words) for words in NX * 4]
    expected = kind(threads=1).fit(NX * 2, NY * 2).predict(NX)
    assert [list(labels) for labels in found[:3]] == expected


def test_the_segmenter(again):
    twin = again(Segmenter(threads=1))
    with pytest.raises(ConfigError, match="not trained"):
        twin.segment([TEXT])
    fitted = twin.fit([segmented()] * 3)
    fitted.name = "mine"
    twin = again(fitted)
    assert twin.name == "mine"
    assert twin.tokenize(TEXT) == fitted.tokenize(TEXT)
    starts, ends, sentences = twin.segment([TEXT])[0]
    assert (starts.tolist(), ends.tolist()) == (segmented().starts.tolist(), segmented().ends.tolist())
    assert sentences.tolist() == [1, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("kind", ["crf", "hmm"])
def test_a_pipeline(again, kind, fitted):
    nlp = nlptk.blank("en")
    tagger = nlp.add_pipe("tagger", name="names", config={"column": "tag", "model": kind})
    assert isinstance(tagger, Tagger)
    if fitted:
        tagger.tagger.fit(NX, NY)
        tagger._set_labels()
    twin = again(nlp)
    assert twin.pipe_names == nlp.pipe_names
    found = twin.get_pipe("names")
    assert isinstance(found, Component)
    assert found.name == "names"
    if fitted:
        assert [token.tag_ for token in twin(TEXT)] == [token.tag_ for token in nlp(TEXT)]
    else:
        with pytest.raises(ConfigError, match="not fitted"):
            twin(TEXT)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_embedded_pipelines(lang):
    nlp = nlptk.load(lang)
    text = "Anna Berg lives in New Haven. 安娜住在纽约。"
    expected = nlp(text).to_json()
    for name in ("pickle", "deepcopy"):
        assert AGAIN[name](nlp)(text).to_json() == expected
