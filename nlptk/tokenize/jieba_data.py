"""Dictionaries: jieba's own, read from the installed package without importing it, and users'.

See `jieba_cache` for where the compiled form is kept.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nlptk import _core
from nlptk.errors import ConfigError, DataError, MissingDependencyError
from nlptk.tokenize.jieba_cache import cached

PathLike = str | os.PathLike[str]

ACCURATE, FULL, SEARCH = range(3)  # JiebaMode of csrc/core/segment/jieba_cut.hpp

_USER_LINE = re.compile("^(.+?)( [0-9]+)?( [a-z]+)?$")
_MOST_DIGITS = 1000  # of a count: more are too many for int, zeros in front or not
_STRICT_LINE = re.compile(r"^(\S+)( [0-9]+)?( [A-Za-z]+)?$")


def package_file(*parts: str) -> Path:
    """A file of the installed jieba. Raises MissingDependencyError if it is not there."""
    spec = importlib.util.find_spec("jieba")
    path = Path(spec.origin).parent.joinpath(*parts) if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise MissingDependencyError(
            "the jieba tokenizer needs the tables of the package jieba: pip install jieba"
        )
    return path


def read_file(path: PathLike) -> bytes:
    """The bytes of a file. Raises DataError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error


# ---- the dictionary ----------------------------------------------------------------------------------------


def dictionary(path: PathLike | None = None) -> memoryview:
    """The compiled dictionary: jieba's own, or a file of lines "word count tag" (the tag may be left out).

    Raises:
        DataError: a line is malformed; names file and line.
        MissingDependencyError: jieba is not installed.
    """
    source = package_file("dict.txt") if path is None else Path(path)
    data = read_file(source)
    return cached("jieba-dict", [data], lambda: _compile_dictionary(data, source))


def _compile_dictionary(data: bytes, path: Path) -> bytes:
    words, counts, tags = [], [], []
    for number, raw in enumerate(_lines(data), 1):
        # As jieba reads it: white space at the ends goes as bytes, fields are parted by single blanks.
        try:
            word, count, *rest = raw.strip().decode("utf-8").split(" ")
            counts.append(_count(count))
        except UnicodeDecodeError:
            raise DataError(f"{path}, line {number}: is not UTF-8; convert the file to UTF-8") from None
        except ValueError:
            raise DataError(
                f"{path}, line {number}: a dictionary line is a word, its count and perhaps a tag, "
                "parted by one blank"
            ) from None
        words.append(word)
        tags.append(rest[0] if rest else "")
    try:
        return _core.jieba_compile(words, counts, tags, sum(counts))
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _lines(data: bytes) -> list[bytes]:
    """Lines that end at LF only, as iterating over a binary file gives them."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 2**53:
        raise ValueError
    return count


# ---- user dictionaries -------------------------------------------------------------------------------------


def user_words(file: Any, strict: bool) -> Iterator[tuple[str, str, int | None, str | None]]:
    """(where, word, count, tag) of each line "word [count] [tag]", as jieba.load_userdict reads it.

    `file`: a path, or an open file of bytes or str. `strict`: see `JiebaTokenizer.load_userdict`. Raises
    DataError that names file and line.
    """
    if isinstance(file, (str, os.PathLike)):
        name = os.fspath(file)
        lines: Iterable[Any] = _lines(read_file(file))
    elif hasattr(file, "__iter__"):
        name, lines = str(getattr(file, "name", repr(file))), file
    else:
        raise ConfigError(f"a user dictionary is a path or an open file, not {type(file).__name__}")
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        if not isinstance(line, (str, bytes)):
            raise ConfigError(f"{where}: a line must be str or bytes, not {type(line).__name__}")
        text = line.strip()
        if not isinstance(text, str):
            try:
                text = text.decode("utf-8").lstrip("\ufeff")
            except UnicodeDecodeError:
                raise DataError(f"{where}: is not UTF-8; convert the file to UTF-8") from None
        if not text:
            continue
        match = (_STRICT_LINE if strict else _USER_LINE).match(text)
        if match is None:
            raise DataError(
                f"{where}: a line is a word, perhaps its count, perhaps its tag, parted by one blank"
            )
        word, count, tag = match.groups()
        if count is not None and len(count) > _MOST_DIGITS:
            raise DataError(f"{where}: a count of {len(count) - 1} digits is too high")
        yield where, word, None if count is None else int(count), None if tag is None else tag.strip()
