"""Files of labelled texts on the command line: their options, and Docs whose cats are gold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.errors import DataError

if TYPE_CHECKING:
    from nlptk.doc import Doc
    from nlptk.language import Language

TextColumn = Annotated[
    str | None, typer.Option("--text-column", help="Name of the column of texts.", show_default=False)
]
LabelColumn = Annotated[
    str | None, typer.Option("--label-column", help="Name of the column of labels.", show_default=False)
]
Separator = Annotated[
    str | None,
    typer.Option("--label-separator", help="What parts several labels of a cell.", show_default=False),
]
LabelledFormat = Annotated[
    str | None,
    typer.Option("--format", help="tsv, csv or fasttext; without it the file tells.", show_default=False),
]


def read_docs(
    path: Path, nlp: Language, format: str | None, text: str | None, label: str | None, separator: str | None
) -> Iterator[Doc]:
    """The texts of a file, tokenized, with gold labels in ``cats``. Raises DataError if there are none."""
    from nlptk.corpora.labelled import read_labelled

    found = read_labelled(path, format, text=text, label=label, separator=separator)
    if not found.texts:
        raise DataError(f"{path} holds no labelled text.")
    with nlp.select_pipes(enable=[name for name in nlp.pipe_names if _tokenizes(nlp, name)]):
        yield from _labelled(nlp.pipe(found.texts), found.labels)


def _tokenizes(nlp: Language, name: str) -> bool:
    return "doc.tokens" in nlp.get_pipe(name).assigns


def _labelled(docs: Iterable[Doc], labels: Iterable[list[str]]) -> Iterator[Doc]:
    for doc, names in zip(docs, labels, strict=True):
        doc.cats = dict.fromkeys(names, 1.0)
        yield doc
