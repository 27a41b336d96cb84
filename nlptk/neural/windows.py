"""Sequences longer than a model's positions: overlapping windows, whose states are joined.

Each window has the sequence's first and last token ([CLS] and [SEP]) round its part of what lies between. A
token that several windows hold gets the state of the one in which it is furthest from an edge, so with the
most context on both sides; the ends of the sequence are no edges, as there is nothing beyond them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from nlptk.neural.bert import Bert


class Windows(NamedTuple):
    """starts, ends: [windows], of each in the body; owner: [body], the window of each token's state."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    owner: NDArray[np.int64]


def windows(length: int, size: int, stride: int) -> Windows:
    """Windows of `size` tokens at most over `length`, `stride` from start to start; the last ends at the end.

    Raises ConfigError unless 1 <= stride <= size: tokens would be left out.
    """
    if not 1 <= stride <= size:
        raise ConfigError(f"stride must be from 1 to the {size} tokens of a window, not {stride!r}")
    count = 1 + -(-max(length - size, 0) // stride)
    starts = np.minimum(np.arange(count) * stride, max(length - size, 0))
    ends = np.minimum(starts + size, length)
    token = np.arange(length)
    far = np.iinfo(np.int64).max
    # The windows in which a token may be: those that start within `size` before it.
    last = np.searchsorted(starts, token, side="right") - 1
    owner, best = last.copy(), np.full(length, -1)
    for back in range(-(-size // stride) + 1):
        window = np.maximum(last - back, 0)
        left = np.where(starts[window] == 0, far, token - starts[window])
        right = np.where(ends[window] == length, far, ends[window] - 1 - token)
        margin = np.minimum(left, right)  # negative where the token is not in the window
        owner, best = np.where(margin > best, window, owner), np.maximum(margin, best)
    return Windows(starts, ends, owner)


def encode_windows(
    bert: Bert,
    sentences: Sequence[Sequence[int]],
    type_ids: Sequence[Sequence[int]] | None = None,
    *,
    stride: int,
    batch_tokens: int = 1024,
) -> list[Tensor]:
    """As `Bert.encode`, with windows over what is longer than the model: [tokens, dim] for each sentence.

    The states of the first token are the first window's, those of the last the last window's.

    Raises:
        ConfigError: the stride is not from 1 to the model's positions less 2.
    """
    size = bert.config.max_position_embeddings - 2
    if not 1 <= stride <= size:
        raise ConfigError(f"stride must be from 1 to the {size} tokens of a window, not {stride!r}")
    plans = [windows(len(one) - 2, size, stride) if len(one) > size + 2 else None for one in sentences]
    flat: list[Sequence[int]] = []
    types: list[Sequence[int]] = []
    for i, (sentence, plan) in enumerate(zip(sentences, plans, strict=True)):
        flat += _cut(sentence, plan)
        if type_ids is not None:
            types += _cut(type_ids[i], plan)
    states = iter(bert.encode(flat, types if type_ids is not None else None, batch_tokens=batch_tokens))
    return [
        _join(plan, [next(states) for _ in range(1 if plan is None else len(plan.starts))]) for plan in plans
    ]


def _cut(sentence: Sequence[int], plan: Windows | None) -> list[Sequence[int]]:
    if plan is None:
        return [sentence]
    parts = zip(plan.starts.tolist(), plan.ends.tolist(), strict=True)
    return [[sentence[0], *sentence[1 + start : 1 + end], sentence[-1]] for start, end in parts]


def _join(plan: Windows | None, states: list[Tensor]) -> Tensor:
    if plan is None:
        return states[0]
    rows = [states[0][:1]]
    # Each window owns a run: of two windows the later is better from the middle of what they share on.
    for number, state in enumerate(states):
        mine = np.flatnonzero(plan.owner == number)
        if len(mine):
            first = 1 + int(mine[0]) - int(plan.starts[number])
            rows.append(state[first : first + len(mine)])
    return torch.cat([*rows, states[-1][-1:]])
