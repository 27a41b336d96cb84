"""FastTextClassifier: its state, corners and bad input."""

from __future__ import annotations

import json
import pickle
import time
from typing import Any

import numpy as np
import pytest
from interrupts import ctrl_c_after
from labelled_texts import TOPICS, texts_of

from nlptk import FastTextClassifier
from nlptk.errors import ConfigError, DataError, ModelError

# ---- state ----


def fitted(**more: Any) -> FastTextClassifier:
    return FastTextClassifier(8, epochs=2, threads=1, **more).fit(*texts_of(100))


@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_state_goes_out_and_in(loss: str) -> None:
    model = fitted(loss=loss, word_ngrams=2, min_n=2, max_n=3)
    config, arrays = model.to_state()
    assert len(arrays["inputs"]) == len(model._model.words()) + len(arrays["buckets"]) < 2000
    again = FastTextClassifier.from_state(json.loads(json.dumps(config)), arrays)
    X = [*texts_of(50, seed=8)[0], "new words", ""]
    for other in (again, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        assert other.predict(X) == model.predict(X)
        np.testing.assert_array_equal(other.prior_, model.prior_)
    assert type(pickle.loads(pickle.dumps(FastTextClassifier()))) is FastTextClassifier


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("inputs", lambda a: np.where(a == a[0, 0], np.nan, a), "NaN"),
        ("outputs", lambda a: a * np.float32("inf"), "NaN or infinity"),
        ("inputs", lambda a: a[:-1], "table of weights must be"),
        ("outputs", lambda a: a[:, :-1], "table of weights must be"),
        ("inputs", lambda a: a.astype(np.float64), "float64"),
        ("buckets", lambda a: a[::-1], "rise"),
        ("buckets", lambda a: a + np.uint32(1 << 30), "out of range"),
        ("buckets", lambda a: a[1:], "no row|must be"),
        ("label_counts", lambda a: a[1:], "do not match"),
        ("label_counts", lambda a: -a, "out of range"),
        ("words_offsets", lambda a: a + 1, "do not divide"),
        ("classes_bytes", lambda a: np.full_like(a, 255), "not UTF-8"),
    ],
)
def test_altered_arrays_are_refused(name: str, change: Any, message: str) -> None:
    config, arrays = fitted(word_ngrams=2, min_n=2, max_n=3).to_state()
    with pytest.raises(ModelError, match=message):
        FastTextClassifier.from_state(config, {**arrays, name: change(arrays[name])})
    del arrays[name]
    with pytest.raises(ModelError, match=name):
        FastTextClassifier.from_state(config, arrays)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("format", 9, "format 9"),
        ("dim", 9, "must be"),
        ("dim", "x", "dim must be"),
        ("loss", "hs", "must be"),
        ("documents", 0, "documents"),
        ("bucket", 1, "out of range"),
    ],
)
def test_altered_configs_are_refused(name: str, value: Any, message: str) -> None:
    config, arrays = fitted(word_ngrams=2).to_state()
    with pytest.raises(ModelError, match=message):
        FastTextClassifier.from_state({**config, name: value}, arrays)
    del config[name]
    with pytest.raises(ModelError, match=f"{name}|None"):
        FastTextClassifier.from_state(config, arrays)


# ---- corners and bad input ----


def test_a_text_that_tells_nothing_has_the_shares_of_the_labels() -> None:
    X, y = texts_of(100)
    wanted = [y.count(label) / 100 for label in sorted(TOPICS)]
    for loss in ("softmax", "hs", "ova"):
        model = FastTextClassifier(8, loss=loss, threads=1).fit(X, y)
        shares = model.predict_proba(["", " \n", "unheard", "otter"])
        np.testing.assert_allclose(shares[:3], [wanted] * 3, rtol=1e-5)
        assert not np.allclose(shares[3], wanted)
    model = fitted(word_ngrams=2)
    assert model.predict_proba([]).shape == (0, 3)
    assert model.predict([]) == []


def test_a_class_with_one_example() -> None:
    X, y = texts_of(100)
    model = FastTextClassifier(8, threads=1).fit([*X, "lone"], [*y, "one"])
    assert model.predict_proba(["lone"]).shape == (1, 4)


