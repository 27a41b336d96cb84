"""Contestants: each is trained, written, read back and asked."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from compare_toys import MAKERS, tagged
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk.classify.base import TextClassifier
from nlptk.compare import cell, classifiers, ours
from nlptk.compare.contestant import Data, How, Part, Task, find_bert
from nlptk.compare.registry import contestants
from nlptk.compare.segmenters import places_of, words_of

_USUAL = {"epochs": 15, "batch_tokens": 1000}


def learn(task: Task, name: str, folder: Path, **options: str) -> list[object]:
    """What a contestant answers to what it learnt from."""
    contestant = contestants(task)[name]
    for need in contestant.needs:
        pytest.importorskip(need.partition(":")[0], reason=f"{name} needs it")
    cell._import(contestant)  # as before a clock starts
    part = Part(*MAKERS[task](40, 1))
    metric, column = ("f1", None) if task == "segmenters" else ("accuracy", "upos")
    how = How("zh" if task == "segmenters" else "en", device="cpu", options=options)
    contestant.train(Data(part, Part(*MAKERS[task](8, 2)), column, metric), folder, how)
    predict = contestant.load(folder, how)
    assert predict([]) == []
    assert predict(part.items[:1]) == predict(part.items)[:1]
    return predict(part.items)


def share(found: list[object], gold: list[object]) -> float:
    """Of items with exactly the answer wanted."""
    return sum(a == b for a, b in zip(found, gold, strict=True)) / len(gold)


@pytest.mark.parametrize(
    "name", ["hmm", "crf", "perceptron", "crfsuite", "nltk-perceptron", "nltk-hmm", "hmmlearn"]
)
def test_taggers_learn_what_they_see(name: str, tmp_path: Path) -> None:
    assert share(learn("taggers", name, tmp_path), tagged(40, 1)[1]) > 0.8


@pytest.mark.parametrize("name", ["linear", "fasttext"])
def test_classifiers_learn_what_they_see(name: str, tmp_path: Path) -> None:
    assert share(learn("classifiers", name, tmp_path), MAKERS["classifiers"](40, 1)[1]) == 1


@pytest.mark.parametrize("name", ["hmm", "crf"])
def test_segmenters_learn_what_they_see(name: str, tmp_path: Path) -> None:
    assert share(learn("segmenters", name, tmp_path), MAKERS["segmenters"](40, 1)[1]) > 0.8


@pytest.mark.parametrize(("task", "name"), [("taggers", "bilstm-crf"), ("classifiers", "cnn")])
def test_networks_learn_what_they_see(
    task: Task, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="networks need it")
    monkeypatch.setattr(ours, "schedule", lambda *_: {"epochs": 9, "batch_tokens": 50})
    assert share(learn(task, name, tmp_path), MAKERS[task](40, 1)[1]) > 0.7


def test_bert_is_trained_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="networks need it")
    from bert_models import small, tokenizer

    checkpoint, folder = tmp_path / "bert", tmp_path / "model"
    small().save_pretrained(checkpoint)
    tokenizer().save(checkpoint)
    monkeypatch.setattr(ours, "schedule", lambda *_: {"epochs": 1, "batch_tokens": 400})
    found = learn("taggers", "bert", folder, bert=str(checkpoint))
    assert [len(row) for row in found] == [len(row) for row in tagged(40, 1)[0]]


def test_the_spacy_peer_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = pytest.importorskip("spacy.cli.train", reason="the peer needs it")
    monkeypatch.setattr(train, "train", partial(_trained_shortly, train.train))
    assert share(learn("taggers", "spacy", tmp_path), tagged(40, 1)[1]) > 0.8
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def _trained_shortly(train: Any, config: Path, output: Path, *, overrides: dict[str, Any]) -> None:
    train(config, output, overrides=overrides | {"training.max_steps": 60, "training.eval_frequency": 20})


def test_the_transformers_peer_is_trained_from_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="the peer needs it")
    from bert_models import small, tokenizer

    from nlptk.compare.peers import transformers

    checkpoint, folder = tmp_path / "bert", tmp_path / "model"
    small().save_pretrained(checkpoint)
    tokenizer().save(checkpoint)
    folder.mkdir()
    monkeypatch.setattr(transformers, "_epochs", lambda tokens: 1)
    found = learn("taggers", "transformers", folder, bert=str(checkpoint))
    assert [len(row) for row in found] == [len(row) for row in tagged(40, 1)[0]]


def test_a_checkpoint_is_found_where_the_package_is() -> None:
    found = find_bert()
    assert found is None or (Path(found) / "vocab.txt").is_file()
    missing = contestants("taggers")["bert"].missing({})
    assert missing is not None
    assert "torch" in missing or "--bert FOLDER" in missing


@given(st.lists(st.sampled_from(["我", "我们", "a b", "天安门", "中华人民"]), max_size=6))
def test_places_in_words_are_the_words(words: list[str]) -> None:
    characters, places = places_of(words)
    assert words_of(characters, places) == [word.replace(" ", "") for word in words]


@given(st.lists(st.sampled_from("BMES"), max_size=12))
def test_any_places_make_words_of_all_characters(places: list[str]) -> None:
    characters = [chr(ord("a") + i) for i in range(len(places))]
    words = words_of(characters, places)
    assert "".join(words) == "".join(characters)
    assert all(words)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_small_training_sets_are_read_more_often(one: int, other: int) -> None:
    few, many = (ours.schedule(_USUAL, "bilstm", tokens) for tokens in sorted([one, other]))
    assert few["epochs"] >= many["epochs"] >= _USUAL["epochs"]
    assert few["batch_tokens"] <= many["batch_tokens"] <= _USUAL["batch_tokens"]
    assert few["epochs"] <= 60
    assert ours.schedule(_USUAL, "bilstm", 200_000) == _USUAL


def test_a_classifier_reads_its_tokenizer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    blank = nlptk.blank
    monkeypatch.setattr(nlptk, "blank", lambda lang: made.append(lang) or blank(lang))
    predict = classifiers._predict(Echo(), "zh")
    assert predict(["很好。"]) == predict(["很好。"]) == [["很", "好", "。"]]
    assert made == ["zh"]


class Echo(TextClassifier):
    """Answers with the words."""

    takes_words = True

    def predict(self, X: Any, *, threshold: float | None = None) -> list[Any]:
        return list(X)
