"""What all ways of decoding share: steps of a model, its answers checked, and what may not come masked."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlptk.decoding import Limits, StepModel
from nlptk.errors import ConfigError, DataError

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Look = tuple[Floats, Ints]  # attention [rows, keys], and keys of each row's source
_ABOVE = 1e-4  # by which rounding may put a logarithm of a probability above 0


class Steps:
    """A model that is asked with NumPy arrays and answers with tensors.

    Args:
        rows: sequences to decode, numbered from 0.
        beam: hypotheses of each, which the vocabulary must allow.

    Raises:
        DataError: no rows, or not as many prefixes or first tokens as rows.
    """

    def __init__(self, model: StepModel[Any], limits: Limits, rows: int, beam: int = 1) -> None:
        if rows < 1:
            raise DataError("there is nothing to decode: the batch has no rows")
        if limits.prefix is not None and len(limits.prefix) != rows:
            raise DataError(f"there are {len(limits.prefix)} prefixes for {rows} rows: give one for each")
        bos = np.asarray(limits.bos, np.int64)
        if bos.ndim and bos.shape != (rows,):
            raise DataError(f"there are {bos.size} first tokens for {rows} rows: give one, or one for each")
        self.first: Ints = np.broadcast_to(bos, (rows,)).copy()
        self.model, self.limits, self.beam = model, limits, beam
        self.device: torch.device | None = getattr(model, "device", None)
        self._prefix = limits.prefix or [()] * rows
        self._forced = max(map(len, self._prefix))
        self._banned: Tensor | None = None

    def step(self, tokens: Ints, state: Any, at: int, sources: Ints) -> tuple[Tensor, Any]:
        """Logarithms of probabilities [rows, vocabulary] of the tokens number `at`, counted from 0.

        `sources` is the number of the sequence of each row. What may not come is -inf.

        Raises:
            ConfigError: the beam is larger than the vocabulary.
            DataError: the model gives NaN or no logarithms of probabilities; a token of a prefix is not in
                the vocabulary, or has probability 0.
        """
        answer, state = self.model.step(self._given(tokens), state)
        log_probs = torch.as_tensor(answer)
        if at == 0:
            self._check_vocabulary(log_probs.shape[1])
        most = float(log_probs.amax())  # NaN where one is NaN
        if not most <= _ABOVE:
            raise DataError(
                f"the model's logarithms of probabilities reach {most} at token {at}: "
                "they must be log-softmaxed and hold no NaN"
            )
        return self._masked(log_probs, at, sources), state

    def reorder(self, state: Any, rows: Ints, count: int) -> Any:
        """The state of the chosen ones among `count` rows."""
        if len(rows) == count and (rows == np.arange(count)).all():
            return state
        return self.model.reorder(state, self._given(rows))

    def attention(self, state: Any) -> Look | None:
        """Weights of the last step and lengths of sources; None of a model that does not tell."""
        tell = getattr(self.model, "attention", None)
        if tell is None:
            return None
        weights, lengths = tell(state)
        return torch.as_tensor(weights).float().cpu().numpy(), torch.as_tensor(lengths).cpu().numpy()

    def _given(self, numbers: Ints) -> Any:
        return numbers if self.device is None else torch.from_numpy(numbers).to(self.device)

    def _check_vocabulary(self, vocabulary: int) -> None:
        if self.beam > vocabulary:
            raise ConfigError(
                f"a beam of {self.beam} is larger than the vocabulary of {vocabulary} tokens: "
                "use a smaller one"
            )
        for row, tokens in enumerate(self._prefix):
            wrong = next((token for token in tokens if not 0 <= token < vocabulary), None)
            if wrong is not None:
                raise DataError(
                    f"the prefix of row {row} holds {wrong}, which is no token of a vocabulary "
                    f"of {vocabulary}"
                )

    def _masked(self, log_probs: Tensor, at: int, sources: Ints) -> Tensor:
        limits = self.limits
        never = [*limits.banned]
        if limits.eos is not None and at + 1 < limits.min_length:
            never.append(limits.eos)
        free = log_probs
        if never:
            index = torch.tensor(never, device=free.device)
            free = free.index_fill(1, index, -torch.inf)
        if at >= self._forced:
            return free
        mine = [self._prefix[source] for source in sources.tolist()]
        pairs = [(row, tokens[at]) for row, tokens in enumerate(mine) if at < len(tokens)]
        if not pairs:
            return free
        rows, tokens = torch.tensor(pairs, device=free.device).unbind(1)
        values = log_probs[rows, tokens]
        if bool((values == -torch.inf).any()):
            row, token = next(pair for pair, v in zip(pairs, values.tolist(), strict=True) if v == -torch.inf)
            raise DataError(
                f"the prefix of row {int(sources[row])} cannot be met: the model gives token {token}, its "
                f"number {at}, probability 0"
            )
        free = free.index_fill(0, rows, -torch.inf)
        free[rows, tokens] = values
        return free
