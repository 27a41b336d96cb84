"""``nlptk explain``: which words of a text decided its label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.errors import ConfigError
from nlptk.render import visible

if TYPE_CHECKING:
    from nlptk.classify.explain import Explanation


def explain(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Folder of a classifier's pipeline.", show_default=False)
    ],
    texts: Annotated[list[str], typer.Argument(metavar="TEXT", help="One or more.", show_default=False)],
    label: Annotated[
        str | None, typer.Option(help="Explain this one, not the most probable.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help="Write a page with the words coloured."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print words and weights as JSON.")] = False,
) -> None:
    """Show which words of a text speak for its label, green, and which against it, red.

    Example: nlptk explain my-classifier "A warm, funny film."
    """
    import nlptk
    from nlptk.classify.explain import to_html
    from nlptk.corpora import atomic_writer
    from nlptk.evaluation import categorizer

    nlp = nlptk.load(model)
    component = categorizer(nlp)
    if component is None:
        raise ConfigError(f"{model!r} labels no texts; train a classifier with nlptk train classifier.")
    found = component.explain(list(nlp.pipe(texts)), label)
    if html is not None:
        with atomic_writer(html) as out:
            out.write(to_html(found, f"What decided: {Path(model).name}"))
    for one in found:
        if as_json:
            weights = [[word, round(float(w), 6)] for word, w in zip(one.words, one.weights, strict=True)]
            told = {"label": one.label, "shares": one.shares, "words": weights}
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            _show(one)


def _show(one: Explanation) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    best = sorted(one.shares.items(), key=lambda item: -item[1])[:5]
    console.print(visible(one.label), style="bold", end="  ", markup=False)
    console.print(", ".join(f"{visible(label)} {share:.3f}" for label, share in best), markup=False)
    line = Text()
    for word, strength in zip(one.words, one.strengths().tolist(), strict=True):
        line.append(visible(word), style=_style(strength)).append(" ")
    console.print(line)
    told = ", ".join(f"{visible(word)} {weight:+.3f}" for word, weight in one.strongest(8))
    console.print(told or "no words: how often the labels are in training", style="dim", markup=False)


def _style(strength: float) -> str:
    """The colour of a word, in three strengths."""
    colour = "green" if strength > 0 else "red"
    size = abs(strength)
    return "" if size < 0.1 else colour + " bold" * (size > 0.3) + " reverse" * (size > 0.6)
