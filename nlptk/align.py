"""Positions that must agree: characters with tokens, one tokenization with another, IOB tags with spans."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.doc import Doc

Offsets = Sequence[int] | npt.NDArray[np.int32]
ALIGNMENT_MODES = ("strict", "contract", "expand")


def char_to_token_span(
    starts: Offsets, ends: Offsets, start: int, end: int, alignment_mode: str = "strict"
) -> tuple[int, int] | None:
    """Tokens [i, j) for the characters [start, end), or None where no token fits.

    ``strict``: the range must begin and end with a token. ``contract``: all tokens wholly inside it.
    ``expand``: all tokens that it touches. `starts` and `ends` are sorted character offsets.
    """
    if alignment_mode not in ALIGNMENT_MODES:
        raise ConfigError(
            f"alignment_mode {alignment_mode!r} is not known: use one of {', '.join(ALIGNMENT_MODES)}"
        )
    if start >= end:
        return None
    if alignment_mode == "expand":
        first, last = bisect_right(ends, start), bisect_left(starts, end)
    else:
        first, last = bisect_left(starts, start), bisect_right(ends, end)
    if first >= last:
        return None
    if alignment_mode == "strict" and (starts[first] != start or ends[last - 1] != end):
        return None
    return first, last


class Alignment(NamedTuple):
    """For each token of one side, the indices of the other side's tokens that share characters with it."""

    a2b: list[list[int]]
    b2a: list[list[int]]


def get_alignment(a: Doc | Sequence[str], b: Doc | Sequence[str]) -> Alignment:
    """Align two tokenizations of the same text; whitespace is not compared. Linear in the text's length.

    Raises ConfigError, naming the place, if the two do not spell the same text.

    >>> get_alignment(["can", "not", "do"], ["cannot", "d", "o"]).a2b
    [[0], [0], [1, 2]]
    """
    words_a, words_b = (_solid_words(side) for side in (a, b))
    text_a, text_b = "".join(words_a), "".join(words_b)
    if text_a != text_b:
        place = next(
            (i for i, (x, y) in enumerate(zip(text_a, text_b, strict=False)) if x != y),
            min(len(text_a), len(text_b)),
        )
        raise ConfigError(
            f"the two tokenizations spell different texts: at non-space character {place} one has "
            f"{text_a[place : place + 10]!r} and the other {text_b[place : place + 10]!r}"
        )
    a2b: list[list[int]] = [[] for _ in words_a]
    b2a: list[list[int]] = [[] for _ in words_b]
    i = j = 0
    left_a = len(words_a[0]) if words_a else 0
    left_b = len(words_b[0]) if words_b else 0
    while i < len(words_a) and j < len(words_b):
        shared = min(left_a, left_b)
        if shared:
            a2b[i].append(j)
            b2a[j].append(i)
        left_a, left_b = left_a - shared, left_b - shared
        # Tokens of whitespace alone hold no character here, so they align with nothing.
        if left_a == 0:
            i += 1
            left_a = len(words_a[i]) if i < len(words_a) else 0
        if left_b == 0:
            j += 1
            left_b = len(words_b[j]) if j < len(words_b) else 0
    return Alignment(a2b, b2a)


def _solid_words(side: Doc | Sequence[str]) -> list[str]:
    if isinstance(side, str):
        raise ConfigError("get_alignment takes a Doc or a list of words, not one string")
    words: Iterable[str] = side if isinstance(side, Sequence) else side.words
    return ["".join(word.split()) for word in words]


def split_iob(tag: str) -> tuple[str, str]:
    """``"B-PER"`` -> ``("B", "PER")``; ``"O"`` -> ``("O", "")``; ``""`` (unset) -> ``("", "")``."""
    prefix, _, label = tag.partition("-")
    return prefix, label


def iob_to_spans(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """(label, start, end) of each chunk, counted as conlleval counts them; reads IOB1, IOB2 and BIOES/BILUO.

    A chunk also begins where an inside tag follows another label or an outside tag, so that no tag is lost.

    >>> iob_to_spans(["B-PER", "I-PER", "O", "I-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4)]
    """
    spans: list[tuple[str, int, int]] = []
    open_label, start, closed = "", 0, True
    for i, tag in enumerate(tags):
        prefix, label = split_iob(tag)
        outside = prefix in ("O", "")
        if not closed and (outside or prefix in ("B", "S", "U") or label != open_label):
            spans.append((open_label, start, i))
            closed = True
        if outside:
            continue
        if closed:
            open_label, start, closed = label, i, False
        if prefix in ("E", "L", "S", "U"):
            spans.append((label, start, i + 1))
            closed = True
    if not closed:
        spans.append((open_label, start, len(tags)))
    return spans


def spans_to_iob(spans: Iterable[tuple[str, int, int]], n: int, scheme: str = "bio") -> list[str]:
    """IOB2 (``scheme="bio"``) or BIOES (``"bioes"``) tags for `n` tokens.

    Raises ConfigError for a span out of range, empty or overlapping another, or an unknown scheme.
    """
    if scheme not in ("bio", "bioes"):
        raise ConfigError(f"tagging scheme {scheme!r} is not known: use 'bio' or 'bioes'")
    tags = ["O"] * n
    for label, start, end in spans:
        if not 0 <= start < end <= n:
            raise ConfigError(f"span {label!r} [{start}, {end}) does not lie within {n} tokens")
        if any(tag != "O" for tag in tags[start:end]):
            raise ConfigError(f"span {label!r} [{start}, {end}) overlaps another: entities must be disjoint")
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
        if scheme == "bioes":
            tags[end - 1] = f"E-{label}" if end - start > 1 else f"S-{label}"
    return tags


def iob_to_bioes(tags: Sequence[str]) -> list[str]:
    """IOB1, IOB2 or BIOES tags as BIOES."""
    return spans_to_iob(iob_to_spans(tags), len(tags), "bioes")


def bioes_to_iob(tags: Sequence[str]) -> list[str]:
    """BIOES (or any IOB) tags as IOB2."""
    return spans_to_iob(iob_to_spans(tags), len(tags))
