"""Plain NumPy oracles of the linear-chain kernel, written for clarity, and example batches."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass
class Batch:
    emissions: Array
    offsets: NDArray[np.int64]
    transitions: Array
    start: Array
    end: Array

    @property
    def lengths(self) -> list[int]:
        return np.diff(self.offsets).tolist()

    def rows(self, s: int) -> slice:
        return slice(int(self.offsets[s]), int(self.offsets[s + 1]))

    @property
    def scores(self) -> dict[str, Array | NDArray[np.int64]]:
        """Keyword arguments of nlptk.chain, less the emissions."""
        return {
            "transitions": self.transitions,
            "offsets": self.offsets,
            "start": self.start,
            "end": self.end,
        }


def random_batch(
    seed: int, labels: int, lengths: list[int], *, integers=False, forbid=0.0, scale=1.0
) -> Batch:
    """Scores from a normal distribution; small integers make ties, `forbid` is the share of -inf."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        values = rng.integers(-2, 3, shape) if integers else rng.normal(0, scale, shape)
        return np.where(rng.random(shape) < forbid, -np.inf, values).astype(np.float32)

    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Batch(draw(int(offsets[-1]), labels), offsets, draw(labels, labels), draw(labels), draw(labels))


def viterbi(emissions: Array, transitions: Array, start: Array, end: Array) -> tuple[list[int], float]:
    """One sequence in float32 in the kernel's order; np.argmax takes the lowest label of equals."""
    if len(emissions) == 0:
        return [], 0.0
    scores = [start + emissions[0]]
    for row in emissions[1:]:
        scores.append((scores[-1][:, None] + transitions).max(axis=0) + row)
    path = [int(np.argmax(scores[-1] + end))]
    for row in scores[-2::-1]:
        path.append(int(np.argmax(row + transitions[:, path[-1]])))
    return path[::-1], float((scores[-1] + end).max())


def viterbi_words(
    emissions: Array, transitions: Array, start: Array, words: NDArray[np.integer]
) -> list[int]:
    """As `viterbi`, with row words[t] at step t, and every 8th step's best score moved to 0."""
    scores = [start + emissions[words[0]]]
    for t, word in enumerate(words[1:], 1):
        row = (scores[-1][:, None] + transitions).max(axis=0) + emissions[word]
        scores.append(row - max(row.max(), np.float32(-3e38)) if t % 8 == 0 else row)
    path = [int(np.argmax(scores[-1]))]
    for row in scores[-2::-1]:
        path.append(int(np.argmax(row + transitions[:, path[-1]])))
    return path[::-1]


def log_sum(values: Array, axis: int) -> Array:
    top = values.max(axis=axis, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.squeeze(np.log(np.exp(values - safe).sum(axis=axis, keepdims=True)) + safe, axis)


def forward_backward(
    emissions: Array, transitions: Array, start: Array, end: Array
) -> tuple[float, Array, Array]:
    """log Z, marginals and expected transitions of one sequence, in double precision and log space."""
    emissions, transitions, start, end = (
        np.asarray(x, np.float64) for x in (emissions, transitions, start, end)
    )
    if len(emissions) == 0:
        return 0.0, np.zeros(emissions.shape), np.zeros(transitions.shape)
    alpha = [start + emissions[0]]
    for row in emissions[1:]:
        alpha.append(log_sum(alpha[-1][:, None] + transitions, 0) + row)
    beta = [end]
    for row in emissions[:0:-1]:
        beta.append(log_sum(transitions + (row + beta[-1])[None, :], 1))
    beta.reverse()
    total = float(log_sum(alpha[-1] + end, 0))
    expected = np.zeros(transitions.shape)
    if total == -np.inf:
        return total, np.zeros(emissions.shape), expected
    for t in range(1, len(emissions)):
        expected += np.exp(alpha[t - 1][:, None] + transitions + (emissions[t] + beta[t])[None, :] - total)
    return total, np.exp(np.array(alpha) + np.array(beta) - total), expected


def all_paths(
    emissions: Array, transitions: Array, start: Array, end: Array
) -> list[tuple[float, tuple[int, ...]]]:
    """Every allowed path with its score, best first; of equals the one whose reversal is first."""
    labels = emissions.shape[1]
    found = []
    for path in itertools.product(range(labels), repeat=len(emissions)):
        if not path:
            return [(0.0, ())]
        score = float(start[path[0]] + emissions[0, path[0]])
        for t in range(1, len(path)):
            score += float(transitions[path[t - 1], path[t]] + emissions[t, path[t]])
        score += float(end[path[-1]])
        if score > -np.inf:
            found.append((score, path))
    return sorted(found, key=lambda item: (-item[0], item[1][::-1]))
