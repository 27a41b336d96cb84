"""What a model must give so that sequences can be decoded from it, and what decoding gives back.

    from nlptk.decoding import Limits
    from nlptk.neural.decode import beam_search, greedy, sample
    found = greedy(model, model.start(2), 2, Limits(bos=1, eos=2, max_length=50))
    found[0].tokens                                   # int64 [n]

The same functions decode n-gram models, neural language models and encoder-decoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, DataError
from nlptk.state import check_integer

S = TypeVar("S")


class StepModel(Protocol[S]):
    """A model of the next token, asked a step at a time for a batch of rows.

    Arrays are NumPy's, both ways. A model with an attribute ``device`` (a torch.device) is given torch
    tensors on that device, and gives such.

    A language model has besides ``start(rows) -> state``, the state before anything; an encoder-decoder makes
    its states from sources, one row each.
    """

    def step(self, tokens: Any, state: S) -> tuple[Any, S]:
        """What follows after one more token of each row.

        Args:
            tokens: int64 [rows].
            state: of what came before; may be changed in place, and is not used again.

        Returns:
            Natural logarithms of probabilities, float32 [rows, vocabulary], -inf for what cannot follow, and
            the state after the tokens.
        """

    def reorder(self, state: S, rows: Any) -> S:
        """The state whose row i is what row rows[i] was: int64 rows, in any order, repeated or left out."""


class AttentiveModel(StepModel[S], Protocol[S]):
    """A step model that tells what it looked at: for attention in the results, and the coverage penalty."""

    def attention(self, state: S) -> tuple[Any, Any]:
        """Of the last step: weights float32 [rows, keys], and int64 [rows], keys of each row's source."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where sequences begin and end. All lengths count the end token.

    Attributes:
        bos: the token before the first, of all rows or of each (the last of its prompt, say).
        eos: the token that ends a sequence; None: all have `max_length` tokens.
        max_length: tokens at most.
        min_length: tokens at least: before that, `eos` is not taken.
        prefix: tokens that each row's sequence must begin with; they are in the result and in its score.
        banned: tokens that are never taken, unless a prefix has them.

    Raises:
        ConfigError: a number is out of range.
        DataError: a prefix is longer than `max_length`, or holds `eos`.
    """

    bos: int | Sequence[int]
    eos: int | None = None
    max_length: int = 100
    min_length: int = 0
    prefix: Sequence[Sequence[int]] | None = None
    banned: Sequence[int] = ()

    def __post_init__(self) -> None:
        check_integer("max_length", self.max_length, 1)
        check_integer("min_length", self.min_length, 0)
        if self.min_length > self.max_length:
            raise ConfigError(
                f"min_length must be at most max_length, but {self.min_length} is above {self.max_length}"
            )
        for row, tokens in enumerate(self.prefix or ()):
            if len(tokens) > self.max_length:
                raise DataError(
                    f"the prefix of row {row} has {len(tokens)} tokens, and max_length is {self.max_length}: "
                    "shorten it, or raise max_length"
                )
            if self.eos is not None and self.eos in tokens:
                raise DataError(f"the prefix of row {row} holds the end token {self.eos}: leave it out")


@dataclass(frozen=True)
class Hypothesis:
    """One sequence that decoding found.

    Attributes:
        tokens: int64 [n], the end token last where there is one.
        log_probs: float32 [n], of each token after those before it, as the model gave them.
        score: what it is ranked by: the sum of `log_probs`, or that with the penalties of a beam search.
        finished: whether it ends with the end token; else it was cut at the greatest length.
        attention: float32 [n, keys of its source], where the model tells.
    """

    tokens: NDArray[np.int64]
    log_probs: NDArray[np.float32]
    score: float
    finished: bool
    attention: NDArray[np.float32] | None = None

    @property
    def body(self) -> list[int]:
        """The tokens without the end token."""
        tokens: list[int] = self.tokens[: len(self.tokens) - self.finished].tolist()
        return tokens
