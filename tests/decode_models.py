"""Small models for tests of decoding: each history has a random distribution of its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.decoding import Limits

History = tuple[int, ...]
EOS = 0


class RandomModel:
    """A distribution for each source and history, drawn from a hash of them.

    The state is a list of histories, the source first. `branch` tokens can follow, the end token not counted,
    which always can; None: all.
    """

    def __init__(self, vocabulary: int, seed: int, branch: int | None = None, spread: float = 2.0) -> None:
        self.vocabulary, self.seed, self.branch, self.spread = vocabulary, seed, branch, spread
        self.rows = 0  # all that were asked for
        self._known: dict[History, NDArray[np.float32]] = {}

    def start(self, rows: int) -> list[History]:
        return [(row,) for row in range(rows)]

    def step(
        self, tokens: NDArray[np.int64], state: list[History]
    ) -> tuple[NDArray[np.float32], list[History]]:
        assert isinstance(tokens, np.ndarray)
        assert tokens.shape == (len(state),)
        self.rows += len(state)
        state = [(*history, int(token)) for history, token in zip(state, tokens, strict=True)]
        return np.stack([self.after(history) for history in state]), state

    def reorder(self, state: list[History], rows: NDArray[np.int64]) -> list[History]:
        return [state[row] for row in rows]

    def after(self, history: History) -> NDArray[np.float32]:
        """Logarithms of probabilities of what follows a source, the first token and others."""
        if history not in self._known:
            random = np.random.default_rng([self.seed, *history])
            scores = self.spread * random.normal(size=self.vocabulary)
            if self.branch is not None:
                off = 1 + random.permutation(self.vocabulary - 1)[self.branch :]
                scores[off] = -np.inf
            self._known[history] = (scores - np.log(np.exp(scores).sum())).astype(np.float32)
        return self._known[history]


class LookingModel(RandomModel):
    """A random model with sources of 1, 2, ... keys, padded, and a random attention to them at each step."""

    keys = 3

    def attention(self, state: list[History]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        lengths = np.array([1 + history[0] % self.keys for history in state])
        return np.stack([self.looked(history) for history in state]), lengths

    def looked(self, history: History) -> NDArray[np.float32]:
        weights = np.random.default_rng([9, self.seed, *history]).random(self.keys)
        weights[1 + history[0] % self.keys :] = 0
        return (weights / weights.sum()).astype(np.float32)


class TorchModel:
    """A model that is given tensors, as it has a device."""

    device = torch.device("cpu")

    def __init__(self, inner: RandomModel) -> None:
        self.inner = inner

    def step(self, tokens: torch.Tensor, state: list[History]) -> tuple[torch.Tensor, list[History]]:
        assert isinstance(tokens, torch.Tensor)
        log_probs, state = self.inner.step(tokens.numpy(), state)
        return torch.from_numpy(log_probs), state

    def reorder(self, state: list[History], rows: torch.Tensor) -> list[History]:
        assert isinstance(rows, torch.Tensor)
        return self.inner.reorder(state, rows.numpy())


class FixedModel:
    """The same distribution whatever came before."""

    def __init__(self, log_probs: Sequence[float]) -> None:
        self.log_probs = np.array(log_probs, np.float32)

    def step(self, tokens: NDArray[np.int64], state: None) -> tuple[NDArray[np.float32], None]:
        return np.tile(self.log_probs, (len(tokens), 1)), None

    def reorder(self, state: None, rows: NDArray[np.int64]) -> None:
        return None


Found = tuple[float, tuple[int, ...]]


def leaves(model: RandomModel, source: int, limits: Limits) -> Iterator[tuple[float, tuple[int, ...]]]:
    """All sequences that the limits allow, with the logarithms of their probabilities: written to be read."""
    assert isinstance(limits.bos, int)
    prefix = tuple(limits.prefix[source]) if limits.prefix else ()

    def follow(tokens: tuple[int, ...], log_prob: float) -> Iterator[Found]:
        if tokens and (tokens[-1] == limits.eos or len(tokens) == limits.max_length):
            yield log_prob, tokens
            return
        for token, value in enumerate(model.after((source, limits.bos, *tokens))):
            if len(tokens) < len(prefix):
                allowed = token == prefix[len(tokens)]
            else:
                early = token == limits.eos and len(tokens) + 1 < limits.min_length
                allowed = not early and token not in limits.banned
            if allowed and value > -math.inf:
                yield from follow((*tokens, token), log_prob + float(value))

    yield from follow((), 0.0)


def best(
    model: RandomModel, source: int, limits: Limits, n: int, score: Callable[[float, tuple[int, ...]], float]
) -> list[Found]:
    """The n best of all sequences."""
    scored = ((score(log_prob, tokens), tokens) for log_prob, tokens in leaves(model, source, limits))
    return list(itertools.islice(sorted(scored, reverse=True), n))
