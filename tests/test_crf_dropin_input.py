"""What `nlptk.CRF` takes for features, with CRFsuite's meaning, and what it says of anything else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import OrderedDict, UserDict

import numpy as np
import pytest
from crf_sentences import random_sentences
from interrupts import ctrl_c_after

from nlptk import CRF, _core
from nlptk.errors import ConfigError, DataError
from nlptk.tag.crf_model import encode

X, Y = random_sentences(1, 40)


def items(sentence) -> list[list[tuple[str, float]]]:
    """The features of one sentence by name, in their order."""
    table = _core.AttributeTable()
    found = encode(table, [sentence], grow=True)
    data, offsets = table.arrays()
    names = [
        data.tobytes()[a:b].decode("utf-8", "surrogatepass")
        for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    values = np.ones(len(found.ids)) if found.values is None else found.values
    pairs = [(names[i], float(v)) for i, v in zip(found.ids.tolist(), values.tolist(), strict=True)]
    return [pairs[a:b] for a, b in zip(found.starts[:-1].tolist(), found.starts[1:].tolist(), strict=True)]


@pytest.mark.parametrize(
    ("item", "features"),
    [
        (["a", "b", "a"], [("a", 1), ("b", 1), ("a", 1)]),
        (("a",), [("a", 1)]),
        ({"b", "a"}, [("a", 1), ("b", 1)]),
        (frozenset("a"), [("a", 1)]),
        (np.array(["a", "bc"]), [("a", 1), ("bc", 1)]),
        (iter(["a"]), [("a", 1)]),
        ({}, []),
        ([], []),
        ({"w": "the", "n": 2, "x": 0.5, "yes": True, "no": False}, [
            ("w:the", 1), ("n", 2), ("x", 0.5), ("yes", 1), ("no", 0),
        ]),
        ({"n": np.float32(0.25), "b": np.bool_(True), "i": np.int8(-3)}, [("n", 0.25), ("b", 1), ("i", -3)]),
        ({"a": ["b", "c"], "d": ("e",), "f": {"h", "g"}}, [
            ("a:b", 1), ("a:c", 1), ("d:e", 1), ("f:g", 1), ("f:h", 1),
        ]),
        ({"a": {"b": {"c": "d", "e": 2.0}, "f": ["g"]}, "h": "i"}, [
            ("a:b:c:d", 1), ("a:b:e", 2), ("a:f:g", 1), ("h:i", 1),
        ]),
        ({"": "", "a": ""}, [(":", 1), ("a:", 1)]),
        ({b"a": b"b"}, [("a:b", 1)]),
        (OrderedDict(a="b"), [("a:b", 1)]),
        (UserDict(a="b"), [("a:b", 1)]),
        ([np.str_("词"), "\0", "\ud800", "😀", "é"], [
            ("词", 1), ("\0", 1), ("\ud800", 1), ("😀", 1), ("é", 1),
        ]),
    ],
)  # fmt: skip
def test_an_item_is_read_as_crfsuite_reads_it(item, features):
    assert items([item]) == [features]


def test_items_are_pycrfsuites():
    pycrfsuite = pytest.importorskip("pycrfsuite")
    for sentence in X:
        expected = [
            {name: pytest.approx(value) for name, value in item.items()}
            for item in pycrfsuite.ItemSequence(sentence).items()
        ]
        assert [dict(item) for item in items(sentence)] == expected


def test_the_order_of_a_set_does_not_change_the_model():
    script = (
        "import hashlib, nlptk\n"
        "X = [[{c + str(n) for c in 'abcdefg'} for n in range(4)]] * 3\n"
        "crf = nlptk.CRF(threads=1).fit(X, [list('NVNV')] * 3)\n"
        "print(crf.attributes_, sorted(crf.state_features_.items()))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


class Odd:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __float__(self) -> float:
        raise self.error


DEEP: dict = {}
DEEP["in"] = DEEP


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("abc", r"X is 'abc' \(str\); give a list of sentences"),
        (3, r"X is 3 \(int\); give a list of sentences"),
        ({"a": 1}, r"X is \{'a': 1\} \(dict\)"),
        ([[["a"]], "abc"], r"sentence 1 of X is 'abc' \(str\); give a list of dicts"),
        ([{"a": 1}], r"sentence 0 of X is .* \(dict\); give a list of dicts"),
        ([[["a"]], None], r"sentence 1 of X is None \(NoneType\)"),
        ([[["a"], "the"]], r"item 1 of sentence 0 of X is the string 'the' \(str\); give a dict or a list"),
        ([[["a"]], [7]], r"item 0 of sentence 1 of X is 7 \(int\); give a dict or a list of strings"),
        ([[["a", 7]]], r"a feature of item 0 of sentence 0 of X is named 7 \(int\); give a string"),
        ([[[["a"]]]], r"a feature of item 0 of sentence 0 of X is named \['a'\] \(list\)"),
        ([[{7: "a"}]], r"a feature of item 0 of sentence 0 of X is named 7 \(int\)"),
        ([[{"a": {7}}]], r"is named 7 \(int\)"),
        (
            [[{"a": None}]],
            r"feature 'a' of item 0 of sentence 0 of X has the value None \(NoneType\)",
        ),
        ([[{"a": Odd(TypeError())}]], r"feature 'a' of .* has the value a value \(Odd\)|has the value <"),
        ([[{"词": float("nan")}]], r"feature '词' of .* has the value nan \(float\); give a finite number"),
        ([[{"a": {"b": float("inf")}}]], r"feature 'a:b' of .* has the value inf"),
        ([[{"a": -1e39}]], r"feature 'a' of .* has the value -1e\+39"),
        ([[{"a": 10**400}]], r"feature 'a' of .* has the value a value \(int\)"),
        ([[DEEP]], r"the dicts of item 0 of sentence 0 of X stand in one another too deep"),
    ],
)
def test_what_is_no_feature_is_named(sentences, message):
    labels = [["A"] * 2, ["B"] * 2]
    with pytest.raises(DataError, match=message):
        CRF().fit(sentences, labels)
    fitted = CRF(max_iterations=2).fit(X, Y)
    for method in (fitted.predict, fitted.predict_marginals):
        with pytest.raises(DataError, match=message):
            method(sentences)
    with pytest.raises(DataError, match=message.replace("of X", "of X_dev").replace("X is", "X_dev is")):
        CRF().fit(X, Y, sentences, labels)


def test_a_sentence_far_down_is_named_by_its_number():
    fitted = CRF(max_iterations=2).fit(X, Y)
    many = [[["a"]]] * 5000 + [[3]]
    with pytest.raises(DataError, match="sentence 5000 of X"):
        fitted.predict(many)


def test_errors_of_the_users_own_come_through():
    with pytest.raises(ZeroDivisionError):
        CRF().fit([[{"a": Odd(ZeroDivisionError())}]], [["A"]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["A"]], "y has 1 sentences but X has 2"),
        ([["A"], ["A", "B", "A"]], "sentence 1 has 2 items but 3 labels in y"),
        ([["A"], "AB"], r"sentence 1 has 2 items but no list of labels but 'AB' \(str\) in y"),
        ([["A"], 7], r"sentence 1 has 2 items but no list of labels but 7 \(int\) in y"),
        ([["A"], {"A": 1, "B": 2}], r"sentence 1 has 2 items but no list of labels but .* \(dict\) in y"),
        (7, r"y is 7 \(int\); give a list of lists of strings"),
        ("AB", r"y is 'AB' \(str\); give a list"),
        ([["A"], ["B", 3]], "sentence 1 of y has the label 3; give a string"),
        ([["A"], ["B", None]], "sentence 1 of y has the label None"),
    ],
)
def test_labels_that_do_not_match_are_named(labels, message):
    sentences = [[["a"]], [["a"], ["b"]]]
    with pytest.raises(DataError, match=message):
        CRF().fit(sentences, labels)
    fitted = CRF(max_iterations=2).fit(sentences, [["A"], ["A", "B"]])
    with pytest.raises(DataError, match=message):
        fitted.score(sentences, labels)
    with pytest.raises(DataError, match=message.replace(" X ", " X_dev ").replace("y", "y_dev", 1)):
        CRF().fit(sentences, [["A"], ["A", "B"]], sentences, labels)


def test_labels_may_come_in_any_collection():
    sentences = [[["a"]], [["a"], ["b"]]]
    expected = CRF(max_iterations=3).fit(sentences, [["A"], ["A", "B"]])
    for labels in (
        iter([("A",), ("A", "B")]),
        ((label for label in row) for row in ("A", "AB")),
        np.array([["A"], ["A", "B"]], object),
        [np.array(["A"]), np.array(["A", "B"])],
    ):
        found = CRF(max_iterations=3).fit(sentences, labels)
        assert found.state_features_ == expected.state_features_
        assert found.classes_ == ["A", "B"]


@pytest.mark.parametrize(("algorithm", "value"), [("lbfgs", 1e30), ("lbfgs", 1e20), ("l2sgd", 1e30)])
def test_values_that_are_too_large_to_train_with_are_said(algorithm, value):
    sentences, labels = [[{"a": value}, {"b": -value}]] * 3 + [[["a"]]], [["A", "B"]] * 3 + [["B"]]
    crf = CRF(algorithm, max_iterations=20)
    with pytest.raises(DataError, match="the feature values may be too large"):
        crf.fit(sentences, labels)
    assert crf.classes_ is None


@pytest.mark.parametrize("empty", [[], [[]], [[], []]])
def test_a_training_set_without_items_is_refused(empty):
    with pytest.raises(DataError, match="the training set has no items"):
        CRF().fit(empty, empty)
    with pytest.raises(DataError, match="no items to score"):
        CRF(max_iterations=2).fit(X, Y).score(empty, empty)


@pytest.mark.parametrize("algorithm", ["lbfgs", "l2sgd", "ap", "pa", "arow"])
def test_one_label_is_said_and_learned(algorithm):
    crf = CRF(algorithm, max_iterations=5)
    with pytest.warns(UserWarning, match="y has one label only, 'O'"):
        crf.fit([[["a"], ["b"]], [], [["c"]]], [["O", "O"], [], ["O"]])
    assert crf.predict([[["a"], ["z"]], []]).tolist() == [["O", "O"], []]
    assert crf.predict_marginals([[["a"]]]).tolist() == [[{"O": pytest.approx(1.0)}]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"algorithm": "sgd"}, "unknown algorithm 'sgd'; choose one of lbfgs, l2sgd, ap, pa, arow"),
        ({"algorithm": "ap", "c2": 1.0}, "'ap' has no setting 'c2'; leave it None or use 'lbfgs' or 'l2sgd'"),
        ({"c": 1.0}, "'lbfgs' has no setting 'c'; leave it None or use 'pa'$"),
        ({"algorithm": "pa", "gamma": 1.0}, "'pa' has no setting 'gamma'; leave it None or use 'arow'"),
        ({"algorithm": "pa", "pa_type": 3}, "pa_type must be an integer from 0 to 2, not 3"),
        ({"algorithm": "pa", "pa_type": 0.5}, "pa_type must be an integer"),
        ({"algorithm": "pa", "c": 0}, "c must be a number from 1e-09"),
        ({"algorithm": "arow", "variance": 0}, "variance must be a number from 1e-09"),
        ({"algorithm": "arow", "gamma": -1}, "gamma must be a number from 1e-09"),
        ({"c1": -1}, "c1 must be a number from 0"),
        ({"c2": float("nan")}, "c2 must be a number"),
        ({"c2": "1"}, "c2 must be a number"),
        ({"max_iterations": 0}, "max_iterations must be an integer from 1"),
        ({"period": 1.5}, "period must be an integer"),
        ({"linesearch": "None"}, "linesearch must be one of MoreThuente"),
        ({"seed": -1}, "seed must be an integer from 0"),
        ({"threads": 1.5}, "threads must be an integer from 0"),
        ({"trainer_cls": object}, "leave it None"),
    ],
)
def test_settings_that_are_not_usable_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        CRF(**settings).fit(X, Y)


def test_wrong_use_is_said():
    with pytest.raises(ConfigError, match="give both or neither"):
        CRF().fit(X, Y, X)
    with pytest.raises(ConfigError, match="on_interrupt must be 'raise' or 'best'"):
        CRF().fit(X, Y, on_interrupt="stop")
    for call in (
        CRF().predict,
        CRF().predict_single,
        CRF().predict_marginals,
        CRF().predict_marginals_single,
    ):
        with pytest.raises(ConfigError, match="this CRF is not fitted; call fit"):
            call(X)
    with pytest.raises(ConfigError, match="not fitted"):
        CRF().save("nowhere")


@pytest.fixture
def slow() -> tuple[CRF, list, list]:
    """A training without an end: the labels are noisy, so some stay wrong."""
    big, labels = random_sentences(2, 4000, "ABCDEFGHIJ")
    return CRF("ap", max_iterations=10**6), big, labels


def test_ctrl_c_leaves_the_crf_unfitted(slow):
    crf, big, labels = slow
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.5):
        crf.fit(big, labels)
    assert crf.classes_ is None
    assert crf.training_log_ is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_stops_the_reading_of_one_long_sentence():
    items = [[f"w{i % 1000}", f"x{i % 77}", f"y{i % 7777}", "bias"] * 4 for i in range(10_000)]
    sentence = [*items * 50, ["the end"]]
    table = _core.AttributeTable()
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.02):
        encode(table, [sentence], grow=True)
    assert len(table) > 0
    assert b"the end" not in table.arrays()[0].tobytes()


def test_ctrl_c_keeps_the_best_so_far_when_asked_to(slow):
    crf, big, labels = slow
    with ctrl_c_after(1.0):
        crf.fit(big, labels, on_interrupt="best")
    assert crf.training_log_ is not None
    assert crf.training_log_.interrupted
    assert len(crf.training_log_.iterations) >= 1
    assert crf.score(big, labels) > 0.6
