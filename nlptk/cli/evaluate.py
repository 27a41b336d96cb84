"""``nlptk evaluate``: a pipeline against an annotated corpus."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nlptk.cli.columns import HELP as COLUMN_HELP
from nlptk.cli.columns import column_of
from nlptk.cli.labelled import LabelColumn, Separator, TextColumn, read_docs
from nlptk.cli.progress import Progress
from nlptk.cli.tables import pairs, table
from nlptk.cli.train.options import CorpusFormat, Documents

if TYPE_CHECKING:
    from nlptk.doc import Doc
    from nlptk.language import Language


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A pipeline's name (en, zh) or folder.", show_default=False)
    ],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="Annotated corpus, gzip or not.",
            show_default=False,
        ),
    ],
    column: Annotated[
        str | None, typer.Option(help=f"Score only this column: {COLUMN_HELP}", show_default=False)
    ] = None,
    raw: Annotated[
        bool | None,
        typer.Option(
            "--raw/--gold-tokens",
            help="From the raw text or on the corpus's tokens; else on the tokens if the model tags.",
            show_default=False,
        ),
    ] = None,
    corpus_format: CorpusFormat = None,
    documents: Documents = False,
    train: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Training corpus: its words are the known ones."),
    ] = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: Separator = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Score a pipeline: accuracy of tags, F1 of entities, and from raw text the F1 of words and sentences.

    Of a classifier, on a TSV, CSV or fastText file: accuracy, F1, confusion and calibration.

    Example: nlptk evaluate en test.conllu --gold-tokens --json
    """
    import nlptk
    from nlptk.corpora import read_docs as read_corpus
    from nlptk.corpora.labelled import FORMATS as LABELLED_FORMATS
    from nlptk.evaluation import assigned_columns, categorizer
    from nlptk.evaluation import evaluate as score

    nlp = nlptk.load(model)
    if corpus_format in (None, *LABELLED_FORMATS) and categorizer(nlp) is not None:
        how = (corpus_format, text_column, label_column, label_separator)
        _texts(nlp, model, file, how, as_json=as_json, quiet=quiet)
        return
    wanted = None if column is None else column_of(column)
    if raw is None:
        first = next(iter(read_corpus(file, corpus_format, wanted)), None)
        raw = first is not None and not assigned_columns(nlp) & set(first.columns)
    known = {word for doc in read_corpus(train, corpus_format) for word in doc.words} if train else None
    unit: Literal["document", "sentence"] = "document" if raw or documents else "sentence"
    with Progress("evaluate", quiet=quiet) as progress:
        docs = read_corpus(file, corpus_format, wanted, unit, lang=nlp.lang)
        scores = score(
            nlp, _counted(docs, progress), raw=raw, columns=None if wanted is None else [wanted], known=known
        )
    scores = {"model": model, "file": str(file), "from": "raw text" if raw else "gold tokens", **scores}
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
        return
    tables = {name: rows for name, rows in scores.items() if isinstance(rows, Mapping)}
    typer.echo(pairs({name: value for name, value in scores.items() if name not in tables}))
    for name, rows in tables.items():
        typer.echo(f"\n{name.replace('_', ' ')}\n{_label_table(rows)}")


def _texts(
    nlp: Language,
    model: str,
    file: Path,
    how: tuple[str | None, str | None, str | None, str | None],
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score labels of texts."""
    from nlptk.evaluation import evaluate_cats

    with Progress("evaluate", quiet=quiet) as progress:
        scores = evaluate_cats(nlp, _counted(read_docs(file, nlp, *how), progress))
    scores = {"model": model, "file": str(file), **scores}
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
        return
    labels, confusion = scores.pop("per_label"), scores.pop("confusion", None)
    typer.echo(f"{pairs(scores)}\n\n{_label_table(labels)}")
    if confusion:
        rows = ((label, *(f"{count:,}" for count in row.values())) for label, row in confusion.items())
        typer.echo(f"\n{table(('gold, predicted', *confusion), rows)}")


def _counted(docs: Iterable[Doc], progress: Progress) -> Iterator[Doc]:
    """The same Docs, counted for the progress display."""
    words = 0
    for count, doc in enumerate(docs, start=1):
        words += len(doc)
        if count % 64 == 0:
            progress.update(count, note=f"{words:,} words read")
        yield doc


def _label_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    numbers = ("precision", "recall", "f1")
    return table(
        ("label", *numbers, "gold"),
        (
            (label, *(f"{row[name]:.4f}" for name in numbers), f"{row['gold']:,}")
            for label, row in rows.items()
        ),
    )
