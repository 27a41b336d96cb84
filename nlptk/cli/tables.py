"""Answers as aligned plain text, the same on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nlptk.render import display_width, visible


def pairs(rows: Mapping[str, Any]) -> str:
    """A line a key, or more where the value has more; nested mappings are indented."""
    width = max(map(display_width, rows), default=0)
    out = []
    for key, value in rows.items():
        for number, line in enumerate(_lines(value)):
            out.append(f"{key + ' ' * (width - display_width(key)) if not number else ' ' * width}  {line}")
    return "\n".join(out)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under titles; the first aligned to the left, the others, numbers, to the right."""
    cells = [list(titles), *(list(map(visible, row)) for row in rows)]
    widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
    out = []
    for first, *others in cells:
        line = first + " " * (widths[0] - display_width(first))
        for cell, width in zip(others, widths[1:], strict=True):
            line += "  " + " " * (width - display_width(cell)) + cell
        out.append(line)
    return "\n".join(out)


def _lines(value: Any) -> list[str]:
    """A JSON value as lines: a mapping a line a key, a list of mappings a line each, else one line."""
    if isinstance(value, Mapping):
        lines = []
        for key, inner in value.items():
            below = _lines(inner)
            if isinstance(inner, Mapping) and inner:
                lines += [f"{visible(str(key))}:", *(f"  {line}" for line in below)]
            else:
                lines.append(f"{visible(str(key))}: {below[0]}")
        return lines or ["-"]
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, Mapping) for item in value):
            return [", ".join(_lines(item)) for item in value]
        return [", ".join(_lines(item)[0] for item in value) or "-"]
    if isinstance(value, float):
        return [f"{value:.4f}"]
    if isinstance(value, int) and not isinstance(value, bool):
        return [f"{value:,}"]
    return [visible(str(value)) or "-"] if value is not None else ["-"]
