"""The features of a text in fastText's classifier, and the words that each stands for.

What csrc/core/fasttext/features.cpp does for whole corpora, for a text that is to be explained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlptk import _core

END = "</s>"  # that fastText puts after each text
_SPACES = re.compile("[ \t\n\v\f\r\0]+")
_SURROGATE = re.compile("[\ud800-\udfff]")  # UTF-8 cannot carry it
_MASK = (1 << 64) - 1


class Feature(NamedTuple):
    """A row of the input table, -1 if training has not seen it, and the words it is of, [begin, end)."""

    row: int
    begin: int
    end: int


class FeatureFinder:
    """Finds features.

    Args:
        words: that have rows, in their order.
        buckets: uint32, rising: the hashed n-grams whose rows are behind those.
        word_ngrams, min_n, max_n, bucket: see :class:`nlptk.classify.fasttext.FastTextClassifier`.
    """

    def __init__(
        self,
        words: Sequence[str],
        buckets: NDArray[np.uint32],
        word_ngrams: int,
        min_n: int,
        max_n: int,
        bucket: int,
    ) -> None:
        self.places = {word: row for row, word in enumerate(words)}
        self.buckets = {number: len(words) + place for place, number in enumerate(buckets.tolist())}
        self.word_ngrams, self.min_n, self.max_n, self.bucket = word_ngrams, min_n, max_n, bucket

    def find(self, words: Sequence[str]) -> Iterator[Feature]:
        """The features of a text's words and of its end, which is one word more."""
        tokens = [*(_SURROGATE.sub("\ufffd", word) for word in words), END]
        for place, token in enumerate(tokens):
            row = self.places.get(token)
            if row is not None:
                yield Feature(row, place, place + 1)
            if token != END and self.max_n:
                coded = token.encode()
                ends = np.array([0, len(coded)], np.int64)
                pieces, _ = _core.subword_ids(coded, ends, self.min_n, self.max_n, self.bucket)
                for piece in pieces.tolist():
                    yield Feature(self.buckets.get(piece, -1), place, place + 1)
        if self.word_ngrams == 1:
            return
        hashes = [word_hash(token) for token in tokens]
        for begin, number in enumerate(hashes):
            last = min(len(tokens), begin + self.word_ngrams)
            for end in range(begin + 1, last):
                number = (number * 116049371 + hashes[end]) & _MASK
                yield Feature(self.buckets.get(number % self.bucket, -1), begin, end + 1)


def cut(text: str | Sequence[str]) -> list[str]:
    """Words as the kernel sees them: of a string at ASCII white space and NUL, and none that is empty."""
    return [word for word in (_SPACES.split(text) if isinstance(text, str) else text) if word]


def word_hash(word: str) -> int:
    """fastText's 32-bit FNV-1a over signed bytes, made a signed number as in its n-grams, modulo 2 ** 64."""
    found = 2166136261
    for byte in word.encode():
        found = (found ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619 & 0xFFFFFFFF
    return (found - (found >> 31 << 32)) & _MASK
