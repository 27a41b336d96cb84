"""Word lists as kernels hold them: 32-bit word hashes, no strings, a few bytes a word."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError


def lexicon_keys(words: Iterable[str]) -> NDArray[np.uint32]:
    """Sorted keys (uint32) of the words; two words in 2^32 share one."""
    return np.unique(np.fromiter((_core.lexicon_key(word) for word in words), np.uint32))


def jieba_words(min_freq: int = 1, longest: int = 6) -> list[str]:
    """The words of two to `longest` characters in the installed jieba's dictionary (MIT licence).

    jieba itself is not imported.

    Raises:
        ConfigError: jieba is not installed or has no dictionary.
    """
    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        raise ConfigError("the lexicon 'jieba' needs the package jieba; install it with: pip install jieba")
    path = Path(spec.origin).with_name("dict.txt")
    if not path.is_file():
        raise ConfigError(f"the installed jieba has no dictionary at {path.name}; install jieba again")
    words = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, freq = line.split(" ")[:2]
            if 2 <= len(word) <= longest and int(freq) >= min_freq:
                words.append(word)
    return words


def read_lexicon(source: str, min_freq: int = 1) -> NDArray[np.uint32]:
    """Keys of a word list: ``jieba`` for jieba's dictionary, otherwise a UTF-8 file with one word a line."""
    if source == "jieba":
        return lexicon_keys(jieba_words(min_freq))
    try:
        with Path(source).open(encoding="utf-8") as lines:
            return lexicon_keys(word for line in lines if (word := line.strip()))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the lexicon {source!r}: {error}") from error
