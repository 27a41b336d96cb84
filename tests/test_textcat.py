"""Classifiers in pipelines and on the command line, and the scores of labels."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

import nlptk
from nlptk.classify.component import FROM_PRIOR
from nlptk.classify.explain import Explanation, to_html
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError
from nlptk.evaluation import evaluate_cats
from nlptk.neural.classifier import NeuralClassifier
from nlptk.scoring import category_scores

Run = Callable[..., tuple[int, str, str]]
SMALL = {"dim": 12, "hidden": 12, "epochs": 6, "learning_rate": 0.02, "batch_tokens": 200, "device": "cpu"}


def texts(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Words round one that tells the label."""
    rng = random.Random(seed)
    X, y = [], []
    for _ in range(count):
        label = rng.choice(["good", "bad"])
        words = [rng.choice("abcdefghij") * 2 for _ in range(rng.randint(0, 6))]
        words.insert(rng.randint(0, len(words)), label)
        X.append(" ".join(words))
        y.append(label)
    return X, y


def docs(nlp: nlptk.Language, X: list[str], y: list[list[str]]) -> list[Doc]:
    made = list(nlp.pipe(X))
    for doc, labels in zip(made, y, strict=True):
        doc.cats = dict.fromkeys(labels, 1.0)
    return made


@pytest.fixture(scope="module")
def pipeline() -> nlptk.Language:
    nlp = nlptk.blank("en")
    X, y = texts(200, 1)
    gold = docs(nlp, X, [[label] for label in y])
    nlp.add_pipe("neural_textcat", config=SMALL).fit(gold)
    return nlp


def test_a_pipeline_fills_cats(pipeline: nlptk.Language, tmp_path: Path) -> None:
    doc = pipeline("aa good bb")
    assert list(doc.cats) == ["bad", "good"]
    assert doc.cats["good"] > 0.9
    assert sum(doc.cats.values()) == pytest.approx(1, abs=1e-5)
    pipeline.to_disk(tmp_path / "model")
    again = nlptk.load(tmp_path / "model")
    assert again("aa good bb").cats == pytest.approx(doc.cats, abs=1e-6)
    assert again.get_pipe("neural_textcat").labels == ("bad", "good")


def test_a_text_without_words_is_flagged(pipeline: nlptk.Language) -> None:
    empty, blank, full = pipeline.pipe(["", " \n ", "good"])
    assert empty.user_data[FROM_PRIOR] is True
    assert blank.user_data[FROM_PRIOR] is True
    assert FROM_PRIOR not in full.user_data
    assert 0.3 < empty.cats["good"] < 0.7


def test_several_labels_are_seen_or_refused() -> None:
    nlp = nlptk.blank("en")
    X = ["aa bb", "aa", "bb", "cc"] * 20
    gold = docs(nlp, X, [["A", "B"], ["A"], ["B"], []] * 20)
    component = nlp.add_pipe("neural_textcat", config={**SMALL, "epochs": 15})
    component.fit(gold)
    found = list(nlp.pipe(["aa", "cc", "aa bb"]))
    assert component.chosen(found) == [["A"], [], ["A", "B"]]
    single = nlptk.blank("en").add_pipe("neural_textcat", config={**SMALL, "multilabel": False})
    with pytest.raises(DataError, match="training text 0 has 2 labels in its cats, and one is wanted"):
        single.fit(gold)


# ---- what decided ------------------------------------------------------------------------------------------


def test_the_words_that_decide_have_the_largest_weights(pipeline: nlptk.Language) -> None:
    component = pipeline.get_pipe("neural_textcat")
    found = component.explain(list(pipeline.pipe(["aa bb good cc dd", "bad ee", ""])))
    assert [one.label for one in found[:2]] == ["good", "bad"]
    assert [one.strongest(1)[0][0] for one in found[:2]] == ["good", "bad"]
    assert all(one.strongest(1)[0][1] > 0 for one in found[:2])
    assert found[0].strengths().max() == 1
    assert found[0].shares == pytest.approx(pipeline("aa bb good cc dd").cats, abs=1e-5)
    assert found[2].words == []
    (against,) = component.explain([pipeline("aa good")], "bad")
    assert against.label == "bad"
    assert against.strongest(1)[0][1] < 0
    with pytest.raises(ConfigError, match="there is no label 'fine'; there are bad, good"):
        component.explain([pipeline("aa")], "fine")


def test_weights_are_what_a_linear_score_loses() -> None:
    """Of one text, gradient times input is exact where the score is linear in the vectors."""
    X, y = texts(100, 3)
    made = NeuralClassifier("cnn", **{**SMALL, "widths": (1,), "epochs": 2}).fit(X, y)
    (one,) = made.explain([["good"]])
    model, number = made._model, made.classes_.index(one.label)
    kernel = model.encoder.filters[0]
    with torch.no_grad():
        (x,) = model.inputs(model.collate(model.examples([["good"]])).words)
        product = kernel.weight[:, :, 0] @ x
        linear = model.scores.weight @ (product * (product + kernel.bias > 0))  # of the filters that answer
    assert one.weights[0] == pytest.approx((linear[number] - linear.mean()).item(), rel=1e-4)


def test_pages_are_whole_and_hide_nothing(tmp_path: Path) -> None:
    weights = np.array([0.5, -1.0], np.float32)
    page = to_html([Explanation(["<b>", "a\x00"], weights, "x&y", {"x&y": 0.9, "z": 0.1})])
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "x&amp;y 0.900, z 0.100" in page
    assert "rgba(46, 160, 67, 0.30)" in page
    assert "rgba(218, 54, 51, 0.60)" in page
    assert "http" not in page


