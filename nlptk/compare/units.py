"""What is right or wrong in an answer, as units that all tasks share, and everything that is counted of them.

A unit is (start, end, label): a word with its label (accuracy of taggers), an entity, the label of a text, or
a word of a segmented text by its place among the visible characters. A unit is right if it is in gold and
answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from nlptk.align import iob_to_spans
from nlptk.compare.contestant import Part, Task, length
from nlptk.compare.statistics import Counts, score
from nlptk.errors import DataError
from nlptk.scoring import PRF

Unit = tuple[int, int, str]

_LONG = 4  # characters from which words of a segmentation are counted together
#: Where the groups of lengths begin: of sentences that are tagged, and of texts.
_OF_SENTENCES, _OF_TEXTS = (1, 6, 11, 21, 41), (1, 11, 21, 41, 81, 161)


@dataclass(frozen=True)
class Answers:
    """A model's answers to a part, in units.

    Attributes:
        wanted, found: the units of gold and of the answer, for each item.
    """

    wanted: list[frozenset[Unit]]
    found: list[frozenset[Unit]]
    metric: str

    def counts(self, keep: Callable[[int, Unit], bool] | None = None) -> Counts:
        """Counts as :mod:`nlptk.compare.statistics` takes them; of those units alone that it is to keep."""
        rows = []
        for number, (wanted, found) in enumerate(zip(self.wanted, self.found, strict=True)):
            if keep is not None:
                wanted = frozenset(unit for unit in wanted if keep(number, unit))
                found = frozenset(unit for unit in found if keep(number, unit))
            right = len(wanted & found)
            rows.append((right, len(wanted)) if self.metric == "accuracy" else _f1_row(right, found, wanted))
        return np.array(rows, np.int64).reshape(len(rows), 2 if self.metric == "accuracy" else 3)

    def per_label(self) -> dict[str, PRF]:
        """Precision, recall and F1 of each label."""
        right: Counter[str] = Counter()
        found: Counter[str] = Counter()
        wanted: Counter[str] = Counter()
        for gold, answer in zip(self.wanted, self.found, strict=True):
            wanted.update(label for *_, label in gold)
            found.update(label for *_, label in answer)
            right.update(label for *_, label in gold & answer)
        return {label: PRF(right[label], found[label], wanted[label]) for label in sorted(wanted | found)}

    @property
    def right(self) -> Iterator[frozenset[Unit]]:
        """The units of each item that are right."""
        return (wanted & found for wanted, found in zip(self.wanted, self.found, strict=True))

    @property
    def wrong(self) -> list[bool]:
        """Whether anything is wrong in each item."""
        return [wanted != found for wanted, found in zip(self.wanted, self.found, strict=True)]


def units_of(task: Task, metric: str, answers: Sequence[Any]) -> list[frozenset[Unit]]:
    """The units of gold, or of answers, which must fit it (`check_answers`)."""
    return list(map(_UNITS[task, metric], answers))


def check_answers(task: Task, part: Part, answers: Sequence[Any]) -> None:
    """Raises DataError where answers are not parallel to the part, or one does not fit its item."""
    if len(answers) != len(part):
        raise DataError(f"the model gave {len(answers)} answers to {len(part)} items")
    for number, (gold, answer) in enumerate(zip(part.gold, answers, strict=True)):
        if task == "taggers" and len(gold) != len(answer):
            raise DataError(f"the model gave {len(answer)} labels to the {len(gold)} words of item {number}")
        if task == "segmenters" and _visible("".join(gold)) != _visible("".join(answer)):
            raise DataError(f"the model's words of item {number} do not spell its text")


def _f1_row(right: int, found: Collection[Unit], wanted: Collection[Unit]) -> tuple[int, int, int]:
    return right, len(found), len(wanted)


def _labels(labels: Sequence[str]) -> frozenset[Unit]:
    return frozenset((i, i + 1, label) for i, label in enumerate(labels))


def _entities(labels: Sequence[str]) -> frozenset[Unit]:
    return frozenset((start, end, label) for label, start, end in iob_to_spans(labels))


def _label(label: str) -> frozenset[Unit]:
    return frozenset([(0, 1, label)])


def _words(words: Sequence[str]) -> frozenset[Unit]:
    bounds = pairwise(accumulate((len(_visible(word)) for word in words), initial=0))
    return frozenset((start, end, _length_name(end - start)) for start, end in bounds if end > start)


def _length_name(length: int) -> str:
    return "1 character" if length == 1 else f"{min(length, _LONG)}{'+' * (length >= _LONG)} characters"


def _visible(text: str) -> str:
    return "".join(text.split())


_UNITS: dict[tuple[Task, str], Callable[[Any], frozenset[Unit]]] = {
    ("taggers", "accuracy"): _labels,
    ("taggers", "f1"): _entities,
    ("classifiers", "accuracy"): _label,
    ("segmenters", "f1"): _words,
}


def knows(task: Task, part: Part, vocabulary: Collection[str]) -> Callable[[int, Unit], bool] | None:
    """Whether all words of a unit are in the vocabulary; None for texts, of which it says nothing."""
    if task == "classifiers":
        return None
    if task == "taggers":
        return lambda number, unit: all(word in vocabulary for word in part.items[number][unit[0] : unit[1]])
    texts = [_visible(text) for text in part.items]
    return lambda number, unit: texts[number][unit[0] : unit[1]] in vocabulary


def vocabulary_of(task: Task, part: Part) -> set[str]:
    """The words that a training set has."""
    rows = part.items if task == "taggers" else part.gold if task == "segmenters" else []
    return {word for row in rows for word in row}


def by_length(task: Task, part: Part, counts: Counts) -> list[dict[str, Any]]:
    """Scores of items in groups of :func:`nlptk.compare.contestant.length`."""
    lengths = np.array([length(item) for item in part.items], np.int64)
    starts = _OF_SENTENCES if task == "taggers" else _OF_TEXTS
    groups = []
    for first, after in zip(starts, [*starts[1:], None], strict=True):
        inside = lengths >= first if after is None else (lengths >= first) & (lengths < after)
        if inside.any():
            groups.append(
                {
                    "from": first,
                    "to": None if after is None else after - 1,
                    "sentences": int(inside.sum()),
                    "score": score(counts[inside]),
                }
            )
    return groups


def disagreements(answers: dict[str, Answers]) -> list[dict[str, Any]]:
    """For each two models the units that one has right and the other wrong."""
    right = {name: list(one.right) for name, one in answers.items()}
    return [
        {"right": a, "wrong": b, "units": sum(len(x - y) for x, y in zip(right[a], right[b], strict=True))}
        for a in right
        for b in right
        if a != b
    ]
