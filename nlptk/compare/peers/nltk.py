"""NLTK's averaged perceptron and its hidden Markov model, by their `train` with default settings."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict


def _pairs(data: Data) -> list[list[tuple[str, str]]]:
    return [
        list(zip(words, labels, strict=True))
        for words, labels in zip(data.train.items, data.train.gold, strict=True)
        if words
    ]


def _tags(tagger: Any) -> Predict:
    return lambda sentences: [[tag for _, tag in tagger.tag(words)] for words in sentences]


def _train_perceptron(data: Data, folder: Path, how: How) -> dict[str, Any]:
    import random

    from nltk.tag.perceptron import PerceptronTagger

    random.seed(how.seed)  # it shuffles by the random module
    tagger = PerceptronTagger(load=False)
    tagger.train(_pairs(data))
    model = [tagger.model.weights, tagger.tagdict, sorted(tagger.classes)]
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    return {}


def _load_perceptron(folder: Path, how: How) -> Predict:
    from nltk.tag.perceptron import PerceptronTagger

    tagger = PerceptronTagger(load=False)
    tagger.model.weights, tagger.tagdict, classes = json.loads(
        (folder / "model.json").read_text(encoding="utf-8")
    )
    tagger.classes = tagger.model.classes = set(classes)
    return _tags(tagger)


def _train_hmm(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nltk.tag.hmm import HiddenMarkovModelTagger

    # Pickled as its users do: it has no format of its own. It is read once, by this run.
    tagger = HiddenMarkovModelTagger.train(_pairs(data), estimator=_lidstone)
    (folder / "model.pickle").write_bytes(pickle.dumps(tagger))
    return {}


def _lidstone(counts: Any, bins: int) -> Any:
    """Its default, which it has as a local function that cannot be pickled."""
    from nltk.probability import LidstoneProbDist

    return LidstoneProbDist(counts, 0.1, bins)


def _load_hmm(folder: Path, how: How) -> Predict:
    tagger = pickle.loads((folder / "model.pickle").read_bytes())
    return _tags(tagger)


CONTESTANTS = (
    Contestant(
        "nltk-perceptron",
        "peer",
        ("taggers",),
        "NLTK's PerceptronTagger, 5 passes",
        _train_perceptron,
        _load_perceptron,
        ("nltk",),
        ("nltk.tag.perceptron",),
        cost=0.12,
    ),
    Contestant(
        "nltk-hmm",
        "peer",
        ("taggers",),
        "NLTK's HiddenMarkovModelTagger, Lidstone smoothing",
        _train_hmm,
        _load_hmm,
        ("nltk",),
        ("nltk.tag.hmm",),
        cost=0.15,
    ),
)
