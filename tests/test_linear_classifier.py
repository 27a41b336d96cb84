"""LinearClassifier: against scikit-learn's parts, probabilities, contributions, state, bad input."""

from __future__ import annotations

import json
import pickle
import random
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.feature_extraction.text as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_texts import TOPICS, texts_of
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from nlptk import LinearClassifier
from nlptk.classify.linear_training import fit_scale, fold_numbers, probabilities
from nlptk.errors import ConfigError, DataError, ModelError


def noisy(count: int, seed: int, labels: str = "ab") -> tuple[list[str], list[str]]:
    """Texts whose words only hint at the label."""
    rng = random.Random(seed)
    y = rng.choices(labels, k=count)
    words = {label: [f"{label}{i}" for i in range(9)] for label in labels}
    every = [word for known in words.values() for word in known]
    texts = [" ".join(rng.choices(words[label], k=2) + rng.choices(every, k=6)) for label in y]
    return texts, y


PEERS: dict[str, Any] = {
    "svm": LinearSVC(random_state=1),
    "logistic": LogisticRegression(max_iter=1000),
    "naive-bayes": MultinomialNB(),
}


@pytest.mark.parametrize("labels", ["ab", "abcd"])
@pytest.mark.parametrize("weighting", ["tfidf", "count", "binary"])
@pytest.mark.parametrize("algorithm", ["svm", "logistic", "naive-bayes"])
def test_predictions_are_scikit_learns(algorithm: str, weighting: str, labels: str) -> None:
    (X, y), (X_new, _) = noisy(300, 1, labels), noisy(100, 2, labels)
    vectorizer = (
        theirs.TfidfVectorizer(ngram_range=(1, 2))
        if weighting == "tfidf"
        else theirs.CountVectorizer(ngram_range=(1, 2), binary=weighting == "binary")
    )
    peer = PEERS[algorithm].fit(vectorizer.fit_transform(X), y)
    rows = vectorizer.transform(X_new)
    for calibrate in (False, True):
        model = LinearClassifier(algorithm, weighting, calibrate=calibrate).fit(X, y)
        assert model.predict(X_new) == peer.predict(rows).tolist()
        assert np.mean(np.array(model.predict(X)) == y) > 0.8
    if algorithm == "svm":
        wanted = peer.decision_function(rows)
    else:
        wanted = peer.predict_log_proba(rows)
        wanted = wanted[:, 1] - wanted[:, 0] if labels == "ab" else wanted - wanted.mean(1, keepdims=True)
    found = model.decision_function(X_new)
    if algorithm != "svm" and labels != "ab":
        found = found - found.mean(1, keepdims=True)
    np.testing.assert_allclose(found, wanted, atol=0.01 * np.abs(wanted).max())


def test_probabilities_without_calibration_are_those_of_the_model() -> None:
    X, y = noisy(200, 1, "abc")
    vectorizer = theirs.TfidfVectorizer(ngram_range=(1, 2))
    for name in ("logistic", "naive-bayes"):
        peer = PEERS[name].fit(vectorizer.fit_transform(X), y)
        shares = LinearClassifier(name, calibrate=False).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(shares, peer.predict_proba(vectorizer.transform(X)), atol=1e-3)
        assert shares.dtype == np.float32


