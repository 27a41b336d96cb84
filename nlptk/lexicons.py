"""Word lists and word classes as kernels hold them: 32-bit word hashes, no strings, a few bytes a word."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError, DataError

_MOST_CLASSES = 65_534


@dataclass(frozen=True)
class WordClasses:
    """Several classes for each of a list of words, such as clusters at several grains.

    Attributes:
        names: of the classes; a feature template refers to one as ``cluster:name``.
        keys: uint32 [words], sorted word keys.
        values: uint16 [words, names], class numbers.

    Raises:
        ConfigError: the arrays are of another type or shape.
    """

    names: tuple[str, ...]
    keys: NDArray[np.uint32]
    values: NDArray[np.uint16]

    def __post_init__(self) -> None:
        fits = self.keys.ndim == 1 and self.values.shape == (len(self.keys), len(self.names))
        if not fits or self.keys.dtype != np.uint32 or self.values.dtype != np.uint16:
            raise ConfigError(
                f"word classes must be uint32 [words] and uint16 [words, {len(self.names)}], not "
                f"{self.keys.dtype} {list(self.keys.shape)} and {self.values.dtype} {list(self.values.shape)}"
            )

    @classmethod
    def empty(cls) -> WordClasses:
        """No words, no classes."""
        return cls((), np.zeros(0, np.uint32), np.zeros((0, 0), np.uint16))

    @classmethod
    def read(cls, path: str | Path) -> WordClasses:
        """A tab-separated file, gzip or not: a header of "word" and the names, then words and class numbers.

        Words are compared in lower case, character by character as the kernels do it.

        Raises:
            DataError: the file is malformed; names file and line.
        """
        lines = _lines(path)
        header = next(lines, "").split("\t")
        if len(header) < 2 or header[0] != "word":
            raise DataError(
                f"{path}:1: the header must be 'word' and the names of the classes, parted by tabs"
            )
        rows: dict[int, list[int]] = {}
        for number, line in enumerate(lines, 2):
            word, *classes = line.split("\t")
            if len(classes) != len(header) - 1 or not all(
                c.isdecimal() and int(c) <= _MOST_CLASSES for c in classes
            ):
                raise DataError(
                    f"{path}:{number}: expected a word and {len(header) - 1} class numbers "
                    f"up to {_MOST_CLASSES}"
                )
            rows.setdefault(_core.lexicon_key(_core.lower(word)), [int(c) for c in classes])
        keys = sorted(rows)
        values = np.array([rows[key] for key in keys], np.uint16).reshape(len(keys), len(header) - 1)
        return cls(tuple(header[1:]), np.array(keys, np.uint32), values)


def lexicon_keys(words: Iterable[str]) -> NDArray[np.uint32]:
    """Sorted keys (uint32) of the words; of two words in 2^32 that share a key one is enough."""
    return np.unique(np.fromiter((_core.lexicon_key(word) for word in words), np.uint32))


def jieba_words(longest: int = 6) -> list[str]:
    """The words of two to `longest` characters in the installed jieba's dictionary (MIT licence).

    jieba itself is not imported.

    Raises:
        ConfigError: jieba is not installed or has no dictionary.
    """
    spec = importlib.util.find_spec("jieba")
    path = Path(spec.origin).with_name("dict.txt") if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise ConfigError("the lexicon 'jieba' needs the package jieba; install it with: pip install jieba")
    words = (line.split(" ", 1)[0] for line in _lines(path))
    return [word for word in words if 2 <= len(word) <= longest]


def read_lexicon(source: str) -> NDArray[np.uint32]:
    """Keys of a word list: "jieba" for jieba's dictionary, otherwise a UTF-8 file with one word a line.

    Raises:
        DataError: the file cannot be read.
        ConfigError: jieba is not installed.
    """
    if source == "jieba":
        return lexicon_keys(jieba_words())
    return lexicon_keys(word for line in _lines(source) if (word := line.strip()))


def _lines(path: str | Path) -> Iterator[str]:
    from nlptk.corpora.files import read_lines  # training alone reads files: loading a model must be quick

    return iter(read_lines(path))
