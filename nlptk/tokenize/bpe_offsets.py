"""Where the characters of a normalized text come from."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def normal_offsets(text: str, form: Form) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each place in ``unicodedata.normalize(form, text)``, int32 [length + 1], the place in `text` of
    what begins there and of what ends there.

    Characters that normalization changes together (a letter and its accents) count as one.
    """
    begins, ends = [0], [0]
    for first, last in pairwise(_boundaries(text, form)):
        size = len(unicodedata.normalize(form, text[first:last]))
        if size == last - first:
            begins += range(first + 1, last + 1)
            ends += range(first + 1, last + 1)
            continue
        begins += [first] * (size - 1) + [last] * (size > 0)
        ends += [last] * size
    return np.array(begins, np.int32), np.array(ends, np.int32)


def _boundaries(text: str, form: Form) -> list[int]:
    """Places at which the text may be cut without changing what normalization makes of it."""
    found = [0]
    for place in range(1, len(text)):
        if unicodedata.combining(text[place]):
            continue
        before = unicodedata.normalize(form, text[found[-1] : place])
        both = unicodedata.normalize(form, text[found[-1] : place + 1])
        if both == before + unicodedata.normalize(form, text[place]):
            found.append(place)
    return [*found, len(text)] if text else [0]
