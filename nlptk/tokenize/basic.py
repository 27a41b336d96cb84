"""The plainest components: `char_tokenizer`, which needs no model and no language, and `sentencizer`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nlptk.component import Component
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.doc import Doc

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PUNCT = (
    "!-/:-@\\[-`{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u3004\u3008-\u3020\u3030\ufe30-\ufe4f"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_RUN = rf"[^\s{_HAN}{_PUNCT}]+"
# Leading whitespace | Han character | run, with apostrophes, and points between digits | punctuation mark
_TOKEN = re.compile(rf"\A\s+|[{_HAN}]|{_RUN}(?:(?:['’](?=[^\W\d])|(?<=\d)[.,](?=\d)){_RUN})*|\S")
_STRAIGHT_QUOTES = ('"', "'")


class CharTokenizer(Component):
    """One token for each Han character and punctuation mark, and for each other run without whitespace.

    Settings: none. Assigns "doc.tokens".
    """

    assigns = ("doc.tokens",)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc."""
        for doc in docs:
            spans = [match.span() for match in _TOKEN.finditer(doc.text)]
            doc.set_tokens([start for start, _ in spans], [end for _, end in spans], validate=False)


class Sentencizer(Component):
    """Ends a sentence at closing punctuation, and at a blank line; quotes and brackets that close stay with
    it.

    Settings: `punct_chars`, the characters that end a sentence; `overwrite`: also where sentences are set
    already. Requires "doc.tokens", assigns "doc.sents". The rule is that of spaCy's component of this name.
    """

    assigns = ("doc.sents",)
    requires = ("doc.tokens",)

    #: Sentence-final marks of many scripts.
    PUNCT_CHARS = "!.?…։؟۔܀।॥၊။።፧፨᙮᜵᜶᠃᠉᪨᪩᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꩝꩞꩟꫰꫱꯫﹒﹖﹗．！？｡。"

    def __init__(self, punct_chars: Iterable[str] | None = None, overwrite: bool = False) -> None:
        chars = self.PUNCT_CHARS if punct_chars is None else list(punct_chars)
        if not all(isinstance(char, str) and len(char) == 1 for char in chars):
            raise ConfigError("sentencizer: punct_chars must be single characters")
        self.punct_chars = "".join(chars)
        self._finals = frozenset(chars)
        self.overwrite = overwrite

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the sentence starts of each Doc."""
        for doc in docs:
            if self.overwrite or doc.sent_starts is None:
                doc.sent_starts = self._sent_starts(doc.words, doc.whitespaces)

    def _sent_starts(self, words: list[str], whitespaces: list[str]) -> list[bool]:
        starts: list[bool] = []
        ended, gap_before = True, ""
        for word, gap in zip(words, whitespaces, strict=True):
            final = self._is_final(word)
            begins = not starts or (ended and not final and not _closes(word, gap_before))
            starts.append(begins)
            ended = final or gap.count("\n") > 1 or (ended and not begins)
            gap_before = gap
        return starts

    def _is_final(self, word: str) -> bool:
        return self._finals.issuperset(word)


def _closes(word: str, gap_before: str) -> bool:
    """Whether punctuation belongs to what is before it; a straight quote does if no space is between."""
    if word in _STRAIGHT_QUOTES:
        return not gap_before
    return all(unicodedata.category(char) in ("Pe", "Pf", "Po") for char in word)
