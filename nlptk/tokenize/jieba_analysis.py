"""Tags and keywords as jieba.posseg and jieba.analyse give them: what `JiebaTokenizer` can beside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from nlptk.tokenize import jieba_models
from nlptk.tokenize.jieba_data import PathLike, read_file

# The English words that jieba.analyse leaves out.
STOP_WORDS = frozenset(
    ("the", "of", "is", "and", "to", "in", "that", "we", "for", "an", "are", "by", "be", "as", "on", "with",
     "can", "if", "from", "which", "you", "it", "this", "then", "at", "have", "all", "not", "one", "has",
     "or")
)  # fmt: skip

_ALL = 2**62


class Pair(NamedTuple):
    """A word and its part-of-speech tag; prints as "word/flag"."""

    word: str
    flag: str

    def __str__(self) -> str:
        return f"{self.word}/{self.flag}"


class JiebaAnalysis:
    """Tagging and keywords over a kernel; the tables are read when first needed."""

    _kernel: Any
    hmm: bool

    def posseg(self, text: str, *, hmm: bool | None = None) -> list[Pair]:
        """The words of a text with their tags, as jieba.posseg.cut gives them.

        As there, "%" and "-" end a block, so the words are not always those of `cut`.
        """
        pairs: list[Pair] = self._tagger().posseg(text, self.hmm if hmm is None else bool(hmm), Pair)
        return pairs

    def extract_tags(
        self,
        sentence: str,
        topK: int | None = 20,
        withWeight: bool = False,
        allowPOS: Iterable[str] = (),
        withFlag: bool = False,
    ) -> list[Any]:
        """Keywords by TF-IDF, the best first, as jieba.analyse.extract_tags gives them.

        `topK`: how many; None for all. `withWeight`: (keyword, weight) instead of keywords. `allowPOS`: only
        words with these tags. `withFlag`: a `Pair` for each keyword, if `allowPOS` is given.
        """
        if not self._kernel.has_idf:
            self._kernel.set_idf(jieba_models.idf())
        return self._keywords(False, sentence, topK, withWeight, allowPOS, withFlag)

    def textrank(
        self,
        sentence: str,
        topK: int | None = 20,
        withWeight: bool = False,
        allowPOS: Iterable[str] = ("ns", "n", "vn", "v"),
        withFlag: bool = False,
    ) -> list[Any]:
        """Keywords by TextRank, the best first, as jieba.analyse.textrank gives them. See `extract_tags`."""
        return self._keywords(True, sentence, topK, withWeight, allowPOS, withFlag)

    def set_stop_words(self, path: PathLike) -> None:
        """Leave out the words of a file, one a line, beside those left out already.

        Raises DataError if it cannot be read or is not UTF-8.
        """
        self._use_stop_words(
            self._stop_words.union(jieba_models.read_text(read_file(path), path).splitlines())
        )

    def set_idf_path(self, path: PathLike) -> None:
        """Use the inverse document frequencies of a file, lines "word value". Raises DataError with line."""
        self._use_idf(read_file(path), path)

    def _prepare_analysis(self) -> None:
        self._idf: bytes | None = None  # a file of the user's
        self._use_stop_words(STOP_WORDS)

    def _use_stop_words(self, words: Iterable[str]) -> None:
        self._stop_words = set(words)
        self._kernel.set_stop_words(self._stop_words)

    def _use_idf(self, data: bytes, source: PathLike) -> None:
        self._kernel.set_idf(jieba_models.compiled_idf(data, source))
        self._idf = data

    def _tagger(self) -> Any:
        if not self._kernel.has_tagger:
            self._kernel.set_tagger(jieba_models.tagger())
        return self._kernel

    def _keywords(
        self,
        textrank: bool,
        text: str,
        most: int | None,
        with_weight: bool,
        tags: Iterable[str],
        with_flag: bool,
    ) -> list[Any]:
        allowed = list(tags)
        kernel = self._tagger() if textrank or allowed else self._kernel
        # A negative topK leaves out the last ones, as slicing does.
        limit = most if most is not None and most > 0 else _ALL
        pair = Pair if with_flag and allowed else None
        found: list[Any] = kernel.keywords(text, textrank, self.hmm, allowed, limit, with_weight, pair)
        return found[:most] if most is not None and most < 0 else found
