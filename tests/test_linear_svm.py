"""LinearSVC against scikit-learn's, which LIBLINEAR trains."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC as Theirs

from nlptk import _core
from nlptk.linear_svm import LinearSVC

EXACT = {"tol": 1e-9, "max_iter": 200_000, "dual": True}


def examples(classes: int, rows: int = 120, width: int = 30) -> tuple[Any, Any]:
    """Features that do not part the classes, an empty row among them, and names of classes."""
    random = np.random.default_rng(classes)
    dense = random.random((rows, width)) * (random.random((rows, width)) < 0.2)
    dense[5] = 0
    return sparse.csr_matrix(dense), np.array([f"class {c}" for c in random.integers(0, classes, rows)])


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"C": 0.1},
        {"C": 20.0, "fit_intercept": False},
        {"intercept_scaling": 3.0},
        {"class_weight": "balanced"},
        {"class_weight": {"class 0": 7.0}, "loss": "hinge"},
        {"loss": "hinge", "C": 0.5},
    ],
)
def test_weights_are_those_of_liblinear(classes: int, settings: dict[str, Any]) -> None:
    X, y = examples(classes)
    theirs = Theirs(**EXACT, **settings).fit(X, y)
    ours = LinearSVC(**EXACT, **settings).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-5, atol=1e-6)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-4, atol=1e-5)
    assert 1 < ours.n_iter_ < EXACT["max_iter"]


def test_what_is_left_to_scikit_learn() -> None:
    X, y = examples(2)
    weights = np.arange(1.0, 121.0)
    for settings, features, given in (
        ({"dual": False}, X, None),
        ({"penalty": "l1", "dual": False}, X, None),
        ({"multi_class": "crammer_singer"}, X, None),
        ({}, X.toarray(), None),
        ({}, X, weights),
    ):
        ours = LinearSVC(random_state=1, **settings).fit(features, y, given)
        theirs = Theirs(random_state=1, **settings).fit(features, y, given)
        assert np.array_equal(ours.coef_, theirs.coef_)


def test_seeds_threads_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = examples(4)
    monkeypatch.setenv("NLPTK_NUM_THREADS", "3")
    first = LinearSVC(random_state=3).fit(X, y)
    monkeypatch.setenv("NLPTK_NUM_THREADS", "1")
    again = clone(first).fit(X, y)
    assert np.array_equal(first.coef_, again.coef_)
    assert pickle.loads(pickle.dumps(first)).predict(X).tolist() == again.predict(X).tolist()


def test_too_few_passes_are_told() -> None:
    X, y = examples(2)
    with pytest.warns(ConvergenceWarning, match="failed to converge"):
        LinearSVC(max_iter=1, dual=True).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearSVC().fit(X, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["one"] * 120}, "greater than one; got 1 class|at least 2 classes"),
        ({"y": [0.5, 1.5] * 60}, "Unknown label type"),
        ({"y": [0] * 119}, "inconsistent numbers of samples"),
        ({"C": -1.0}, "'C' parameter"),
        ({"X": sparse.csr_matrix(np.full((120, 2), np.nan))}, "NaN"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    X, y = examples(2)
    settings = {"C": change["C"]} if "C" in change else {}
    with pytest.raises(ValueError, match=message):
        LinearSVC(**settings).fit(change.get("X", X), change.get("y", y))


def test_rows_that_are_none() -> None:
    good = {
        "offsets": np.array([0, 1, 2], np.int32),
        "columns": np.array([0, 1], np.int32),
        "values": np.ones(2),
        "labels": np.array([[1, -1]], np.int8),
        "costs": np.ones((1, 2)),
    }

    def fit(**change: Any) -> Any:
        rules = {"squared": True, "bias": 1.0, "tolerance": 1e-4, "most_passes": 100, "seed": 0}
        return _core.fit_linear_svm(**(good | change), width=2, **rules)

    weights, _ = fit()
    assert weights.shape == (1, 3)
    assert weights[0, 0] == pytest.approx(-weights[0, 1], rel=1e-3)
    for change in (
        {"offsets": np.array([0, 2, 1], np.int32)},
        {"offsets": np.array([0, 1, 3], np.int32)},
        {"columns": np.array([0, 2], np.int32)},
        {"columns": np.array([-1, 1], np.int32)},
        {"values": np.ones(1)},
        {"labels": np.ones((1, 3), np.int8)},
        {"costs": np.ones((1, 1)), "labels": np.ones((1, 1), np.int8)},
    ):
        with pytest.raises(ValueError, match=r"rows|column"):
            fit(**change)
    none, _ = fit(costs=np.zeros((1, 2)))
    assert none.tolist() == [[0, 0, 0]]
