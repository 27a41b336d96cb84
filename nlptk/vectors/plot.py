"""Maps of words: vectors brought down to two dimensions, as a picture or a page to look round in.

The page needs nothing but a browser: words and places are in it, as JSON that cannot end its element.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nlptk.corpora.files import PathLike, atomic_writer
from nlptk.draw.figures import plain, write_png
from nlptk.errors import ConfigError

Points = npt.NDArray[np.float64]
Method = Literal["pca", "tsne"]


def project(vectors: npt.ArrayLike, method: Method = "pca", seed: int = 0) -> Points:
    """The rows of `vectors` [n, dim] as points [n, 2].

    "pca": the two directions of largest variance. "tsne": t-SNE (van der Maaten and Hinton 2008) with cosine
    distance, which keeps neighbours together; the same seed gives the same map on the same machine.

    Raises ConfigError for no row, and for a method that there is not.
    """
    rows = np.asarray(vectors, np.float64)
    if rows.ndim != 2 or not rows.size:
        raise ConfigError("there is nothing to plot: give at least one word with a vector")
    if method not in ("pca", "tsne"):
        raise ConfigError(f"method {method!r} is not known: give 'pca' or 'tsne'")
    if method == "tsne" and len(rows) > 3:
        from sklearn.manifold import TSNE

        # Rows of zeros have no direction; a tiny one keeps their distances finite.
        rows = rows + 1e-12 * (np.abs(rows).sum(axis=1, keepdims=True) == 0)
        map_ = TSNE(
            perplexity=min(30.0, (len(rows) - 1) / 3), metric="cosine", init="random", random_state=seed
        )
        return np.asarray(map_.fit_transform(rows), np.float64)
    centred = rows - rows.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(rows), 2))
    used = min(2, len(s))
    points[:, :used] = u[:, :used] * s[:used]
    # A direction has no sign of its own: the largest coordinate is positive, so a map is always the same.
    largest = np.abs(points).argmax(axis=0)
    return points * np.where(points[largest, [0, 1]] < 0, -1.0, 1.0)


def save_html(path: PathLike, words: Sequence[str], points: Points, title: str = "word vectors") -> None:
    """Write a page that shows the words where they are: drag, zoom by the wheel, point at, search.

    Raises:
        DataError: the file cannot be written.
    """
    data = {
        "words": list(words),
        "x": [round(value, 4) for value in points[:, 0].tolist()],
        "y": [round(value, 4) for value in points[:, 1].tolist()],
    }
    page = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    # ASCII only, and no "<": no word can end the element that the data stands in.
    script = json.dumps(data).replace("<", "\\u003c")
    before, after = page.split("@DATA@")
    shown = html.escape(title).encode("utf-8", "replace").decode()
    with atomic_writer(path) as file:
        file.write(before.replace("@TITLE@", shown) + script + after)


def save_png(
    path: PathLike, words: Sequence[str], points: Points, title: str = "word vectors", size: float = 10.0
) -> list[str]:
    """Draw the words, `size` inches wide and high, with matplotlib.

    Returns the characters that no installed font has: boxes stand for them.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """

    def draw(axes: Any) -> None:
        axes.scatter(points[:, 0], points[:, 1], s=9, color="#2e6da4")
        for word, (x, y) in zip(words, points.tolist(), strict=True):
            axes.annotate(plain(word), (x, y), xytext=(3, 2), textcoords="offset points", fontsize=8)
        axes.set_title(plain(title))
        axes.set_xticks([])
        axes.set_yticks([])

    return write_png(path, "".join([title, *words]), (size, size), draw)
