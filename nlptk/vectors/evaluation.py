"""How good word vectors are: correlation with human similarity scores, and accuracy on analogies.

The numbers are those of gensim 4.4's ``KeyedVectors.evaluate_word_pairs`` and ``evaluate_word_analogies``
(which follow word2vec's ``compute-accuracy``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from nlptk.corpora.files import PathLike, source_name
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.analogies import Floats, Method, answer, unit_rows
from nlptk.vectors.evaluation_files import Question, read_analogies, read_word_pairs


class WordVectors(Protocol):
    """What is evaluated: a `KeyedVectors`, or anything with its words and their vectors."""

    @property
    def index_to_key(self) -> Sequence[str]: ...
    @property
    def vectors(self) -> npt.NDArray[Any]: ...


Vectors = WordVectors | tuple[Sequence[str], npt.NDArray[Any]]


class Correlation(NamedTuple):
    """A correlation coefficient and its two-sided p-value; NaN where there is none."""

    statistic: float
    pvalue: float


@dataclass(frozen=True)
class PairScores:
    """How similarity by vectors agrees with people's.

    Attributes:
        source: the file's name.
        pearson, spearman: correlation with the human scores, over the pairs that count.
        pairs: pairs in the file; `unknown` of them have a word without a vector.
        skipped: lines that were no pair.
    """

    source: str
    pearson: Correlation
    spearman: Correlation
    pairs: int
    unknown: int
    skipped: int

    @property
    def coverage(self) -> float:
        """Share of the pairs whose words both have vectors."""
        return 1 - self.unknown / self.pairs


@dataclass(frozen=True)
class SectionScores:
    """The answers of one section; `unknown` questions have a word without a vector."""

    name: str
    correct: list[Question]
    incorrect: list[Question]
    unknown: int

    @property
    def accuracy(self) -> float:
        """Share of the questions asked that were answered right; 0 if none was asked."""
        asked = len(self.correct) + len(self.incorrect)
        return len(self.correct) / asked if asked else 0.0


@dataclass(frozen=True)
class AnalogyScores:
    """The answers to a file of analogies, by section.

    Attributes:
        source: the file's name.
        sections: in the file's order.
        questions: questions in the file.
        skipped: lines that were no question.
    """

    source: str
    sections: list[SectionScores]
    questions: int
    skipped: int

    @property
    def total(self) -> SectionScores:
        """All sections together, under gensim's name for it."""
        return _together("Total accuracy", self.sections)

    @property
    def groups(self) -> list[SectionScores]:
        """Totals "semantic" and "syntactic" where the file has both: its "gram..." sections are syntactic."""
        syntactic = [section for section in self.sections if section.name.startswith("gram")]
        semantic = [section for section in self.sections if not section.name.startswith("gram")]
        if not syntactic or not semantic:
            return []
        return [_together("semantic", semantic), _together("syntactic", syntactic)]

    @property
    def coverage(self) -> float:
        """Share of the questions whose words all have vectors among those searched."""
        return 1 - self.total.unknown / self.questions


def evaluate_word_pairs(
    vectors: Vectors,
    path: PathLike,
    delimiter: str | None = None,
    restrict_vocab: int = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
) -> tuple[Correlation, Correlation, float]:
    """Pearson's and Spearman's correlation with a file of human scores, as gensim gives them.

    Returns ``(pearson, spearman, percentage of pairs with an unknown word)``; see `score_word_pairs`, which
    tells more.
    """
    scores = score_word_pairs(
        vectors,
        path,
        delimiter=delimiter,
        restrict_vocab=restrict_vocab,
        case_insensitive=case_insensitive,
        dummy4unknown=dummy4unknown,
    )
    return scores.pearson, scores.spearman, scores.unknown / scores.pairs * 100


