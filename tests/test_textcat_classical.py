"""The component textcat with linear and fastText's models, and both on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_texts import texts_of

import nlptk
from nlptk import FastTextClassifier, KeyedVectors
from nlptk.doc import Doc
from nlptk.errors import ConfigError

Run = Callable[..., tuple[int, str, str]]
MODELS: list[dict[str, Any]] = [
    {"model": "linear"},
    {"model": "linear", "algorithm": "logistic", "weighting": "count"},
    {"model": "linear", "analyzer": "char_wb", "ngram_range": [2, 4]},
    {"model": "fasttext", "dim": 8, "learning_rate": 1.0, "epochs": 10, "word_ngrams": 2, "threads": 1},
]


def docs(nlp: nlptk.Language, X: list[str], y: list[list[str]]) -> list[Doc]:
    made = list(nlp.pipe(X))
    for doc, labels in zip(made, y, strict=True):
        doc.cats = dict.fromkeys(labels, 1.0)
    return made


def trained(config: dict[str, Any]) -> nlptk.Language:
    nlp = nlptk.blank("en")
    X, y = texts_of(150)
    gold = docs(nlp, X, [[label] for label in y])
    nlp.add_pipe("textcat", config=config).fit(gold)
    return nlp


@pytest.mark.parametrize("config", MODELS, ids=str)
def test_a_pipeline_fills_cats_and_is_saved(config: dict[str, Any], tmp_path: Path) -> None:
    nlp = trained(config)
    texts = ["the otter swims", "moon and star", "bread", "", "unheard of"]
    found = [doc.cats for doc in nlp.pipe(texts)]
    assert [max(cats, key=cats.__getitem__) for cats in found[:3]] == ["water", "sky", "food"]
    assert nlp("").user_data["cats_from_prior"] is True
    nlp.to_disk(tmp_path / "model")
    again = nlptk.load(tmp_path / "model")
    assert [doc.cats for doc in again.pipe(texts)] == found
    assert again.get_pipe("textcat").labels == ("food", "sky", "water")
    assert sum(file.stat().st_size for file in (tmp_path / "model").iterdir()) < 100_000
    empty = nlptk.blank("en")
    empty.add_pipe("textcat", config=config)
    empty.to_disk(tmp_path / "empty")
    state, arrays = nlptk.load(tmp_path / "empty").get_pipe("textcat").to_state()
    assert state["model"] == config["model"]
    assert not arrays


def test_it_sees_the_words_of_the_pipeline() -> None:
    component = trained({"model": "linear", "ngram_range": [1, 1]}).get_pipe("textcat")
    assert "otter" in component.classifier.vectorizer_.vocabulary_
    nlp = nlptk.Language("zh")
    nlp.add_pipe("char_tokenizer", name="tokenizer")
    gold = docs(nlp, ["江水江水", "月光月光"] * 5, [["水"], ["天"]] * 5)
    chinese = nlp.add_pipe("textcat", config={"model": "linear"})
    chinese.fit(gold)
    assert sorted(chinese.classifier.vectorizer_.vocabulary_)[:3] == ["光", "光 月", "月"]
    (one,) = chinese.explain([nlp("江也")])
    assert (one.label, one.words, one.strongest(1)[0][0]) == ("水", ["江", "也"], "江")
    text = nlptk.Language("zh")
    text.add_pipe("char_tokenizer")
    own = text.add_pipe("textcat", config={"model": "linear", "analyzer": "char", "ngram_range": [2, 2]})
    own.fit(gold)
    assert sorted(own.classifier.vectorizer_.vocabulary_) == ["光月", "月光", "水江", "江水"]


def test_several_labels() -> None:
    nlp = nlptk.blank("en")
    gold = docs(nlp, ["aa bb", "aa", "bb", "cc"] * 20, [["A", "B"], ["A"], ["B"], []] * 20)
    for name, config in (("one", {}), ("two", {"model": "fasttext", "dim": 8, "loss": "ova", "epochs": 50})):
        component = nlp.add_pipe("textcat", name=name, config=config)
        component.fit(gold)
        with nlp.select_pipes(enable=["tokenizer", name]):
            assert component.chosen(list(nlp.pipe(["aa", "cc", "aa bb"]))) == [["A"], [], ["A", "B"]]


def test_wrong_settings_are_said() -> None:
    with pytest.raises(
        ConfigError, match="unknown model 'forest' of textcat; choose one of linear, fasttext"
    ):
        nlptk.blank("en").add_pipe("textcat", config={"model": "forest"})
    with pytest.raises(ConfigError, match=r"textcat does not take this setting: .*class_weight"):
        nlptk.blank("en").add_pipe("textcat", config={"model": "fasttext", "class_weight": "balanced"})


# ---- fastText: which words decide --------------------------------------------------------------------------

HARD = "water moon unheard fluß </s> \ud800 江水 </s> a"


@pytest.mark.parametrize("loss", ["softmax", "ova"])
@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"word_ngrams": 3},
        {"min_n": 2, "max_n": 4},
        {"word_ngrams": 2, "min_n": 1, "max_n": 3, "bucket": 50},
        {"min_count": 30, "word_ngrams": 2},
    ],
    ids=str,
)
def test_contributions_and_the_end_add_up_to_the_score(
    options: dict[str, Any], labels: int, loss: str
) -> None:
    rng = np.random.default_rng(1)
    X = [" ".join(rng.choice(HARD.split(" "), rng.integers(1, 7))) for _ in range(100)]
    y = [f"label {number}" for number in rng.integers(0, labels, 100)]
    model = FastTextClassifier(8, epochs=3, learning_rate=1.0, loss=loss, threads=1, **options).fit(X, y)
    shares = model.predict_proba([HARD])[0].astype(float)
    inputs, outputs = model._model.inputs, model._model.outputs
    place = model._model.words().index("</s>")
    for number, label in enumerate(model.classes_):
        (one,) = model.explain([HARD], label)
        assert one.words == HARD.split(" ")
        if loss == "ova" or labels == 2:
            wanted = np.log(shares[number] / (1 - shares[number]))
        else:
            wanted = np.log(shares[number]) - np.log(shares).mean()
        toward = outputs[number]
        if loss == "softmax":
            toward = toward - (outputs[1 - number] if labels == 2 else outputs.mean(0))
        features = len(list(model._features.find(one.words)))
        end = inputs[place] @ toward / features
        assert one.weights.sum() + end == pytest.approx(wanted, abs=1e-4)


def test_the_words_that_decide_have_the_largest_weights() -> None:
    X, y = texts_of(200)
    model = FastTextClassifier(8, epochs=10, learning_rate=1.0, word_ngrams=2, threads=1).fit(X, y)
    for text in ("the otter and", ["the", "otter", "and"]):
        (one,) = model.explain([text])
        assert (one.label, one.strongest(1)[0][0]) == ("water", "otter")
    model.fit(X, [label.upper() for label in y])  # what explains is that of the last training
    assert model.explain(["the otter and"])[0].label == "WATER"
    tree = FastTextClassifier(8, loss="hs", threads=1).fit(X, y)
    with pytest.raises(ConfigError, match="explain needs another loss"):
        tree.explain(["otter"])


def test_vectors_come_from_a_file(tmp_path: Path) -> None:
    vectors = KeyedVectors(["otter", "beaver"], np.array([[5, 0], [5, 0]], np.float32))
    vectors.save(tmp_path / "vectors.txt")
    X, y = texts_of(100)
    models = [
        FastTextClassifier(2, vectors=given, threads=1).fit(X, y)
        for given in (vectors, tmp_path / "vectors.txt")
    ]
    np.testing.assert_array_equal(*(model.predict_proba(["beaver", "otter"]) for model in models))


# ---- command line ------------------------------------------------------------------------------------------


def write(path: Path, X: list[str], y: list[str]) -> Path:
    rows = [f"{label}\t{text}\n" for label, text in zip(y, X, strict=True)]
    path.write_text("label\ttext\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "linear"],
        ["--model", "linear", "--algorithm", "logistic", "--weighting", "count", "--ngrams", "3", "--C", "2"],
        ["--model", "linear", "--algorithm", "naive-bayes", "--alpha", "0.5", "--balanced"],
        [
            "--model",
            "fasttext",
            "--dim",
            "8",
            "--learning-rate",
            "1",
            "--max-iterations",
            "9",
            "--ngrams",
            "2",
        ],
    ],
    ids=str,
)
def test_train_evaluate_and_explain(run: Run, tmp_path: Path, options: list[str]) -> None:
    train, dev = write(tmp_path / "train.tsv", *texts_of(150)), write(tmp_path / "dev.tsv", *texts_of(40, 2))
    folder = tmp_path / "m"
    status, out, err = run("train", "classifier", "--train", train, "--dev", dev, "-o", folder, *options)
    assert status == 0, err
    assert f"saved {folder} after" in out
    assert "dev accuracy 1.0000" in out
    status, out, err = run("evaluate", folder, dev, "--json")
    assert status == 0, err
    assert json.loads(out)["accuracy"] == 1
    status, out, err = run("explain", folder, "the otter and", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["label"] == "water"
    assert max(told["words"], key=lambda pair: pair[1])[0] == "otter"
    meta = nlptk.load(folder).meta
    assert meta["scores"]["dev"]["accuracy"] == 1
    assert meta["data"]["train"]["file"] == "train.tsv"


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("linear", ["--hidden", "9"], "--hidden is not for --model linear."),
        ("linear", ["--max-iterations", "9"], "--max-iterations is not for --model linear."),
        ("linear", ["--checkpoint", "c"], "--checkpoint is not for --model linear."),
        ("fasttext", ["--balanced"], "--balanced is not for --model fasttext."),
        ("fasttext", ["--C", "9"], "--C is not for --model fasttext."),
        ("cnn", ["--ngrams", "2"], "--ngrams is not for --model cnn."),
        ("linear", ["--C", "0"], "C must be a number above 0"),
    ],
)
def test_options_of_other_models_are_refused(
    run: Run, tmp_path: Path, model: str, options: list[str], message: str
) -> None:
    train = write(tmp_path / "train.tsv", *texts_of(20))
    status, _, err = run(
        "train", "classifier", "--model", model, "--train", train, "-o", tmp_path / "m", *options
    )
    assert status == 2
    assert message in err
    assert not (tmp_path / "m").exists()
