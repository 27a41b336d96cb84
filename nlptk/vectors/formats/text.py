"""Vectors as text, a line a word: word2vec's and fastText's (.vec) with a header, GloVe's without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.corpora.files import error_at
from nlptk.errors import DataError
from nlptk.vectors.formats.source import Source
from nlptk.vectors.formats.table import VectorTable
from nlptk.vectors.words import pack_words


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes | memoryview, /) -> Any: ...


ROWS = 65536  # of vectors that are made floats, or bytes, at a time
_SPACE = re.compile(rb"[ \t\n\v\f\r]")
_HEADER = re.compile(rb"[ \t]*([0-9]{1,18})[ \t]+([0-9]{1,18})[ \t]*\r?\n")
_NUMBERS = re.compile(rb"[-+0-9.eE \t\rinfaINFA]*\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BOM = b"\xef\xbb\xbf"

# ---- reading ----


def header(source: Source) -> tuple[int, int, int] | None:
    """Rows and dimensions as the first line has them, and where the next begins; None if it is no header."""
    begin = len(_BOM) if source.data[:3] == _BOM else 0
    found = _HEADER.match(source.data[begin : begin + 64])
    return None if found is None else (int(found[1]), int(found[2]), begin + found.end())


def looks_binary(source: Source, begin: int) -> bool:
    """Whether rows are bytes, not digits: by the line after the header, or by control characters."""
    head = source.data[begin : begin + 4096]
    fields = re.split(rb"[ \t]", head.lstrip(b"\n").partition(b"\n")[0], maxsplit=1)
    if len(fields) == 2 and fields[1] and _NUMBERS.match(fields[1]):
        return False
    return _CONTROL.search(head) is not None


def read_text(source: Source, *, has_header: bool, errors: str, threads: int) -> VectorTable:
    """The vectors of a text file.

    Raises DataError naming the line of what is not as it should be.
    """
    rows = dim = None
    begin, first = (len(_BOM) if source.data[:3] == _BOM else 0), 1
    if has_header:
        found = header(source)
        if found is None:
            raise error_at(source.name, 1, "a header is expected: the numbers of words and of dimensions")
        rows, dim, begin = found
        first = 2
        if rows == 0 or dim == 0:
            raise error_at(source.name, 1, f"the header counts {rows} words of {dim} dimensions: no vectors")
    matrix, places = _core.parse_vector_text(source.data, begin, rows, dim, threads)
    if isinstance(matrix, int):
        raise error_at(source.name, matrix + first, places)
    return VectorTable(source.words(places, errors, "line", first), matrix)


# ---- writing ----


def write_text(
    stream: Sink,
    table: VectorTable,
    *,
    header: bool = True,
    digits: int = 6,
    threads: int = 0,
) -> None:
    """Write "rows dim" if there is to be a `header`, then a line for each word.

    `digits`: significant digits of a number, correctly rounded; 0: as many as read back the same float32.

    Raises DataError for a word that is empty or holds white space or a lone surrogate, and for NaN or inf.
    """
    blob, offsets = pack_words(table.words)
    check_words(table.words, blob, offsets)
    if header:
        stream.write(b"%d %d\n" % table.matrix.shape)
    # In one go, unless they have to be made floats first.
    step = len(table.words) if table.scales is None else ROWS
    for begin in range(0, len(table.words), max(step, 1)):
        try:
            rows = table.floats(begin, begin + step)
            _core.write_vector_rows(
                stream.write, blob, offsets[begin : begin + step + 1], rows, digits, threads
            )
        except ValueError as error:
            raise DataError(f"vectors cannot be written: {error}; leave such words out") from error


def check_words(words: Sequence[str], blob: bytes, offsets: npt.NDArray[np.int64]) -> None:
    """Raise DataError for the first word that a line cannot carry."""
    empty = np.flatnonzero(offsets[1:] == offsets[:-1])
    if len(empty):
        message = f"word {empty[0]} is empty, which a line cannot carry; leave it out or save as .safetensors"
        raise DataError(message)
    if space := _SPACE.search(blob):
        number = int(np.searchsorted(offsets, space.start(), side="right")) - 1
        raise DataError(
            f"word {number} ({words[number]!r}) holds white space, which separates words from numbers; "
            "replace it or save as .safetensors"
        )
