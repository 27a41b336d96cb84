"""fastText's classifier in plain Python and NumPy (float64): features, order and updates of one epoch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import word2vec_oracle
from numpy.typing import NDArray
from word2vec_oracle import sigmoid

Floats = NDArray[np.float64]
END = "</s>"
_64 = (1 << 64) - 1


@dataclass
class Case:
    """A training."""

    loss: str = "softmax"
    word_ngrams: int = 1
    min_n: int = 0
    max_n: int = 0
    bucket: int = 50
    min_count: int = 1
    dim: int = 10
    rate: float = 0.5
    seed: int = 3
    shuffle: bool = True
    epochs: int = 4
    epoch: int = 1


def cut(text: str) -> list[str]:
    """fastText's tokens, with the end."""
    return [*filter(None, re.split("[ \t\n\v\f\r\0]+", text)), END]


def fnv(text: str) -> int:
    """32-bit FNV-1a over signed bytes."""
    h = 2166136261
    for byte in text.encode():
        h = (h ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619 % (1 << 32)
    return h


def pieces(word: str, case: Case) -> list[int]:
    """The buckets of a word's character n-grams."""
    if case.max_n == 0 or word == END:
        return []
    marked, found = f"<{word}>", []
    for begin in range(len(marked)):
        for end in range(begin + 1, len(marked) + 1):
            size = end - begin
            if case.min_n <= size <= case.max_n and not (size == 1 and (begin == 0 or end == len(marked))):
                found.append(fnv(marked[begin:end]) % case.bucket)
    return found


def phrases(tokens: Sequence[str], case: Case) -> list[int]:
    """The buckets of n-grams of words."""
    hashes = [fnv(token) for token in tokens]
    hashes = [h - (1 << 32) if h >= 1 << 31 else h for h in hashes]  # as fastText keeps them
    found = []
    for first in range(len(hashes)):
        h = hashes[first] & _64
        for after in hashes[first + 1 : first + case.word_ngrams]:
            h = (h * 116049371 + after) & _64
            found.append(h % case.bucket)
    return found


def words_of(documents: list[list[str]], case: Case) -> list[str]:
    """By falling count, then by their bytes."""
    counts = Counter(token for document in documents for token in document)
    kept = [word for word, count in counts.items() if count >= case.min_count]
    return sorted(kept, key=lambda word: (-counts[word], word.encode()))


def features(document: list[str], words: list[str], case: Case) -> list[tuple[str, int]]:
    """("word", number) and ("bucket", number) of each feature."""
    number = {word: i for i, word in enumerate(words)}
    found = []
    for token in document:
        found += [("word", number[token])] if token in number else []
        found += [("bucket", bucket) for bucket in pieces(token, case)]
    return found + [("bucket", bucket) for bucket in phrases(document, case)]


class SplitMix:
    """Steele et al. 2014."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, n: int) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & _64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _64
        return ((z ^ z >> 31) * n) >> 64


def seed_of(*values: int) -> int:
    """A seed from a seed, what it is for, and a number."""
    h = 0x9E3779B97F4A7C15
    for value in values:
        h = (((h << 5 | h >> 59) & _64) ^ value) * 0x517CC1B727220A95 & _64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> 33) * factor & _64
    return h ^ h >> 33


def order_of(n: int, case: Case) -> list[int]:
    """The documents in the order of the epoch."""
    order: list[int] = list(range(n))
    if not case.shuffle:
        return order
    random = SplitMix(seed_of(case.seed, 2, case.epoch))
    for i in range(n, 1, -1):
        j = random.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def huffman(counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """The inner nodes on the way from each label to the root, and what is to be predicted there."""
    by_count = sorted(range(len(counts)), key=lambda label: -counts[label])
    paths = word2vec_oracle.huffman([counts[label] for label in by_count])
    return [paths[by_count.index(label)][::-1] for label in range(len(counts))]


def softmax(x: Floats) -> Floats:
    e: Floats = np.exp(x - x.max())
    return e / e.sum()


def train(
    rows: list[list[int]], labels: list[list[int]], classes: int, into: Floats, out: Floats, case: Case
) -> None:
    """One epoch over documents of these rows and labels; `into` and `out` are changed."""
    counts = np.bincount([label for own in labels for label in own], minlength=classes).tolist()
    paths = huffman(counts) if case.loss == "hs" else []
    for place, document in enumerate(order_of(len(rows), case)):
        rate = case.rate * (1 - (case.epoch + place / len(rows)) / case.epochs)
        x = into[rows[document]].mean(axis=0)
        gold: Any = np.isin(np.arange(classes), labels[document])
        if case.loss == "hs":
            nodes, bits = map(list, zip(*paths[labels[document][0]], strict=True))
            error = np.array(bits) - sigmoid(out[nodes] @ x)
        else:
            nodes = list(range(classes))
            error = gold - (softmax if case.loss == "softmax" else sigmoid)(out @ x)
        dx = rate * error @ out[nodes]
        out[nodes] += rate * np.outer(error, x)
        np.add.at(into, rows[document], dx / len(rows[document]))


def probabilities(x: Floats, out: Floats, counts: Sequence[int], case: Case) -> Floats:
    """Of one document whose features have the mean x."""
    if case.loss == "softmax":
        return softmax(out @ x)
    p = sigmoid(out @ x)
    if case.loss == "ova":
        return p
    return np.array([np.prod([p[n] if bit else 1 - p[n] for n, bit in path]) for path in huffman(counts)])