def test_words_settings_and_searches() -> None:
    X, y = noisy(200, 1)
    lists = [text.split() for text in X]
    model = LinearClassifier(ngram_range=[1, 2], calibrate=False).fit(lists, y)
    np.testing.assert_array_equal(
        model.predict_proba(lists), LinearClassifier(calibrate=False).fit(X, y).predict_proba(X)
    )
    assert LinearClassifier().fit([["A", "!"], ["b", "a"]] * 9, ["x", "y"] * 9).vectorizer_.vocabulary_ == {
        "!": 0, "a": 1, "a !": 2, "b": 3, "b a": 4,
    }  # fmt: skip
    few = LinearClassifier(min_df=0.2, max_features=7, lowercase=False, sublinear_tf=True).fit(X, y)
    assert few.weights_.coef.shape == (1, 7)
    chars = LinearClassifier(analyzer="char_wb", ngram_range=(2, 3)).fit(X, y)
    assert " a" in chars.vectorizer_.vocabulary_
    assert [one.takes_words for one in (model, chars, LinearClassifier(tokenizer="jieba"))] == [
        True, False, False,
    ]  # fmt: skip
    search = GridSearchCV(LinearClassifier(calibrate=False), {"C": [0.01, 1.0]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.6


def test_class_weights_are_scikit_learns() -> None:
    X, y = noisy(300, 1)
    kept = [i for i, label in enumerate(y) if label == "a" or i % 6 == 0]
    X, y = [X[i] for i in kept], [y[i] for i in kept]
    matrix = theirs.TfidfVectorizer(ngram_range=(1, 2)).fit_transform(X)
    for name, peer in (
        ("svm", LinearSVC(class_weight="balanced", random_state=1)),
        ("logistic", LogisticRegression(class_weight="balanced")),
    ):
        model = LinearClassifier(name, class_weight="balanced").fit(X, y)
        np.testing.assert_allclose(
            model.decision_function(X), peer.fit(matrix, y).decision_function(matrix), atol=0.02
        )
    plain = LinearClassifier("naive-bayes").fit(X, y)
    heavy = LinearClassifier("naive-bayes", class_weight={"b": 50.0}).fit(X, y)
    assert heavy.predict(X).count("b") > plain.predict(X).count("b")


# ---- calibration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_calibrated_probabilities_are_better_and_choose_the_same(labels: str) -> None:
    (X, y), (X_new, y_new) = noisy(600, 1, labels), noisy(600, 2, labels)
    raw = LinearClassifier(C=0.01, calibrate=False).fit(X, y)
    held_out = LinearClassifier(C=0.01).fit(X, y)
    by_dev = LinearClassifier(C=0.01).fit(X, y, *noisy(600, 3, labels))
    losses = [log_loss(y_new, one.predict_proba(X_new)) for one in (raw, held_out, by_dev)]
    assert max(losses[1:]) < losses[0]
    scores = raw.decision_function(X_new)
    wanted = (scores > 0).astype(int) if labels == "ab" else scores.argmax(1)
    for model in (raw, held_out, by_dev):
        np.testing.assert_array_equal(model.decision_function(X_new), scores)
        np.testing.assert_array_equal(model.predict_proba(X_new).argmax(1), wanted)


def test_the_scale_is_the_one_of_the_least_loss() -> None:
    rng = np.random.default_rng(1)
    for several, classes in ((False, 2), (False, 4), (True, 3)):
        scores = rng.normal(size=(20_000, 1 if classes == 2 else classes)).astype(np.float32)
        shares = probabilities(scores, 2.5, several)
        if several:
            targets: Any = (rng.random(shares.shape) < shares).astype(np.float32)
        else:
            targets = (shares.cumsum(1) < rng.random((len(shares), 1))).sum(1).clip(max=classes - 1)
        assert fit_scale(scores, targets) == pytest.approx(2.5, rel=0.05)
    assert 1 < fit_scale(np.array([[1.0], [-1.0]] * 9, np.float32), np.array([1, 0] * 9)) < 10  # told apart


@settings(deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=3), min_size=1, max_size=5),
    st.floats(1e-3, 1e3),
)
def test_the_largest_score_has_the_largest_share(rows: list[list[float]], scale: float) -> None:
    scores = np.array(rows, np.float32)
    shares = probabilities(scores, scale, several=False)
    np.testing.assert_array_equal(shares.argmax(1), scores.argmax(1))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    shares = probabilities(scores[:, :1], scale, several=False)
    np.testing.assert_array_equal(shares.argmax(1), scores[:, 0] > 0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_folds_are_alike_and_leave_one_of_each(labels: list[int]) -> None:
    y = np.array(labels)
    numbers = fold_numbers(y, np.random.default_rng(0))
    for label in set(labels):
        assert (numbers[y == label] == -1).sum() == 1
    sizes = np.bincount(numbers[numbers >= 0], minlength=5)
    assert sizes.max() - sizes.min() <= 1


def test_a_class_with_one_example() -> None:
    X, y = texts_of(100)
    model = LinearClassifier().fit([*X, "lone"], [*y, "one"])
    assert model.predict_proba(["lone"]).shape == (1, 4)
    assert model.scale_ != 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearClassifier().fit(["aa bb", "bb cc", "aa"], ["x", "y", "x"])
    with pytest.warns(
        UserWarning, match="too few texts to hold one out, so probabilities are not calibrated"
    ):
        model = LinearClassifier().fit(["aa bb", "bb cc"], ["x", "y"])
    assert model.scale_ == 1
    assert model.predict(["aa", "cc"]) == ["x", "y"]


# ---- several labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["svm", "logistic", "naive-bayes"])
def test_several_labels(algorithm: str) -> None:
    X = ["warm", "funny", "warm funny", "neither"] * 20
    y = [["warm"], ["fun"], ["warm", "fun"], []] * 20
    model = LinearClassifier(algorithm, C=10.0).fit(X, y)
    assert model.predict(["funny warm", "warm", "neither"]) == [["fun", "warm"], ["warm"], []]
    scores = model.decision_function(X)
    assert scores.shape == (80, 2)
    np.testing.assert_array_equal(model.predict_proba(X) > 0.5, scores > 0)
    assert model.predict(X, threshold=0.0)[0] == ["fun", "warm"]
    always = LinearClassifier(algorithm, class_weight="balanced").fit(X, [[*labels, "film"] for labels in y])
    assert all("film" in labels for labels in always.predict(X))
    dev = LinearClassifier(algorithm).fit(X, y, ["warm", "funny"], [["warm"], ["fun"]])
    assert dev.predict(["warm"]) == [["warm"]]


# ---- which words decide ------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", ["ab", "abc"])
@pytest.mark.parametrize("weighting", ["tfidf", "count"])
def test_contributions_add_up_to_the_score(weighting: str, labels: str) -> None:
    X, y = noisy(200, 1, labels)
    model = LinearClassifier(weighting=weighting, ngram_range=(1, 3)).fit(X, y)
    texts: list[Any] = ["a1 a1 b2 unheard a1 a1 b2", "b1 b2 b3"]
    scores = model.decision_function(texts) - model.weights_.intercept[[0] if labels == "ab" else slice(None)]
    for number, label in enumerate(labels):
        wanted = scores * (1 if number else -1) if labels == "ab" else scores[:, number] - scores.mean(1)
        found = model.explain(texts, label)
        np.testing.assert_allclose([one.weights.sum() for one in found], wanted, atol=1e-5)
        again = model.explain([text.split() for text in texts], label)
        for one, other in zip(found, again, strict=True):
            np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)
    assert found[0].words == ["a1", "a1", "b2", "unheard", "a1", "a1", "b2"]
    assert found[0].weights[3] == 0


