"""Texts with labels: TSV, CSV and fastText's ``__label__`` files, gzip of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from nlptk.corpora.files import LineReader, PathLike, error_at, open_text, strip_line_end
from nlptk.errors import ConfigError, DataError

FORMATS = ("tsv", "csv", "fasttext")
PREFIX = "__label__"
#: What the column of labels is called in a header, and that of texts.
_LABEL = ("label", "labels", "class", "category", "sentiment", "target", "y")
_TEXT = ("text", "sentence", "review", "document", "content", "x")


class LabelledTexts(NamedTuple):
    """Texts and the labels of each, parallel."""

    texts: list[str]
    labels: list[list[str]]

    def single(self, path: PathLike) -> list[str]:
        """The label of each text, where each has one. Raises DataError naming a text that has not."""
        for number, labels in enumerate(self.labels, 1):
            if len(labels) != 1:
                raise DataError(
                    f"{path}: text {number} has {len(labels)} labels, and one is wanted; use multilabel"
                )
        return [labels[0] for labels in self.labels]


def read_labelled(
    path: PathLike,
    format: str | None = None,
    *,
    text: str | None = None,
    label: str | None = None,
    separator: str | None = None,
) -> LabelledTexts:
    """All texts of a file.

    A TSV or CSV file may begin with a header: one that names a column as `text` or `label` say, or by one of
    the usual names (label, class, sentiment, ...; text, sentence, review, ...). Without one the first column
    is the label and the second the text. In a TSV quotes are characters like others. In fastText's format
    the words of a line that begin with ``__label__`` are labels and the others are the text.

    Args:
        path: the file; "-" is standard input.
        format: "tsv", "csv" or "fasttext"; None to tell by the name, or by the first line.
        text, label: names of the columns.
        separator: what parts several labels of one cell; None for one label a cell.

    Raises:
        ConfigError: there is no such format.
        DataError: the file cannot be read, is not UTF-8 (line named), lacks a column (column and line named),
            or a label is empty.
    """
    if format is not None and format not in FORMATS:
        raise ConfigError(f"there is no format {format!r} of labelled texts; choose {', '.join(FORMATS)}")
    with open_text(path) as lines:
        stream = iter(lines)
        first = next(stream, "")
        kind = format or _guess(str(path), first)
        whole = chain([first] if first else [], stream)
        found = _fasttext(lines, whole) if kind == "fasttext" else _table(lines, whole, kind, text, label)
        texts, labels = [], []
        for each, cells in found:
            names = cells if separator is None else [part for cell in cells for part in cell.split(separator)]
            names = [name.strip() for name in names]
            if not all(names):
                raise error_at(lines.name, lines.line, "there is no label, or an empty one")
            texts.append(each)
            labels.append(names)
    return LabelledTexts(texts, labels)


def _guess(name: str, first: str) -> str:
    if first.startswith(PREFIX):
        return "fasttext"
    return "csv" if name.removesuffix(".gz").endswith(".csv") else "tsv"


def _fasttext(lines: LineReader, stream: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    for line in stream:
        words = strip_line_end(line).split(" ")
        labels = [word[len(PREFIX) :] for word in words if word.startswith(PREFIX)]
        if not labels:
            raise error_at(lines.name, lines.line, f"there is no label: a word that begins with {PREFIX}")
        yield " ".join(word for word in words if not word.startswith(PREFIX)), labels


def _table(
    lines: LineReader, stream: Iterable[str], kind: str, text: str | None, label: str | None
) -> Iterator[tuple[str, list[str]]]:
    rows = csv.reader(stream, strict=True) if kind == "csv" else _tab_separated(stream)
    try:
        first = next(rows, None)
        if first is None:
            return
        columns = _columns(first, text, label, lines.name)
        if columns is None:
            columns, rows = (0, 1), chain([first], rows)
        for row in rows:
            if len(row) > max(columns):
                yield row[columns[1]], [row[columns[0]]]
            elif row:  # not a blank line
                message = f"column {max(columns) + 1} is missing: the line has {len(row)}"
                raise error_at(lines.name, lines.line, message)
    except csv.Error as error:
        raise error_at(lines.name, lines.line, f"this is no CSV: {error}") from error


def _tab_separated(stream: Iterable[str]) -> Iterator[list[str]]:
    for line in stream:
        line = strip_line_end(line)
        yield line.split("\t") if line else []


def _columns(first: list[str], text: str | None, label: str | None, name: str) -> tuple[int, int] | None:
    """The columns of labels and of texts by the header, None where the first line is none.

    Raises DataError for a column that is asked for and not there.
    """
    cells = [cell.strip().casefold() for cell in first]

    def place(asked: str | None, usual: Sequence[str], what: str) -> int | None:
        names = usual if asked is None else (asked.casefold(),)
        found = next((cells.index(name) for name in names if name in cells), None)
        if found is None and asked is not None:
            told = f"the header has no column {asked!r} for the {what}; it has {', '.join(map(repr, first))}"
            raise error_at(name, 1, told)
        return found

    labels, texts = place(label, _LABEL, "labels"), place(text, _TEXT, "texts")
    if labels is None and texts is None:
        return None
    if len(cells) == 2:  # the one that is named tells the other
        labels = 1 - texts if labels is None and texts is not None else labels
        texts = 1 - labels if texts is None and labels is not None else texts
    if labels is None or texts is None:
        missing = "labels" if labels is None else "texts"
        raise error_at(name, 1, f"the header does not say which column the {missing} are; name it")
    return labels, texts
