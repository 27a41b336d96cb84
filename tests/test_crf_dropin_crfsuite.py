"""`nlptk.CRF` beside CRFsuite itself: its model files, predictions, marginals, and what training reaches."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from crf_sentences import random_sentences

from nlptk import CRF
from nlptk.errors import ModelError
from nlptk.tag.crfsuite_file import parse_crfsuite

pycrfsuite = pytest.importorskip("pycrfsuite")

X, Y = random_sentences(1, 150)
NEW, _ = random_sentences(2, 60, "ABCD")  # some features are unknown


def write(path: Path, sentences=X, labels=Y, algorithm: str = "lbfgs", **params) -> Path:
    trainer = pycrfsuite.Trainer(algorithm, params, verbose=False)
    for items, tags in zip(sentences, labels, strict=True):
        trainer.append(items, tags)
    trainer.train(str(path))
    return path


def open_tagger(path: Path):
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    return tagger


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("crfsuite") / "a.crfsuite", c2=0.1)


def assert_same_answers(crf: CRF, path: Path, sentences) -> None:
    tagger = open_tagger(path)
    assert crf.predict(sentences).tolist() == [tagger.tag(items) for items in sentences]
    found = crf.predict_marginals(sentences)
    for items, rows in zip(sentences, found, strict=True):
        tagger.set(items)
        assert len(rows) == len(items)
        for at, row in enumerate(rows):
            assert list(row) == tagger.labels()
            for label, probability in row.items():
                assert probability == pytest.approx(tagger.marginal(label, at), abs=2e-5)


@pytest.mark.parametrize(
    ("algorithm", "params"),
    [
        ("lbfgs", {"c2": 0.1}),
        ("lbfgs", {"c1": 2.0, "c2": 0.01}),
        ("lbfgs", {"feature.possible_transitions": True, "feature.possible_states": True}),
        ("l2sgd", {"max_iterations": 20}),
        ("ap", {"max_iterations": 5}),
        ("pa", {"max_iterations": 5}),
        ("arow", {"max_iterations": 5}),
    ],
)
def test_a_model_of_crfsuite_answers_as_crfsuite_does(tmp_path, algorithm, params):
    path = write(tmp_path / "m.crfsuite", algorithm=algorithm, **params)
    crf = CRF.from_crfsuite(path)
    assert_same_answers(crf, path, X + NEW)
    info = open_tagger(path).info()
    assert crf.classes_ == open_tagger(path).labels()
    assert crf.num_attributes_ == int(info.header["num_attrs"])
    assert crf.attributes_ == sorted(info.attributes, key=lambda name: int(info.attributes[name]))
    for mine, theirs in (
        (crf.state_features_, info.state_features),
        (crf.transition_features_, info.transitions),
    ):
        assert mine == {pair: pytest.approx(weight, abs=1e-6, rel=1e-6) for pair, weight in theirs.items()}


def test_a_model_without_features_is_read(tmp_path):
    path = write(tmp_path / "one.crfsuite", [[["a"], ["b"]]], [["O", "O"]])
    crf = CRF.from_crfsuite(path)
    assert (crf.classes_, crf.attributes_, crf.state_features_) == (["O"], [], {})
    assert crf.predict([[["a"]]]).tolist() == [["O"]]


def test_model_filename_reads_a_model_of_crfsuite(model):
    crf = CRF(model_filename=str(model))
    assert crf.predict(X).tolist() == CRF.from_crfsuite(model).predict(X).tolist()
    assert CRF.load(model).classes_ == crf.classes_


def test_a_model_cut_anywhere_is_refused(model, tmp_path):
    data = model.read_bytes()
    path = tmp_path / "cut.crfsuite"
    for size in [*range(60), *range(60, len(data), 37), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(ModelError, match=r"cut\.crfsuite: is not a whole CRFsuite model: it "):
            CRF.from_crfsuite(path)
        resized = data[:4] + struct.pack("<I", size) + data[8:size]
        if size > 8:  # the header tells the truth, so other parts must show it
            path.write_bytes(resized)
            with pytest.raises(ModelError, match=r"cut\.crfsuite"):
                CRF.from_crfsuite(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ModelError, match="its header says"):
        CRF.from_crfsuite(path)
    with pytest.raises(ModelError, match=r"nowhere: cannot be read: No such file"):
        CRF.from_crfsuite(tmp_path / "nowhere")


def test_a_small_model_cut_at_any_byte_is_refused(tmp_path):
    data = write(tmp_path / "small", [[["a"], ["b"]]], [["A", "B"]]).read_bytes()
    assert parse_crfsuite(data).classes == ["A", "B"]
    for size in range(len(data)):
        with pytest.raises((ValueError, ModelError)):
            parse_crfsuite(data[:size])
        if size > 8:
            with pytest.raises((ValueError, ModelError)):
                parse_crfsuite(data[:4] + struct.pack("<I", size) + data[8:size])


def test_altered_bytes_are_refused_or_harmless(model):
    data = model.read_bytes()
    rng = random.Random(3)
    refused = 0
    for _ in range(3000):
        altered = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            altered[rng.randrange(len(data))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        try:
            found = parse_crfsuite(bytes(altered))
        except (ValueError, ModelError):
            refused += 1
        else:
            assert np.isfinite(found.weights).all()
    assert refused > 300


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (8, b"XXXX", "only b'FOMC', 100 can be read"),
        (12, struct.pack("<I", 99), "version 99"),
        (20, struct.pack("<I", 70000), "at most 65535"),
        (20, struct.pack("<I", 2), "a feature has a label that there is not|labels has 3 names"),
        (24, struct.pack("<I", 1), "attributes has .* names where its header says 1"),
        (28, struct.pack("<I", 0), "there are no features at byte 0"),
        (28, struct.pack("<I", 2**31), "features would end at byte"),
        (32, struct.pack("<I", 48), "there is no table of labels at byte 48"),
        (44, struct.pack("<I", 48), r"there are no lists of features \(AFRF\) at byte 48"),
        (60 + 12, struct.pack("<d", float("nan")), "a weight is not a number"),
        (60 + 12, struct.pack("<d", 1e31), "a weight is not a number"),
        (60, struct.pack("<I", 1), "a feature of the other's type"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(model, offset, value, message):
    data = bytearray(model.read_bytes())
    data[offset : offset + len(value)] = value
    with pytest.raises((ValueError, ModelError), match=message):
        parse_crfsuite(bytes(data))


def objective(crf: CRF, sentences, labels, c1: float, c2: float) -> float:
    """-log likelihood plus the regularization terms, by this model's own marginal-free scores."""
    from nlptk import chain
    from nlptk.tag.crf_model import encode, label_numbers

    model = crf._fitted()
    features = encode(model.table, sentences)
    scores = model.emissions(features)
    gold = label_numbers(labels, features.offsets, list(model.classes), grow=False)
    total = float(chain.log_partition(scores, model.transitions, offsets=features.offsets).sum())
    total -= float(scores[np.arange(len(gold)), gold].sum())
    inside = np.ones(len(gold), bool)
    inside[features.offsets[:-1][np.diff(features.offsets) > 0]] = False
    steps = np.flatnonzero(inside)
    total -= float(model.transitions[gold[steps - 1], gold[steps]].sum())
    weights = np.concatenate([model.weights, model.transitions.ravel()]).astype(np.float64)
    return total + c1 * float(np.abs(weights).sum()) + c2 * float(weights @ weights)


