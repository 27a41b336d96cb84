"""`nlptk.CRF` in use: answers, scikit-learn's tools, files, pickles, and the tutorial of sklearn-crfsuite."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections import Counter

import numpy as np
import pytest
from crf_sentences import random_sentences
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_val_score
from sklearn.utils.validation import check_is_fitted

import nlptk
from nlptk import CRF
from nlptk.errors import ConfigError, ModelError
from nlptk.scoring import flat
from nlptk.store import pack_sealed

X, Y = random_sentences(1, 120)


@pytest.fixture(scope="module")
def fitted() -> CRF:
    return CRF(c2=0.1, max_iterations=50).fit(X, Y)


def same_model(a: CRF, b: CRF) -> bool:
    return a.predict_marginals(X).tolist() == b.predict_marginals(X).tolist() and a.classes_ == b.classes_


def test_settings_are_sklearn_crfsuites():
    sklearn_crfsuite = pytest.importorskip("sklearn_crfsuite")
    theirs = inspect.signature(sklearn_crfsuite.CRF).parameters
    mine = inspect.signature(CRF).parameters
    assert list(mine)[: len(theirs)] == list(theirs)
    assert all(mine[name].default == theirs[name].default for name in theirs)


def test_answers_fit_together(fitted):
    found, marginals = fitted.predict(X), fitted.predict_marginals(X)
    assert (found.shape, found.dtype, marginals.shape) == ((len(X),), object, (len(X),))
    assert [len(labels) for labels in found] == [len(items) for items in X]
    assert found.tolist() == [fitted.predict_single(items) for items in X]
    assert marginals[3] == fitted.predict_marginals_single(X[3])
    assert all(sum(row.values()) == pytest.approx(1) for rows in marginals for row in rows)
    right = [a == b for labels, tags in zip(found, Y, strict=True) for a, b in zip(labels, tags, strict=True)]
    assert fitted.score(X, Y) == pytest.approx(np.mean(right))
    assert fitted.score(X, Y) > 0.8


def test_answers_are_one_list_each_also_where_all_are_as_long(fitted):
    for sentences in ([[["a"]], [["b"]]], [[["a"]]], [], [[]], [[], []]):
        found = fitted.predict(sentences)
        assert found.shape == (len(sentences),)
        assert [len(labels) for labels in found] == [len(items) for items in sentences]
        assert [len(rows) for rows in fitted.predict_marginals(sentences)] == list(map(len, sentences))
    assert fitted.predict_single([]) == []
    assert fitted.predict_marginals_single([]) == []


def test_many_sentences_are_answered_in_batches(fitted):
    found = fitted.predict(iter(X * 80))  # more than one batch, from a generator
    assert found.tolist() == fitted.predict(X).tolist() * 80


def test_a_label_that_training_has_not_seen_is_a_miss(fitted):
    assert fitted.score([[{"word": "xA"}, {}]], [["Z", "Z"]]) == 0


def test_the_model_can_be_read(fitted):
    assert sorted(fitted.classes_) == ["A", "B", "C"]
    assert fitted.classes_ == list(dict.fromkeys(tag for tags in Y for tag in tags))
    states, steps = fitted.state_features_, fitted.transition_features_
    assert {name for name, _ in states} == set(fitted.attributes_)
    assert len(fitted.attributes_) == fitted.num_attributes_ == len(set(fitted.attributes_))
    assert states["word:xA", "A"] > 0.3
    assert ("近:左:词1", "A") in states
    assert set(steps) == {(a, b) for a in "ABC" for b in "ABC"}
    assert all(isinstance(weight, float) for weight in (*states.values(), *steps.values()))
    assert fitted.size_ > 100


def test_attributes_are_as_they_were_given():
    names = ["\ud800", "\0", "词", b"\xff\xfe"]
    crf = CRF(max_iterations=3).fit([[[name], [name]] for name in names], [["A", "B"]] * 3 + [["A", "A"]])
    assert {"\ud800", "\0", "词", "\udcff\udcfe"} >= set(crf.attributes_) >= {"\udcff\udcfe"}
    assert pickle.loads(pickle.dumps(crf)).attributes_ == crf.attributes_


def test_before_fit_there_is_no_model():
    crf = CRF()
    for name in ("classes_", "attributes_", "state_features_", "transition_features_", "size_"):
        assert getattr(crf, name) is None
    assert crf.training_log_ is None
    with pytest.raises(NotFittedError):
        check_is_fitted(crf)


def test_unseen_transitions_have_no_weight_unless_asked_for():
    sentences, labels = [[["a"], ["b"]]] * 3, [["A", "B"]] * 3
    assert set(CRF().fit(sentences, labels).transition_features_) == {("A", "B")}
    everything = CRF(all_possible_transitions=True, all_possible_states=True).fit(sentences, labels)
    assert set(everything.transition_features_) == {(a, b) for a in "AB" for b in "AB"}
    assert set(everything.state_features_) == {(a, b) for a in "ab" for b in "AB"}


def test_min_freq_drops_rare_features():
    crf = CRF(min_freq=2).fit([[["a", "b"], ["a"]], [["a"]]], [["A", "A"], ["B"]])
    assert crf.attributes_ == ["a"]


@pytest.mark.parametrize("algorithm", [None, "lbfgs", "l2sgd", "ap", "pa", "arow"])
def test_the_log_tells_of_each_iteration(algorithm, capsys):
    crf = CRF(algorithm, max_iterations=4, verbose=True).fit(X, Y, X[:30], Y[:30])
    log = crf.training_log_
    assert [entry["num"] for entry in log.iterations] == [1, 2, 3, 4]
    assert log.last_iteration["item_accuracy_float"] == pytest.approx(crf.score(X[:30], Y[:30]))
    found = crf.predict(X[:30])
    full = [labels == tags for labels, tags in zip(found, Y[:30], strict=True) if tags]
    assert log.last_iteration["instance_accuracy_float"] == pytest.approx(np.mean(full))
    f1 = flat.flat_f1_score(Y[:30], found, average="macro")
    assert log.last_iteration["avg_f1"] == pytest.approx(f1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Iter 1    time=0.0")
    plain = CRF(algorithm, max_iterations=4).fit(X, Y)
    assert capsys.readouterr().out == ""
    assert same_model(crf, plain)  # the dev set changes nothing


def test_sgd_stops_when_it_gets_no_better():
    crf = CRF("l2sgd", period=3, delta=0.01).fit(X, Y)
    losses = [entry["loss"] for entry in crf.training_log_.iterations]
    assert 4 <= len(losses) < 100
    assert (losses[-4] - losses[-1]) / losses[-1] < 0.01 <= (losses[-5] - losses[-2]) / losses[-2]


@pytest.mark.parametrize("algorithm", ["lbfgs", "l2sgd", "ap", "pa", "arow"])
def test_fit_repeats(algorithm):
    assert same_model(*(CRF(algorithm, max_iterations=5, threads=1).fit(X, Y) for _ in range(2)))


def test_a_fit_that_fails_leaves_the_model(fitted):
    crf = copy.deepcopy(fitted)
    with pytest.raises(ConfigError):
        crf.set_params(c1=-1).fit(X, Y)
    assert same_model(crf, fitted)


# ---- scikit-learn ----------------------------------------------------------------------------------


def test_clone_and_params(fitted):
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert again.classes_ is None
    assert check_is_fitted(fitted) is None
    with pytest.raises(ValueError, match="no setting 'c3'"):
        again.set_params(c3=1)


@pytest.fixture
def workers():
    """Joblib keeps its processes for later; other tests look whether there are any."""
    yield
    get_reusable_executor().shutdown(wait=True)


def test_searches_and_cross_validation(workers):
    scorer = make_scorer(flat.flat_f1_score, average="weighted")
    search = GridSearchCV(
        CRF(max_iterations=10, threads=1), {"c2": [0.01, 100.0]}, cv=3, scoring=scorer, n_jobs=2
    )
    search.fit(X, Y)
    assert search.best_params_ == {"c2": 0.01}
    assert search.best_estimator_.size_ > 0
    assert search.predict(X).shape == (len(X),)
    sampled = RandomizedSearchCV(CRF(), {"c1": np.array([0.1, 0.2])}, n_iter=2, cv=2, random_state=0)
    assert sampled.fit(X, Y).best_params_["c1"] in (0.1, 0.2)
    sampled.best_estimator_._settings()
    predicted = cross_val_predict(CRF(max_iterations=10), X, Y, cv=4)
    assert [len(labels) for labels in predicted] == [len(tags) for tags in Y]
    short = cross_val_predict(CRF(max_iterations=10), [[["a"]], [["b"]]] * 4, [["A"], ["B"]] * 4, cv=2)
    assert short.tolist() == [["A"], ["B"]] * 4
    assert len(cross_val_score(CRF(max_iterations=10), X, Y, cv=3)) == 3


def test_the_scores_are_scikit_learns(fitted):
    found = fitted.predict(X)
    assert flat.flat_accuracy_score(Y, found) == pytest.approx(fitted.score(X, Y))
    for name in ("precision", "recall", "f1"):
        score = getattr(flat, f"flat_{name}_score")(Y, found, average="micro")
        assert score == pytest.approx(fitted.score(X, Y))
    assert flat.flat_fbeta_score(Y, found, beta=2, average="micro") == pytest.approx(fitted.score(X, Y))
    assert "support" in flat.flat_classification_report(Y, found, labels=["A"], digits=3)
    assert flat.sequence_accuracy_score(Y, Y) == 1
    assert flat.sequence_accuracy_score([["A"], ["B", "A"]], [["A"], ["A", "A"]]) == 0.5
    assert flat.sequence_accuracy_score([], []) == 0
    metrics = pytest.importorskip("sklearn_crfsuite.metrics")
    assert flat.flat_f1_score(Y, found, average="macro") == metrics.flat_f1_score(Y, found, average="macro")


def test_the_tutorial_runs(capsys):
    """sklearn-crfsuite's tutorial with its names, on other sentences."""
    sklearn_crfsuite, metrics = nlptk, flat

    def word2features(sent, i):
        word, postag = sent[i][0], sent[i][1]
        features = {
            "bias": 1.0,
            "word.lower()": word.lower(),
            "word[-3:]": word[-3:],
            "word.isupper()": word.isupper(),
            "postag": postag,
        }
        if i > 0:
            features.update({"-1:word.lower()": sent[i - 1][0].lower(), "-1:postag": sent[i - 1][1]})
        else:
            features["BOS"] = True
        if i == len(sent) - 1:
            features["EOS"] = True
        return features

    sents = [
        [("Melbourne", "NP", "B-LOC"), ("(", "Fpa", "O"), ("Australia", "NP", "B-LOC"), (")", "Fpt", "O")],
        [("Gerhard", "NP", "B-PER"), ("Vos", "NP", "I-PER"), ("habla", "VMI", "O"), (".", "Fp", "O")],
        [("El", "DA", "O"), ("Gobierno", "NC", "B-ORG"), ("de", "SP", "I-ORG"), ("Vos", "NP", "I-ORG")],
    ] * 5
    X_train = [[word2features(s, i) for i in range(len(s))] for s in sents]
    y_train = [[label for _, _, label in s] for s in sents]
    crf = sklearn_crfsuite.CRF(
        algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True
    )
    crf.fit(X_train, y_train)
    labels = list(crf.classes_)
    labels.remove("O")
    y_pred = crf.predict(X_train)
    assert metrics.flat_f1_score(y_train, y_pred, average="weighted", labels=labels) == 1.0
    sorted_labels = sorted(labels, key=lambda name: (name[1:], name[0]))
    print(metrics.flat_classification_report(y_train, y_pred, labels=sorted_labels, digits=3))
    print(f"model size: {crf.size_ / 1000000:0.2f}M")
    (label_from, label_to), weight = Counter(crf.transition_features_).most_common(1)[0]
    assert (label_from, label_to) in [("B-PER", "I-PER"), ("B-ORG", "I-ORG"), ("I-ORG", "I-ORG")]
    assert weight > 0
    assert Counter(crf.state_features_).most_common(1)[0][1] > 0
    assert "B-LOC" in capsys.readouterr().out


