"""Weights of linear models by scikit-learn's estimators, and the scale that makes probabilities of scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ALGORITHMS = ("svm", "logistic", "naive-bayes")
_FOLDS = 5
_ENOUGH = 4000  # held-out texts for one number: its standard error is then some 3 %
_ROUGH = 0.1  # tolerance of what is trained for the scale alone; LIBLINEAR's own default


class LinearWeights(NamedTuple):
    """A linear model.

    Attributes:
        coef: float32 [rows, features]: a row for each label, or a single one for the second of two.
        intercept: float32 [rows].
    """

    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def scores(self, X: Any) -> NDArray[np.float32]:
        """Of CSR float32 [texts, features], [texts, rows]."""
        return np.asarray(X @ self.coef.T, np.float32) + self.intercept


class Trainer(NamedTuple):
    """How weights are learnt.

    Attributes:
        algorithm: one of `ALGORITHMS`.
        C: of the SVM and of logistic regression: what errors cost.
        alpha: of naive Bayes: added to each count.
        weights: float32 [classes], what a text counts for its labels; None: all the same.
        seed: of the order in which the SVM visits texts, and of what is held out.
    """

    algorithm: str
    C: float
    alpha: float
    weights: NDArray[np.float32] | None
    seed: int

    def fit(self, X: Any, targets: NDArray[Any], *, rough: bool = False) -> LinearWeights:
        """Learn from CSR [texts, features] and the number of each text's label, or 1 for each of its labels,
        [texts, labels].
        """
        if targets.ndim == 1:
            return self._fit(X, targets, self.weights, rough)
        found = []
        weights: list[Any] = [None] * targets.shape[1]
        if self.weights is not None:
            weights = [np.array([1, weight], np.float32) for weight in self.weights]
        for column, pair in zip(targets.T.astype(np.int64), weights, strict=True):
            found.append(self._fit(X, column, pair, rough))
        return LinearWeights(*map(np.concatenate, zip(*found, strict=True)))

    def _fit(
        self, X: Any, y: NDArray[np.int64], weights: NDArray[np.float32] | None, rough: bool
    ) -> LinearWeights:
        if (y == y[0]).all():  # a label of all texts or, where some are held out, of none: rule of succession
            odds = math.log(len(y) + 1) * (1 if y[0] else -1)
            return LinearWeights(np.zeros((1, X.shape[1]), np.float32), np.array([odds], np.float32))
        costs = None if weights is None else dict(enumerate(weights.tolist()))
        coef: Any
        intercept: Any
        if self.algorithm == "svm":
            from nlptk.linear_svm import LinearSVC

            tolerance = _ROUGH if rough else 1e-4
            model = LinearSVC(C=self.C, class_weight=costs, random_state=self.seed, tol=tolerance).fit(X, y)
            coef, intercept = model.coef_, model.intercept_
        elif self.algorithm == "logistic":
            from sklearn.linear_model import LogisticRegression

            # L-BFGS is as quick as LIBLINEAR on sparse texts, and takes more than two classes at once.
            tolerance = 1e-2 if rough else 1e-4
            model = LogisticRegression(C=self.C, class_weight=costs, tol=tolerance, max_iter=1000).fit(X, y)
            coef, intercept = model.coef_, model.intercept_
        else:
            from sklearn.naive_bayes import MultinomialNB

            model = MultinomialNB(alpha=self.alpha)
            model.fit(X, y, None if weights is None else weights[y])
            coef, intercept = model.feature_log_prob_, model.class_log_prior_
            if len(coef) == 2:
                coef, intercept = np.diff(coef, axis=0), np.diff(intercept)
        return LinearWeights(coef.astype(np.float32), intercept.astype(np.float32))

    def held_out_scale(self, X: Any, targets: NDArray[Any]) -> float | None:
        """The scale by texts that are held out; None if there are too few to hold one out.

        As many folds of five are trained, to a rough tolerance, as it takes to have enough held-out texts.
        """
        numbers = fold_numbers(targets, np.random.default_rng(self.seed))
        scores: list[NDArray[np.float32]] = []
        gold: list[NDArray[Any]] = []
        for fold in range(_FOLDS):
            held = np.flatnonzero(numbers == fold)[:_ENOUGH]
            if not len(held) or sum(map(len, gold)) >= _ENOUGH:
                break
            kept = np.flatnonzero(numbers != fold)
            scores.append(self.fit(X[kept], targets[kept], rough=True).scores(X[held]))
            gold.append(targets[held])
        return fit_scale(np.concatenate(scores), np.concatenate(gold)) if scores else None


def fold_numbers(targets: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each text, by chance and alike for each label; -1 for one text of each label, which is
    always learnt from.
    """
    order = rng.permutation(len(targets))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
        labels = targets[order]
        first = np.append(True, labels[1:] != labels[:-1])
    else:
        first = np.arange(len(order)) == 0
    dealt = np.where(first, -1, (np.cumsum(~first) - 1) % _FOLDS)
    numbers = np.empty(len(targets), np.int64)
    numbers[order] = dealt
    return numbers


