"""CoNLL-U, read and written with nothing lost (https://universaldependencies.org/format.html).

`read` gives `Sentence`s that hold every line: comments, words, multiword ranges, empty nodes, the blank lines
at the end and the kind of line end, so that ``"".join(map(str, read(path)))`` is the file again. (A
byte-order mark is dropped; a sentence that mixes LF and CRLF comes out with its first line's.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nlptk.corpora.files import PathLike, atomic_writer, error_at, open_text, strip_line_end

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

_COMMENT = re.compile(r"#\s*([^=]*?)\s*(?:=\s?(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY = re.compile(r"(0|[1-9][0-9]{0,8})\.([1-9][0-9]{0,8})")


@dataclass(slots=True)
class Row:
    """One line of ten columns, all as they stand in the file; ``_`` is an empty column."""

    id: str
    form: str
    lemma: str = "_"
    upos: str = "_"
    xpos: str = "_"
    feats: str = "_"
    head: str = "_"
    deprel: str = "_"
    deps: str = "_"
    misc: str = "_"

    @property
    def is_word(self) -> bool:
        """A syntactic word: neither a multiword range nor an empty node."""
        return self.id.isdigit()

    @property
    def is_multiword(self) -> bool:
        return "-" in self.id

    @property
    def is_empty(self) -> bool:
        return "." in self.id

    def misc_values(self) -> dict[str, str]:
        """MISC as key and value; a key without ``=`` has the value ``""``."""
        if self.misc == "_":
            return {}
        pairs = (item.partition("=") for item in self.misc.split("|"))
        return {key: value for key, _, value in pairs}

    def __str__(self) -> str:
        columns = (self.id, self.form, self.lemma, self.upos, self.xpos, self.feats, self.head, self.deprel)
        return "\t".join((*columns, self.deps, self.misc))


@dataclass(slots=True)
class Sentence:
    """A sentence of a CoNLL-U file.

    Attributes:
        comments: whole comment lines, ``#`` included.
        rows: all lines of columns in file order.
        end: what follows the last row up to the next sentence: its line end and the blank line(s).
        newline: the line end, LF or CRLF.
        source, line: where the sentence was read; line 0 if it was not read from a file.
    """

    comments: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    end: str = "\n\n"
    newline: str = "\n"
    source: str = ""
    line: int = 0

    @property
    def words(self) -> list[Row]:
        """The syntactic words: no multiword ranges, no empty nodes."""
        return [row for row in self.rows if row.id.isdigit()]

    def comment(self, key: str) -> str | None:
        """The value of the first ``# key = value`` comment; see `comment_value`."""
        return comment_value(self.comments, key)

    @property
    def text(self) -> str | None:
        """The ``# text`` comment."""
        return self.comment("text")

    @property
    def sent_id(self) -> str | None:
        """The ``# sent_id`` comment."""
        return self.comment("sent_id")

    def __str__(self) -> str:
        return self.newline.join([*self.comments, *map(str, self.rows)]) + self.end


def comment_value(comments: Iterable[str], key: str) -> str | None:
    """The value of the first ``# key = value`` among comment lines, ``""`` for ``# key``, None if there is
    none.

    ``# newdoc id = x`` gives the value of ``newdoc``.
    """
    for line in comments:
        match = _COMMENT.fullmatch(line)
        if match and match[1] in (key, f"{key} id"):
            return match[2] or ""
    return None


def read(path: PathLike) -> Iterator[Sentence]:
    """Sentences of a CoNLL-U file, gzip or not, one at a time.

    Raises:
        DataError: a line is malformed; names file, line and what is wrong.
    """
    with open_text(path) as reader:
        yield from parse(reader, reader.name)


