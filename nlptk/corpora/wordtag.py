"""Segmented text, a sentence a line: ``word/tag word/tag`` (People's Daily), or plain ``word word``.

Words are separated by spaces, tabs or ideographic spaces. A word may hold slashes: the last one begins the
tag. Where the words are joined to text, `nlptk.corpora.pieces.join_words` decides on spaces. Blank lines are
skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nlptk.corpora.columns import sentence_bounds
from nlptk.corpora.files import PathLike, TextWriter, error_at, open_text, strip_line_end
from nlptk.corpora.pieces import Piece, join_words
from nlptk.doc import Doc
from nlptk.errors import DataError

_SEPARATOR = re.compile("[ \t\u3000]+")
_STRIP = " \t\u3000"


def parse(
    lines: Iterable[str],
    source: str = "<text>",
    *,
    tagged: bool = True,
    spaces: bool | None = None,
    lang: str | None = None,
) -> Iterator[Piece]:
    """One piece for each line that is not blank, with column ``tag`` if `tagged`.

    Raises:
        DataError: a word without tag, or a tag without word; names file, line and word.
    """
    for number, raw in enumerate(lines, 1):
        line = strip_line_end(raw).strip(_STRIP)
        if not line:
            continue
        words = line_items = _SEPARATOR.split(line)
        columns: dict[str, list[str]] = {}
        if tagged:
            pairs = [item.rpartition("/") for item in words]
            words, tags = [pair[0] for pair in pairs], [pair[2] for pair in pairs]
            if "" in words or "" in tags:
                bad = next(
                    item for item, pair in zip(line_items, pairs, strict=True) if not pair[0] or not pair[2]
                )
                raise error_at(source, number, f"{bad!r} is not a word, a slash and a tag")
            columns["tag"] = tags
        text, starts, ends = join_words(words, spaces, lang)
        yield Piece(text, starts, ends, columns)


def read(
    path: PathLike, *, tagged: bool = True, spaces: bool | None = None, lang: str | None = None
) -> Iterator[Piece]:
    """Pieces of a file, gzip or not; see `parse`."""
    with open_text(path) as reader:
        yield from parse(reader, reader.name, tagged=tagged, spaces=spaces, lang=lang)


def write(doc: Doc, file: TextWriter, number: int, *, tagged: bool = True) -> None:
    """Write a Doc, one sentence a line.

    Raises:
        DataError: a token holds whitespace, or (if `tagged`) has no tag or one with a slash.
    """
    if tagged and not doc.has_column("tag"):
        raise DataError(f"document {number} has no column 'tag' to write")
    tags = doc.column("tag") if tagged else []
    for first, stop in sentence_bounds(doc):
        items = []
        for i in range(first, stop):
            word = doc.text[doc.starts[i] : doc.ends[i]]
            if not word.strip() or any(char.isspace() for char in word):
                raise DataError(f"document {number}: word/tag text cannot hold token {i}, {word!r}")
            if tagged and (not tags[i] or "/" in tags[i] or any(char.isspace() for char in tags[i])):
                raise DataError(f"document {number}: word/tag text cannot hold tag {tags[i]!r} of token {i}")
            items.append(f"{word}/{tags[i]}" if tagged else word)
        file.write(" ".join(items) + "\n")
