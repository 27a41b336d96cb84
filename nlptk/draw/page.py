"""Attention as a page: all layers and heads to choose from, words to point at.

The page needs nothing but a browser: words and weights are in it, as JSON that cannot end its element.
"""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path

import numpy as np

from nlptk.corpora.files import PathLike, atomic_writer
from nlptk.draw.weights import Attention, shown
from nlptk.errors import DataError
from nlptk.render import visible

_MOST = 20_000_000  # weights of a page, which is then of 53 MB
_STEPS = 2**16 - 1  # between 0 and the largest weight


def to_html(attention: Attention, layer: int | None = None, head: int | None = None) -> str:
    """The page; raises as :func:`nlptk.draw.attention`."""
    attention.of(layer, head)
    weights = attention.weights
    if weights.size > _MOST:
        raise DataError(
            f"a page takes {_MOST:,} weights, and these are {weights.size:,}: draw fewer layers or heads, "
            "or a shorter text"
        )
    largest = float(weights.max())
    steps = np.rint(weights / np.float32(largest or 1) * _STEPS).astype("<u2")
    data = {
        "rows": [*map(shown, attention.rows)],
        "columns": [*map(shown, attention.columns)],
        "layers": weights.shape[0],
        "heads": weights.shape[1],
        "layer": layer,
        "head": head,
        "unit": largest / _STEPS,
        "weights": base64.b64encode(steps.tobytes()).decode(),
    }
    page = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    # ASCII only, and no "<": no word can end the element that the data stands in.
    script = json.dumps(data).replace("<", "\\u003c")
    before, after = page.split("@DATA@")
    return before.replace("@TITLE@", html.escape(visible(attention.title))) + script + after


def save_page(
    path: PathLike, attention: Attention, layer: int | None = None, head: int | None = None
) -> None:
    """Write `to_html`, whole or not at all. Raises DataError also where the file cannot be written."""
    page = to_html(attention, layer, head)
    with atomic_writer(path) as file:
        file.write(page)
