"""Text files: gzip told by its first bytes, UTF-8 checked line by line, writes whole or not at all.

Reading: ``-`` is standard input; a byte-order mark at the start is dropped; lines end at LF only (so U+2028,
U+0085 or a form feed inside a line are text), and CRLF is left to the caller to keep or strip. Writing: ``-``
is standard output; a name that ends in ``.gz`` is compressed (no time stamp, so equal text gives equal
bytes); line ends are written as given.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import secrets
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Any, BinaryIO

from nlptk.errors import ConfigError, DataError

PathLike = str | os.PathLike[str]

_Bytes = IO[bytes] | gzip.GzipFile

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def source_name(path: PathLike) -> str:
    """The name that error messages use for `path`."""
    return "<stdin>" if os.fspath(path) == "-" else os.fspath(path)


def named_files(corpus: Any) -> list[str] | None:
    """The files that a corpus names, a path or a list of paths, or None if it is a collection of others.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(corpus, (str, os.PathLike)):
        return [os.fspath(corpus)]
    if isinstance(corpus, bytes) or not isinstance(corpus, Iterable):
        raise ConfigError("a corpus is a file, a list of files, or sentences")
    if (
        isinstance(corpus, (list, tuple))
        and corpus
        and all(isinstance(e, (str, os.PathLike)) for e in corpus)
    ):
        return [os.fspath(entry) for entry in corpus]
    return None


def error_at(source: str, line: int, message: str) -> DataError:
    """A DataError that names file and line (counted from 1)."""
    return DataError(f"{source}, line {line}: {message}")


class LineReader:
    """Lines of a UTF-8 text file, gzip or not, each with its line end; a context manager.

    The file closes by itself when its last line is read, and at an error.

    Attributes:
        name: the file's name for messages.
        line: number of the line last read, from 1.
        text_bytes, disk_bytes: bytes of text that `blocks` has given, and of the file that were read for it,
            which are fewer with gzip; 0 of standard input.
        disk_size: bytes of the file, or None if it is standard input or a pipe.

    Raises (while reading):
        DataError: bytes that are not UTF-8 (names file and line), a damaged or truncated gzip stream.
    """

    def __init__(self, path: PathLike) -> None:
        self.name = source_name(path)
        self.line = 0
        self.text_bytes = self.disk_bytes = 0
        self.disk_size: int | None = None
        self._owned: list[_Bytes] = []
        self._stream = self._open(path)

    def _open(self, path: PathLike) -> io.BufferedReader[Any]:
        raw: IO[bytes]
        if os.fspath(path) == "-":
            # A private buffer over a copy of the descriptor would lose what sys.stdin already read.
            raw = sys.stdin.buffer
        else:
            try:
                raw = open(path, "rb")  # noqa: SIM115 (closed by close())
            except OSError as error:
                raise DataError(f"cannot read {self.name!r}: {error.strerror}") from error
            self._owned.append(raw)
            info = os.fstat(raw.fileno())
            self.disk_size = info.st_size if stat.S_ISREG(info.st_mode) else None
        if not isinstance(raw, io.BufferedReader):
            raw = io.BufferedReader(_Unclosing(raw))  # type: ignore[type-var]
        try:
            head = raw.peek(2)[:2]
        except OSError as error:
            self.close()
            raise DataError(f"cannot read {self.name!r}: {error.strerror}") from error
        if head != _GZIP_MAGIC:
            return raw
        unzipped = gzip.GzipFile(fileobj=raw, mode="rb")
        self._owned.append(unzipped)
        # GzipFile splits lines in Python; a BufferedReader over it does so in C.
        return io.BufferedReader(unzipped, 1 << 17)

    def __iter__(self) -> Iterator[str]:
        for raw in self._guarded(iter(self._stream)):
            self.line += 1
            if self.line == 1 and raw.startswith(_BOM):
                raw = raw[len(_BOM) :]
                if not raw:
                    continue
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self.close()
                raise self._undecodable(raw, error.start) from error
            yield text

    def blocks(self, size: int = 1 << 22, wait: bool = True) -> Iterator[bytes]:
        """Whole lines, about `size` bytes at a time, not checked for UTF-8; `line` counts the line ends.

        Without `wait` what a pipe holds is taken as it is, so that its lines can be answered at once.
        """
        first = True
        for block in self._guarded(iter(lambda: self._read_lines(size, wait), b"")):
            block = block.removeprefix(_BOM) if first else block
            first = False
            self.line += block.count(b"\n")
            self.text_bytes += len(block)
            self.disk_bytes = 0 if self.disk_size is None else self._owned[0].tell()
            if block:
                yield block

    def _read_lines(self, size: int, wait: bool) -> bytes:
        data = self._stream.read(size) if wait else self._stream.read1(size)
        return data if not data or data.endswith(b"\n") else data + self._stream.readline()

    def texts(self, errors: str = "strict", size: int = 1 << 20) -> Iterator[str]:
        """Whole lines with their line ends, many together, as soon as there are some.

        `errors`: "strict", or "replace" to read bytes that are not UTF-8 as U+FFFD. With "strict" the lines
        before such bytes are still given.
        """
        for block in self.blocks(size, wait=False):
            try:
                text = block.decode("utf-8", errors)
            except UnicodeDecodeError as error:
                start = block.rfind(b"\n", 0, error.start) + 1
                if start:
                    yield block[:start].decode("utf-8")
                self.line += 1 - block.count(b"\n", start)
                self.close()
                raise self._undecodable(block[start:], error.start - start) from error
            yield text

    def _guarded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks; what reading raises becomes a DataError, and the file closes then and at the end."""
        try:
            yield from chunks
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.close()
            message = f"the gzip stream is damaged or cut short ({error})"
            raise error_at(self.name, self.line + 1, message) from error
        except OSError as error:
            self.close()
            raise DataError(f"cannot read {self.name!r}: {error.strerror or error}") from error
        self.close()

    def _undecodable(self, raw: bytes, place: int) -> DataError:
        if self.line == 1 and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return error_at(self.name, 1, "the file is UTF-16; convert it to UTF-8")
        message = f"byte 0x{raw[place]:02x} at column {place + 1} is not UTF-8; convert the file to UTF-8"
        return error_at(self.name, self.line, message)

    def read(self) -> str:
        """All that is left, as one string."""
        return "".join(self)

    def close(self) -> None:
        for stream in reversed(self._owned):
            stream.close()
        self._owned.clear()

    def __enter__(self) -> LineReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Unclosing(io.RawIOBase):
    """Lets a BufferedReader stand over somebody else's binary stream without closing it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_text(path: PathLike) -> LineReader:
    """Open a UTF-8 file for reading, gzip told by its first bytes; ``-`` is standard input.

    Raises:
        DataError: the file cannot be opened (and while reading: see `LineReader`).
    """
    return LineReader(path)


