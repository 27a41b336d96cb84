"""The nearest rows of a matrix, exactly, by 4-bit and 8-bit copies (csrc/core/vectors/nearest.hpp)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.errors import DataError

Floats = npt.NDArray[np.float32]
Found = tuple[npt.NDArray[np.int64], Floats]

FEW = 4  # queries that are searched one by one: kFewQueries of nearest.cpp
_ROW = re.compile(r"row (\d+) ")


class NearestIndex:
    """Rows to search: float32, of which 8-bit copies are made here (a quarter of their size), or 8-bit ones.
    The first search of few queries makes 4-bit copies, too.

    Scores are those of the rows given, in double, whatever the copies have lost; equal scores are ordered by
    row, so that threads and instruction sets do not show.

    Args:
        matrix: [rows, dim] float32 or, as codes, int8. It must not change afterwards.
        words: names the row in errors.

    Raises DataError for a row that holds NaN or an infinity.
    """

    def __init__(self, matrix: npt.NDArray[Any], words: Sequence[str], threads: int = 0) -> None:
        self.rows = len(matrix)
        self.threads = threads
        self._exact: Floats | None
        self._coarse: _core.CoarseRows | None = None
        if matrix.dtype == np.int8:
            self._codes, self._exact = np.ascontiguousarray(matrix), None
            self._inverse, self._slack = _core.describe_codes(self._codes, threads)
            return
        self._exact = matrix
        try:
            self._codes, _, self._inverse, self._slack, _ = _core.quantize_rows(matrix, threads)
        except ValueError as error:
            raise named(error, words) from error

    def nearest(
        self, terms: Floats, top: int, *, positives: int = 1, multiply: bool = False, begin: int = 0, end: int
    ) -> Found:
        """The best rows of [begin, end) for each query: rows and scores, [queries, min(top, end - begin)].

        `terms` is [queries, terms, dim]. With one term q, a row's score is its cosine with q times |q|. With
        `multiply`, of the first `positives` terms and the rest, all of length 1, it is 3CosMul.
        """
        if self._coarse is None and not multiply and len(terms) < FEW:
            rows = self._codes if self._exact is None else self._exact
            self._coarse = _core.coarse_rows(rows, self.threads)
        return _core.nearest_rows(
            self._codes,
            self._inverse,
            self._slack,
            self._exact,
            self._coarse,
            np.ascontiguousarray(terms, np.float32),
            positives,
            multiply,
            begin,
            end,
            top,
            self.threads,
        )


def named(error: ValueError, words: Sequence[str]) -> DataError:
    """The kernel's complaint about a row, as a DataError that names the word."""
    found = _ROW.match(str(error))
    word = f"the vector of {words[int(found[1])]!r}: " if found else ""
    return DataError(f"{word}{error}; leave such words out")