def test_what_an_n_gram_adds_is_shared_by_its_words() -> None:
    X, y = ["not good", "good", "bad", "not bad"] * 5, ["n", "p", "n", "p"] * 5
    model = LinearClassifier(weighting="count").fit(X, y)
    weight = dict(zip(model.vectorizer_.get_feature_names_out(), model.weights_.coef[0], strict=True))
    (one,) = model.explain([["Not", "bad", "?"]], "p")
    assert one.words == ["Not", "bad", "?"]
    pair = weight["not bad"] / 2
    np.testing.assert_allclose(one.weights, [weight["not"] + pair, weight["bad"] + pair, 0], rtol=1e-5)
    chars = LinearClassifier(analyzer="char").fit(X, y)
    with pytest.raises(ConfigError, match="use analyzer='word'"):
        chars.explain(["good"])


# ---- state -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["svm", "logistic", "naive-bayes"])
@pytest.mark.parametrize("labels", ["ab", "abc", "several"])
def test_state_goes_out_and_in(algorithm: str, labels: str) -> None:
    X, y = noisy(100, 1, "abc" if labels == "several" else labels)
    gold: Any = [[label] if label != "c" else ["a", "b"] for label in y] if labels == "several" else y
    model = LinearClassifier(algorithm, class_weight="balanced", tokenizer="en").fit(X, gold)
    config, arrays = model.to_state()
    again = LinearClassifier.from_state(json.loads(json.dumps(config)), arrays)
    texts = [*noisy(50, 2)[0], "unheard", ""]
    for other in (again, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict_proba(texts), model.predict_proba(texts))
        assert other.predict(texts) == model.predict(texts)
    assert json.dumps(again.to_state()[0], sort_keys=True) == json.dumps(config, sort_keys=True)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("coef", lambda a: np.where(a == a[0, 0], np.nan, a), "NaN"),
        ("intercept", lambda a: a * np.float32("inf"), "NaN or infinity"),
        ("prior", lambda a: a * np.float32("nan"), "NaN"),
        ("coef", lambda a: a[:, :-1], "do not match"),
        ("coef", lambda a: a[:-1], "do not match"),
        ("intercept", lambda a: a[1:], "do not match"),
        ("prior", lambda a: a[1:], "do not match"),
        ("coef", lambda a: a.astype(np.float64), "float64"),
        ("idf", lambda a: a[1:], "not one weight for each term"),
        ("offsets", lambda a: a[:-1], "do not end where they must"),
        ("classes_bytes", lambda a: np.full_like(a, 255), "not UTF-8"),
    ],
)
def test_altered_arrays_are_refused(name: str, change: Any, message: str) -> None:
    config, arrays = LinearClassifier().fit(*noisy(50, 1, "abc")).to_state()
    with pytest.raises(ModelError, match=message):
        LinearClassifier.from_state(config, {**arrays, name: change(arrays[name])})
    del arrays[name]
    with pytest.raises(ModelError):
        LinearClassifier.from_state(config, arrays)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 9), ("scale", -1.0), ("scale", "x"), ("multilabel", 1), ("settings", {"colour": "red"}),
        ("settings", {"algorithm": "forest"}), ("vectorizer", {}), ("vectorizer", None),
    ],
)  # fmt: skip
def test_altered_configs_are_refused(name: str, value: Any) -> None:
    config, arrays = LinearClassifier().fit(*noisy(50, 1)).to_state()
    for altered in ({**config, name: value}, {key: kept for key, kept in config.items() if key != name}):
        with pytest.raises(ModelError, match=r"format|altered"):
            LinearClassifier.from_state(altered, arrays)


