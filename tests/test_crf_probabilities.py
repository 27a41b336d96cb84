"""Marginals and best label sequences of the CRF tagger, against all label sequences of short sentences."""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np
import pytest
from crf_oracle import unpacked
from numpy.typing import NDArray

from nlptk.errors import ConfigError, DataError
from nlptk.tag import crf
from nlptk.tag.crf import CRFTagger
from nlptk.tag.features import TokenBatch

WORDS = [["the", "run", "ends"], ["they", "run"], ["home"], ["the", "old", "run", "home"], []]
TAGS = [["D", "N", "V"], ["P", "V"], ["A"], ["D", "J", "N", "A"], []]
NAMES = [["Anna", "Berg", "met", "Carl"], ["Berg"], ["in", "New", "Haven"]]
ENTITIES = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC"], ["O", "B-LOC", "I-LOC"]]


@pytest.fixture(scope="module")
def tagger() -> CRFTagger:
    return CRFTagger(c2=0.5, max_iterations=5, threads=1).fit(WORDS, TAGS)


@pytest.fixture(scope="module")
def namer() -> CRFTagger:
    return CRFTagger("ner", c2=0.5, max_iterations=5, threads=1).fit(NAMES, ENTITIES)


def all_sequences(model: CRFTagger, words: list[str]) -> tuple[list[tuple[int, ...]], NDArray[np.float64]]:
    """Every label sequence of a sentence and its probability, most probable first; in plain Python."""
    weights = model.weights_
    keys = model._features.keys(TokenBatch.from_words([words]), 1)
    rows = unpacked(weights)
    scores: list[tuple[float, tuple[int, ...]]] = []
    for labels in itertools.product(range(weights.labels), repeat=len(words)):
        score = sum(
            rows.get(key, {}).get(y, 0) * weights.scale
            for y, row in zip(labels, keys.tolist(), strict=True)
            for key in row
        )
        score += sum(float(weights.transitions[a, b]) for a, b in pairwise(labels))
        if labels:
            score += float(weights.start[labels[0]]) + float(weights.end[labels[-1]])
        scores.append((score, labels))
    scores.sort(key=lambda pair: -pair[0])
    shares = np.exp(np.array([score for score, _ in scores]))
    return [labels for _, labels in scores], shares / shares.sum()


def sentences_of(model: CRFTagger) -> list[list[str]]:
    known = WORDS if "D" in model.classes_ else NAMES
    return [*known, ["run", "Anna"], ["x", "", "Berg"], []]


@pytest.mark.parametrize("which", ["tagger", "namer"])
def test_marginals_are_those_of_all_sequences(which, request):
    model: CRFTagger = request.getfixturevalue(which)
    sentences = sentences_of(model)
    found = model.predict_marginals(sentences)
    assert [len(tokens) for tokens in found] == [len(words) for words in sentences]
    for words, tokens in zip(sentences, found, strict=True):
        sequences, shares = all_sequences(model, words)
        for t, token in enumerate(tokens):
            assert list(token) == model.classes_
            for y, label in enumerate(model.classes_):
                expected = sum(
                    share for labels, share in zip(sequences, shares, strict=True) if labels[t] == y
                )
                assert token[label] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("which", ["tagger", "namer"])
@pytest.mark.parametrize("n", [1, 3, 10_000])
def test_best_sequences_are_the_most_probable_of_all(which, n, request):
    model: CRFTagger = request.getfixturevalue(which)
    sentences = sentences_of(model)
    found = model.predict_nbest(sentences, n)
    assert [best[0][0] for best in found] == model.predict(sentences)
    for words, best in zip(sentences, found, strict=True):
        sequences, shares = all_sequences(model, words)
        probable = dict(zip(sequences, shares.tolist(), strict=True))
        allowed = sum(share > 0 for share in shares)
        assert len(best) == min(n, allowed)
        assert len({tuple(labels) for labels, _ in best}) == len(best)
        assert [p for _, p in best] == pytest.approx(shares[: len(best)].tolist(), rel=1e-4)
        for labels, probability in best:
            numbers = tuple(model.classes_.index(label) for label in labels)
            assert probability == pytest.approx(probable[numbers], rel=1e-4)
        if n >= allowed:
            assert sum(p for _, p in best) == pytest.approx(1, abs=1e-4)


def test_forbidden_labels_have_no_share(namer):
    [tokens] = namer.predict_marginals([["Anna", "met"]])
    assert tokens[0]["I-PER"] == tokens[0]["I-LOC"] == 0
    assert all(labels[0][:2] != "I-" for labels, _ in namer.predict_nbest([["Anna", "met"]], 100)[0])


def test_one_sentence_and_columns():
    hints = [["l", "l"], ["l", "r"], ["r", "l"], ["r", "r"]]
    labels = [["X" if hint == "l" else "Y" for hint in row] for row in hints]
    model = CRFTagger(["col:hint", "word"], c2=0.1).fit([["a", "a"]] * 4, labels, columns={"hint": hints})
    tokens = model.predict_marginals_single(["a", "b"], {"hint": ["r", "l"]})
    assert tokens == model.predict_marginals([["a", "b"]], {"hint": [["r", "l"]]})[0]
    assert tokens[0]["Y"] > 0.5 > tokens[1]["Y"]
    assert model.predict_nbest([["a", "b"]], 2, {"hint": [["r", "l"]]})[0][0][0] == ["Y", "X"]
    with pytest.raises(ConfigError, match="'hint'"):
        model.predict_marginals([["a", "b"]])
    with pytest.raises(ConfigError, match="'hint' must have one value for each word"):
        model.predict_marginals([["a"]], {"hint": [["r"], ["l"]]})


def test_parts_and_threads_change_nothing(tagger, monkeypatch):
    sentences = [WORDS[i % 5] * (i % 3) for i in range(40)]
    expected = tagger.predict_marginals(sentences), tagger.predict_nbest(sentences, 3)
    for tokens, threads in ((1, 1), (7, 2), (1 << 15, 3)):
        monkeypatch.setattr(crf, "_MOST_TOKENS", tokens)
        tagger.threads = threads
        assert (tagger.predict_marginals(sentences), tagger.predict_nbest(sentences, 3)) == expected
    tagger.threads = 1


def test_bad_input_is_named(tagger):
    assert tagger.predict_marginals([]) == tagger.predict_nbest([], 2) == []
    assert tagger.predict_nbest([[]], 2) == [[([], 1.0)]]
    for n in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match="n must be an integer of at least 1"):
            tagger.predict_nbest(WORDS, n)
    for use in (tagger.predict_marginals, lambda x: tagger.predict_nbest(x, 1)):
        with pytest.raises(DataError, match="sentence 1 of X is one string"):
            use([["a"], "bc"])
    for use in (CRFTagger().predict_marginals, lambda x: CRFTagger().predict_nbest(x, 1)):
        with pytest.raises(ConfigError, match="not fitted"):
            use([["a"]])