NAN = float("nan")


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (["a", "b"], ["x"], "2 texts but 1 labels"),
        ([], [], "no texts"),
        ("ab", ["x", "y"], "one string"),
        (["a", "b"], "xy", "one string"),
        (["a", NAN], ["x", "y"], "text 1 of X is nan"),
        ([b"a", b"b"], ["x", "y"], "text 0 of X is b'a'"),
        ([["a"], ["b", None]], ["x", "y"], "text 1 of X has the token None"),
        ([["a"], "b"], ["x", "y"], "text 1 of X is 'b'"),
        (["a", "b"], ["x", NAN], "label 1 of y is nan, which is not a string"),
        (["a", "b"], [0, 1], "label 0 of y is 0, which is not a string"),
        (["a", "b"], [["x"], "y"], "label 1 of y is 'y'"),
        (["a", "b"], [["x"], [1]], "label 1 of y is 1"),
        (["a", "b"], ["x", "x"], r"no labels but \['x'\]"),
    ],
)
def test_bad_training_sets(X: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        FastTextClassifier(loss="ova").fit(X, y)


def test_too_many_labels() -> None:
    y = [str(i) for i in range(1_000_000)]
    with pytest.raises(DataError, match=r"y has 1000000 different labels, but .* 100000 apart"):
        FastTextClassifier().fit(y, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0}, "dim"),
        ({"dim": 70_000}, "dim"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": NAN}, "learning_rate"),
        ({"word_ngrams": 0}, "word_ngrams"),
        ({"word_ngrams": 101}, "word_ngrams"),
        ({"min_n": 4, "max_n": 3}, "min_n"),
        ({"max_n": 3}, "min_n"),
        ({"bucket": 0}, "bucket"),
        ({"bucket": 1 << 31}, "bucket"),
        ({"loss": "ns"}, "loss must be one of softmax, hs, ova"),
        ({"threads": -1}, "threads"),
        ({"seed": -1}, "seed"),
        ({"min_count": True}, "min_count"),
        ({"shuffle": 1}, "shuffle"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FastTextClassifier(**settings).fit(*texts_of(10))


def test_other_bad_use() -> None:
    X, y = texts_of(50)
    with pytest.raises(ConfigError, match="not fitted"):
        FastTextClassifier().predict(X)
    with pytest.raises(ConfigError, match="not fitted"):
        FastTextClassifier().to_state()
    with pytest.raises(ConfigError, match="lists of labels need loss='ova'"):
        FastTextClassifier().fit(X, [[label] for label in y])
    with pytest.raises(ConfigError, match="belong together"):
        FastTextClassifier().fit(X, y, X)
    with pytest.raises(DataError, match="y_dev"):
        FastTextClassifier().fit(X, y, X, [None] * 50)  # type: ignore[list-item]
    with pytest.raises(DataError, match="no word of X occurs 1000 times"):
        FastTextClassifier(min_count=1000).fit(X, y)
    with pytest.raises(DataError, match="smaller learning_rate"):
        FastTextClassifier(learning_rate=1e38).fit(X, y)
    with pytest.raises(ConfigError, match="vectors must be KeyedVectors, a file or None, not 7"):
        FastTextClassifier(vectors=7).fit(X, y)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="not in y and will never be predicted: 'unknown'"):
        FastTextClassifier(epochs=1).fit(X, y, ["a", "b"], ["water", "unknown"])


def test_a_failed_training_leaves_the_model_as_it_was() -> None:
    model = fitted()
    before = model.predict_proba(["otter"])
    model.learning_rate = 1e38
    with pytest.raises(DataError):
        model.fit(*texts_of(50))
    np.testing.assert_array_equal(model.predict_proba(["otter"]), before)


def test_ctrl_c_stops_within_a_second() -> None:
    X, y = texts_of(20_000)
    model = FastTextClassifier(300, epochs=100_000)
    with ctrl_c_after(1.0):
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
    assert time.monotonic() - started < 4  # a busy machine
    assert not hasattr(model, "classes_")