def test_a_function_cannot_be_saved() -> None:
    model = LinearClassifier(tokenizer=str.split).fit(*noisy(50, 1))
    assert model.predict(["a1 a2 a3", "b1 b2 b3"]) == ["a", "b"]
    with pytest.raises(
        ConfigError, match="tokenizer is code, which cannot be saved; give a tokenizer by its"
    ):
        model.to_state()


# ---- bad input ---------------------------------------------------------------------------------------------


def test_an_empty_text_has_the_shares_of_the_labels() -> None:
    X, y = texts_of(100)
    shares = LinearClassifier().fit(X, y).predict_proba(["", " \n", "otter"])
    wanted = [y.count(label) / 100 for label in sorted(TOPICS)]
    np.testing.assert_allclose(shares[:2], [wanted] * 2, rtol=1e-5)
    assert shares[2].argmax() == sorted(TOPICS).index("water")
    assert LinearClassifier().fit(X, y).predict([]) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "forest"}, "algorithm must be one of svm, logistic, naive-bayes, not 'forest'"),
        ({"weighting": "one"}, "weighting must be one of"),
        ({"analyzer": "byte"}, "analyzer must be one of"),
        ({"ngram_range": 2}, "ngram_range must be two numbers, not 2"),
        ({"ngram_range": (0, 1)}, "the first of ngram_range must be an integer of at least 1"),
        ({"ngram_range": (2, 1)}, "the second of ngram_range must be an integer of at least 2"),
        ({"C": 0}, "C must be a number above 0"),
        ({"alpha": float("nan")}, "alpha must be a number above 0"),
        ({"seed": -1}, "seed"),
        ({"calibrate": 1}, "calibrate must be True or False"),
        ({"weighting": "count", "sublinear_tf": True}, "sublinear_tf is for weighting 'tfidf'"),
        ({"min_df": -1}, "min_df"),
        ({"tokenizer": "nothing"}, "there is no component 'nothing'"),
        ({"class_weight": {"cloud": 1.0}}, "class_weight names 'cloud'"),
    ],
)
def test_bad_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LinearClassifier(**options).fit(*texts_of(20))


def test_bad_texts_and_labels() -> None:
    X, y = texts_of(30)
    with pytest.raises(DataError, match=r"X has no n-gram to learn from: .* a lower min_df"):
        LinearClassifier(min_df=31).fit(X, y)
    with pytest.raises(DataError, match="X has no n-gram to learn from: empty vocabulary"):
        LinearClassifier().fit(["", "?"], ["x", "y"])
    with pytest.raises(DataError, match="label 0 of y is nan"):
        LinearClassifier().fit(X, [float("nan")] * 30)  # type: ignore[list-item]
    with pytest.raises(DataError, match="nothing to tell apart"):
        LinearClassifier().fit(X, ["x"] * 30)
    with pytest.raises(ConfigError, match="not fitted"):
        LinearClassifier().predict(X)
    with pytest.raises(ConfigError, match="not fitted"):
        LinearClassifier().to_state()
    with pytest.warns(UserWarning, match="never be predicted: 'unknown'"):
        model = LinearClassifier().fit(X, y, ["otter", "x"], ["water", "unknown"])
    with pytest.warns(UserWarning, match="never be predicted: 'unknown'"):
        same = LinearClassifier().fit(X, y, ["x"], ["unknown"])
    assert same.scale_ == LinearClassifier().fit(X, y).scale_ != model.scale_
