"""Column files, one token a line: CoNLL-2000 and 2003, WNUT, MSRA, Universal NER.

Two layouts. ``plain``: word, then columns, separated by tabs or by spaces (as the first line is); a line of
only whitespace ends a sentence, ``-DOCSTART-`` opens a document, and in a tab-separated file a line that
begins with ``#`` and has no tab is a comment. ``index`` (Universal NER): token number, form, label, further
columns that are dropped; lines that begin with ``#`` are comments as in CoNLL-U, of which ``# text`` gives
the spacing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from nlptk.corpora.conllu import comment_value
from nlptk.corpora.files import PathLike, TextWriter, error_at, open_text, strip_line_end
from nlptk.corpora.labels import is_iob_label, to_iob2
from nlptk.corpora.pieces import Boundary, Piece, align_forms, join_words
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

Layout = Literal["plain", "index"]

_BLANKS = re.compile(r"[ \t]+")
_SURE_COMMENT = re.compile(r"# (new(doc|par)|[^=]* = )")
_DOCSTART = "-DOCSTART-"


@dataclass(slots=True)
class ColumnSentence:
    """A sentence of a column file: ``rows[i]`` holds the fields of token i, word first (no token number).

    Attributes:
        comments: comment lines before it, ``#`` included.
        boundary: ``"document"`` after ``-DOCSTART-`` or ``# newdoc``, ``"paragraph"`` after ``# newpar``.
        source, line: where its first token stands.
    """

    rows: list[list[str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    boundary: Boundary = ""
    source: str = ""
    line: int = 0

    @property
    def words(self) -> list[str]:
        return [row[0] for row in self.rows]


class _Parser:
    """Reads lines to sentences; the first token line settles separator, layout and number of columns."""

    def __init__(self, source: str, layout: Layout | None) -> None:
        self.source = source
        self.layout = layout
        self.tabs = False
        self.width = 0
        self.first_line = 0

    def sentences(self, lines: Iterable[str]) -> Iterator[ColumnSentence]:
        sentence = ColumnSentence(source=self.source)
        for number, raw in enumerate(lines, 1):
            line = strip_line_end(raw)
            if not line.strip(" \t"):
                if sentence.rows:
                    yield sentence
                    sentence = ColumnSentence(source=self.source)
            elif self._is_comment(line):
                if sentence.rows:
                    raise error_at(self.source, number, "a comment inside a sentence")
                sentence.comments.append(line)
                sentence.boundary = _stronger(sentence.boundary, _comment_boundary(line))
            else:
                fields = self._fields(line, number)
                if fields[0] == _DOCSTART and not sentence.rows:
                    sentence.boundary = "document"
                    continue
                if self.layout == "index":
                    fields = self._without_index(fields, len(sentence.rows), number)
                if not sentence.rows:
                    sentence.line = number
                sentence.rows.append(fields)
        if sentence.rows:
            yield sentence

    def _is_comment(self, line: str) -> bool:
        if line[0] != "#":
            return False
        if self.layout == "index":
            return True
        if self.width:
            return self.tabs and "\t" not in line
        # Before the first token line nothing is settled: "#tag O" is a token, "# text = ..." is not.
        return "\t" not in line and _SURE_COMMENT.match(line) is not None

    def _fields(self, line: str, number: int) -> list[str]:
        if not self.width:
            self._settle(line, number)
        fields = line.split("\t") if self.tabs else _BLANKS.split(line.strip(" "))
        if len(fields) != self.width:
            kind = "tab" if self.tabs else "space"
            message = f"expected {self.width} {kind}-separated columns as in line {self.first_line}"
            raise error_at(self.source, number, f"{message}, found {len(fields)}")
        if "" in fields:
            raise error_at(self.source, number, f"column {fields.index('') + 1} is empty")
        return fields

    def _settle(self, line: str, number: int) -> None:
        self.tabs = "\t" in line
        fields = line.split("\t") if self.tabs else _BLANKS.split(line.strip(" "))
        self.width = len(fields)
        self.first_line = number
        if self.layout is None:
            numbered = self.tabs and self.width >= 3 and fields[0] == "1"
            self.layout = "index" if numbered else "plain"
        if self.layout == "index" and self.width < 3:
            message = f"expected number, form and label, found {self.width} columns"
            raise error_at(self.source, number, message)

    def _without_index(self, fields: list[str], count: int, number: int) -> list[str]:
        if fields[0] != str(count + 1):
            message = f"token number {fields[0]!r} is out of order, expected {count + 1}"
            raise error_at(self.source, number, f"{message} (or is the layout 'plain', without numbers?)")
        return fields[1:3]


def _comment_boundary(line: str) -> Boundary:
    mark = line[1:].lstrip()
    if mark.startswith("newdoc"):
        return "document"
    return "paragraph" if mark.startswith("newpar") else ""


def _stronger(left: Boundary, right: Boundary) -> Boundary:
    return "document" if "document" in (left, right) else (left or right)


def parse(
    lines: Iterable[str], source: str = "<text>", *, layout: Layout | None = None
) -> Iterator[ColumnSentence]:
    """Sentences of a column file given as lines.

    `layout` None takes ``index`` if the first token line has tabs, three columns or more, and begins with
    ``1``.

    Raises:
        DataError: a line is malformed (columns missing or empty, token numbers out of order); names file and
        line.
    """
    if layout not in (None, "plain", "index"):
        raise ConfigError(f"unknown layout {layout!r}; use 'plain' or 'index'")
    return _Parser(source, layout).sentences(lines)


def read(path: PathLike, *, layout: Layout | None = None) -> Iterator[ColumnSentence]:
    """Sentences of a column file, gzip or not; see `parse`."""
    with open_text(path) as reader:
        yield from parse(reader, reader.name, layout=layout)


def sentence_piece(
    sentence: ColumnSentence,
    *,
    label: str | None = None,
    strict: bool = False,
    spaces: bool | None = None,
    lang: str | None = None,
) -> Piece:
    """A sentence with columns ``"1"``, ``"2"``... for the fields after the word.

    The last column is named `label` instead, if given; ``label="ent"`` makes it IOB2 whatever the file's
    scheme is. Spacing comes from a ``# text`` comment that fits; otherwise `nlptk.corpora.pieces.join_words`
    decides.

    Raises:
        DataError: ``label="ent"`` and a value that is no entity label; if `strict`, a ``# text`` that does
        not fit.
    """
    words = sentence.words
    text = comment_value(sentence.comments, "text")
    found = None if text is None else align_forms(text, words)
    if strict and isinstance(found, int):
        last = min(found, len(words) - 1)
        raise error_at(sentence.source, sentence.line + last, f"word {words[last]!r} does not fit '# text'")
    text, starts, ends = found if isinstance(found, tuple) else join_words(words, spaces, lang)
    width = len(sentence.rows[0])
    columns = {str(i): [row[i] for row in sentence.rows] for i in range(1, width)}
    if label is not None and width > 1:
        values = columns.pop(str(width - 1))
        columns[label] = _entities(sentence, values) if label == "ent" else values
    return Piece(
        text,
        starts,
        ends,
        columns,
        boundary=sentence.boundary,
        id=comment_value(sentence.comments, "sent_id") or "",
        doc_id=comment_value(sentence.comments, "newdoc") or "",
    )


def _entities(sentence: ColumnSentence, values: list[str]) -> list[str]:
    for i, value in enumerate(values):
        if not is_iob_label(value):
            message = f"{value!r} is not an entity label; expected O, B-TYPE or I-TYPE (or BIOES)"
            raise error_at(sentence.source, sentence.line + i, message)
    return to_iob2(values)


def write_index(doc: Doc, file: TextWriter, number: int) -> None:
    """Write a Doc in the Universal NER layout: ``# text``, then token number, form and entity label.

    Raises:
        DataError: a token holds a tab or a line end, or the Doc has no entities.
    """
    labels = _column(doc, "ent", number)
    for index, (first, stop) in enumerate(sentence_bounds(doc), 1):
        text = " ".join(doc.text[doc.starts[first] : doc.ends[stop - 1]].split())
        head = "# newdoc\n" if index == 1 else ""
        file.write(f"{head}# sent_id = {number}-{index}\n# text = {text}\n")
        for i in range(first, stop):
            file.write(f"{i - first + 1}\t{_token(doc, i, number)}\t{labels[i] or 'O'}\n")
        file.write("\n")


def write_plain(doc: Doc, file: TextWriter, number: int) -> None:
    """Write a Doc as word and columns, tab-separated, in the order of ``doc.columns``; an unset value is
    ``_``.

    Raises:
        DataError: a token holds a tab or a line end.
    """
    columns = [doc.column(name) for name in doc.columns]
    for first, stop in sentence_bounds(doc):
        for i in range(first, stop):
            file.write("\t".join([_token(doc, i, number), *(values[i] or "_" for values in columns)]) + "\n")
        file.write("\n")


def sentence_bounds(doc: Doc) -> list[tuple[int, int]]:
    """First token and the one after the last, for each sentence; the whole Doc where none are set."""
    size = len(doc)
    if not size:
        return []
    marks = [1] if doc.sent_starts is None else doc.sent_starts.tolist()
    heads = [i for i, mark in enumerate(marks) if mark or not i]
    return list(zip(heads, [*heads[1:], size], strict=True))


def _column(doc: Doc, name: str, number: int) -> list[str]:
    if not doc.has_column(name):
        raise DataError(f"document {number} has no column {name!r} to write")
    return doc.column(name)


def _token(doc: Doc, i: int, number: int) -> str:
    token = doc.text[doc.starts[i] : doc.ends[i]]
    if not token.strip() or any(char in token for char in "\t\n\r"):
        raise DataError(f"document {number}: a column file cannot hold token {i}, {token!r}; write CoNLL-U")
    return token
