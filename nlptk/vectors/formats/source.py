"""The bytes of a file of vectors, mapped where they can be, and what their errors say."""

from __future__ import annotations

import gzip
import mmap
import os
import stat
import sys
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk.corpora.files import PathLike, source_name
from nlptk.errors import DataError

Bytes = bytes | mmap.mmap
ERRORS = ("strict", "replace", "ignore")
GZIP_MAGIC = b"\x1f\x8b"


class Source:
    """A file's bytes, gzip undone.

    Attributes:
        name: for messages.
        data: all of them.
        path: the file, if `data` is mapped from it; else None (gzip, a pipe, standard input).
    """

    def __init__(self, path: PathLike) -> None:
        self.name = source_name(path)
        self.path: str | None = None
        self.data: Bytes = b""
        try:
            self._read(path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.error(f"the gzip stream is damaged or cut short ({error})") from error
        except OSError as error:
            raise DataError(f"cannot read {self.name!r}: {error.strerror or error}") from error
        if not len(self.data):
            raise self.error("the file is empty")

    def _read(self, path: PathLike) -> None:
        if os.fspath(path) == "-":
            self.data = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                info = os.fstat(file.fileno())
                if stat.S_ISREG(info.st_mode) and info.st_size and file.read(2) != GZIP_MAGIC:
                    self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                    self.path = os.path.realpath(path)
                    return
                if file.seekable():
                    file.seek(0)
                self.data = file.read()
        if self.data[:2] == GZIP_MAGIC:
            self.data = gzip.decompress(self.data)

    def error(self, message: str) -> DataError:
        """A DataError that names the file."""
        return DataError(f"{self.name}: {message}")

    def array(
        self, offset: int, dtype: npt.DTypeLike, shape: tuple[int, ...], mapped: bool
    ) -> npt.NDArray[Any]:
        """An array that lies in the file: mapped from it if it can be, else a copy."""
        kind = np.dtype(dtype)
        if mapped and self.path is not None and 0 not in shape:
            found: npt.NDArray[Any] = np.memmap(self.path, kind, "r", offset, shape)
            return found
        count = int(np.prod(shape, dtype=np.int64))
        copied: npt.NDArray[Any] = np.frombuffer(self.data, kind, count, offset).reshape(shape).copy()
        return copied

    def words(self, places: npt.NDArray[np.int64], errors: str, unit: str, first: int) -> list[str]:
        """The words at [begin, end) of the bytes; `unit` and `first` name the place of one that is no UTF-8.

        Raises DataError for such a word if `errors` is "strict".
        """
        data = self.data
        try:
            return [data[begin:end].decode("utf-8", errors) for begin, end in places.tolist()]
        except UnicodeDecodeError as error:
            for number, (begin, end) in enumerate(places.tolist()):
                raw = data[begin:end]
                try:
                    raw.decode("utf-8")
                except UnicodeDecodeError as bad:
                    byte = f"byte 0x{raw[bad.start]:02x}"
                    message = f"{unit} {number + first}: the word {raw[:40]!r} is not UTF-8 ({byte})"
                    raise DataError(f"{self.name}, {message}; convert it or use errors='replace'") from error
            raise
