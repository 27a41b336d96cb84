"""Words as one run of UTF-8 bytes and offsets: what the kernels and the files take."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nlptk.errors import DataError

Offsets = npt.NDArray[np.int64]


def pack_words(words: Sequence[str], errors: str = "strict") -> tuple[bytes, Offsets]:
    """The UTF-8 of all words in one piece, and where each begins and the last ends: [words + 1].

    `errors` is of lone surrogates: "strict" raises DataError naming the word, others are `str.encode`'s.
    """
    try:
        parts = [word.encode("utf-8", errors) for word in words]
    except UnicodeEncodeError as error:
        message = f"word {error.object!r} holds a lone surrogate, which UTF-8 cannot carry; replace it"
        raise DataError(message) from error
    lengths = itertools.accumulate(map(len, parts), initial=0)
    return b"".join(parts), np.fromiter(lengths, np.int64, len(parts) + 1)


def unpack_words(blob: bytes, offsets: Offsets, errors: str = "strict") -> list[str]:
    """The words that `pack_words` packed. Raises UnicodeDecodeError with `errors` "strict"."""
    bounds = offsets.tolist()
    if blob.isascii():
        text = blob.decode("ascii")
        return [text[a:b] for a, b in itertools.pairwise(bounds)]
    return [blob[a:b].decode("utf-8", errors) for a, b in itertools.pairwise(bounds)]
