"""Analogies answered in one go, by 3CosAdd (Mikolov et al. 2013) or 3CosMul (Levy and Goldberg 2014).

Both are sums or products of cosines with single words: each word of the questions is compared once with all
rows (one matrix product), and a question costs three passes over rows of cosines that lie in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Method = Literal["add", "mul"]

_CELLS = 1 << 25  # cosines held at a time: 128 MB
_LOOKED_AT = 5  # answers in which gensim looks for one that is no spelling of a word given


def unit_rows(matrix: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float32))
    unit: Floats = matrix / np.where(lengths > 0, lengths, np.float32(1))[:, None]
    return unit


def answer(unit: Floats, questions: npt.NDArray[np.int64], first: Sequence[int], method: Method) -> list[int]:
    """The row that answers each question, as its first spelling; -1 for none.

    `unit`: [rows, dim] of length 1; `questions`: [n, 4] rows a, b, c, expected; `first[row]`: the first row
    of the same word in another spelling.
    """
    if not len(questions):
        return []
    used, places = np.unique(questions[:, :3], return_inverse=True)
    places = places.reshape(-1, 3)
    spellings: dict[int, list[int]] = {int(row): [] for row in used}
    for row, word in enumerate(first):
        if word in spellings:
            spellings[word].append(row)
    given = [sorted({row for word in q for row in spellings[word]}) for q in questions[:, :3].tolist()]
    best = np.full(len(questions), -np.inf, np.float32)
    rows = np.full(len(questions), -1)
    step = max(1024, _CELLS // len(used))
    for start in range(0, len(unit), step):
        cosines = _cosines(unit[used], unit[start : start + step], method)  # [used, step]
        scores = np.empty(cosines.shape[1], np.float32)
        for i, (a, b, c) in enumerate(places.tolist()):
            _combine(cosines, a, b, c, method, scores)
            for row in given[i]:
                if start <= row < start + step:
                    scores[row - start] = -np.inf
            top = int(scores.argmax())
            if scores[top] > best[i]:
                best[i], rows[i] = scores[top], start + top
    answers = []
    for q, row, spelt in zip(questions[:, :3].tolist(), rows.tolist(), given, strict=True):
        if row < 0 or len(spelt) >= len(set(q)) + _LOOKED_AT:
            row = _answer_among_spellings(unit, q, first, method)
        answers.append(first[row] if row >= 0 else -1)
    return answers


def _answer_among_spellings(unit: Floats, given: list[int], first: Sequence[int], method: Method) -> int:
    """The answer where the words given have so many spellings that they may hide it, as gensim has it.

    The nearest row that is not another spelling of a word given; if the first five are, the fifth stands.
    """
    scores = np.empty(len(unit), np.float32)
    _combine(_cosines(unit[given], unit, method), 0, 1, 2, method, scores)
    order = np.argsort(-scores, kind="stable")
    nearest = [row for row in order[: _LOOKED_AT + 3].tolist() if row not in given][:_LOOKED_AT]
    return next((row for row in nearest if first[row] not in given), nearest[-1] if nearest else -1)


def _cosines(words: Floats, rows: Floats, method: Method) -> Floats:
    """[words, rows]; 3CosMul moves them from [-1, 1] to [0, 1]."""
    cosines: Floats = words @ rows.T
    if method == "mul":
        cosines += 1
        cosines /= 2
    return cosines


def _combine(cosines: Floats, a: int, b: int, c: int, method: Method, out: Floats) -> None:
    """3CosAdd: cos(x, b) + cos(x, c) - cos(x, a). 3CosMul: cos(x, b) cos(x, c) / (cos(x, a) + 1e-6)."""
    if method == "add":
        np.add(cosines[b], cosines[c], out=out)
        np.subtract(out, cosines[a], out=out)
    else:
        np.multiply(cosines[b], cosines[c], out=out)
        np.divide(out, cosines[a] + np.float32(1e-6), out=out)
