"""The real jieba behind the calls of `_core.Jieba`, for ``JiebaTokenizer(engine="jieba")``."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, MissingDependencyError
from nlptk.tokenize.jieba_data import FULL, SEARCH


class LibraryJieba:
    """One jieba.Tokenizer. Words deleted in one are split by the HMM of all: jieba keeps them in a global.

    Raises MissingDependencyError if jieba is not installed.
    """

    def __init__(self, dictionary: str | None) -> None:
        try:
            import jieba
        except ImportError:
            raise MissingDependencyError("engine 'jieba' needs the package: pip install jieba") from None
        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer(dictionary)
        self._tokenizer.initialize()
        self._tagger: Any = None
        self._tags: dict[str, int] = {}
        self._stop_words: set[str] = set()

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
        if not word or count < 0:
            raise ValueError
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

    # ---- tags and keywords ---------------------------------------------------------------------------------

    @property
    def has_tagger(self) -> bool:
        """True: jieba brings its own tables."""
        return True

    has_idf = has_tagger

    def posseg(self, text: str, hmm: bool, pair: Any) -> list[Any]:
        """See `_core.Jieba.posseg`."""
        self._check(text)
        return [pair(found.word, found.flag) for found in self._posseg().cut(text, HMM=hmm)]

    @property
    def tag_names(self) -> list[str]:
        """The tags seen so far, in the order of `tagged_tokens`."""
        return list(self._tags)

    def tagged_tokens(
        self, texts: Sequence[str], hmm: bool, threads: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """See `_core.Jieba.tagged_tokens`; one thread whatever `threads` says."""
        del threads
        rows: list[tuple[int, int, int]] = []
        offsets = [0]
        for text in texts:
            lead = len(text) - len(text.lstrip())
            if lead:
                rows.append((0, lead, self._tags.setdefault("x", len(self._tags))))
            start = 0
            for found in self._posseg().cut(text, HMM=hmm):
                end = start + len(found.word)
                if not found.word.isspace():
                    rows.append((start, end, self._tags.setdefault(found.flag, len(self._tags))))
                start = end
            offsets.append(len(rows))
        table = np.array(rows, np.int32).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2], np.array(offsets, np.int64)

    def set_stop_words(self, words: set[str]) -> None:
        """See `_core.Jieba.set_stop_words`."""
        self._stop_words = words

    def set_idf(self, tables: object) -> None:
        """Raises ConfigError: the library reads tables of its own."""
        raise ConfigError("engine 'jieba' takes no other idf table: use engine='nlptk'")

    def keywords(
        self, text: str, textrank: bool, hmm: bool, tags: list[str], most: int, weights: bool, pair: Any
    ) -> list[Any]:
        """See `_core.Jieba.keywords`; with the HMM whatever `hmm` says."""
        del hmm
        self._check(text)
        from jieba import analyse

        extractor = copy.copy(analyse.default_textrank if textrank else analyse.default_tfidf)
        extractor.stop_words = self._stop_words
        extractor.postokenizer = self._posseg()
        extractor.tokenizer = extractor.postokenizer if textrank else self._tokenizer
        found = extractor.extract_tags(text, most, True, tuple(tags), pair is not None)
        rows = [(pair(*keyword) if pair else keyword, weight) for keyword, weight in found]
        return rows if weights else [keyword for keyword, _ in rows]

    def _posseg(self) -> Any:
        if self._tagger is None:
            import jieba.posseg

            self._tagger = jieba.posseg.POSTokenizer(self._tokenizer)
        self._tagger.makesure_userdict_loaded()
        return self._tagger

    @staticmethod
    def _check(text: object) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a text must be str, not {type(text).__name__}")
