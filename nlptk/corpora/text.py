"""Plain text as Docs without tokens: a line, a paragraph or the whole file each."""

from __future__ import annotations

from collections.abc import Iterator

from nlptk.corpora.files import PathLike, TextWriter, open_text, read_lines
from nlptk.corpora.pieces import UNITS, Unit
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError


def read_texts(path: PathLike, unit: Unit = "sentence") -> Iterator[str]:
    """Texts of a file, gzip or not.

    ``sentence``: each line that holds more than whitespace, without its line end. ``paragraph``: lines up to
    a blank line, their line ends kept within. ``document``: the file as it is, line ends included.

    Raises:
        DataError: the file is not UTF-8 (names the line) or cannot be read.
    """
    if unit not in UNITS:
        raise ConfigError(f"unknown unit {unit!r}; use 'sentence', 'paragraph' or 'document'")
    if unit == "document":
        with open_text(path) as reader:
            yield reader.read()
    elif unit == "sentence":
        yield from (line for line in read_lines(path) if not _blank(line))
    else:
        held: list[str] = []
        for line in read_lines(path):
            if not _blank(line):
                held.append(line)
            elif held:
                yield "\n".join(held)
                held = []
        if held:
            yield "\n".join(held)


def _blank(line: str) -> bool:
    return not line or line.isspace()


def read(path: PathLike, unit: Unit = "sentence") -> Iterator[Doc]:
    """Docs without tokens for `read_texts`."""
    return map(Doc, read_texts(path, unit))


def write(doc: Doc, file: TextWriter, number: int) -> None:
    """Write a Doc's text as one line.

    Raises:
        DataError: the text holds a line end.
    """
    if "\n" in doc.text or "\r" in doc.text:
        raise DataError(f"document {number} holds a line end, which one line of text cannot; write CoNLL-U")
    file.write(doc.text + "\n")
