"""Vectors of character n-grams in hashed buckets, which give unseen words theirs: fastText's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.errors import ConfigError
from nlptk.vectors.words import pack_words

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Subwords:
    """The buckets that the n-grams of words fall into, and how long n-grams are.

    A word's vector is the mean of its own row, if it has one, and the rows of its n-grams; of "otter" with
    `min_n` 3 those of "<ot", "ott", ..., "ter>" (Bojanowski et al. 2017, "Enriching word vectors with subword
    information"). n-grams and hash are those of fastText, so its files can be read.

    Attributes:
        vectors: [buckets, dim], float32; or int8 with `scales`.
        min_n, max_n: characters of the shortest and longest n-gram, the marks < and > counted; `max_n` 0 is
            no n-grams.
        scales: [buckets] of int8 vectors: value = code * scale.

    Raises ConfigError if arrays or lengths make no sense.
    """

    vectors: npt.NDArray[Any]
    min_n: int = 3
    max_n: int = 6
    scales: Floats | None = None

    def __post_init__(self) -> None:
        wanted = np.float32 if self.scales is None else np.int8
        if self.vectors.ndim != 2 or self.vectors.dtype != wanted or not len(self.vectors):
            raise ConfigError(
                f"subword vectors must be [buckets, dim] of {wanted.__name__}, "
                f"not {self.vectors.dtype} of shape {self.vectors.shape}"
            )
        if self.scales is not None and self.scales.shape != (len(self.vectors),):
            raise ConfigError(f"{len(self.vectors)} buckets need as many scales, not {self.scales.shape}")
        if not 0 <= self.max_n <= 1000 or not 0 <= self.min_n <= 1000:
            raise ConfigError(f"n-grams of {self.min_n} to {self.max_n} characters are not possible")

    def ids(self, word: str) -> npt.NDArray[np.int32]:
        """The buckets of a word's n-grams, by where they begin, then by length; one may stand twice.

        A lone surrogate counts as "?", as UTF-8 cannot carry it.
        """
        return self.ids_of([word])[0]

    def ids_of(self, words: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """The buckets of many words, one word after another, and where each begins: [words + 1]."""
        blob, offsets = pack_words(words, "replace")
        return _core.subword_ids(blob, offsets, self.min_n, self.max_n, len(self.vectors))

    def vectors_of(self, words: Sequence[str]) -> Floats:
        """The means of the words' n-grams, [words, dim]: their vectors if they were never seen.

        A word that is too short for any n-gram gets zeros.
        """
        return self._rows(words, None, False)

    def with_own(self, words: Sequence[str], rows: Floats) -> Floats:
        """The vectors of words that have rows of their own, [words, dim]: the means of these and n-grams."""
        return self._rows(words, rows, False)

    def without_own(self, words: Sequence[str], vectors: Floats) -> Floats:
        """The other way about: the rows that `with_own` makes these vectors of, as near as float32 holds."""
        return self._rows(words, vectors, True)

    def quantize(self) -> Subwords:
        """The same with 8-bit vectors; itself if it has them."""
        if self.scales is not None:
            return self
        codes, scales, *_ = _core.quantize_rows(np.require(self.vectors, np.float32, ["A", "C"]))
        return Subwords(codes, self.min_n, self.max_n, scales)

    def _rows(self, words: Sequence[str], own: Floats | None, invert: bool) -> Floats:
        blob, offsets = pack_words(words, "replace")
        return _core.subword_rows(
            blob, offsets, self.min_n, self.max_n, self.vectors, self.scales, own, invert
        )
