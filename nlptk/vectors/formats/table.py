"""What a file of word vectors holds, whatever its format."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk.vectors.subwords import Subwords

Floats = npt.NDArray[np.float32]
_log = logging.getLogger("nlptk.vectors")


@dataclass
class VectorTable:
    """Words and their vectors.

    Attributes:
        words: no word twice.
        matrix: [words, dim] float32; or int8, and `scales` are there.
        scales: [words]: value = code * scale.
        counts: [words], how often each stood in the corpus.
        subwords: what unseen words get their vectors from.
    """

    words: Sequence[str]
    matrix: npt.NDArray[Any]
    scales: Floats | None = None
    counts: npt.NDArray[np.int64] | None = None
    subwords: Subwords | None = None

    def floats(self, begin: int = 0, end: int | None = None) -> Floats:
        """The vectors of a range of words as float32."""
        rows = self.matrix[begin:end]
        return rows if self.scales is None else rows * self.scales[begin:end, None]


def without_duplicates(table: VectorTable, where: str) -> VectorTable:
    """The table with the first of equal words only; the others are told on the log, as gensim does."""
    first: dict[str, int] = {}
    for number, word in enumerate(table.words):
        first.setdefault(word, number)
    twice = len(table.words) - len(first)
    if not twice:
        return table
    kept = np.fromiter(first.values(), np.int64, len(first))
    gap = int(np.flatnonzero(np.diff(kept, prepend=-1, append=len(table.words)) > 1)[0])
    example = table.words[int(kept[gap - 1]) + 1 if gap else 0]
    _log.warning(
        "%s: %d words stand there twice (the first is %r); the first vector of each is kept",
        where,
        twice,
        example,
    )
    return VectorTable(
        list(first),
        table.matrix[kept],
        None if table.scales is None else table.scales[kept],
        None if table.counts is None else table.counts[kept],
        table.subwords,
    )