def strip_line_end(line: str) -> str:
    """The line without its LF or CRLF."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith("\n") else line


def read_lines(path: PathLike) -> Iterator[str]:
    """The file's lines without their line ends (LF or CRLF)."""
    with open_text(path) as reader:
        for line in reader:
            yield strip_line_end(line)


class TextWriter:
    """Writes str as UTF-8 and knows its line number. A lone surrogate, which UTF-8 cannot carry, is a
    DataError."""

    def __init__(self, stream: _Bytes, name: str) -> None:
        self._stream = stream
        self.name = name
        self.line = 1

    def write(self, text: str) -> int:
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            line = self.line + text.count("\n", 0, error.start)
            code = f"U+{ord(text[error.start]):04X}"
            message = f"{code} is a lone surrogate, which UTF-8 cannot carry; replace it"
            raise error_at(self.name, line, message) from error
        self._stream.write(data)
        self.line += data.count(b"\n")
        return len(text)


@contextlib.contextmanager
def atomic_writer(path: PathLike) -> Iterator[TextWriter]:
    """Write a text file that appears whole when the block ends, and not at all if it raises (or Ctrl-C).

    The text goes to a temporary file beside the target, is flushed to disk, and then takes the target's name.
    A link is followed; a device or pipe (``/dev/stdout``) is written directly; ``.gz`` compresses; ``-`` is
    standard output.

    Raises:
        DataError: the file cannot be written, or the text holds a lone surrogate.
    """
    name = os.fspath(path)
    with atomic_bytes(path) as stream:
        yield TextWriter(stream, "<stdout>" if name == "-" else name)


@contextlib.contextmanager
def atomic_bytes(path: PathLike) -> Iterator[_Bytes]:
    """As `atomic_writer`, for bytes."""
    name = os.fspath(path)
    if name == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = os.path.realpath(name)
    special = os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode)
    scratch = target if special else f"{target}.{secrets.token_hex(4)}.tmp"
    try:
        try:  # inside the other, so that a signal right after it cannot leave the file behind
            raw = open(scratch, "wb" if special else "xb")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise DataError(f"cannot write {name!r}: {error.strerror}") from error
        with raw:
            with _compressed(raw, name) as stream:
                yield stream
            raw.flush()
            if not special:
                os.fsync(raw.fileno())
        if not special:
            os.replace(scratch, target)
    except BaseException:
        if not special:
            with contextlib.suppress(OSError):
                os.unlink(scratch)
        raise


def _compressed(raw: BinaryIO, name: str) -> contextlib.AbstractContextManager[_Bytes]:
    if name.endswith(".gz"):
        return gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
    return contextlib.nullcontext(raw)