def score_word_pairs(
    vectors: Vectors,
    path: PathLike,
    *,
    delimiter: str | None = None,
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    subwords: bool = False,
) -> PairScores:
    """Correlation of cosine similarity with a file of human scores.

    Args:
        vectors: a KeyedVectors, or (words, matrix [words, dim]), most frequent word first.
        path: see `evaluation_files`; gzip or not.
        delimiter: between the fields; None lets the file tell.
        restrict_vocab: use so many words only, the most frequent; None for all.
        case_insensitive: compare words in upper case; the first of several spellings is taken.
        dummy4unknown: count a pair with an unknown word as similarity 0, instead of leaving it out.
        subwords: give unknown words vectors by `vectors.get_vector` (a KeyedVectors with subwords).

    Raises:
        DataError: the file cannot be read or holds no pair, every pair has an unknown word, or a vector is
            not finite.
    """
    words, matrix = _table(vectors, restrict_vocab)
    index = _index(words, case_insensitive)
    data = read_word_pairs(path, delimiter)
    gold: list[float] = []
    ours: list[float] = []
    unknown = 0
    for pair, score in zip(data.pairs, data.scores, strict=True):
        rows = [index.get(_fold(word, case_insensitive)) for word in pair]
        found = [
            matrix[row] if row is not None else _unseen(vectors, word) if subwords else None
            for row, word in zip(rows, pair, strict=True)
        ]
        left, right = found
        if left is not None and right is not None:
            gold.append(score)
            ours.append(_cosine(left, right))
            continue
        unknown += 1
        if dummy4unknown:
            gold.append(score)
            ours.append(0.0)
    if not gold:
        raise DataError(f"{source_name(path)}: no pair has vectors for both words; is it the right language?")
    x, y = np.array(gold), np.array(ours)
    return PairScores(
        source_name(path),
        correlation(x, y),
        correlation(_ranks(x), _ranks(y)),
        len(data.pairs),
        unknown,
        data.skipped,
    )


def evaluate_word_analogies(
    vectors: Vectors,
    path: PathLike,
    restrict_vocab: int = 30_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    method: Method = "add",
) -> tuple[float, list[dict[str, Any]]]:
    """Accuracy on a file of analogies, as gensim gives it.

    Returns ``(accuracy, sections)``: each section a dict with "section" (its name), "correct" and "incorrect"
    (lists of questions, in upper case if `case_insensitive`), the last one "Total accuracy"; see
    `score_word_analogies`, which tells more.
    """
    scores = score_word_analogies(
        vectors,
        path,
        restrict_vocab=restrict_vocab,
        case_insensitive=case_insensitive,
        dummy4unknown=dummy4unknown,
        method=method,
    )
    total = scores.total
    sections: list[dict[str, Any]] = [
        {"section": section.name, "correct": section.correct, "incorrect": section.incorrect}
        for section in [*scores.sections, total]
    ]
    return total.accuracy, sections


def score_word_analogies(
    vectors: Vectors,
    path: PathLike,
    *,
    restrict_vocab: int | None = 30_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    method: Method = "add",
) -> AnalogyScores:
    """Accuracy on questions "a is to b as c is to what?": right if the nearest word is the one expected.

    Args:
        vectors: a KeyedVectors, or (words, matrix [words, dim]), most frequent word first.
        path: see `evaluation_files`; gzip or not.
        restrict_vocab: know and search so many words only, the most frequent; None for all.
        case_insensitive: compare words in upper case; the first of several spellings is taken.
        dummy4unknown: count a question with an unknown word as answered wrong, instead of leaving it out.
        method: "add" (3CosAdd) or "mul" (3CosMul).

    Raises:
        ConfigError: no such method.
        DataError: the file cannot be read or holds no question, or a vector is not finite.
    """
    if method not in ("add", "mul"):
        raise ConfigError(f"method {method!r} is not known: give 'add' (3CosAdd) or 'mul' (3CosMul)")
    words, matrix = _table(vectors, restrict_vocab)
    index = _index(words, case_insensitive)
    data = read_analogies(path)
    sections = [
        (name, [_folded(question, case_insensitive) for question in questions])
        for name, questions in data.sections
    ]
    asked = list(
        dict.fromkeys(q for _, questions in sections for q in questions if all(word in index for word in q))
    )
    first = [index[_fold(word, case_insensitive)] for word in words]  # a row's first spelling
    answers = answer(unit_rows(matrix), np.array([[index[w] for w in q] for q in asked]), first, method)
    right = {q for q, answer in zip(asked, answers, strict=True) if answer == index[q[3]]}
    results = []
    for name, questions in sections:
        known = [q for q in questions if all(word in index for word in q)]
        counted = questions if dummy4unknown else known
        results.append(
            SectionScores(
                name,
                [q for q in counted if q in right],
                [q for q in counted if q not in right],
                len(questions) - len(known),
            )
        )
    return AnalogyScores(source_name(path), results, sum(len(q) for _, q in sections), data.skipped)


