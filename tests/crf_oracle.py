"""A linear-chain CRF's objective in plain NumPy, in double precision, on the kernel's layout of weights."""

from __future__ import annotations

from dataclasses import dataclass

import chain_oracle
import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.crf import CrfWeights


@dataclass
class TrainingSet:
    keys: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    gold: NDArray[np.int32]
    labels: int

    def trainer(self, **options) -> _core.CrfTrainer:
        return _core.CrfTrainer(self.keys, self.offsets, self.gold, self.labels, **options)


def random_set(
    seed: int, labels: int, sequences: int, longest: int = 6, width: int = 4, noise: int = 25
) -> TrainingSet:
    """Sequences of 0 to `longest` units; the first key tells the label, in `noise` percent a random one."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest + 1, sequences)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    units = int(offsets[-1])
    gold = rng.integers(0, labels, units).astype(np.int32)
    keys = rng.integers(0, 30, (units, width)).astype(np.uint32) * 1000
    told = np.where(rng.random(units) * 100 < noise, rng.integers(0, labels, units), gold)
    keys[:, 0] = 1 + told
    return TrainingSet(keys, offsets, gold, labels)


def unpacked(weights: CrfWeights) -> dict[int, dict[int, int]]:
    """Integer weights by feature key and label: what linear_kernel.hpp says rows and blocks mean."""
    dense = -(-weights.labels // 8)
    found: dict[int, dict[int, int]] = {}
    for key, ref in weights.rows.tolist():
        kind, first = ref & 63, ref >> 6
        if kind == 0:
            pairs = [((ref & 0xFFFF) >> 6, int(np.uint16(ref >> 16).view(np.int16)))]
        elif kind == 63:
            pairs = list(enumerate(weights.blocks[first : first + dense].reshape(-1).tolist()))
        else:
            values = weights.blocks[first : first + kind].reshape(-1, 2)
            pairs = list(zip(values[:, 0].view(np.uint16).tolist(), values[:, 1].tolist(), strict=True))
        found[key] = {label: weight for label, weight in pairs if weight}
    return found


class Oracle:
    """Loss and gradient of a trainer's parameters, as dense feature weights."""

    def __init__(self, data: TrainingSet, trainer: _core.CrfTrainer) -> None:
        self.data = data
        self.row_labels = trainer.row_labels.astype(np.int64)
        sizes = np.diff(trainer.row_starts.astype(np.int64))
        self.row_features = np.repeat(np.arange(len(sizes)), sizes)
        self.real = self.row_labels < data.labels  # the rest is padding
        place = {int(key): f for f, key in enumerate(trainer.keys)}
        self.counts = np.zeros((len(data.gold), len(place)))  # how often each feature fires at each unit
        for unit, row in enumerate(data.keys.tolist()):
            for key in row:
                if key in place:
                    self.counts[unit, place[key]] += 1

    def __call__(self, parameters: NDArray[np.floating]) -> tuple[float, NDArray[np.float64]]:
        n, w = self.data.labels, np.asarray(parameters, np.float64)
        rows, rest = w[: len(self.row_labels)], w[len(self.row_labels) :]
        transitions, start, end = rest[: n * n].reshape(n, n), rest[n * n : n * n + n], rest[n * n + n :]
        dense = np.zeros((self.counts.shape[1], n))
        dense[self.row_features[self.real], self.row_labels[self.real]] = rows[self.real]
        emissions = self.counts @ dense
        unit_gradient = np.zeros(emissions.shape)  # p(label) less the gold label's 1
        chain_gradient = [np.zeros((n, n)), np.zeros(n), np.zeros(n)]
        loss = 0.0
        for first, last in zip(self.data.offsets[:-1].tolist(), self.data.offsets[1:].tolist(), strict=True):
            if first == last:
                continue
            gold, scores = self.data.gold[first:last], emissions[first:last]
            total, marginals, expected = chain_oracle.forward_backward(scores, transitions, start, end)
            steps = (gold[:-1], gold[1:])
            loss += total - scores[np.arange(len(gold)), gold].sum()
            loss -= transitions[steps].sum() + start[gold[0]] + end[gold[-1]]
            np.add.at(expected, steps, -1)
            marginals[np.arange(len(gold)), gold] -= 1
            unit_gradient[first:last] = marginals
            for total_gradient, part in zip(
                chain_gradient, (expected, marginals[0], marginals[-1]), strict=True
            ):
                total_gradient += part
        dense_gradient = self.counts.T @ unit_gradient
        row_gradient = np.zeros(len(rows))
        row_gradient[self.real] = dense_gradient[self.row_features[self.real], self.row_labels[self.real]]
        return loss, np.concatenate([row_gradient, *(part.ravel() for part in chain_gradient)])
