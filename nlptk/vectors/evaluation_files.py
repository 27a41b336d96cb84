"""Test sets for word vectors: pairs with a human score, and analogies in sections, as their files stand.

Pairs: two words and a score a line, between tabs, commas or spaces; ``#`` begins a comment. A line with names
(``Word 1``, ``Human (mean)``, ``SimLex999``) tells which column is the score; without one it is the first
column of numbers. Analogies: ``: name`` begins a section, four words a line follow (``questions-words.txt``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nlptk.corpora.files import PathLike, read_lines, source_name
from nlptk.errors import DataError

Kind = Literal["pairs", "analogies"]
Question = tuple[str, str, str, str]

# Names that a column of human scores has in WordSim-353, SimLex-999, RG-65, MEN, RareWords and MTurk.
_SCORE_NAME = re.compile(r"human|mean|simlex999|score|rating|similarity|relatedness|average", re.IGNORECASE)


@dataclass(frozen=True)
class WordPairs:
    """Pairs of words, `scores[i]` for `pairs[i]`, and how many lines were no pair."""

    pairs: list[tuple[str, str]]
    scores: list[float]
    skipped: int


@dataclass(frozen=True)
class Analogies:
    """Questions (a, b, c, expected) by section, in the file's order; lines `skipped` had not four words."""

    sections: list[tuple[str, list[Question]]]
    skipped: int


def kind_of(path: PathLike) -> Kind:
    """What the file holds, told by its first lines.

    Raises:
        DataError: it is neither (or cannot be read).
    """
    for line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(":"):
            return "analogies"
        fields = _split(line, _delimiter_of(line))
        if len(fields) >= 3 and any(_number(field) is not None for field in fields):
            return "pairs"
        if len(line.split()) == 4 and not _is_header(fields):
            return "analogies"
        if not _is_header(fields):
            break
    raise DataError(
        f"{source_name(path)} holds neither word pairs (two words and a score a line) nor analogies "
        "(': section' and then four words a line)"
    )


def read_word_pairs(path: PathLike, delimiter: str | None = None) -> WordPairs:
    """The pairs and scores of a file; the `delimiter` is told by the file if None.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or holds no pair.
    """
    rows: list[list[str]] = []
    names: list[str] | None = None
    for line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        fields = _split(line, delimiter or _delimiter_of(line))
        if not rows and names is None and _is_header(fields):
            names = fields
        else:
            rows.append(fields)
    column = _score_column(names, rows)
    pairs: list[tuple[str, str]] = []
    scores: list[float] = []
    for fields in rows:
        score = _number(fields[column]) if column is not None and column < len(fields) else None
        words = [field for field in fields if field and _number(field) is None]
        if score is not None and len(words) >= 2:
            pairs.append((words[0], words[1]))
            scores.append(score)
    if not pairs:
        raise DataError(f"{source_name(path)} holds no word pairs: a line is two words and a score")
    return WordPairs(pairs, scores, len(rows) - len(pairs))


def read_analogies(path: PathLike) -> Analogies:
    """The questions of a file by section.

    Raises:
        DataError: the file cannot be read, is not UTF-8, holds no question, or one before any section.
    """
    sections: list[tuple[str, list[Question]]] = []
    skipped = 0
    for number, line in enumerate(read_lines(path), 1):
        words = line.split()
        if line.startswith(":"):
            sections.append((line.lstrip(": ").strip(), []))
        elif len(words) == 4:
            if not sections:
                raise DataError(
                    f"{source_name(path)}, line {number}: a question before any section; "
                    "a section begins with a line ': name'"
                )
            a, b, c, expected = words
            sections[-1][1].append((a, b, c, expected))
        elif words:
            skipped += 1
    if not any(questions for _, questions in sections):
        raise DataError(f"{source_name(path)} holds no analogies: a line is four words")
    return Analogies(sections, skipped)


def _delimiter_of(line: str) -> str | None:
    return next((sign for sign in "\t,;" if line.count(sign) >= 2), None)


def _split(line: str, delimiter: str | None) -> list[str]:
    # Words may have blanks round them: the file of wordsim-297 has ten such.
    return [field.strip() for field in line.split(delimiter)]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_header(fields: Sequence[str]) -> bool:
    return (
        len(fields) >= 3
        and all(_number(field) is None for field in fields)
        and any(_SCORE_NAME.search(field) for field in fields[2:])
    )


def _score_column(names: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> int | None:
    if names is not None:
        return next(i for i, name in enumerate(names) if i >= 2 and _SCORE_NAME.search(name))
    for row in rows:
        numbers = [i for i, field in enumerate(row) if _number(field) is not None]
        if numbers and len(row) - len(numbers) >= 2:
            return next((i for i in numbers if i >= 2), None)
    return None
