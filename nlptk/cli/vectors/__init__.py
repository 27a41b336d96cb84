"""``nlptk vectors``: train, look up, evaluate, convert and plot word vectors; one file per command or two."""

from __future__ import annotations

import typer

from nlptk.cli.vectors import clusters, convert, phrases, plot, similar, train
from nlptk.cli.vectors import eval as evaluation

app = typer.Typer(
    name="vectors",
    help="Train word vectors, look words up in them, cluster, evaluate, convert and plot them.",
    epilog="Example: nlptk vectors train corpus.txt -o vectors.txt --dim 100 --epochs 5",
    no_args_is_help=True,
)
app.command("train")(train.train)
app.command("clusters")(clusters.clusters)
app.command("phrases")(phrases.phrases)
app.command("eval")(evaluation.evaluate)
app.command("similar")(similar.similar)
app.command("analogy")(similar.analogy)
app.command("convert")(convert.convert)
app.command("plot")(plot.plot)
