"""Words and the vectors that belong to them, seen or not: what `KeyedVectors` searches and saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nlptk.errors import ConfigError
from nlptk.vectors import formats
from nlptk.vectors.formats.table import VectorTable
from nlptk.vectors.formats.text import ROWS
from nlptk.vectors.subwords import Subwords

Floats = npt.NDArray[np.float32]
Key = str | int | npt.NDArray[Any]  # a word, its number, or a vector


class WordVectors:
    """See `KeyedVectors`."""

    def __init__(
        self,
        index_to_key: Sequence[str],
        vectors: npt.ArrayLike,
        *,
        counts: npt.ArrayLike | None = None,
        subwords: Subwords | None = None,
        scales: Floats | None = None,
    ) -> None:
        matrix: npt.NDArray[Any] = np.asanyarray(vectors)
        if scales is None and matrix.dtype != np.float32:
            matrix = matrix.astype(np.float32)
        self.index_to_key = list(index_to_key)
        self.key_to_index = {word: number for number, word in enumerate(self.index_to_key)}
        self.counts = None if counts is None else np.asarray(counts, np.int64)
        self._table = VectorTable(self.index_to_key, matrix, scales, self.counts, subwords)
        formats.check(self._table)
        if len(self.key_to_index) != len(self.index_to_key):
            raise ConfigError(
                f"{len(self.index_to_key)} words, but only {len(self.key_to_index)} different ones"
            )
        if subwords is not None and subwords.vectors.shape[1] != matrix.shape[1]:
            raise ConfigError(
                f"subwords have {subwords.vectors.shape[1]} dimensions, words {matrix.shape[1]}"
            )
        self._norms: Floats | None = None

    def __sklearn_clone__(self) -> WordVectors:
        """Itself, as it does not change: searches of scikit-learn copy what estimators are made with."""
        return self

    # ---- words and vectors ----

    @property
    def vector_size(self) -> int:
        return int(self._table.matrix.shape[1])

    @property
    def subwords(self) -> Subwords | None:
        return self._table.subwords

    @property
    def vectors(self) -> Floats:
        """All vectors, [words, dim]; of quantized ones a float32 copy is made at each call."""
        return self._table.floats()

    @property
    def codes(self) -> npt.NDArray[np.int8] | None:
        """The 8-bit vectors if they are quantized, else None."""
        return None if self._table.scales is None else self._table.matrix

    @property
    def scales(self) -> Floats | None:
        """Of `codes`: vector = code * scale."""
        return self._table.scales

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, key: object) -> bool:
        """Whether there is a vector: of a known word or, with subwords, of any that has n-grams."""
        if key in self.key_to_index:
            return True
        return isinstance(key, str) and self.subwords is not None and len(self.subwords.ids(key)) > 0

    def has_index_for(self, key: object) -> bool:
        """Whether the word is of the vocabulary."""
        return key in self.key_to_index

    def get_index(self, key: str | int) -> int:
        """A word's number. KeyError if it is not of the vocabulary."""
        if isinstance(key, (int, np.integer)) and 0 <= key < len(self):
            return int(key)
        if key in self.key_to_index:
            return self.key_to_index[key]
        raise KeyError(f"{key!r} is not one of the {len(self)} words of the vocabulary")

    @overload
    def __getitem__(self, key: str | int) -> Floats: ...
    @overload
    def __getitem__(self, key: Sequence[str | int]) -> Floats: ...
    def __getitem__(self, key: str | int | Sequence[str | int]) -> Floats:
        """The vector of a word [dim], or those of a list of words [words, dim]; see `get_vector`."""
        if isinstance(key, (str, int, np.integer)):
            return self.get_vector(key)
        if not len(key):
            return np.zeros((0, self.vector_size), np.float32)
        rows: Floats = np.stack([self.get_vector(word) for word in key])
        return rows

    def get_vector(self, key: str | int, norm: bool = False) -> Floats:
        """A word's vector [dim], of length 1 with `norm`; an unseen word's by its n-grams if there are any.

        Raises KeyError for a word that has none.
        """
        if isinstance(key, str) and key not in self.key_to_index:
            vector = self._unseen(key)
        else:
            number = self.get_index(key)
            vector = self._table.floats(number, number + 1)[0]
        return unit(vector) if norm else np.array(vector)

    def _unseen(self, word: str) -> Floats:
        if self.subwords is None:
            raise KeyError(
                f"{word!r} is not one of the {len(self)} words of the vocabulary, and there are no subwords"
            )
        if not len(self.subwords.ids(word)):
            raise KeyError(f"{word!r} was never seen and is too short for any n-gram, so it has no vector")
        found: Floats = self.subwords.vectors_of([word])[0]
        return found

    @property
    def norms(self) -> Floats:
        """The vectors' lengths, [words]."""
        if self._norms is None:
            parts = [
                np.linalg.norm(self._table.floats(begin, begin + ROWS), axis=1).astype(np.float32)
                for begin in range(0, len(self), ROWS)
            ]
            self._norms = np.concatenate([np.zeros(0, np.float32), *parts])
        return self._norms

    def get_normed_vectors(self) -> Floats:
        """All vectors with length 1, [words, dim], a copy; zeros stay zeros."""
        norms = self.norms
        lengths: Floats = np.where(norms > 0, norms, 1).astype(np.float32)
        return self.vectors / lengths[:, None]

    def get_mean_vector(
        self,
        keys: Sequence[Key],
        weights: npt.ArrayLike | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> Floats:
        """The mean of words' vectors (each of length 1 first with `pre_normalize`) and of vectors, [dim].

        `weights` has one number for each; their sizes' sum divides. Words without a vector count nothing, or
        raise KeyError without `ignore_missing`. ConfigError without any key.
        """
        if not len(keys):
            raise ConfigError("the mean of nothing is not possible; give a word or a vector")
        weights = np.ones(len(keys)) if weights is None else np.asarray(weights, np.float64)
        if weights.shape != (len(keys),):
            raise ConfigError(f"{len(keys)} keys need as many weights, not {weights.shape}")
        mean, total = np.zeros(self.vector_size), 0.0
        for key, weight in zip(keys, weights.tolist(), strict=True):
            if isinstance(key, np.ndarray):
                vector = self._checked(key)
            elif ignore_missing and isinstance(key, str) and key not in self:
                continue
            else:
                vector = self.get_vector(key, norm=pre_normalize)
            mean += weight * vector.astype(np.float64)
            total += abs(weight)
        if total > 0:
            mean /= total
        return unit(mean) if post_normalize else mean.astype(np.float32)

    def _checked(self, vector: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if vector.shape != (self.vector_size,) or not np.isfinite(vector).all():
            raise ConfigError(
                f"a vector must be {self.vector_size} finite numbers, not of shape {vector.shape}"
            )
        return vector


def unit(vector: npt.NDArray[Any]) -> Floats:
    """The vector with length 1; zeros stay zeros."""
    wide = vector.astype(np.float64)
    norm = float(np.sqrt(wide @ wide))
    return (wide / norm if norm > 0 else wide).astype(np.float32)
