"""``nlptk draw``: pictures of what a model looks at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.cli.files import check_output
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.draw import Attention

app = typer.Typer(
    help="Pictures of what a model looks at.",
    epilog='Example: nlptk draw attention my-translator "A dog runs." -o page.html',
)


@app.callback()
def _group() -> None:
    """A group, though it has one command."""


@app.command("attention")
def attention(
    model: Annotated[
        Path,
        typer.Argument(
            exists=True,
            metavar="MODEL",
            show_default=False,
            help="Of a translator, a neural classifier, a BERT (folders), or a language model (a file).",
        ),
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", dir_okay=False, help="page.html or head.png.", show_default=False),
    ],
    pair: Annotated[
        str | None,
        typer.Option(help="A second text, which a BERT reads after the first.", show_default=False),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(min=0, help="Drawn, or shown first on a page; else the mean.", show_default=False),
    ] = None,
    head: Annotated[int | None, typer.Option(min=0, help="Likewise.", show_default=False)] = None,
    title: Annotated[str | None, typer.Option(help="Of the picture.", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Draw which words a model looks at: .html is a page with all layers and heads, .png one heat map.

    Example: nlptk draw attention my-translator "A dog runs." -o page.html
    """
    from dataclasses import replace

    from nlptk import draw

    draw.suffix_of(output)
    check_output(output, is_folder=False)
    seen = _seen(model, text, pair)
    if title is not None:
        seen = replace(seen, title=title)
    missing = draw.attention(seen, output, layer=layer, head=head)
    if quiet:
        return
    if missing:
        print(f"no installed font has {' '.join(missing[:20])}: boxes stand for them", file=sys.stderr)
    layers, heads, rows, columns = seen.weights.shape
    print(f"wrote {output}: {layers} layers, {heads} heads, {rows} x {columns} words", file=sys.stderr)


def _seen(model: Path, text: str, pair: str | None) -> Attention:
    """What the model at that place looks at in a text."""
    if (model / "config.json").is_file():
        from nlptk.neural.bert import Bert
        from nlptk.tokenize.wordpiece import WordPiece

        return Bert.from_pretrained(model).to_attention(WordPiece.load(model), text, pair)
    if pair is not None:
        raise ConfigError(f"--pair is for a BERT, and {model} is none")
    if model.is_file():
        from nlptk.neural.lm import NeuralLM

        return NeuralLM.load(model).to_attention(text)
    from nlptk.store import read_meta

    if [entry["factory"] for entry in read_meta(model)["pipeline"]] == ["seq2seq"]:
        from nlptk.neural.seq2seq import Seq2Seq

        return Seq2Seq.load(model).translate([text], attention=True)[0][0].to_attention()
    from nlptk import load
    from nlptk.evaluation import categorizer

    nlp = load(model)
    component = categorizer(nlp)
    if not hasattr(component, "to_attention"):
        raise ConfigError(
            f"{model} has no attention to draw: give a translator, a neural classifier, a BERT or a "
            "Transformer language model"
        )
    found: Attention = component.to_attention(nlp(text))  # type: ignore[union-attr]
    return found
