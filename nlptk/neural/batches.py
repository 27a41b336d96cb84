"""Batches of examples of like length, by token count: little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError

_POOL = 50  # batches whose examples are sorted together
_POOL_OF_TWO = 500  # by two lengths, which takes more to choose from


class Batches:
    """The numbers of the examples of each batch, epoch by epoch.

    An epoch's order depends on the seed and on the epoch's number alone, so that a training can go on in the
    middle of one.

    Args:
        lengths: tokens of each example.
        tokens: of a batch, padding included: its examples times the length of the longest. An example that is
            longer is a batch of its own.
        sentences: examples of a batch at most; 0 for any number.
        seed: of the order.
        shuffle: False for batches of sorted lengths, longest first, as one predicts with.
        within: another length of each example, by which those of equal length are sorted: of pairs of texts,
            neither side has much padding then.

    Raises:
        ConfigError: `tokens` is less than 1.
    """

    def __init__(
        self,
        lengths: Sequence[int] | NDArray[np.integer],
        tokens: int,
        *,
        sentences: int = 0,
        seed: int = 1,
        shuffle: bool = True,
        within: Sequence[int] | NDArray[np.integer] | None = None,
    ) -> None:
        if tokens < 1:
            raise ConfigError(f"a batch must have at least one token, not {tokens!r}")
        self.lengths = np.asarray(lengths, np.int64)
        self.within = np.zeros_like(self.lengths) if within is None else np.asarray(within, np.int64)
        self.tokens, self.sentences, self.seed, self.shuffle = tokens, sentences, seed, shuffle
        self._count: int | None = None

    def __len__(self) -> int:
        """Batches of the first epoch; later ones may have a few more or less."""
        if self._count is None:
            self._count = len(self._cut(0))
        return self._count

    def epoch(self, number: int) -> Iterator[list[int]]:
        """The batches of an epoch, counted from 0."""
        return iter(self._cut(number))

    def _cut(self, number: int) -> list[list[int]]:
        if not self.shuffle:
            return self._runs(self._sorted(np.arange(len(self.lengths))))
        random = np.random.default_rng([self.seed, number])
        order = random.permutation(len(self.lengths))
        mean = float(self.lengths.mean()) if len(order) else 1.0
        together = _POOL_OF_TWO if self.within.any() else _POOL
        pool = max(int(together * self.tokens / max(mean, 1.0)), 1)
        batches: list[list[int]] = []
        for first in range(0, len(order), pool):
            part = order[first : first + pool]
            batches += self._runs(self._sorted(part))
        return [batches[i] for i in random.permutation(len(batches)).tolist()]

    def _sorted(self, part: NDArray[np.int64]) -> NDArray[np.int64]:
        """Longest first; of equal ones, those that come first stay so."""
        return part[np.lexsort((-self.within[part], -self.lengths[part]))]

    def _runs(self, order: NDArray[np.int64]) -> list[list[int]]:
        """Runs of examples, which come longest first, that fit a batch."""
        lengths, batches, first = self.lengths[order].tolist(), [], 0
        while first < len(order):
            fits = max(self.tokens // max(lengths[first], 1), 1)
            last = first + (min(fits, self.sentences) if self.sentences else fits)
            batches.append(order[first:last].tolist())
            first = last
        return batches
