"""JiebaTokenizer: Chinese words exactly as jieba 0.42.1 cuts them, in C++.

Every list of words is the one that jieba gives, ties, odd characters and oddities included; docs/jieba.md
says which of them have an option. The dictionary and the HMM are those of the installed package jieba, which
is read but not imported.

Source: Sun Junyi, jieba 0.42.1 (MIT licence).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nlptk import _core
from nlptk.component import Component
from nlptk.errors import ConfigError, DataError
from nlptk.tokenize import jieba_data, jieba_models
from nlptk.tokenize.jieba_analysis import STOP_WORDS, JiebaAnalysis
from nlptk.tokenize.jieba_data import ACCURATE, FULL, SEARCH

if TYPE_CHECKING:
    from typing_extensions import Self

    from nlptk.doc import Doc

PathLike = str | os.PathLike[str]

MOST_COUNT = 2**53
_SURROGATE = re.compile("[\ud800-\udfff]")
MODES = {"accurate": ACCURATE, "full": FULL, "search": SEARCH}


class JiebaTokenizer(JiebaAnalysis, Component):
    """Cuts Chinese text into words as jieba does; assigns "doc.tokens", and "doc.tag" with `pos`.

    Args:
        mode: "accurate"; "full", all words of the dictionary that the text has; "search", accurate with the
            two- and three-character words inside longer ones before them. Words of the latter two overlap,
            so a pipeline takes "accurate" only.
        hmm: find words that are not in the dictionary by the hidden Markov model.
        pos: tokens and tags as `posseg` gives them.
        user_dict: file or files of user words, see `load_userdict`.
        dictionary: a main dictionary in place of jieba's own: lines "word count tag", UTF-8.
        whole_words: user words that jieba's block rule would split (they have blanks, or punctuation other
            than ``+#&._%-``) are found before anything else, the longest first. jieba never finds them.
        engine: "nlptk", or "jieba" for the library itself.
        threads: over the texts of a batch; 0 for one for each core.

    Raises:
        ConfigError: a setting is not one of these.
        DataError: a dictionary is malformed; names file and line.
        MissingDependencyError: the package jieba is not installed.
    """

    name = "jieba"
    assigns: tuple[str, ...] = ("doc.tokens",)

    def __init__(
        self,
        mode: str = "accurate",
        hmm: bool = True,
        pos: bool = False,
        user_dict: PathLike | Sequence[PathLike] | None = None,
        dictionary: PathLike | None = None,
        whole_words: bool = False,
        engine: str = "nlptk",
        threads: int = 0,
    ) -> None:
        self._configure(mode, hmm, pos, dictionary, whole_words, engine, threads)
        self._make_kernel(None)
        files = [user_dict] if isinstance(user_dict, (str, os.PathLike)) else user_dict or ()
        for file in files:
            self.load_userdict(file)

    def _configure(
        self,
        mode: str,
        hmm: bool,
        pos: bool,
        dictionary: PathLike | None,
        whole_words: bool,
        engine: str,
        threads: int,
    ) -> None:
        if mode not in MODES:
            raise ConfigError(f"jieba: mode must be one of {', '.join(MODES)}, not {mode!r}")
        if engine not in ("nlptk", "jieba"):
            raise ConfigError(f"jieba: engine must be 'nlptk' or 'jieba', not {engine!r}")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError(f"jieba: threads must be 0 or a positive whole number, not {threads!r}")
        self.mode = mode
        self.hmm = bool(hmm)
        self.pos = bool(pos)
        if self.pos:
            self.assigns = ("doc.tokens", "doc.tag")
        self.dictionary = None if dictionary is None else os.fspath(dictionary)
        self.whole_words = bool(whole_words)
        self.engine = engine
        self.threads = threads
        self._counts: dict[str, int] = {}  # of user words, as they are now
        self._tags: dict[str, str] = {}
        self._deleted: set[str] = set()  # once deleted, for ever split by the HMM

    def _make_kernel(self, compiled: bytes | None) -> None:
        self._kernel: Any
        if self.engine == "jieba":
            from nlptk.tokenize.jieba_library import LibraryJieba

            self._kernel = LibraryJieba(self.dictionary)
        else:
            tables = jieba_data.dictionary(self.dictionary) if compiled is None else compiled
            self._kernel = _core.Jieba(tables, jieba_models.hmm())
        self._prepare_analysis()

    # ---- cutting -------------------------------------------------------------------------------------------

    def cut(self, text: str, *, mode: str | None = None, hmm: bool | None = None) -> list[str]:
        """The words of a text. Raises TypeError for anything but str.

        `mode`, `hmm`: in place of the tokenizer's own. In full mode a word may be "" beside white space, and
        may join letters that lie apart, as in jieba.
        """
        words: list[str] = self._kernel.cut(text, *self._how(mode, hmm))
        return words

    lcut = cut

    def cut_all(self, text: str) -> list[str]:
        """``cut`` in full mode."""
        return self.cut(text, mode="full")

    def cut_for_search(self, text: str, *, hmm: bool | None = None) -> list[str]:
        """``cut`` in search mode."""
        return self.cut(text, mode="search", hmm=hmm)

    lcut_for_search = cut_for_search

    def spans(self, text: str, *, mode: str | None = None, hmm: bool | None = None) -> list[tuple[int, int]]:
        """Start and end of each word, in characters. See `cut`."""
        starts, ends = self._kernel.spans(text, *self._how(mode, hmm))
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    def tokenize(
        self, text: str, *, mode: str | None = None, hmm: bool | None = None
    ) -> list[tuple[str, int, int]]:
        """(word, start, end) of each word, as jieba.tokenize gives them. See `cut`."""
        words, spans = self.cut(text, mode=mode, hmm=hmm), self.spans(text, mode=mode, hmm=hmm)
        return [(word, start, end) for word, (start, end) in zip(words, spans, strict=True)]

    def _how(self, mode: str | None, hmm: bool | None) -> tuple[int, bool]:
        number = MODES.get(self.mode if mode is None else mode)
        if number is None:
            raise ConfigError(f"jieba: mode must be one of {', '.join(MODES)}, not {mode!r}")
        return number, self.hmm if hmm is None else bool(hmm)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc; white space is no token unless it leads the text."""
        if self.mode != "accurate":
            raise ConfigError(
                f"jieba: words of mode {self.mode!r} overlap, which the tokens of a Doc may not: "
                "use mode 'accurate' in a pipeline"
            )
        texts = [doc.text for doc in docs]
        tags = None
        if self.pos:
            starts, ends, tags, offsets = self._tagger().tagged_tokens(texts, self.hmm, self.threads)
            labels = ("", *self._kernel.tag_names)  # 0 is "unset"
        else:
            starts, ends, offsets = self._kernel.tokens(texts, self.hmm, self.threads)
        bounds = offsets.tolist()
        for doc, a, b in zip(docs, bounds[:-1], bounds[1:], strict=True):
            doc.set_tokens(starts[a:b], ends[a:b], validate=False)
            if tags is not None:
                doc.set_codes("tag", tags[a:b] + 1, labels)

    # ---- the user's words ----------------------------------------------------------------------------------

    def load_userdict(self, file: Any, *, strict: bool = False) -> None:
        """Add the words of a file, or of an open file: lines "word [count] [tag]", UTF-8.

        jieba never finds fault with a line: what does not end in a count and a tag of small letters is a word
        as it stands, blanks included. `strict`: such a line is an error.

        Raises:
            DataError: bytes that are not UTF-8, a word that `add_word` does not take, or (`strict`) a
                malformed line; names file and line.
        """
        for where, word, count, tag in jieba_data.user_words(file, strict):
            try:
                self.add_word(word, count, tag)
            except ConfigError as error:
                raise DataError(f"{where}: {error}") from None

    def add_word(self, word: str, freq: int | None = None, tag: str | None = None) -> None:
        """Add a word, or set its count and tag. Without `freq` it gets one with which it is not cut apart.

        Raises:
            ConfigError: an empty word, a count that is no number between 0 and 2^53, a tag with a line end or
                a lone surrogate.
            TypeError: the word or tag is not str.
        """
        _check_str("word", word)
        if tag:
            _check_str("tag", tag)
            if "\n" in tag or _SURROGATE.search(tag):
                raise ConfigError(f"jieba: a tag has no line end and no lone surrogate, unlike {tag!r}")
        try:
            count = self.suggest_freq(word) if freq is None else int(freq)
        except (ValueError, OverflowError):
            raise ConfigError(
                f"jieba: the count of {word!r} must be a whole number, not {freq!r:.40}"
            ) from None
        try:
            self._kernel.add(word, count if 0 <= count <= MOST_COUNT else -1)
        except ValueError:
            raise ConfigError(
                f"jieba: cannot add {word!r} with count {count}: a word has a character, counts and their "
                "sum lie between 0 and 2^53, and a dictionary has at most 65,535 different characters"
            ) from None
        self._counts[word] = count
        if count == 0:
            self._deleted.add(word)
        if tag:
            self._kernel.set_tag(word, tag)
            self._tags[word] = tag
        if self.whole_words and not _core.jieba_is_block(word):
            self._kernel.keep_whole(word, count > 0)

    def del_word(self, word: str) -> None:
        """Set a word's count to 0; the HMM does not join it either."""
        self.add_word(word, 0)

    def suggest_freq(self, segment: str | Iterable[str], tune: bool = False) -> int:
        """The count with which a word stays whole (a str), or is cut into these parts (several).

        `tune`: also set it. The HMM may still join the parts.
        """
        total = self._kernel.total
        freq: float = 1
        if isinstance(segment, str):
            word = segment
            for part in self.cut(word, mode="accurate", hmm=False):
                freq *= self._count(part, 1) / float(total)
            count = max(int(freq * total) + 1, self._count(word, 1))
        else:
            parts = tuple(segment)
            for part in parts:
                _check_str("part of a word", part)
            word = "".join(parts)
            for part in parts:
                freq *= self._count(part, 1) / float(total)
            count = min(int(freq * total), self._count(word, 0))
        if tune:
            self.add_word(word, count)
        return count

    def _count(self, text: str, missing: int) -> int:
        found: int | None = self._kernel.count(text)
        return missing if found is None else found

    # ---- saving --------------------------------------------------------------------------------------------

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings; as arrays the user's words, stop words and idf file, and a main dictionary of one's
        own, whole.
        """
        from nlptk.tokenize import jieba_state

        config = {
            "mode": self.mode,
            "hmm": self.hmm,
            "pos": self.pos,
            "whole_words": self.whole_words,
            "engine": self.engine,
            "threads": self.threads,
        }
        arrays: dict[str, Any] = {}
        if self.dictionary is not None:
            arrays |= jieba_state.pack_words("dictionary", self._kernel.entries())
        if self._counts:
            rows = [(word, count, self._tags.get(word, "")) for word, count in self._counts.items()]
            arrays |= jieba_state.pack_words("user", rows)
            arrays["user_deleted"] = jieba_state.pack_flags(word in self._deleted for word in self._counts)
        if arrays:
            config["total"] = self._kernel.total
        if self._stop_words != STOP_WORDS:
            arrays["stop_words"] = jieba_state.pack_bytes("\n".join(sorted(self._stop_words)).encode())
        if self._idf is not None:
            arrays["idf"] = jieba_state.pack_bytes(self._idf)
        return config, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, Any]) -> Self:
        """The tokenizer that `to_state` described; files that it was made from are not read again."""
        from nlptk.tokenize import jieba_state

        settings = dict(config)
        total = settings.pop("total", None)
        tokenizer = cls.__new__(cls)
        tokenizer._configure(dictionary=None, **settings)
        compiled = None
        if "dictionary_ends" in arrays:
            if tokenizer.engine == "jieba":
                raise ConfigError("jieba: engine 'jieba' with a dictionary of its own cannot be loaded again")
            words, counts, tags = zip(*jieba_state.unpack_words("dictionary", arrays), strict=True)
            # The user's words are added to it once more below, so their counts are not in the sum yet.
            compiled = _core.jieba_compile(words, counts, tags, 1)
            tokenizer.dictionary = "<saved>"
        tokenizer._make_kernel(compiled)
        if "user_ends" in arrays:
            rows = jieba_state.unpack_words("user", arrays)
            for (word, count, tag), deleted in zip(rows, arrays["user_deleted"].tolist(), strict=True):
                if deleted:
                    tokenizer.del_word(word)
                tokenizer.add_word(word, count, tag)
        if total is not None:
            tokenizer._kernel.set_total(total)
        if "stop_words" in arrays:
            tokenizer._use_stop_words(arrays["stop_words"].tobytes().decode().split("\n"))
        if "idf" in arrays:
            tokenizer._use_idf(arrays["idf"].tobytes(), "saved idf")
        return tokenizer

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_state, self.to_state(), {"name": self.name}


def _check_str(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"a {what} must be str, not {type(value).__name__}")
