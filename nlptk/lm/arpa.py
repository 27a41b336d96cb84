"""ARPA files of n-gram models: what SRILM and KenLM read and write."""

from __future__ import annotations

from nlptk import _core
from nlptk.corpora.files import PathLike, atomic_bytes, error_at, open_text
from nlptk.errors import DataError

_LINES = 1 << 16  # written at a time


def read_arpa(path: PathLike) -> _core.NgramModel:
    """The model in an ARPA file, gzip or not. Raises DataError naming file and line."""
    with open_text(path) as reader:
        parser = _core.ArpaReader()
        try:
            for block in reader.blocks():
                parser.feed(block)
            return parser.finish()
        except ValueError as error:
            if isinstance(error, DataError):  # of the file itself, such as damaged gzip
                raise
            raise error_at(reader.name, max(parser.line, 1), str(error)) from None


def write_arpa(model: _core.NgramModel, path: PathLike) -> None:
    """Write an ARPA file, gzip if the name ends in ``.gz``, whole or not at all.

    Raises DataError for a word that such a file cannot hold, and where the file cannot be written.
    """
    try:
        model.check_arpa_words()
    except ValueError as error:
        raise DataError(str(error)) from None
    with atomic_bytes(path) as stream:
        stream.write(model.arpa_header())
        for n in range(1, model.order + 1):
            stream.write(f"\n\\{n}-grams:\n".encode())
            for first in range(0, model.size(n), _LINES):
                stream.write(model.arpa_lines(n, first, first + _LINES))
        stream.write(b"\n\\end\\\n")
