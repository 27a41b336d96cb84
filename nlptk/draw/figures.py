"""PNG and SVG files by matplotlib, in fonts that have the characters that are to be drawn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nlptk.corpora.files import PathLike, atomic_bytes
from nlptk.errors import MissingDependencyError

# Looked at first where the default font lacks characters; others are tried after them.
_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC")


def write_png(
    path: PathLike, text: str, size: tuple[float, float], draw: Callable[[Any], object]
) -> list[str]:
    """`write_figure` as a PNG alone."""
    return write_figure({"png": path}, text, size, draw)


def write_figure(
    paths: Mapping[str, PathLike], text: str, size: tuple[float, float], draw: Callable[[Any], object]
) -> list[str]:
    """Write what `draw` makes of the axes of a figure, `size` inches wide and high; whole or not at all.

    Args:
        paths: a file for each form, "png" or "svg"; SVG keeps text as text, equal figures are equal bytes.
        text: all that is to be written on it.

    Returns:
        The characters that no installed font has: boxes stand for them.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        DataError: a file cannot be written.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError(
            "a PNG needs matplotlib: pip install 'nlptk[plot]', or write an .html page, which needs nothing"
        ) from None
    fonts, missing = _fonts_for(text)
    style: Any = {"font.family": fonts, "svg.fonttype": "none", "svg.hashsalt": "nlptk"}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # returned instead
        figure = Figure(figsize=size, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        for form, path in paths.items():
            with atomic_bytes(path) as file:
                canvas.print_figure(file, format=form, metadata={"Date": None} if form == "svg" else None)
    return missing


def plain(text: str) -> str:
    """As matplotlib takes it: a lone surrogate has no glyph, and "$" would begin a formula."""
    return text.encode("utf-8", "replace").decode().replace("$", r"\$")


def _fonts_for(text: str) -> tuple[list[str], list[str]]:
    """Fonts that together have the text's characters, the default one first; and what none of them has."""
    from matplotlib import font_manager

    default = font_manager.FontProperties().get_name()
    fonts = [default]
    missing = _without(font_manager.findfont(default), {c for c in text if not c.isspace()})
    # "Last Resort" has a box for every character there is.
    listed = [font for font in font_manager.fontManager.ttflist if not font.name.startswith("Last Resort")]
    order = sorted(listed, key=lambda font: _FONTS.index(font.name) if font.name in _FONTS else len(_FONTS))
    for font in order:
        if not missing:
            break
        left = _without(font.fname, missing)
        if len(left) < len(missing) and font.name not in fonts:
            fonts.append(font.name)
            missing = left
    return fonts, sorted(missing)


def _without(font: str, characters: Iterable[str]) -> set[str]:
    """The characters that a font file lacks."""
    from matplotlib.ft2font import FT2Font

    has: Any = FT2Font(font).get_charmap()
    return {c for c in characters if ord(c) not in has}
