"""Scores of classified texts: accuracy, F1 of labels, confusion, and how far probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import DataError
from nlptk.scoring.prf import PRF

_BINS = 10  # of probabilities, for the error of calibration


@dataclass(frozen=True)
class CategoryScores:
    """Scores of texts.

    Attributes:
        texts: how many.
        accuracy: share of texts whose labels are all right, and no other.
        f1_micro: F1 over all pairs of text and label; the accuracy where each text has one.
        f1_macro: mean F1 of the labels that are gold anywhere, or predicted.
        labels: of each label.
        confusion: int64 [gold, predicted], by `classes`; None where a text may have several labels.
        classes: the labels, sorted.
        calibration_error: mean distance of probability and share of right predictions, in ten bins of the
            probability, weighted by their predictions (Guo et al. 2017, expected calibration error).
        log_loss: mean -log p of what is gold, in nats.
    """

    texts: int
    accuracy: float
    f1_micro: float
    f1_macro: float
    labels: dict[str, PRF]
    confusion: NDArray[np.int64] | None
    classes: list[str]
    calibration_error: float
    log_loss: float

    def to_dict(self) -> dict[str, Any]:
        """Names to plain numbers, and tables, for JSON."""
        names = ("texts", "accuracy", "f1_micro", "f1_macro", "calibration_error", "log_loss")
        found: dict[str, Any] = {name: getattr(self, name) for name in names}
        found["per_label"] = {label: score.to_dict() for label, score in self.labels.items()}
        if self.confusion is not None:
            rows = zip(self.classes, self.confusion.tolist(), strict=True)
            found["confusion"] = {label: dict(zip(self.classes, row, strict=True)) for label, row in rows}
        return found


def category_scores(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    shares: NDArray[np.floating],
    classes: Sequence[str],
) -> CategoryScores:
    """Compare the labels of texts.

    Args:
        gold, predicted: the labels of each text.
        shares: [texts, classes], the probabilities behind the predictions.
        classes: the labels of the columns of `shares`; gold ones may be others.

    Raises:
        DataError: there are no texts, or not as many of one as of another.
    """
    if not len(gold):
        raise DataError("there are no texts to score")
    if not len(gold) == len(predicted) == len(shares):
        raise DataError(f"{len(gold)} texts have gold labels and {len(predicted)} predicted ones")
    every = sorted({label for labels in (*gold, *predicted) for label in labels} | set(classes))
    numbers = {label: number for number, label in enumerate(every)}
    wanted, found = (_table(sets, numbers) for sets in (gold, predicted))
    right = (wanted & found).sum(0)
    scores = {
        label: PRF(int(right[i]), int(found[:, i].sum()), int(wanted[:, i].sum()))
        for i, label in enumerate(every)
    }
    overall = sum(scores.values(), PRF())
    seen = [score.f1 for score in scores.values() if score.gold + score.predicted]
    single = all(len(labels) == 1 for labels in (*gold, *predicted))
    confusion = None
    if single:
        confusion = np.zeros((len(every), len(every)), np.int64)
        np.add.at(confusion, (wanted.argmax(1), found.argmax(1)), 1)
    columns = [numbers[label] for label in classes]
    error, loss = _trust(np.asarray(shares, np.float64), wanted[:, columns], single)
    return CategoryScores(
        len(gold),
        float((wanted == found).all(1).mean()),
        overall.f1,
        float(np.mean(seen)) if seen else 0.0,
        scores,
        confusion,
        every,
        error,
        loss,
    )


def _table(sets: Sequence[Sequence[str]], numbers: dict[str, int]) -> NDArray[np.bool_]:
    """[texts, labels], True for those that a text has."""
    table = np.zeros((len(sets), len(numbers)), bool)
    for row, labels in zip(table, sets, strict=True):
        row[[numbers[label] for label in labels]] = True
    return table


def _trust(shares: NDArray[np.float64], wanted: NDArray[np.bool_], single: bool) -> tuple[float, float]:
    """Calibration error and loss: of the best label of each text, or of each label by itself."""
    tiny = np.finfo(np.float32).tiny
    if single:
        rows = np.arange(len(shares))
        best = shares.argmax(1)
        sure, right = shares[rows, best], wanted[rows, best]
        # A gold label that the classifier does not know has probability 0.
        told = (shares * wanted).sum(1)
        loss = float(-np.log(np.maximum(told, tiny)).mean())
    else:
        sure, right = shares.ravel(), wanted.ravel()
        told = np.where(wanted, shares, 1 - shares)
        loss = float(-np.log(np.maximum(told, tiny)).mean())
    places = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    sums = np.bincount(places, sure, _BINS) - np.bincount(places, right, _BINS)
    return float(np.abs(sums).sum() / max(len(sure), 1)), loss
