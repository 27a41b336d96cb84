"""The CRF tagger's state: what goes out comes in, and nothing that was altered does."""

from __future__ import annotations

import json
import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_sentences import NX, through_json, train_namer

from nlptk.errors import ModelError
from nlptk.store import load_model, save_model
from nlptk.tag.crf import CRFTagger


@pytest.fixture(scope="module")
def namer() -> CRFTagger:
    return train_namer()


def test_state_gives_the_same_tagger(namer):
    config, arrays = through_json(namer)
    back = CRFTagger.from_state(config, arrays)
    assert back.classes_ == namer.classes_
    assert back.predict(NX) == namer.predict(NX)
    again, same = back.to_state()
    assert json.dumps(again) == json.dumps(config)
    assert {name: a.tobytes() for name, a in same.items()} == {
        name: a.tobytes() for name, a in arrays.items()
    }


def test_the_weights_of_a_saved_model_lie_in_its_file(namer, tmp_path):
    config, arrays = namer.to_state()
    meta = {"lang": "en", "pipeline": [{"name": "names", "factory": "tagger"}]}
    save_model(tmp_path / "m", meta, {"names": (config, arrays)})
    back = CRFTagger.from_state(*load_model(tmp_path / "m")[1]["names"])
    for name in ("keys", "row_sizes", "pair_labels", "pair_weights"):
        array = getattr(back.weights_, name)
        while isinstance(array, np.ndarray):
            array = array.base
        assert isinstance(array, mmap.mmap)
    assert back.predict(NX) == namer.predict(NX)
    assert back.predict_marginals(NX) == namer.predict_marginals(NX)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["O"]},
        {"classes": 5},
        {"classes": None},
        {"clusters": []},
        {"clusters": None},
        {"clusters": ["a", "b"]},
        {"gazetteers": []},
        {"gazetteers": 5},
        {"gazetteers": [{"name": "places"}]},
        {"gazetteers": [{"name": "places", "longest": -1}]},
        {"gazetteers": [{"name": "places", "longest": 8, "unheard": 1}]},
        {"templates": []},
        {"templates": 7},
        {"templates": [7]},
        {"templates": ["cluster:other"]},
        {"templates": "unheard-of"},
        {"unheard": 1},
        {"threads": "many"},
        {"threads": -1},
        {"c2": None},
        {"algorithm": ["sgd"]},
    ],
)
def test_a_config_that_is_not_usable_gives_model_error(namer, change):
    config, arrays = through_json(namer)
    with pytest.raises(ModelError, match=r"state is not usable|labels"):
        CRFTagger.from_state({**config, **change}, arrays)


@pytest.mark.parametrize("name", ["classes", "clusters"])
def test_a_config_that_lacks_something_gives_model_error(namer, name):
    config, arrays = through_json(namer)
    del config[name]
    with pytest.raises(ModelError, match=name):
        CRFTagger.from_state(config, arrays)


def test_every_array_is_needed_and_checked(namer):
    config, arrays = through_json(namer)
    for name, array in arrays.items():
        with pytest.raises(ModelError):
            CRFTagger.from_state(config, {k: v for k, v in arrays.items() if k != name})
        for other in (array.astype(np.complex64), array[None], array[:-1], array.reshape(-1)[0]):
            with pytest.raises(ModelError):
                CRFTagger.from_state(config, {**arrays, name: other})


@settings(max_examples=200)
@given(st.data())
def test_altered_arrays_give_labels_or_a_model_error(namer, data):
    config, arrays = through_json(namer)
    arrays = {name: array.copy() for name, array in arrays.items()}
    name = data.draw(st.sampled_from(sorted(arrays)))
    raw = arrays[name].view(np.uint8).reshape(-1)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = CRFTagger.from_state(config, arrays).predict(NX)
    except ModelError:
        return
    assert [len(labels) for labels in found] == [len(words) for words in NX]