@pytest.mark.parametrize(
    ("c1", "c2", "options"),
    [
        (0.0, 1.0, {}),
        (0.0, 0.05, {"all_possible_transitions": True}),
        (0.0, 0.5, {"all_possible_states": True}),
        (0.0, 0.5, {"min_freq": 4}),
        (0.5, 0.01, {}),
    ],
)
def test_lbfgs_reaches_crfsuites_optimum(tmp_path, c1, c2, options):
    names = {
        "all_possible_transitions": "feature.possible_transitions",
        "all_possible_states": "feature.possible_states",
        "min_freq": "feature.minfreq",
    }
    path = write(
        tmp_path / "m", c1=c1, c2=c2, epsilon=1e-7, delta=1e-9, **{names[k]: v for k, v in options.items()}
    )
    mine = CRF(c1=c1, c2=c2, epsilon=1e-7, delta=1e-9, **options).fit(X, Y)
    theirs = CRF.from_crfsuite(path)
    found, expected = (objective(crf, X, Y, c1, c2) for crf in (mine, theirs))
    assert found == pytest.approx(expected, rel=1e-3)
    if c1 == 0:
        assert mine.classes_ == theirs.classes_
        assert mine.predict(NEW).tolist() == theirs.predict(NEW).tolist()
        for name in ("state_features_", "transition_features_"):
            ours, other = getattr(mine, name), getattr(theirs, name)
            assert set(ours) == set(other)
            assert ours == {pair: pytest.approx(weight, abs=0.02) for pair, weight in other.items()}


