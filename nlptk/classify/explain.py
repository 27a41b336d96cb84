"""Which words decided the label of a text, and how that is shown."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlptk.render import visible

_SPEAKS_FOR, _SPEAKS_AGAINST = "46, 160, 67", "218, 54, 51"  # red, green, blue


class Explanation(NamedTuple):
    """What each word of a text says for a label.

    Attributes:
        words: of the text.
        weights: float32 [words]: above 0 it speaks for the label, below 0 against it. The unit is the
            classifier's: see its `explain`.
        label: that is explained.
        shares: the probability of each label.
    """

    words: list[str]
    weights: NDArray[np.float32]
    label: str
    shares: dict[str, float]

    def strengths(self) -> NDArray[np.float32]:
        """The weights over the largest of them, from -1 to 1."""
        largest = float(np.abs(self.weights).max(initial=0))
        return self.weights / largest if largest else self.weights

    def strongest(self, count: int) -> list[tuple[str, float]]:
        """The words of the largest weights, of either sign."""
        order = np.argsort(-np.abs(self.weights), kind="stable")[:count].tolist()
        return [(self.words[i], float(self.weights[i])) for i in order]


def against_others(rows: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Of rows [labels, n], a label's less the other one of two, or less the mean of all of more."""
    difference: NDArray[np.float32] = rows[label] - rows.mean(0)
    return 2 * difference if len(rows) == 2 else difference


def to_html(explanations: Sequence[Explanation], title: str = "What decided") -> str:
    """A page of its own: each text with its words coloured, green for the label and red against it."""
    parts = "\n".join(map(_section, explanations))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{html.escape(visible(title))}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.8 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
h2 {{ font-size: 1rem; margin: 2rem 0 .3rem; }}
small {{ opacity: .7; }}
span {{ border-radius: .25rem; padding: .1rem .15rem; }}
</style>
<h1>{html.escape(visible(title))}</h1>
{parts}
</html>
"""


def _section(one: Explanation) -> str:
    words = " ".join(
        f'<span style="{_style(strength)}" title="{weight:+.3f}">{html.escape(visible(word))}</span>'
        for word, weight, strength in zip(one.words, one.weights, one.strengths(), strict=True)
    )
    label = html.escape(visible(one.label))
    return f"<h2>{label} <small>{_told(one.shares)}</small></h2>\n<p>{words}</p>"


def _told(shares: Mapping[str, float], count: int = 5) -> str:
    best = sorted(shares.items(), key=lambda item: -item[1])[:count]
    return html.escape(visible(", ".join(f"{label} {share:.3f}" for label, share in best)))


def _style(strength: float) -> str:
    colour = _SPEAKS_FOR if strength > 0 else _SPEAKS_AGAINST
    return f"background: rgba({colour}, {abs(strength) * 0.6:.2f})"
