"""Encoding where the kernel cannot do it alone: texts in another normal form, and patterns of `regex`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.tokenize.bpe_checks import check_text
from nlptk.tokenize.bpe_offsets import Form, normal_offsets
from nlptk.tokenize.pretokenizers import Scanner, Splitter

#: Ids, starts and ends in characters, each [tokens].
Columns = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

_NONE, _NORMALIZED, _ALL = 0, 2, 3  # which special tokens the kernel looks for: BpeEncoder::Look
_NOTHING: Columns = (np.zeros(0, np.uint32), np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True)
class TextEncoder:
    """One text at a time, in the order of tokenizers: special tokens, normal form, the special tokens that
    are looked for in it, prefix, pieces.
    """

    kernel: _core.BpeEncoder
    how: Scanner | Splitter
    form: Form | None
    prefix_space: bool
    threads: int

    def direct(self, text: str) -> bool:
        """Whether the kernel can take the text as it is."""
        return isinstance(self.how, Scanner) and (
            self.form is None or unicodedata.is_normalized(self.form, check_text(text))
        )

    def columns(self, text: str, dropout: float, seed: int, offsets: bool = True) -> Columns:
        """Ids, starts and ends of a text; without `offsets` starts and ends have no meaning."""
        if self.direct(text):
            return self.kernel.encode_offsets([text], _ALL, dropout, seed, 1)[:3]
        parts: list[Columns] = []
        at = 0
        for begin, end, number in [*self.kernel.find_special(text), (len(text), len(text), -1)]:
            if at < begin:
                ids, starts, ends = self._stretch(text[at:begin], dropout, seed, offsets)
                parts.append((ids, starts + at, ends + at))
            if number >= 0:
                parts.append((np.array([number]), np.array([begin]), np.array([end])))
            at = end
        return _join(parts)

    def _stretch(self, text: str, dropout: float, seed: int, offsets: bool) -> Columns:
        if self.form is None or unicodedata.is_normalized(self.form, text):
            return self._cut(text, dropout, seed)
        ids, starts, ends = self._cut(unicodedata.normalize(self.form, text), dropout, seed)
        if not offsets:
            return ids, starts, ends
        begins_at, ends_at = normal_offsets(text, self.form)
        return ids, begins_at[starts], ends_at[ends]

    def _cut(self, text: str, dropout: float, seed: int) -> Columns:
        if isinstance(self.how, Scanner):
            return self.kernel.encode_offsets([text], _NORMALIZED, dropout, seed, 1)[:3]
        parts: list[Columns] = []
        at = 0
        for begin, end, number in [*self.kernel.find_special(text, True), (len(text), len(text), -1)]:
            if at < begin:
                ids, starts, ends = self._pieces(self.how, text[at:begin], dropout, seed)
                parts.append((ids, starts + at, ends + at))
            if number >= 0:
                parts.append((np.array([number]), np.array([begin]), np.array([end])))
            at = end
        return _join(parts)

    def _pieces(self, how: Splitter, text: str, dropout: float, seed: int) -> Columns:
        given = 1 if self.prefix_space and not text.startswith(" ") else 0  # a space that lies in no text
        spans = how.spans(" " * given + text)
        pieces = [(" " * given + text)[a:b] for a, b in spans]
        ids, starts, ends, bounds = self.kernel.encode_offsets(pieces, _NONE, dropout, seed, self.threads)
        shift = np.repeat(np.array([a - given for a, _ in spans], np.int32), np.diff(bounds))
        return ids, np.maximum(starts + shift, 0), np.maximum(ends + shift, 0)


def _join(parts: list[Columns]) -> Columns:
    if not parts:
        return _NOTHING
    ids, starts, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ids, starts, ends