def test_wrong_settings_are_said() -> None:
    with pytest.raises(ConfigError, match="neural_textcat does not take this setting"):
        nlptk.blank("en").add_pipe("neural_textcat", config={"colour": "red"})
    with pytest.raises(ConfigError, match="no component of the pipeline labels texts"):
        evaluate_cats(nlptk.blank("en"), docs(nlptk.blank("en"), ["a"], [["x"]]))


# ---- scores ------------------------------------------------------------------------------------------------


def test_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    classes = ["a", "b", "c"]
    shares = rng.dirichlet([1, 1, 1], 200)
    gold = [classes[i] for i in rng.integers(0, 3, 200)]
    found = [classes[i] for i in shares.argmax(1)]
    scores = category_scores([[label] for label in gold], [[label] for label in found], shares, classes)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(gold, found))
    assert scores.f1_micro == pytest.approx(metrics.f1_score(gold, found, average="micro"))
    assert scores.f1_macro == pytest.approx(metrics.f1_score(gold, found, average="macro"))
    assert scores.log_loss == pytest.approx(metrics.log_loss(gold, shares, labels=classes))
    assert scores.confusion is not None
    assert scores.confusion.tolist() == metrics.confusion_matrix(gold, found).tolist()


def test_scores_of_several_labels_are_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    classes = ["a", "b", "c"]
    shares = rng.random((100, 3))
    wanted, found = rng.random((100, 3)) < 0.4, shares > 0.5
    sets = [[[c for c, has in zip(classes, row, strict=True) if has] for row in t] for t in (wanted, found)]
    scores = category_scores(*sets, shares, classes)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(wanted, found))
    assert scores.f1_micro == pytest.approx(metrics.f1_score(wanted, found, average="micro"))
    assert scores.f1_macro == pytest.approx(metrics.f1_score(wanted, found, average="macro"))
    assert scores.confusion is None


def test_probabilities_that_are_kept_are_trusted() -> None:
    shares = np.array([[0.75, 0.25]] * 4)
    kept = category_scores([["a"]] * 3 + [["b"]], [["a"]] * 4, shares, ["a", "b"])
    assert kept.calibration_error == pytest.approx(0)
    sure = category_scores([["b"]] * 4, [["a"]] * 4, shares, ["a", "b"])
    assert sure.calibration_error == pytest.approx(0.75)
    unknown = category_scores([["new"]], [["a"]], shares[:1], ["a", "b"])
    assert unknown.accuracy == 0
    assert unknown.labels["new"].gold == 1
    with pytest.raises(DataError, match="no texts to score"):
        category_scores([], [], np.zeros((0, 2)), ["a", "b"])
    with pytest.raises(DataError, match="1 texts have gold labels and 2"):
        category_scores([["a"]], [["a"]] * 2, shares[:1], ["a", "b"])


# ---- command line ------------------------------------------------------------------------------------------


def write(path: Path, X: list[str], y: list[str]) -> Path:
    rows = [f"{label}\t{text}\n" for label, text in zip(y, X, strict=True)]
    path.write_text("label\ttext\n" + "".join(rows), encoding="utf-8")
    return path


def test_train_and_evaluate_from_the_command_line(run: Run, tmp_path: Path) -> None:
    train, dev = write(tmp_path / "train.tsv", *texts(200, 1)), write(tmp_path / "dev.tsv", *texts(40, 2))
    options = [
        "--model",
        "cnn",
        "--hidden",
        "12",
        "--max-iterations",
        "4",
        "--learning-rate",
        "0.02",
        "--device",
        "cpu",
    ]
    status, out, err = run(
        "train", "classifier", "--train", train, "--dev", dev, "-o", tmp_path / "m", *options, "--json"
    )
    assert status == 0, err
    assert json.loads(out)["dev"]["accuracy"] > 0.9
    status, out, err = run("evaluate", tmp_path / "m", dev, "--json")
    assert status == 0, err
    scores = json.loads(out)
    assert scores["texts"] == 40
    assert scores["accuracy"] > 0.9
    assert set(scores["confusion"]) == {"bad", "good"}
    status, out, err = run("explain", tmp_path / "m", "aa good bb", "", "--html", tmp_path / "page.html")
    assert status == 0, err
    assert "good" in out
    assert "no words: how often the labels are in training" in out
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    status, out, err = run("explain", tmp_path / "m", "aa good bb", "--json", "--label", "bad")
    assert [word for word, _ in json.loads(out)["words"]] == ["aa", "good", "bb"]
    status, out, err = run("evaluate", tmp_path / "m", dev)
    assert status == 0
    assert "gold, predicted  bad  good" in out


def test_faults_are_one_line(run: Run, tmp_path: Path) -> None:
    train = write(tmp_path / "train.tsv", *texts(20, 1))
    status, _, err = run("train", "classifier", "--train", train, "-o", tmp_path / "m", "--label-column", "x")
    assert status == 1
    assert "has no column 'x' for the labels" in err
    (tmp_path / "none.tsv").write_text("")
    status, _, err = run("train", "classifier", "--train", tmp_path / "none.tsv", "-o", tmp_path / "m")
    assert status == 1
    assert "holds no labelled text" in err
    status, _, err = run("train", "classifier", "--train", train, "-o", tmp_path / "m", "--model", "bert")
    assert status == 2
    assert "needs pretrained=" in err
    status, _, err = run("train", "classifier", "--train", train, "-o", tmp_path / "m", "--resume")
    assert status == 2
    assert "--resume goes on from a --checkpoint" in err
