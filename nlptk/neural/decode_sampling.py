"""One sequence for each row: the most probable token at each step, or one drawn from the distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlptk.decoding import Hypothesis, Limits, StepModel
from nlptk.errors import ConfigError, DataError
from nlptk.neural.decode_steps import Ints, Steps
from nlptk.state import check_integer


@torch.no_grad()
def greedy(model: StepModel[Any], state: Any, rows: int, limits: Limits) -> list[Hypothesis]:
    """The most probable token at each step: one sequence for each row of the state.

    Raises:
        DataError: there are no rows; a prefix cannot be met; no token can follow; the model gives NaN.
    """
    return _walk(model, state, rows, limits, lambda log_probs, sources: log_probs.argmax(1))


@torch.no_grad()
def sample(
    model: StepModel[Any],
    state: Any,
    rows: int,
    limits: Limits,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    context: Sequence[Sequence[int]] | None = None,
    seed: int | Sequence[int | Sequence[int]] = 1,
) -> list[Hypothesis]:
    """A sequence for each row of the state, each token drawn from what :func:`filtered` leaves.

    A row draws from a generator of its own: what it becomes does not depend on the batch that it is in.

    Args:
        temperature, top_k, top_p, min_p: see :func:`filtered`.
        repetition_penalty: factor of the logarithms of probabilities of tokens that the row has already
            (Keskar et al. 2019): above 1 they become rarer, 1 changes nothing. The paper divides a score
            above 0 instead; logarithms of probabilities have none, as in the beam search of transformers.
        context: tokens before the first, of each row, that count as had.
        seed: of each row, a number or several; one number s stands for (s, 0), (s, 1), ...

    Returns:
        Sequences whose `log_probs` are the model's own, whatever was filtered.

    Raises:
        ConfigError: a setting is out of range.
        DataError: as `greedy`; not as many seeds or contexts as rows.
    """
    if not 0 < repetition_penalty < np.inf:
        raise ConfigError(f"repetition_penalty must be a number above 0, not {repetition_penalty!r}")
    _check_filters(temperature, top_k, top_p, min_p)
    seeds = [(seed, row) for row in range(rows)] if isinstance(seed, int) else seed
    for what, count in (("seeds", len(seeds)), ("contexts", rows if context is None else len(context))):
        if count != rows:
            raise DataError(f"there are {count} {what} for {rows} rows: give one for each")
    randoms = [np.random.default_rng(one) for one in seeds]
    seen: Tensor | None = None  # bool [all rows, vocabulary]

    def choose(log_probs: Tensor, sources: Ints) -> Tensor:
        nonlocal seen
        scores = log_probs
        mine = torch.from_numpy(sources).to(log_probs.device)
        if repetition_penalty != 1:
            if seen is None:
                seen = _seen(context or [()] * rows, log_probs)
            scores = torch.where(seen[mine], scores * repetition_penalty, scores)
        kept = filtered(scores, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
        chosen = _draw(kept, [randoms[source].random() for source in sources.tolist()])
        if seen is not None:
            seen[mine, chosen] = True
        return chosen

    return _walk(model, state, rows, limits, choose)


def filtered(
    log_probs: Tensor, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0
) -> Tensor:
    """The distribution that is drawn from: temperature first, then each filter on what is left.

    Args:
        log_probs: [rows, vocabulary], not necessarily normalized.
        temperature: logarithms are divided by it: below 1 the probable becomes more so.
        top_k: tokens that are kept, and those as probable as the last of them; 0 for all (Fan et al. 2018).
        top_p: the fewest most probable tokens that have this share together are kept (Holtzman et al. 2020).
        min_p: tokens with less than this share of the highest probability go (Nguyen et al. 2024).

    Returns:
        Normalized logarithms, -inf for what is not kept.

    Raises:
        ConfigError: temperature is not above 0, top_k below 0, top_p not in (0, 1], min_p not in [0, 1].
    """
    _check_filters(temperature, top_k, top_p, min_p)
    scores = (log_probs / temperature).log_softmax(1)
    if 0 < top_k < scores.shape[1]:
        least = scores.topk(top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if top_p < 1:
        ordered, places = scores.softmax(1).sort(dim=1, descending=True, stable=True)
        before = ordered.cumsum(1) - ordered  # share of the more probable ones
        goes = torch.zeros_like(places, dtype=torch.bool).scatter(1, places, before >= top_p)
        scores = scores.masked_fill(goes, -torch.inf)
    if min_p > 0:
        scores = scores.masked_fill(scores < scores.amax(1, keepdim=True) + np.log(min_p), -torch.inf)
    return scores.log_softmax(1)


def _check_filters(temperature: float, top_k: int, top_p: float, min_p: float) -> None:
    if not 0 < temperature < np.inf:
        raise ConfigError(f"temperature must be a number above 0, not {temperature!r}; use greedy for 0")
    check_integer("top_k", top_k, 0)
    if not 0 < top_p <= 1:
        raise ConfigError(f"top_p must be above 0 and at most 1, not {top_p!r}")
    if not 0 <= min_p <= 1:
        raise ConfigError(f"min_p must be from 0 to 1, not {min_p!r}")


def _draw(log_probs: Tensor, uniform: list[float]) -> Tensor:
    """The token of each row at which the sum of probabilities passes a number from [0, 1)."""
    sums = log_probs.double().exp().cumsum(1)  # [rows, vocabulary]
    total = sums[:, -1]
    drawn = torch.tensor(uniform, dtype=torch.float64, device=sums.device) * total
    drawn = torch.minimum(drawn, torch.nextafter(total, torch.zeros_like(total)))
    found = torch.searchsorted(sums, drawn[:, None], right=True)[:, 0]
    return found.clamp(max=sums.shape[1] - 1)  # beyond it where all probabilities are 0, which _walk tells


def _seen(context: Sequence[Sequence[int]], log_probs: Tensor) -> Tensor:
    seen = torch.zeros(len(context), log_probs.shape[1], dtype=torch.bool)
    for row, tokens in zip(seen, context, strict=True):
        row[list(tokens)] = True
    return seen.to(log_probs.device)


def _walk(
    model: StepModel[Any],
    state: Any,
    rows: int,
    limits: Limits,
    choose: Callable[[Tensor, Ints], Tensor],
) -> list[Hypothesis]:
    """Each row goes on until its end; those that have ended leave the batch."""
    steps = Steps(model, limits, rows)
    tokens: list[list[int]] = [[] for _ in range(rows)]
    values: list[list[float]] = [[] for _ in range(rows)]
    looks: list[list[np.ndarray]] = [[] for _ in range(rows)]
    sources, last = np.arange(rows), steps.first
    for at in range(limits.max_length):
        log_probs, state = steps.step(last, state, at, sources)
        chosen = choose(log_probs, sources)
        value = log_probs.gather(1, chosen[:, None])[:, 0].cpu()
        if bool((value == -torch.inf).any()):
            source = int(sources[int(value.argmin())])
            raise DataError(f"nothing can follow token {at} of row {source}: all tokens have probability 0")
        last = chosen.cpu().numpy()
        look = steps.attention(state)
        for i, source in enumerate(sources.tolist()):
            tokens[source].append(int(last[i]))
            values[source].append(float(value[i]))
            if look is not None:
                looks[source].append(look[0][i, : look[1][i]])
        going = np.flatnonzero(last != (-1 if limits.eos is None else limits.eos))
        if not len(going):
            break
        state = steps.reorder(state, going, len(last))
        sources, last = sources[going], last[going]
    return [
        Hypothesis(
            np.array(tokens[row], np.int64),
            np.array(values[row], np.float32),
            float(np.sum(values[row])),
            tokens[row][-1] == limits.eos,
            np.stack(looks[row]) if looks[row] else None,
        )
        for row in range(rows)
    ]
