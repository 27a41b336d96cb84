"""word2vec's binary file: "rows dim", then each word, a space, its floats (little-endian) and a line end."""

from __future__ import annotations

import numpy as np

from nlptk import _core
from nlptk.errors import DataError
from nlptk.vectors.formats.source import Source
from nlptk.vectors.formats.table import VectorTable
from nlptk.vectors.formats.text import ROWS, Sink, check_words, header
from nlptk.vectors.words import pack_words


def read_binary(source: Source, *, errors: str) -> VectorTable:
    """The vectors of a binary file, with line ends between rows (word2vec.c) or without (gensim).

    Raises DataError naming the row of what is not as it should be.
    """
    found = header(source)
    if found is None:
        raise source.error("a header is expected: the numbers of words and of dimensions")
    rows, dim, begin = found
    matrix, places = _core.parse_vector_binary(source.data, begin, rows, dim)
    if isinstance(matrix, int):
        raise DataError(f"{source.name}, row {matrix + 1}: {places}")
    return VectorTable(source.words(places, errors, "row", 1), matrix)


def write_binary(stream: Sink, table: VectorTable) -> None:
    """Write the vectors as word2vec.c does.

    Raises DataError for a word that is empty or holds white space or a lone surrogate, and for NaN or inf.
    """
    blob, offsets = pack_words(table.words)
    check_words(table.words, blob, offsets)
    stream.write(b"%d %d\n" % table.matrix.shape)
    bounds = offsets.tolist()
    for begin in range(0, len(table.words), ROWS):
        rows = finite_rows(table, begin)
        parts: list[bytes] = []
        for i, row in enumerate(rows, begin):
            parts += (blob[bounds[i] : bounds[i + 1]], b" ", row.tobytes(), b"\n")
        stream.write(b"".join(parts))


def finite_rows(table: VectorTable, begin: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The next rows as little-endian floats. Raises DataError for NaN or an infinity."""
    rows = table.floats(begin, begin + ROWS).astype("<f4", copy=False)
    bad = np.flatnonzero(~np.isfinite(rows).all(1))
    if len(bad):
        row = begin + int(bad[0])
        message = f"row {row} ({table.words[row]}) holds NaN or an infinity; leave such words out"
        raise DataError(f"vectors cannot be written: {message}")
    return rows
