"""Colours and marks of models, the same on the page and in the figures."""

from __future__ import annotations

from typing import Any

# A model keeps its place in these, whatever is shown beside it; from the 13th on they begin again. Each has a
# contrast of 3 to 1 or more with what is behind it (WCAG 2.1, graphics).
LIGHT = (
    "#2e6da4", "#c2570c", "#2a8a4a", "#7b4fb3", "#c0353a", "#0d8284", "#c2438f", "#77740f", "#8a5a3c",
    "#5a6b7d", "#3f3fd0", "#4d8a12",
)  # fmt: skip
DARK = (
    "#7db4ea", "#f59e57", "#6fd08c", "#bda0f0", "#f58a8a", "#5fd3d0", "#f199cc", "#d3cf5c", "#cfa083",
    "#a9b8c8", "#8f9bff", "#a9db62",
)  # fmt: skip
MARKS = {"classical": "o", "neural": "s", "peer": "^"}  # as matplotlib names them


def variables(colours: tuple[str, ...]) -> str:
    """The colours as CSS custom properties --m0, --m1, ..."""
    return " ".join(f"--m{k}: {colour};" for k, colour in enumerate(colours))


def colour_of(results: dict[str, Any], name: str) -> str:
    """The light colour of a model."""
    return LIGHT[[model["name"] for model in results["models"]].index(name) % len(LIGHT)]
