"""Vectors as text, a line a word: word2vec's and fastText's (.vec) with a header, GloVe's without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.errors import DataError
from nlptk.vectors.formats.words import pack_words


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes | memoryview, /) -> Any: ...


_SPACE = re.compile(rb"[ \t\n\v\f\r]")


def write_text(
    stream: Sink,
    words: Sequence[str],
    matrix: npt.NDArray[np.float32],
    *,
    header: bool = True,
    digits: int = 6,
    threads: int = 0,
) -> None:
    """Write "rows dim" if there is to be a `header`, then a line for each word.

    `digits`: significant digits of a number, correctly rounded; 0: as many as read back the same float32.

    Raises DataError for a word that is empty or holds white space or a lone surrogate, and for NaN or inf.
    """
    blob, offsets = pack_words(words)
    check_words(words, blob, offsets)
    if header:
        stream.write(b"%d %d\n" % matrix.shape)
    try:
        _core.write_vector_rows(stream.write, blob, offsets, matrix, digits, threads)
    except ValueError as error:
        raise DataError(f"vectors cannot be written: {error}; leave such rows out") from error


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