MISTAKE_DRIVEN = [
    ("ap", {}),
    *(
        ("pa", {"pa_type": kind, "c": c, "error_sensitive": sensitive, "averaging": averaging})
        for kind, c in ((0, 1.0), (1, 1.0), (1, 0.03), (2, 1.0), (2, 0.05))
        for sensitive, averaging in ((True, True), (False, True), (True, False))
    ),
    ("arow", {}),
    ("arow", {"variance": 0.3, "gamma": 2.0}),
    ("arow", {"variance": 5.0, "gamma": 0.1}),
]


@pytest.mark.parametrize(("algorithm", "options"), MISTAKE_DRIVEN)
@pytest.mark.parametrize("passes", [1, 2, 5])
@pytest.mark.parametrize("number", [5, 11, 12])
def test_steps_are_crfsuites(tmp_path, algorithm, options, passes, number):
    """One sentence and its copies: the order of the sentences does not matter."""
    sentences, labels = [X[number]] * 3, [Y[number]] * 3
    assert len(set(labels[0])) > 1
    params = {"type" if name == "pa_type" else name: value for name, value in options.items()}
    params |= {"feature.possible_transitions": True, "feature.possible_states": True}
    path = write(tmp_path / "m", sentences, labels, algorithm, max_iterations=passes, **params)
    settings = {"all_possible_transitions": True, "all_possible_states": True, **options}
    mine = CRF(algorithm, max_iterations=passes, **settings).fit(sentences, labels)
    theirs = CRF.from_crfsuite(path)
    for name in ("state_features_", "transition_features_"):
        ours, other = (
            {pair: weight for pair, weight in getattr(crf, name).items() if abs(weight) > 1e-6}
            for crf in (mine, theirs)
        )
        assert ours == {pair: pytest.approx(weight, rel=1e-4, abs=1e-6) for pair, weight in other.items()}
    assert any(abs(weight) > 0.01 for weight in mine.state_features_.values())


HELD_OUT, HELD_OUT_LABELS = random_sentences(5, 400)


@pytest.mark.parametrize(
    ("algorithm", "options", "tolerance"),
    [
        ("l2sgd", {"c2": 0.5}, 0.01),
        ("ap", {}, 0.01),
        ("pa", {}, 0.01),
        ("pa", {"pa_type": 0}, 0.01),
        ("pa", {"pa_type": 2, "c": 0.1}, 0.01),
        ("pa", {"pa_type": 1, "c": 0.03, "error_sensitive": False}, 0.01),
        ("arow", {}, 0.1),  # without a mean the sentences that came last weigh much: from 0.6 to 0.83 in both
        ("arow", {"gamma": 10.0, "variance": 0.5}, 0.1),
    ],
)
def test_the_online_methods_learn_as_well(algorithm, options, tolerance):
    """On sentences that training has not seen, over several orders of those that it has."""
    sklearn_crfsuite = pytest.importorskip("sklearn_crfsuite")
    settings = {"algorithm": algorithm, "max_iterations": 30, **options}
    mine, theirs = [], []
    for seed in range(6):
        mine.append(CRF(**settings, seed=seed).fit(X, Y).score(HELD_OUT, HELD_OUT_LABELS))
        order = np.random.default_rng(seed).permutation(len(X))
        crf = sklearn_crfsuite.CRF(**settings).fit([X[i] for i in order], [Y[i] for i in order])
        theirs.append(crf.score(HELD_OUT, HELD_OUT_LABELS))
    assert np.mean(mine) == pytest.approx(np.mean(theirs), abs=tolerance)


def losses_of_crfsuite(tmp_path, algorithm: str, sentences, labels, **params) -> list[float]:
    trainer = pycrfsuite.Trainer(algorithm, params, verbose=False)
    for items, tags in zip(sentences, labels, strict=True):
        trainer.append(items, tags)
    trainer.train(str(tmp_path / "m"))
    return [entry["loss"] for entry in trainer.logparser.iterations]


@pytest.mark.parametrize("algorithm", ["ap", "pa", "arow"])
def test_the_loss_and_when_it_is_small_enough_are_crfsuites(tmp_path, algorithm):
    sentences, labels = [X[5]], [Y[5]]
    for epsilon in (0.0, 0.3):
        limits = {"max_iterations": 12, "epsilon": epsilon}
        expected = losses_of_crfsuite(tmp_path, algorithm, sentences, labels, **limits)
        log = CRF(algorithm, **limits).fit(sentences, labels).training_log_
        assert [entry["loss"] for entry in log.iterations] == pytest.approx(expected, abs=1e-4)
        assert len(expected) == 12 or epsilon > 0 or algorithm == "arow"
