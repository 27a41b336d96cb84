"""Scikit-learn's scores over sentences of labels, under the names of ``sklearn_crfsuite.metrics``.

``from nlptk.scoring import flat as metrics`` serves scripts that were written for that module. Each takes
`y_true` and `y_pred`, lists of lists of labels, and scikit-learn's further arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

Labels = Sequence[Sequence[str]]


def flatten(y: Iterable[Iterable[str]]) -> list[str]:
    """The labels of all sentences, one after the other."""
    return list(chain.from_iterable(y))


def flat_accuracy_score(y_true: Labels, y_pred: Labels, **options: Any) -> float:
    """The share of items whose label is right."""
    return float(_score("accuracy_score", y_true, y_pred, options))


def flat_precision_score(y_true: Labels, y_pred: Labels, **options: Any) -> Any:
    """Precision of single labels; see ``sklearn.metrics.precision_score``."""
    return _score("precision_score", y_true, y_pred, options)


def flat_recall_score(y_true: Labels, y_pred: Labels, **options: Any) -> Any:
    """Recall of single labels; see ``sklearn.metrics.recall_score``."""
    return _score("recall_score", y_true, y_pred, options)


def flat_f1_score(y_true: Labels, y_pred: Labels, **options: Any) -> Any:
    """F1 of single labels; see ``sklearn.metrics.f1_score``."""
    return _score("f1_score", y_true, y_pred, options)


def flat_fbeta_score(y_true: Labels, y_pred: Labels, beta: float, **options: Any) -> Any:
    """F-beta of single labels; see ``sklearn.metrics.fbeta_score``."""
    return _score("fbeta_score", y_true, y_pred, {"beta": beta, **options})


def flat_classification_report(
    y_true: Labels, y_pred: Labels, labels: Sequence[str] | None = None, **options: Any
) -> Any:
    """A table of the scores of each label; see ``sklearn.metrics.classification_report``."""
    return _score("classification_report", y_true, y_pred, {"labels": labels, **options})


def sequence_accuracy_score(y_true: Labels, y_pred: Labels) -> float:
    """The share of sentences of which every label is right; 0 where there are none."""
    if not len(y_true):
        return 0.0
    right = sum(list(gold) == list(found) for gold, found in zip(y_true, y_pred, strict=True))
    return right / len(y_true)


def _score(name: str, y_true: Labels, y_pred: Labels, options: dict[str, Any]) -> Any:
    from sklearn import metrics

    return getattr(metrics, name)(flatten(y_true), flatten(y_pred), **options)