# ---- files -----------------------------------------------------------------------------------------


def test_a_saved_model_comes_back(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = CRF.load(tmp_path / "model")
    assert same_model(again, fitted)
    assert again.get_params() == fitted.get_params()
    assert again.state_features_ == fitted.state_features_
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    CRF(c2=np.float64(0.5), max_iterations=np.int64(3)).fit(X, Y).save(tmp_path / "model")
    assert CRF.load(tmp_path / "model").c2 == 0.5


def test_pickle_and_deepcopy_keep_the_model(fitted):
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert same_model(again, fitted)
        assert again.get_params() == fitted.get_params()
    assert pickle.loads(pickle.dumps(CRF(c1=0.5))).c1 == 0.5


def test_model_filename_is_written_by_fit_and_read_without(tmp_path):
    path = tmp_path / "model"
    crf = CRF(max_iterations=5, model_filename=path)
    assert crf.classes_ is None
    crf.fit(X, Y)
    assert same_model(CRF(model_filename=str(path)), crf)
    assert same_model(clone(crf), crf)


def test_a_damaged_file_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    data = (tmp_path / "model").read_bytes()
    bad = tmp_path / "bad"
    for altered in (
        b"",
        data[:100],
        data[:-1],
        data[:-1] + bytes([data[-1] ^ 1]),
        pack_sealed({"a": np.zeros(1)}, "test"),
    ):
        bad.write_bytes(altered)
        with pytest.raises(ModelError, match="bad: "):
            CRF.load(bad)
    with pytest.raises(ModelError, match="nowhere: cannot be read: No such file"):
        CRF.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("weights", lambda a: a[:-1], "row_labels and weights must be parallel"),
        ("weights", lambda a: np.full_like(a, np.nan), "holds NaN"),
        ("row_labels", lambda a: a + 9, "for label"),
        ("row_starts", lambda a: a[:-1], "do not fit"),
        ("row_starts", lambda a: a[::-1], "row_starts must begin with 0"),
        ("transitions", lambda a: a[:-1], "do not fit"),
        ("attributes_offsets", lambda a: a * 2, "offsets must be"),
        ("attributes_bytes", lambda a: np.zeros_like(a), "there twice"),
        ("labels_offsets", lambda a: a[:-1], "do not divide"),
        ("settings", lambda a: np.frombuffer(b"{}", np.uint8), "no CRF of this version"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(fitted, tmp_path, name, change, message):
    from nlptk.store import unpack_sealed

    fitted.save(tmp_path / "model")
    arrays = unpack_sealed((tmp_path / "model").read_bytes(), "test")
    arrays[name] = np.ascontiguousarray(change(arrays[name]))
    (tmp_path / "model").write_bytes(pack_sealed(arrays, "test"))
    with pytest.raises(ModelError, match=message):
        CRF.load(tmp_path / "model")
