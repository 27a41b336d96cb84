"""Files of word vectors: each format in a file of its own, told by the ending of a name or by what is inside.

============= ======================== =================================================================
format        ending when written      content
============= ======================== =================================================================
word2vec      ``.txt``, ``.vec``       text with a header, of word2vec, gensim and fastText
glove         ``.glove``               text without a header
word2vec-bin  ``.bin``                 binary rows, of word2vec and gensim
fasttext      ``.bin`` with subwords   fastText's model, of fastText and gensim
nlptk         ``.safetensors``         everything, also 8-bit rows; can be mapped
============= ======================== =================================================================

Each but the last may be gzip: ``.gz`` after its ending.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk.corpora.files import PathLike, atomic_bytes, source_name
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.formats import text
from nlptk.vectors.formats.binary import read_binary, write_binary
from nlptk.vectors.formats.fasttext import MAGIC, read_fasttext, write_fasttext
from nlptk.vectors.formats.native import is_native, read_native, write_native
from nlptk.vectors.formats.source import ERRORS, Source
from nlptk.vectors.formats.table import VectorTable, without_duplicates
from nlptk.vectors.subwords import Subwords

FORMATS = ("word2vec", "glove", "word2vec-bin", "fasttext", "nlptk")
_ENDINGS = {".txt": "word2vec", ".vec": "word2vec", ".glove": "glove", ".safetensors": "nlptk"}


# ---- reading ----


def load(
    path: PathLike, *, format: str | None = None, mmap: bool = True, errors: str = "strict", threads: int = 0
) -> VectorTable:
    """Read a file of vectors, gzip or not; ``-`` is standard input.

    Of words that stand there twice the first is kept, and a line on the log ("nlptk.vectors") says so.

    Args:
        format: one of `FORMATS`; by default told by what is inside.
        mmap: let the matrices of ``.safetensors``, and the n-grams' of fastText's ``.bin``, stay in the file.
        errors: of words that are not UTF-8: "strict", "replace" or "ignore".

    Raises:
        ConfigError: `format` or `errors` is none that there is.
        DataError: the file cannot be read, is cut short or damaged; names line, row or word.
        ModelError: the same of ``.safetensors``.
    """
    if errors not in ERRORS:
        raise ConfigError(f"errors must be one of {', '.join(ERRORS)}, not {errors!r}")
    source = Source(path)
    kind = _format_of(source) if format is None else check_format(format)
    if kind == "nlptk":
        table = read_native(source, mapped=mmap)
    elif kind == "fasttext":
        table = read_fasttext(source, errors=errors, mapped=mmap)
    elif kind == "word2vec-bin":
        table = read_binary(source, errors=errors)
    else:
        table = text.read_text(source, has_header=kind == "word2vec", errors=errors, threads=threads)
    return without_duplicates(table, source.name)


def _format_of(source: Source) -> str:
    """The format of a file by what is inside. Raises DataError if it is a pickle."""
    if source.data[:4] == MAGIC:
        return "fasttext"
    if is_native(source):
        return "nlptk"
    if source.data[:1] == b"\x80" and source.data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise source.error(
            "is a pickle, as gensim's save() writes, which nlptk does not open because it could run code; "
            "in gensim call wv.save_word2vec_format(path) (or save_facebook_model) and give that file"
        )
    found = text.header(source)
    if found is None:
        return "glove"
    return "word2vec-bin" if text.looks_binary(source, found[2]) else "word2vec"


# ---- writing ----


def save(
    path: PathLike,
    words: Sequence[str],
    matrix: npt.NDArray[Any],
    *,
    scales: npt.NDArray[np.float32] | None = None,
    counts: npt.NDArray[np.int64] | None = None,
    subwords: Subwords | None = None,
    format: str | None = None,
    digits: int = 6,
    threads: int = 0,
) -> None:
    """Write vectors to a file that appears whole or not at all.

    Args:
        path: its ending chooses the format (see the module); ``.gz`` after it compresses.
        matrix: [words, dim] float32, rows may lie apart; or int8 with `scales`.
        format: one of `FORMATS`, whatever the ending.
        digits: of numbers in text: significant digits, correctly rounded; 0 is as many as read back the same
            float32.

    Raises:
        ConfigError: arrays do not fit `words`, or no format has that ending.
        DataError: the file cannot be written, or a word or number cannot stand in it.
    """
    table = VectorTable(words, matrix, scales, counts, subwords)
    check(table)
    kind = format_for(path, subwords is not None) if format is None else check_format(format)
    if kind == "nlptk" and os.fspath(path).endswith(".gz"):
        raise ConfigError("a .safetensors file is there to be mapped, so it cannot be gzip; leave out .gz")
    try:
        with atomic_bytes(path) as stream:
            if kind == "nlptk":
                write_native(stream, table)
            elif kind == "fasttext":
                write_fasttext(stream, table)
            elif kind == "word2vec-bin":
                write_binary(stream, table)
            else:
                header = kind == "word2vec"
                text.write_text(stream, table, header=header, digits=digits, threads=threads)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"cannot write {source_name(path)!r}: {error.strerror or error}") from error


def check(table: VectorTable) -> None:
    """Raise ConfigError if the arrays do not fit the words."""
    rows = len(table.words)
    wanted = np.float32 if table.scales is None else np.int8
    if table.matrix.ndim != 2 or len(table.matrix) != rows or table.matrix.dtype != wanted:
        found = f"{table.matrix.dtype} of shape {table.matrix.shape}"
        raise ConfigError(f"{rows} words need {wanted.__name__} vectors [{rows}, dim], not {found}")
    for name, array in (("scales", table.scales), ("counts", table.counts)):
        if array is not None and array.shape != (rows,):
            raise ConfigError(f"{rows} words need as many {name}, not {array.shape}")


def format_for(path: PathLike, subwords: bool = False) -> str:
    """The format that a name's ending chooses. Raises ConfigError if it chooses none."""
    name = os.fspath(path)
    ending = os.path.splitext(name.removesuffix(".gz"))[1]
    if ending == ".bin":
        return "fasttext" if subwords else "word2vec-bin"
    if ending not in _ENDINGS:
        known = ", ".join([*_ENDINGS, ".bin"])
        raise ConfigError(f"{name!r} does not say which format to write; let it end in {known}, or name one")
    return _ENDINGS[ending]


def check_format(name: str) -> str:
    """The name of a format. Raises ConfigError for another."""
    if name not in FORMATS:
        raise ConfigError(f"format must be one of {', '.join(FORMATS)}, not {name!r}")
    return name
