"""Subword tokens as tokens of a Doc, which may not overlap and leave nothing but white space between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.doc import Doc

_SPACE = 1  # the flag of white space in _core.char_flags


def set_subword_tokens(doc: Doc, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> None:
    """Set the tokens of a Doc to these spans, int32 [tokens]: without their white space, those that share a
    character as one, and with what lies in no span as tokens too.
    """
    size = len(doc.text)
    if not size:
        doc.set_tokens([], [], validate=False)
        return
    ink = (_core.char_flags(doc.text) & _SPACE) == 0
    within = np.zeros(size + 1, np.int32)  # spans that begin before a place and end after it
    np.add.at(within, starts + 1, 1)
    np.add.at(within, ends, -1)
    cut = np.zeros(size + 1, bool)
    cut[starts] = cut[ends] = True
    cut[np.cumsum(within) > 0] = False
    begins = ink.copy()
    begins[1:] &= ~ink[:-1] | cut[1:size]
    stops = ink.copy()
    stops[:-1] &= ~ink[1:] | cut[1:size]
    first, last = np.flatnonzero(begins), np.flatnonzero(stops) + 1
    if not ink[0]:  # white space that leads a text is a token, as in every Doc
        first = np.concatenate([[0], first])
        last = np.concatenate([[first[1] if len(first) > 1 else size], last])
    doc.set_tokens(first.astype(np.int32), last.astype(np.int32), validate=False)
