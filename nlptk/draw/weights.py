"""What is drawn: weights of attention, and the words between which they are."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, DataError
from nlptk.render import visible

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Attention:
    """How much each row's word looks at each column's.

    Args:
        weights: [layers, heads, rows, columns], finite and not negative; kept as float32. Rows need not sum
            to 1: what is local, or pooled, does not.
        rows: the words that look.
        columns: those that are looked at.
        title: of the picture.

    Raises:
        DataError: weights of another shape, or none; not as many words as weights; NaN or negative weights.
    """

    weights: Weights
    rows: Sequence[str]
    columns: Sequence[str]
    title: str = "Attention"

    def __post_init__(self) -> None:
        weights = _checked(self.weights)
        for what, words, size in (
            ("rows", self.rows, weights.shape[2]),
            ("columns", self.columns, weights.shape[3]),
        ):
            if isinstance(words, str) or not all(isinstance(word, str) for word in words):
                raise DataError(f"the words of {what} must be a list of strings")
            if len(words) != size:
                raise DataError(f"the weights have {size} {what}, and there are {len(words)} words for them")
            object.__setattr__(self, what, tuple(words))
        object.__setattr__(self, "weights", weights)

    def of(self, layer: int | None = None, head: int | None = None) -> Weights:
        """[rows, columns] of one layer and head, or the mean over those that are None.

        Raises ConfigError for a layer or head that there is not.
        """
        chosen = self.weights
        for axis, (what, number) in enumerate((("layer", layer), ("head", head))):
            count = chosen.shape[axis]
            if number is None:
                chosen = chosen.mean(axis, keepdims=True)
            elif 0 <= number < count:
                chosen = chosen.take([number], axis)
            else:
                raise ConfigError(f"there is no {what} {number}: give one from 0 to {count - 1}")
        found: Weights = chosen[0, 0]
        return found

    def _repr_html_(self) -> str:
        """The page, in a frame: a notebook shows it."""
        from nlptk.draw.page import to_html

        return f'<iframe srcdoc="{html.escape(to_html(self))}" width="100%" height="640"></iframe>'


def _checked(given: object) -> Weights:
    try:
        with np.errstate(over="ignore"):  # what float32 has not is infinite, and named below
            weights = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        raise DataError("attention weights must be an array of numbers") from None
    if weights.ndim != 4:
        raise DataError(
            f"attention weights must be [layers, heads, rows, columns], not {list(weights.shape)}: "
            "weights[None, None] is one layer of one head"
        )
    if not weights.size:
        raise DataError(f"there is no attention to draw: weights are {list(weights.shape)}")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        layer, head, row, column = np.argwhere(wrong)[0].tolist()
        raise DataError(
            f"attention weights must be finite and not negative: layer {layer}, head {head}, row {row}, "
            f"column {column} is {weights[layer, head, row, column]}"
        )
    return weights


def shown(word: str) -> str:
    """A word as it is drawn: one that would not be seen has a sign."""
    if not word:
        return "∅"
    return visible(word.replace(" ", "␣") if word.isspace() else word)