def correlation(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Correlation:
    """Pearson's correlation of two samples [n] with its two-sided p-value (exact for a normal distribution).

    NaN if a sample has fewer than two values or only equal ones.
    """
    undefined = Correlation(float("nan"), float("nan"))
    # Before the mean is taken away: by rounding, that of equal values may be another one.
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return undefined
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    if not spread:
        return undefined
    r = float(np.clip(x @ y / spread, -1, 1))
    if len(x) == 2:
        return Correlation(r, 1.0)
    from scipy.special import stdtr  # not scipy.stats, which takes a second to import

    freedom = len(x) - 2
    t = abs(r) * np.sqrt(freedom / (1 - r * r)) if abs(r) < 1 else np.inf
    return Correlation(r, float(2 * stdtr(freedom, -t)))


# ---- rows, ranks and words ----


def _table(vectors: Vectors, limit: int | None) -> tuple[Sequence[str], Floats]:
    """The first words and their vectors. Raises DataError for one that is not finite."""
    words, matrix = vectors if isinstance(vectors, tuple) else (vectors.index_to_key, vectors.vectors)
    if len(words) != len(matrix):
        raise ConfigError(f"there are {len(words)} words but {len(matrix)} vectors")
    if limit is not None and limit < 1:
        raise ConfigError(f"restrict_vocab is {limit}: give a number from 1, or None for all words")
    words = words[:limit]
    rows = np.asarray(matrix[:limit], np.float32)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DataError(f"the vector of {words[bad[0]]!r} holds NaN or infinity: train again or remove it")
    return words, rows


def _fold(word: str, case_insensitive: bool) -> str:
    return word.upper() if case_insensitive else word


def _folded(question: Question, case_insensitive: bool) -> Question:
    a, b, c, expected = question
    if not case_insensitive:
        return question
    return a.upper(), b.upper(), c.upper(), expected.upper()


def _index(words: Sequence[str], case_insensitive: bool) -> dict[str, int]:
    """Row of each word, folded; the first of several spellings."""
    return {_fold(words[i], case_insensitive): i for i in range(len(words) - 1, -1, -1)}


def _unseen(vectors: Vectors, word: str) -> Floats | None:
    get = getattr(vectors, "get_vector", None)
    if get is None:
        raise ConfigError("subwords=True needs a KeyedVectors")
    try:
        return np.asarray(get(word), np.float32)
    except KeyError:
        return None


def _cosine(left: Floats, right: Floats) -> float:
    x, y = left.astype(np.float64), right.astype(np.float64)
    length = np.sqrt(x @ x) * np.sqrt(y @ y)
    return float(x @ y / length) if length else 0.0


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[group], np.float64)


def _together(name: str, sections: Iterable[SectionScores]) -> SectionScores:
    every = list(sections)
    return SectionScores(
        name,
        [q for section in every for q in section.correct],
        [q for section in every for q in section.incorrect],
        sum(section.unknown for section in every),
    )
