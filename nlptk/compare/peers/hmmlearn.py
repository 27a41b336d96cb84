"""hmmlearn's CategoricalHMM with probabilities that are counted, as it has no supervised training.

States are labels. Words that training has once are one symbol, which stands for unknown words too; 1 is added
to each count.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.compare.contestant import Contestant, Data, How, Predict

_ARRAYS = ("startprob_", "transmat_", "emissionprob_")


def _train(data: Data, folder: Path, how: How) -> dict[str, Any]:
    counted = Counter(word for words in data.train.items for word in words)
    words = {word: i for i, word in enumerate(sorted(w for w, n in counted.items() if n > 1), 1)}
    labels = sorted({label for tags in data.train.gold for label in tags})
    states = {label: i for i, label in enumerate(labels)}
    starts = np.ones(len(labels))
    transitions = np.ones((len(labels), len(labels)))
    emissions = np.ones((len(labels), len(words) + 1))
    for sentence, tags in zip(data.train.items, data.train.gold, strict=True):
        path = [states[tag] for tag in tags]
        for first in path[:1]:
            starts[first] += 1
        for left, right in pairwise(path):
            transitions[left, right] += 1
        for word, state in zip(sentence, path, strict=True):
            emissions[state, words.get(word, 0)] += 1
    arrays: dict[str, Any] = dict(zip(_ARRAYS, map(_shares, (starts, transitions, emissions)), strict=True))
    np.savez(folder / "model.npz", words=np.array(list(words)), labels=np.array(labels), **arrays)
    return {}


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / counts.sum(-1, keepdims=True))


def _load(folder: Path, how: How) -> Predict:
    from hmmlearn.hmm import CategoricalHMM

    with np.load(folder / "model.npz") as arrays:
        words = {word: i for i, word in enumerate(arrays["words"].tolist(), 1)}
        labels = arrays["labels"].tolist()
        model = CategoricalHMM(len(labels), n_features=len(words) + 1)
        for name in _ARRAYS:
            setattr(model, name, arrays[name])

    def predict(sentences: list[list[str]]) -> list[list[str]]:
        kept = [sentence for sentence in sentences if sentence]
        if not kept:
            return [[] for _ in sentences]
        symbols = [words.get(word, 0) for sentence in kept for word in sentence]
        states = iter(model.predict(np.array(symbols)[:, None], [len(s) for s in kept]).tolist())
        return [[labels[next(states)] for _ in sentence] for sentence in sentences]

    return predict


CONTESTANTS = (
    Contestant(
        "hmmlearn",
        "peer",
        ("taggers",),
        "hmmlearn's CategoricalHMM, a bigram HMM of counted probabilities, one symbol for rare words",
        _train,
        _load,
        ("hmmlearn",),
        ("hmmlearn.hmm",),
        cost=0.02,
    ),
)
