"""Beam search that stops exactly when no open hypothesis can win.

At each step the `beam` most probable continuations of the open hypotheses that do not end stay open; those
that end are complete, if they are among the `beam` best of all continuations (as in fairseq and
transformers). What has `max_length` tokens is complete, whether it ends or not. Complete hypotheses are
ranked by

    score = log P / penalty(n) + coverage_penalty * sum_i log(min(sum_t a_ti, 1))

where n is the number of tokens, end token counted, a_ti the attention of token t to place i of the source,
and

    penalty(n) = ((5 + n) / 6)^alpha   "gnmt"   Wu et al. 2016, equation 14; the second term is theirs too
    penalty(n) = n^alpha               "power"  alpha = 1 is the mean

The bound. An open hypothesis has log P = L <= 0 and n tokens. What it becomes has log P' <= L, as each
further token multiplies by a probability, and n' <= M = max_length tokens. As alpha >= 0 the penalty grows
with n', and L <= 0, so log P' / penalty(n') <= L / penalty(n') <= L / penalty(M). The second term is at most
0, whatever will be looked at. So no open hypothesis can win once the greatest L of them has

    L / penalty(M) <= score of the worst of the n_best complete hypotheses

and the search ends there: not before, as the rest may have probability 1, and all be looked at. With
alpha = 0 the bound is L itself, for both penalties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.decoding import Hypothesis, Limits, StepModel
from nlptk.errors import ConfigError, DataError
from nlptk.neural.decode_steps import Floats, Ints, Look, Steps
from nlptk.state import check_integer

_LEAST = 1e-9  # coverage of a place that was not looked at, whose logarithm is taken


@dataclass(frozen=True)
class Ranking:
    """The score of complete hypotheses; see the module."""

    alpha: float
    form: str
    coverage: float

    def __post_init__(self) -> None:
        if self.form not in ("gnmt", "power"):
            raise ConfigError(f"length_form must be 'gnmt' or 'power', not {self.form!r}")
        for name, value in (("length_penalty", self.alpha), ("coverage_penalty", self.coverage)):
            if not 0 <= value < np.inf:
                raise ConfigError(f"{name} must be a number of at least 0, not {value!r}")

    def penalty(self, n: int) -> float:
        """What the logarithm of the probability of n tokens is divided by."""
        return float(((5 + n) / 6 if self.form == "gnmt" else n) ** self.alpha)

    def score(self, log_prob: float, n: int, attention: Floats | None) -> float:
        """Of a hypothesis; attention is [n, keys]."""
        score = log_prob / self.penalty(n)
        if self.coverage and attention is not None:
            looked = np.clip(attention.sum(0, dtype=np.float64), _LEAST, 1.0)
            score += self.coverage * float(np.log(looked).sum())
        return score


@torch.no_grad()
def beam_search(
    model: StepModel[Any],
    state: Any,
    rows: int,
    limits: Limits,
    *,
    beam: int = 5,
    n_best: int = 1,
    length_penalty: float = 0.0,
    length_form: Literal["gnmt", "power"] = "gnmt",
    coverage_penalty: float = 0.0,
    stop_early: bool = True,
) -> list[list[Hypothesis]]:
    """The best hypotheses of each row of the state, best first; see the module for scores and the end.

    Args:
        beam: open hypotheses of each row.
        n_best: hypotheses of each row that are wanted, at most `beam`.
        length_penalty: alpha; 0 for none.
        length_form: "gnmt" or "power".
        coverage_penalty: of models that tell their attention (:class:`nlptk.decoding.AttentiveModel`).
        stop_early: False to go on until all hypotheses are complete: slower, with the same result.

    Returns:
        For each row `n_best` hypotheses, fewer where the model allows no more.

    Raises:
        ConfigError: a setting is out of range, the beam is larger than the vocabulary, or there is no
            attention for a coverage penalty.
        DataError: there are no rows; a prefix cannot be met; the model gives NaN, or nothing can follow.
    """
    check_integer("beam", beam, 1)
    check_integer("n_best", n_best, 1)
    if n_best > beam:
        raise ConfigError(f"n_best must be at most the beam of {beam}, not {n_best}")
    ranking = Ranking(length_penalty, length_form, coverage_penalty)
    if coverage_penalty and not hasattr(model, "attention"):
        raise ConfigError("coverage_penalty needs a model that tells its attention; this one does not")
    steps = Steps(model, limits, rows, beam)
    done: list[list[Hypothesis]] = [[] for _ in range(rows)]
    open_, last = _Open.start(rows), steps.first
    end = -1 if limits.eos is None else limits.eos
    at_end = ranking.penalty(limits.max_length)
    for at in range(limits.max_length):
        owner = np.nonzero(open_.live)[0]
        log_probs, state = steps.step(last, state, at, open_.sources[owner])
        look = steps.attention(state)
        values, tokens = log_probs.topk(min(beam + 1, log_probs.shape[1]))
        grown = open_.continuations(values.cpu().numpy(), tokens.cpu().numpy(), 2 * beam)
        possible = grown.sums > -np.inf  # each [active, candidates], best first
        ends = grown.tokens == end
        complete = possible & (ends if at + 1 < limits.max_length else True)
        complete[:, beam:] = False
        for row, rank in zip(*np.nonzero(complete), strict=True):
            hypothesis = open_.hypothesis(grown, int(row), int(rank), look, bool(ends[row, rank]), ranking)
            _add(done[int(open_.sources[row])], hypothesis, n_best)
        stays = possible & ~ends
        stays &= stays.cumsum(1) <= beam
        if stop_early:
            best = np.where(stays, grown.sums, -np.inf).max(1) / at_end
            worst = [done[s][-1].score if len(done[s]) == n_best else -np.inf for s in open_.sources]
            stays &= (best > worst)[:, None]
        if at + 1 == limits.max_length or not stays.any():
            break
        open_, chosen = open_.next(grown, stays, look)
        state = steps.reorder(state, chosen, len(last))
        last = open_.tokens[open_.live][:, -1]
    for row, found in enumerate(done):
        if not found:
            raise DataError(f"row {row} has no hypothesis: nothing that may come has a probability above 0")
    return done


def _add(done: list[Hypothesis], new: Hypothesis, most: int) -> None:
    """Into its place among the best; of equal ones the earlier stands first."""
    place = sum(one.score >= new.score for one in done)
    done.insert(place, new)
    del done[most:]


@dataclass
class _Grown:
    """Continuations of each active row's hypotheses, best first; all [active, candidates].

    Attributes:
        sums: of logarithms of probabilities, -inf where there is none.
        values: logarithms of the probabilities of the last tokens.
        tokens: the last tokens.
        parents: slots of the hypotheses that they continue.
    """

    sums: NDArray[np.float64]
    values: Floats
    tokens: Ints
    parents: Ints


@dataclass
class _Open:
    """Open hypotheses: `slots` for each active row, of which those that are live are rows of the model.

    Attributes:
        sources: [active], the number of each row in the batch that was given.
        live: bool [active, slots].
        sums: float64 [active, slots].
        tokens, values: [active, slots, n], and logarithms of their probabilities.
        attention: float32 [active, slots, n, keys], None of a model that does not tell, and before the first.
    """

    sources: Ints
    live: NDArray[np.bool_]
    sums: NDArray[np.float64]
    tokens: Ints
    values: Floats
    attention: Floats | None = None

    @classmethod
    def start(cls, rows: int) -> _Open:
        """The empty hypothesis of each row."""
        nothing = np.zeros((rows, 1, 0))
        return cls(
            np.arange(rows),
            np.ones((rows, 1), bool),
            np.zeros((rows, 1)),
            nothing.astype(np.int64),
            nothing.astype(np.float32),
        )

    def continuations(self, values: Floats, tokens: Ints, most: int) -> _Grown:
        """The best by sums, of some of each live hypothesis: values and tokens are [live, some].

        Of each hypothesis beam + 1 are enough: `beam` that do not end, and one that does.
        """
        some = values.shape[1]
        all_values = np.full((*self.live.shape, some), -np.inf, np.float32)
        all_tokens = np.zeros((*self.live.shape, some), np.int64)
        all_values[self.live], all_tokens[self.live] = values, tokens
        sums = (self.sums[:, :, None] + all_values).reshape(len(self.sources), -1)
        order = np.argsort(-sums, axis=1, kind="stable")[:, :most]

        def best(array: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(array.reshape(sums.shape), order, 1)

        return _Grown(best(sums), best(all_values), best(all_tokens), order // some)

    def next(self, grown: _Grown, stays: NDArray[np.bool_], look: Look | None) -> tuple[_Open, Ints]:
        """The hypotheses that stay open, and which rows of the model they continue."""
        active = np.flatnonzero(stays.any(1))
        stays = stays[active]
        slots = int(stays.sum(1).max())
        # The columns of those that stay, first in each row; what stands behind them is not live.
        columns = np.argsort(~stays, axis=1, kind="stable")[:, :slots]
        live = np.take_along_axis(stays, columns, 1)
        here = active[:, None]
        parents = grown.parents[here, columns]
        rows = self._numbers()[here, parents]

        def longer(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([old[here, parents], new[here, columns][:, :, None]], 2)

        attention = None
        if look is not None:
            new = look[0][np.maximum(rows, 0)][:, :, None]  # [active, slots, 1, keys]
            attention = (
                new if self.attention is None else np.concatenate([self.attention[here, parents], new], 2)
            )
        made = _Open(
            self.sources[active],
            live,
            np.where(live, grown.sums[here, columns], -np.inf),
            longer(self.tokens, grown.tokens),
            longer(self.values, grown.values),
            attention,
        )
        return made, rows[live]

    def hypothesis(
        self,
        grown: _Grown,
        row: int,
        rank: int,
        look: Look | None,
        finished: bool,
        ranking: Ranking,
    ) -> Hypothesis:
        """A continuation as a complete hypothesis."""
        parent = int(grown.parents[row, rank])
        tokens = np.append(self.tokens[row, parent], grown.tokens[row, rank])
        values = np.append(self.values[row, parent], grown.values[row, rank])
        attention = None
        if look is not None:
            number = self._numbers()[row, parent]
            attention = look[0][number][None]
            if self.attention is not None:
                attention = np.concatenate([self.attention[row, parent], attention])
            attention = attention[:, : look[1][number]]
        score = ranking.score(float(grown.sums[row, rank]), len(tokens), attention)
        return Hypothesis(tokens, values, score, finished, attention)

    def _numbers(self) -> Ints:
        """[active, slots]: the model's row of each live hypothesis, -1 of the others."""
        return np.where(self.live, np.cumsum(self.live).reshape(self.live.shape) - 1, -1)
