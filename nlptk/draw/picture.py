"""Attention as a picture: one heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nlptk.corpora.files import PathLike
from nlptk.draw.figures import plain, write_png
from nlptk.draw.weights import Attention, Weights, shown
from nlptk.errors import DataError
from nlptk.render import clip, display_width

_MOST = 300  # words of a side
_LONGEST = 20  # columns of a word, of which the rest is cut off
_CELL = 0.26  # inches
_LETTER = 0.085
_NUMBERS = 12  # words of a side up to which cells have their numbers


def save_picture(
    path: PathLike, attention: Attention, layer: int | None = None, head: int | None = None
) -> list[str]:
    """Write the picture; arguments, value and errors as of :func:`nlptk.draw.attention`."""
    weights = attention.of(layer, head)
    longest = max(weights.shape)
    if longest > _MOST:
        raise DataError(f"a PNG takes {_MOST} words a side, and here are {longest}: write an .html page")
    rows, columns = (
        [clip(shown(word), _LONGEST) for word in side] for side in (attention.rows, attention.columns)
    )
    title = f"{clip(shown(attention.title), 50)}\n{_which(attention, layer, head)}"
    cell = _CELL * (1.4 if longest <= _NUMBERS else 1)
    room = [_LETTER * max(map(display_width, side)) for side in (rows, columns)]
    width = cell * len(columns) + room[0] + 1.2
    size = (max(width, 4.5), cell * len(rows) + room[1] + 1.0)
    return write_png(
        path, "".join([title, *rows, *columns]), size, lambda axes: draw(axes, weights, rows, columns, title)
    )


def _which(attention: Attention, layer: int | None, head: int | None) -> str:
    names = []
    for what, number, count in zip(("layer", "head"), (layer, head), attention.weights.shape, strict=False):
        if count > 1:
            names.append(f"mean of {count} {what}s" if number is None else f"{what} {number}")
    return ", ".join(names)


def draw(axes: Any, weights: Weights, rows: Sequence[str], columns: Sequence[str], title: str) -> None:
    """The heat map of weights [rows, columns] on matplotlib's axes, darker for larger ones, and its scale."""
    largest = float(weights.max()) or 1.0
    image = axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=largest, aspect="equal")
    axes.set_xticks(range(len(columns)), [*map(plain, columns)], rotation=90, fontsize=8)
    axes.set_yticks(range(len(rows)), [*map(plain, rows)], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(plain(title), fontsize=9, loc="left")
    if max(weights.shape) <= _NUMBERS:
        for (row, column), weight in np.ndenumerate(weights):
            dark = weight > 0.6 * largest
            axes.text(
                column, row, f"{weight:.2f}", ha="center", va="center", fontsize=6, color="w" if dark else "k"
            )
    else:
        axes.figure.colorbar(image, ax=axes, shrink=min(1.0, 30 / len(rows)), pad=0.02)
