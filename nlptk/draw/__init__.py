"""Pictures of what models look at: a page to point at words in, or a PNG.

draw.attention(translation, "page.html")            # what has a to_attention()
draw.attention(bert.to_attention(tokenizer, "A cat sat."), "head.png", layer=0, head=3)
draw.attention(draw.Attention(weights, words, words), "own.html")
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nlptk.corpora.files import PathLike
from nlptk.draw.page import save_page, to_html
from nlptk.draw.picture import save_picture
from nlptk.draw.weights import Attention
from nlptk.errors import ConfigError

__all__ = ["Attention", "HasAttention", "attention", "suffix_of", "to_html"]


class HasAttention(Protocol):
    """What can be drawn besides `Attention`: a translation, for one."""

    def to_attention(self) -> Attention:
        """Its weights and words."""


def suffix_of(path: PathLike) -> str:
    """ ".html" or ".png", as `path` ends. Raises ConfigError for another end."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".html", ".png"):
        raise ConfigError(f"{str(path)!r} must end in .html, for a page, or .png")
    return suffix


def attention(
    seen: Attention | HasAttention, path: PathLike, *, layer: int | None = None, head: int | None = None
) -> list[str]:
    """Write a page (.html) or a picture (.png) of who looks at whom.

    The page has all layers and heads to choose from, and needs nothing but a browser; the picture is one
    heat map, [rows, columns].

    Args:
        path: its suffix says which.
        layer, head: which is drawn, or shown first on the page, from 0; None for the mean over all.

    Returns:
        The characters that no installed font has, for which a PNG has boxes; none of a page.

    Raises:
        ConfigError: another suffix; a layer or head that there is not.
        DataError: too many weights for a page, or too many words for a picture; it cannot be written.
        MissingDependencyError: matplotlib, which PNG needs, is not installed.
    """
    suffix = suffix_of(path)
    shown = seen if isinstance(seen, Attention) else seen.to_attention()
    if suffix == ".png":
        return save_picture(path, shown, layer, head)
    save_page(path, shown, layer, head)
    return []