def parse(lines: Iterable[str], source: str = "<text>") -> Iterator[Sentence]:
    """Sentences from lines that keep their line ends; `source` names them in errors.

    Raises:
        DataError: as `read`.
    """
    sentence = Sentence(end="", source=source, line=1)
    closed = False
    number = 0
    for number, line in enumerate(lines, 1):
        content = strip_line_end(line)
        if not content:
            if not sentence.rows:
                what = (
                    "comments without words"
                    if sentence.comments
                    else "a blank line before the first sentence"
                )
                raise error_at(source, number, what)
            sentence.end += line
            closed = True
            continue
        if closed:
            yield _checked(sentence)
            sentence = Sentence(end="", source=source, line=number)
            closed = False
        if not sentence.comments and not sentence.rows:
            sentence.newline = "\r\n" if line.endswith("\r\n") else "\n"
        if content[0] == "#":
            if sentence.rows:
                raise error_at(
                    source, number, "a comment after the first word; comments stand before the sentence"
                )
            sentence.comments.append(content)
        else:
            sentence.rows.append(_parse_row(content, source, number))
            sentence.end = line[len(content) :]
    if sentence.rows:
        yield _checked(sentence)
    elif sentence.comments:
        raise error_at(source, number, "comments without words")


def _parse_row(content: str, source: str, number: int) -> Row:
    columns = content.split("\t")
    if len(columns) != 10:
        if not content.strip():
            raise error_at(
                source, number, "a line of only whitespace; the line after a sentence must be empty"
            )
        raise error_at(source, number, f"expected 10 tab-separated columns, found {len(columns)}")
    if "" in columns:
        name = COLUMNS[columns.index("")]
        raise error_at(source, number, f"column {name} is empty; write '_' where there is no value")
    return Row(*columns)


def _checked(sentence: Sentence) -> Sentence:
    """Ids count 1, 2, 3..., ranges cover words to come, empty nodes stand in place, heads are words of the
    sentence."""
    word = 0
    empty = 0
    range_end = 0
    total = sum(row.id.isdigit() for row in sentence.rows)
    for row in sentence.rows:
        problem = ""
        if row.id == str(word + 1):
            word += 1
            empty = 0
            if row.head != "_" and not (_NUMBER.fullmatch(row.head) and int(row.head) <= total):
                problem = f"HEAD {row.head!r} is neither '_' nor a number from 0 to {total}"
        elif match := _RANGE.fullmatch(row.id):
            first, last = int(match[1]), int(match[2])
            if first != word + 1 or last <= first or first <= range_end or last > total:
                problem = f"multiword range {row.id} does not fit: the next word is {word + 1} of {total}"
            range_end = last
        elif match := _EMPTY.fullmatch(row.id):
            empty += 1
            if (int(match[1]), int(match[2])) != (word, empty):
                problem = f"empty node {row.id} is out of order, expected {word}.{empty}"
        else:
            problem = f"ID {row.id!r} is out of order, expected {word + 1}"
        if problem:
            raise error_at(sentence.source, row_line(sentence, row), problem)
    if not total:
        raise error_at(sentence.source, sentence.line, "a sentence without words")
    return sentence


def row_line(sentence: Sentence, row: Row) -> int:
    """The line number of `row` in the file that the sentence was read from."""
    index = next(i for i, other in enumerate(sentence.rows) if other is row)
    return sentence.line + len(sentence.comments) + index


def write(sentences: Iterable[Sentence], path: PathLike) -> None:
    """Write a CoNLL-U file, whole or not at all; ``-`` is standard output, ``.gz`` compresses.

    Raises:
        DataError: the file cannot be written, or text holds a lone surrogate.
    """
    with atomic_writer(path) as file:
        for sentence in sentences:
            file.write(str(sentence))


def loads(text: str, source: str = "<text>") -> list[Sentence]:
    """Sentences of a string (which may hold anything a str can, lone surrogates too).

    Raises:
        DataError: as `read`.
    """
    return list(parse(split_lines(text), source))


def dumps(sentences: Iterable[Sentence]) -> str:
    """The sentences as one string in CoNLL-U."""
    return "".join(map(str, sentences))


def split_lines(text: str) -> Iterator[str]:
    """Lines with their line ends, cut at LF only."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start) + 1 or len(text)
        yield text[start:stop]
        start = stop