def log_odds(scores: NDArray[np.float32], several: bool) -> NDArray[np.float32]:
    """Scores of all labels: a single row of two labels is that of the second over the first."""
    if several or scores.shape[1] > 1:
        return scores
    return np.hstack([np.zeros_like(scores), scores])


def probabilities(scores: NDArray[np.float32], scale: float, several: bool) -> NDArray[np.float32]:
    """Float32 [texts, labels]: the softmax of scaled scores, whose largest is the largest score's; with
    `several` labels a text the logistic function of each.
    """
    wide = log_odds(scores, several).astype(np.float64)
    if several:
        return np.asarray(np.exp(-np.logaddexp(0, -scale * wide)), np.float32)
    wide = np.exp(scale * (wide - wide.max(1, keepdims=True)))
    shares: NDArray[np.float32] = (wide / wide.sum(1, keepdims=True)).astype(np.float32)
    best, found = log_odds(scores, several).argmax(1), shares.argmax(1)
    tied = np.flatnonzero(best != found)  # where rounding made others as large
    shares[tied, best[tied]] = np.nextafter(shares[tied, found[tied]], np.float32(2))
    return shares


def fit_scale(scores: NDArray[np.float32], targets: NDArray[Any]) -> float:
    """The number that scores are multiplied by, so that the targets are most probable.

    Platt 1999, "Probabilistic outputs for support vector machines", without his shift, and for more labels
    the temperature of Guo et al. 2017, "On calibration of modern neural networks". As with Platt no target is
    certain, so that scores that tell all labels apart do not grow without bounds.
    """
    from scipy.optimize import minimize_scalar

    several = targets.ndim == 2
    wide = log_odds(scores, several).astype(np.float64)
    doubt = 1 / (len(wide) + 2)
    if several:
        wanted = np.where(targets > 0, 1 - doubt, doubt)
    else:
        wanted = np.full(wide.shape, doubt / (wide.shape[1] - 1))
        wanted[np.arange(len(wide)), targets] = 1 - doubt

    def loss(logarithm: float) -> float:
        z = np.exp(logarithm) * wide
        if several:
            return float((np.logaddexp(0, z) - wanted * z).mean())
        z -= z.max(1, keepdims=True)
        return float((np.log(np.exp(z).sum(1)) - (wanted * z).sum(1)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-7, 7), method="bounded").x))


def known_targets(
    lists: Sequence[Sequence[str]], classes: Sequence[str], several: bool
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The texts of a dev set whose label is one of `classes`, and their targets as `Trainer.fit` takes them.

    With `several` labels a text all texts stay, and other labels are left out.
    """
    place = {label: number for number, label in enumerate(classes)}
    if several:
        table = np.zeros((len(lists), len(classes)), np.float32)
        for row, labels in enumerate(lists):
            table[row, [place[label] for label in labels if label in place]] = 1
        return np.arange(len(lists)), table
    numbers = np.array([place.get(labels[0], -1) if len(labels) == 1 else -1 for labels in lists], np.int64)
    kept = np.flatnonzero(numbers >= 0)
    return kept, numbers[kept]
