"""Scores with what is known of their chance: intervals, differences, and tests of differences.

All is done on count matrices: a row for each sentence (or text), of (right, units) for accuracy or (right,
predicted, gold) for F1, so that a sentence is the unit that is drawn or swapped, not a word.

Sources: Efron and Tibshirani 1993, chapter 13 (percentile bootstrap); Noreen 1989 and Yeh 2000 (approximate
randomization).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import DataError

#: int64 [sentences, 2 or 3]
Counts: TypeAlias = NDArray[np.int64]
Interval: TypeAlias = tuple[float, float]

_CELLS = 1 << 22  # numbers that a chunk of replicates may hold
_TINY = 1e-12  # scores that differ less are equal: their counts are exact, their quotients are not
_LEVEL = 95  # of intervals, in percent


def score(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """The score of all sentences: right / units, or 2 right / (predicted + gold); 0 of nothing is 0."""
    return float(_ratio(np.asarray(counts, np.float64).sum(0)))


def bootstrap(runs: Sequence[Counts], replicates: int = 2000, seed: int = 1) -> Interval:
    """The 95 % percentile interval of the mean score of `runs`, one count matrix for each seed of training.

    Sentences are drawn with replacement, the same ones for all runs; of several runs these are drawn as well.
    The same `seed` and number of sentences draw the same sentences, so that models are compared on equal
    samples.

    Raises DataError where there are no runs, or they are not of the same sentences.
    """
    return _interval(_replicated(_stacked(runs), replicates, seed))


def difference_interval(
    a: Sequence[Counts], b: Sequence[Counts], replicates: int = 2000, seed: int = 1
) -> Interval:
    """The 95 % interval of mean score(a) - mean score(b), both on the same draws of sentences and runs.

    Raises DataError as `bootstrap`, and where `a` and `b` do not have as many runs and sentences.
    """
    left, right = _stacked(a), _stacked(b)
    _check_alike(left, right)
    return _interval(_replicated(left, replicates, seed) - _replicated(right, replicates, seed))


def approximate_randomization(a: Counts, b: Counts, replicates: int = 10_000, seed: int = 1) -> float:
    """How probable a difference of scores at least as great as that of `a` and `b` is if they are alike.

    Two-sided: in each replicate the counts of each sentence change sides with probability 1/2; p is
    (1 + replicates with at least the difference) / (1 + replicates).

    Raises DataError where the two do not have as many sentences.
    """
    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    _check_alike(left, right)
    totals = left.sum(0), right.sum(0)
    observed = abs(_ratio(totals[0]) - _ratio(totals[1]))
    swapped = right - left
    swapped = swapped[swapped.any(1)]  # a sentence that both have alike changes nothing
    random = np.random.default_rng(seed)
    hits = 0
    for size in _chunks(replicates, len(swapped)):
        moved = (random.random((size, len(swapped))) < 0.5).astype(np.float64) @ swapped
        found = np.abs(_ratio(totals[0] + moved) - _ratio(totals[1] - moved))
        hits += int((found >= observed - _TINY).sum())
    return (1 + hits) / (1 + replicates)


def _ratio(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of sums of counts [..., 2 or 3]."""
    if totals.shape[-1] == 2:
        above, below = totals[..., 0], totals[..., 1]
    else:
        above, below = 2 * totals[..., 0], totals[..., 1] + totals[..., 2]
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _stacked(runs: Sequence[Counts]) -> NDArray[np.float64]:
    """[runs, sentences, 2 or 3]"""
    if not len(runs):
        raise DataError("there are no counts to draw from; give those of one run at least")
    if len({np.shape(run) for run in runs}) > 1:
        raise DataError("the runs are not of the same sentences, so no sample can be drawn of all")
    return np.asarray(np.stack(list(runs)), np.float64)


def _check_alike(left: NDArray[np.float64], right: NDArray[np.float64]) -> None:
    if left.shape != right.shape:
        raise DataError(f"counts of shape {left.shape} and {right.shape} cannot be compared in pairs")


def _replicated(runs: NDArray[np.float64], replicates: int, seed: int) -> NDArray[np.float64]:
    """Mean scores [replicates] of redrawn sentences and runs."""
    number, sentences, _ = runs.shape
    drawn = np.random.default_rng([seed, 0])
    of_runs = np.random.default_rng([seed, 1]).multinomial(number, np.full(number, 1 / number), replicates)
    scores = np.empty((replicates, number))
    done = 0
    for size in _chunks(replicates, sentences):
        places = drawn.integers(0, max(sentences, 1), (size, sentences))
        places += np.arange(size)[:, None] * sentences
        times = np.bincount(places.ravel(), minlength=size * sentences).reshape(size, sentences)
        for i, run in enumerate(runs):
            scores[done : done + size, i] = _ratio(times.astype(np.float64) @ run)
        done += size
    return np.asarray((scores * of_runs).sum(1) / number)


def _chunks(replicates: int, sentences: int) -> Iterator[int]:
    """How many replicates to do at a time."""
    step = max(_CELLS // max(sentences, 1), 1)
    for done in range(0, replicates, step):
        yield min(step, replicates - done)


def _interval(values: NDArray[np.float64]) -> Interval:
    tail = (100 - _LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
