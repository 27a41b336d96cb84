"""FastTextClassifier: against plain NumPy, and that it learns."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from typing import Any

import fasttext_oracle
import numpy as np
import pytest
from cli_process import environment
from fasttext_oracle import Case
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_texts import TOPICS, texts_of
from sklearn.model_selection import GridSearchCV, cross_val_score

from nlptk import FastTextClassifier, KeyedVectors, _core
from nlptk.errors import ConfigError, DataError

# ---- against plain NumPy ----

CASES = [
    Case(),
    Case(shuffle=False),
    Case(word_ngrams=2, dim=100),
    Case(word_ngrams=3, min_count=2, dim=17),
    Case(loss="ova", word_ngrams=2, dim=33),
    Case(loss="hs", word_ngrams=2),
    Case(loss="hs", min_n=2, max_n=4, min_count=3),
    Case(min_n=1, max_n=3, word_ngrams=2, min_count=2, dim=130),
]


def settings_of(case: Case) -> Any:
    names = ("loss", "word_ngrams", "min_n", "max_n", "bucket", "min_count", "dim", "rate", "seed")
    names += ("epochs", "shuffle")
    return {**{name: getattr(case, name) for name in names}, "threads": 1}


def check_case(case: Case, tokenized: bool) -> None:
    chance = random.Random(str(case))
    words = ["otter", "été", "水", "a", "mañana", *(f"w{i}" for i in range(20))]
    texts = [chance.choice(" \t").join(chance.choices(words, k=chance.randrange(9))) for _ in range(40)]
    classes = 7
    # Counts of labels that differ, so that there is one Huffman tree.
    gold = [[label] for label in range(classes) for _ in range(label + 1)]
    gold += [[chance.randrange(classes)] for _ in range(len(texts) - len(gold))]
    chance.shuffle(gold)
    if case.loss == "ova":
        gold = [chance.sample(range(classes), chance.randrange(3)) for _ in texts]
    documents = [fasttext_oracle.cut(text) for text in texts]
    given: Any = [document[:-1] for document in documents] if tokenized else texts
    offsets = np.cumsum([0] + [len(labels) for labels in gold])
    flat = np.array([label for labels in gold for label in labels], np.uint32)
    trainer = _core.FastTextTrainer(given, flat, offsets, classes, [], settings_of(case))
    model = trainer.model

    known = fasttext_oracle.words_of(documents, case)
    assert model.words() == known
    found = [fasttext_oracle.features(document, known, case) for document in documents]
    pieces = {bucket for word in known for bucket in fasttext_oracle.pieces(word, case)}
    buckets = sorted({n for features in found for kind, n in features if kind == "bucket"} | pieces)
    assert model.buckets().tolist() == buckets
    row = {("word", i): i for i in range(len(known))}
    row.update({("bucket", bucket): len(known) + i for i, bucket in enumerate(buckets)})
    rows = [[row[feature] for feature in features] for features in found]

    assert model.inputs.shape == (len(row), case.dim)
    assert 0.5 / case.dim < np.abs(model.inputs).max() <= 1 / case.dim
    assert not model.outputs.any()
    rng = np.random.default_rng(7)
    model.inputs[:] = rng.normal(size=model.inputs.shape)
    model.outputs[:] = rng.normal(size=model.outputs.shape)
    into, out = model.inputs.astype(np.float64), model.outputs.astype(np.float64)
    before = into.copy()
    fasttext_oracle.train(rows, gold, classes, into, out, case)
    trainer.run(case.epoch)
    assert np.abs(into - before).max() > 0.05
    np.testing.assert_allclose(model.inputs, into, atol=1e-4)
    np.testing.assert_allclose(model.outputs, out, atol=1e-4)

    asked = ["otter été unknown", "w1 w2 w3", "novel"]
    counts = np.bincount(flat, minlength=classes)
    for text, shares in zip(asked, model.probabilities(asked, 1), strict=True):
        features = fasttext_oracle.features(fasttext_oracle.cut(text), known, case)
        there = [row[feature] for feature in features if feature in row]
        if there == [row["word", known.index("</s>")]]:
            np.testing.assert_allclose(shares, counts / len(texts), rtol=1e-6)
            continue
        x = into[there].sum(axis=0) / len(features)
        wanted = fasttext_oracle.probabilities(x, out, counts.tolist(), case)
        np.testing.assert_allclose(shares, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tokenized", [False, True], ids=["texts", "tokens"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_training_is_that_of_plain_numpy(case: Case, tokenized: bool) -> None:
    check_case(case, tokenized)


@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_training_is_the_same_for_other_instruction_sets(isa: str) -> None:
    done = subprocess.run(
        [sys.executable, __file__],
        env={**environment(), "NLPTK_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in (isa, "baseline")


# ---- it learns ----


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
@pytest.mark.parametrize("more", [{}, {"word_ngrams": 2, "bucket": 1000}, {"min_n": 2, "max_n": 4}], ids=str)
def test_topics_are_told_apart(more: dict[str, Any], loss: str, threads: int) -> None:
    X, y = texts_of(600)
    model = FastTextClassifier(20, learning_rate=0.5, loss=loss, threads=threads, **more).fit(X, y)
    assert model.classes_ == sorted(TOPICS)
    assert model.losses_[-1] < model.losses_[0]
    X_test, y_test = texts_of(100, seed=6)
    assert model.score(X_test, y_test) == 1.0
    assert model.score([text.split() for text in X_test], y_test) == 1.0
    shares = model.predict_proba(X_test)
    assert shares.dtype == np.float32
    if loss != "ova":
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_order_of_words_is_seen_by_phrases_alone() -> None:
    X, y = ["dog bites man", "man bites dog"] * 200, ["usual", "news"] * 200
    assert FastTextClassifier(10, word_ngrams=2, learning_rate=1.0).fit(X, y).score(X, y) == 1.0
    assert FastTextClassifier(10, learning_rate=1.0).fit(X, y).score(X, y) == 0.5


def test_pieces_tell_of_words_that_are_new() -> None:
    X, y = texts_of(600)
    model = FastTextClassifier(20, learning_rate=0.5, min_n=3, max_n=4).fit(X, y)
    assert model.predict(["otters", "starry", "breads"]) == ["water", "sky", "food"]


def test_texts_sorted_by_label_are_no_harm() -> None:
    X, y = texts_of(600)
    order = sorted(range(600), key=lambda i: y[i])
    X, y = [X[i] for i in order], [y[i] for i in order]
    assert FastTextClassifier(20, learning_rate=0.5).fit(X, y).score(X, y) == 1.0


def test_several_labels() -> None:
    X, y = texts_of(400)
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(X)] + ["the and"] * 100
    labels: list[list[str]] = [[a, b] for a, b in itertools.pairwise(y)] + [[] for _ in range(100)]
    model = FastTextClassifier(20, epochs=20, learning_rate=1.0, loss="ova").fit(pairs, labels)
    assert model.multilabel_
    assert model.predict(["otter bread", "the and", "star"]) == [["food", "water"], [], ["sky"]]
    assert model.predict(["star"], threshold=0.0) == [["food", "sky", "water"]]
    assert model.score(pairs, labels) > 0.95
    shares = model.predict_proba([""])[0]
    wanted = [np.mean([label in own for own in labels]) for label in model.classes_]
    np.testing.assert_allclose(shares, wanted, rtol=1e-5)


def test_one_thread_gives_the_same_bytes() -> None:
    X, y = texts_of(300)

    def weights(seed: int) -> bytes:
        model = FastTextClassifier(20, word_ngrams=2, threads=1, seed=seed).fit(X, y)
        return b"".join(array.tobytes() for _, array in sorted(model.to_state()[1].items()))

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_dev_set_chooses_the_epoch() -> None:
    X, y = texts_of(200)
    told: list[dict[str, Any]] = []
    model = FastTextClassifier(10, epochs=4, learning_rate=1.0, threads=1)
    names = list(TOPICS)
    wrong = [names[names.index(label) - 1] for label in y]  # so that the first epoch is the best
    model.fit(X, y, X, wrong, progress=told.append)
    assert [info["iteration"] for info in told] == [1, 2, 3, 4]
    assert [info["dev_score"] for info in told] == model.dev_scores_
    assert model.score(X, wrong) == max(model.dev_scores_)
    assert [info["loss"] for info in told] == model.losses_


def test_vectors_to_begin_with() -> None:
    X, y = texts_of(300)
    rng = np.random.default_rng(0)
    near = rng.normal(size=(3, 20)).astype(np.float32)
    words = ["otter", "star", "bread", "beaver", "comet", "cake"]
    vectors = KeyedVectors(words, np.concatenate([near, near]))
    model = FastTextClassifier(20, vectors=vectors, learning_rate=0.1).fit(X, y)
    assert model.predict(["beaver", "comet", "cake"]) == ["water", "sky", "food"]  # training has none of them
    with pytest.raises(ConfigError, match="vectors have 20 dimensions but dim is 10"):
        FastTextClassifier(10, vectors=vectors).fit(X, y)


def test_tokenizer() -> None:
    X, y = ["otter-river", "star-moon"] * 50, ["water", "sky"] * 50
    model = FastTextClassifier(10, learning_rate=1.0, tokenizer=lambda text: text.split("-")).fit(X, y)
    assert model.predict(["river", "a-moon"]) == ["water", "sky"]
    again = FastTextClassifier.from_state(*model.to_state())
    with pytest.raises(ConfigError, match="set its tokenizer"):
        again.predict(X)
    again.tokenizer = model.tokenizer
    assert again.predict(X) == y
    model.tokenizer = lambda _: [3]  # type: ignore[list-item]
    with pytest.raises(DataError, match="what the tokenizer gave has the token 3"):
        model.predict(X)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=2, max_size=8), st.integers(1, 3), st.integers(0, 3))
def test_any_texts(X: list[str], ngrams: int, max_n: int) -> None:
    y = ["a" if i % 2 else "b" for i in range(len(X))]
    pieces = {"min_n": min(1, max_n), "max_n": max_n}
    model = FastTextClassifier(4, epochs=1, word_ngrams=ngrams, bucket=64, threads=1, **pieces)
    shares = model.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    clean = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in X]
    tokens = [fasttext_oracle.cut(text)[:-1] for text in clean]
    np.testing.assert_array_equal(model.predict_proba(tokens), shares)
    again = FastTextClassifier.from_state(*model.to_state())
    np.testing.assert_array_equal(again.predict_proba(X), shares)


def test_scikit_learn_takes_it() -> None:
    X, y = texts_of(120)
    model = FastTextClassifier(10, learning_rate=0.5, threads=1)
    assert cross_val_score(model, X, y, cv=3).min() > 0.9
    search = GridSearchCV(model, {"epochs": [1, 5]}, cv=2).fit(X, y)
    assert search.best_params_ == {"epochs": 5}


if __name__ == "__main__":
    for each in CASES:
        check_case(each, tokenized=False)
    print(_core.isa())
