"""The real jieba behind the calls of `_core.Jieba`, for ``JiebaTokenizer(engine="jieba")``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, MissingDependencyError

ACCURATE, FULL, SEARCH = range(3)


class LibraryJieba:
    """One jieba.Tokenizer. Words deleted in one are split by the HMM of all: jieba keeps them in a global.

    Raises MissingDependencyError if jieba is not installed.
    """

    def __init__(self, dictionary: str | None) -> None:
        try:
            import jieba
        except ImportError:
            raise MissingDependencyError("engine='jieba' needs the package jieba: pip install jieba") from None
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer(dictionary)
        self._tokenizer.initialize()

    def cut(self, text: str, mode: int, hmm: bool) -> list[str]:
        """See `_core.Jieba.cut`."""
        self._check(text)
        if mode == SEARCH:
            return list(self._tokenizer.cut_for_search(text, HMM=hmm))
        return list(self._tokenizer.cut(text, cut_all=mode == FULL, HMM=hmm))

    def spans(self, text: str, mode: int, hmm: bool) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """See `_core.Jieba.spans`. Raises ConfigError in full mode, where jieba gives no offsets."""
        self._check(text)
        if mode == FULL:
            raise ConfigError("jieba gives no offsets in full mode: use engine='nlptk'")
        found = self._tokenizer.tokenize(text, "search" if mode == SEARCH else "default", HMM=hmm)
        pairs = np.array([(start, end) for _, start, end in found], np.int32).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def tokens(
        self, texts: Sequence[str], hmm: bool, threads: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """See `_core.Jieba.tokens`; one thread whatever `threads` says."""
        del threads
        starts: list[int] = []
        ends: list[int] = []
        offsets = [0]
        for text in texts:
            lead = len(text) - len(text.lstrip())
            if lead:
                starts.append(0)
                ends.append(lead)
            for word, start, end in self._tokenizer.tokenize(text, HMM=hmm):
                if not word.isspace():
                    starts.append(start)
                    ends.append(end)
            offsets.append(len(starts))
        return np.array(starts, np.int32), np.array(ends, np.int32), np.array(offsets, np.int64)

    def add(self, word: str, count: int) -> None:
        """See `_core.Jieba.add`."""
        self._tokenizer.add_word(word, count)

    def set_tag(self, word: str, tag: str) -> None:
        """See `_core.Jieba.set_tag`."""
        self._tokenizer.user_word_tag_tab[word] = tag

    def keep_whole(self, word: str, keep: bool) -> None:
        """Raises ConfigError: jieba cannot do it."""
        raise ConfigError("jieba cannot keep words with blanks or punctuation whole: use engine='nlptk'")

    def set_total(self, total: int) -> None:
        """See `_core.Jieba.set_total`."""
        self._tokenizer.total = total

    def count(self, text: str) -> int | None:
        """See `_core.Jieba.count`."""
        found: int | None = self._tokenizer.FREQ.get(text)
        return found

    @property
    def total(self) -> int:
        """The sum of all counts."""
        total: int = self._tokenizer.total
        return total

    def entries(self) -> list[tuple[str, int, str]]:
        """See `_core.Jieba.entries`; the words only that have a count."""
        tags: dict[str, str] = self._posseg().word_tag_tab
        return [(word, count, tags.get(word, "")) for word, count in self._tokenizer.FREQ.items() if count]

    def _posseg(self) -> Any:
        import jieba.posseg

        tagger = jieba.posseg.POSTokenizer(self._tokenizer)
        tagger.makesure_userdict_loaded()
        return tagger

    @staticmethod
    def _check(text: object) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a text must be str, not {type(text).__name__}")
