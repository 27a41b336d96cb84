"""The tables of the installed package jieba (MIT licence), read without importing it and compiled once.

Its Python tables are parsed as literals and its pickles are not touched. See `jieba_cache` for where the
compiled form is kept.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nlptk import _core
from nlptk.errors import ConfigError, DataError, MissingDependencyError
from nlptk.tokenize.jieba_cache import cached

PathLike = str | os.PathLike[str]

MIN_FLOAT = -3.14e100
HMM_STATES = "BEMS"  # sorted, as ties want it
_USER_LINE = re.compile("^(.+?)( [0-9]+)?( [a-z]+)?$")


def package_file(*parts: str) -> Path:
    """A file of the installed jieba. Raises MissingDependencyError if it is not there."""
    spec = importlib.util.find_spec("jieba")
    path = Path(spec.origin).parent.joinpath(*parts) if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise MissingDependencyError(
            "the jieba tokenizer needs the tables of the package jieba: pip install jieba"
        )
    return path


def read_table(data: bytes, path: Path) -> Any:
    """The literal that one of jieba's Python tables assigns to ``P``. Raises DataError if there is none."""
    try:
        return ast.literal_eval(data.decode("utf-8").partition("P=")[2].strip())
    except (ValueError, SyntaxError) as error:
        raise DataError(f"{path}: is not a table as jieba has them; reinstall jieba") from error


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
    if count < 0:
        raise ValueError
    return count


# ---- the HMM -----------------------------------------------------------------------------------------------


def hmm() -> memoryview:
    """The compiled tables of jieba.finalseg: start [4], transitions [4, 4], characters, emissions [n, 4]."""
    paths = [package_file("finalseg", f"prob_{name}.py") for name in ("start", "trans", "emit")]
    contents = [read_file(path) for path in paths]

    def make() -> bytes:
        start, trans, emit = map(read_table, contents, paths)
        characters = sorted(set().union(*emit.values()))
        rows = [[emit[s].get(c, MIN_FLOAT) for s in HMM_STATES] for c in characters]
        return b"".join(
            [
                np.array([start[s] for s in HMM_STATES], np.float64).tobytes(),
                np.array([[trans[a].get(b, MIN_FLOAT) for b in HMM_STATES] for a in HMM_STATES]).tobytes(),
                blob_array(np.array(list(map(ord, characters)), np.uint32)),
                blob_array(np.array(rows, np.float64)),
            ]
        )

    return cached("jieba-hmm", contents, make)


def blob_array(values: Any) -> bytes:
    """An array as csrc/core/segment/blob.hpp reads it: length, items, zeros up to a multiple of eight."""
    data = values.tobytes()
    return np.uint64(values.size).tobytes() + data + bytes(-len(data) % 8)


# ---- user dictionaries -------------------------------------------------------------------------------------


def user_words(file: Any) -> Iterator[tuple[str, str, int | None, str | None]]:
    """(where, word, count, tag) of each line "word [count] [tag]", as jieba.load_userdict reads it.

    `file`: a path, or an open file of bytes or str. Raises DataError that names file and line for bytes that
    are not UTF-8.
    """
    if isinstance(file, (str, os.PathLike)):
        name, lines = os.fspath(file), iter(_lines(read_file(file)))
    elif hasattr(file, "__iter__"):
        name, lines = str(getattr(file, "name", repr(file))), iter(file)
    else:
        raise ConfigError(f"a user dictionary is a path or an open file, not {type(file).__name__}")
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        text = line.strip()
        if not isinstance(text, str):
            try:
                text = text.decode("utf-8").lstrip("\ufeff")
            except UnicodeDecodeError:
                raise DataError(f"{where}: is not UTF-8; convert the file to UTF-8") from None
        if not text:
            continue
        match = _USER_LINE.match(text)
        if match is None:
            raise DataError(f"{where}: a line is a word, perhaps its count, perhaps its tag")
        word, count, tag = match.groups()
        yield where, word, None if count is None else int(count), None if tag is None else tag.strip()
