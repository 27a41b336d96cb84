"""Files of word vectors: each format in a file of its own, told by the ending of a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from nlptk.corpora.files import PathLike, atomic_bytes, source_name
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.formats.text import write_text


def save(
    path: PathLike, words: Sequence[str], matrix: npt.NDArray[Any], *, digits: int = 6, threads: int = 0
) -> None:
    """Write vectors to a file that appears whole or not at all.

    `matrix` is [words, dim]; rows may lie apart. `digits` is of text: significant digits, correctly rounded;
    0 is as many as read back as the same float32.

    Raises:
        ConfigError: `matrix` does not fit `words`.
        DataError: the file cannot be written, or a word or number cannot stand in it.
    """
    if matrix.ndim != 2 or len(matrix) != len(words):
        raise ConfigError(f"{len(words)} words need as many rows of vectors, not {matrix.shape}")
    try:
        with atomic_bytes(path) as stream:
            write_text(stream, words, matrix, digits=digits, threads=threads)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"cannot write {source_name(path)!r}: {error.strerror or error}") from error
