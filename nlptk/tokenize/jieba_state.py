"""What `JiebaTokenizer` saves, as arrays; apart, because cutting needs no NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def pack_words(name: str, rows: Sequence[tuple[str, int, str]]) -> dict[str, Any]:
    """Words, counts and tags as arrays; code points, so that any str survives."""
    texts = [text for word, _, tag in rows for text in (word, tag)]
    joined = "".join(texts)
    return {
        f"{name}_text": np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32),
        f"{name}_ends": np.cumsum([len(text) for text in texts], dtype=np.int64),
        f"{name}_counts": np.array([count for _, count, _ in rows], np.int64),
    }


def unpack_words(name: str, arrays: dict[str, Any]) -> list[tuple[str, int, str]]:
    text = "".join(map(chr, arrays[f"{name}_text"].tolist()))
    ends = arrays[f"{name}_ends"].tolist()
    texts = [text[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    return list(zip(texts[::2], arrays[f"{name}_counts"].tolist(), texts[1::2], strict=True))


def pack_flags(flags: Iterable[bool]) -> Any:
    """Booleans as uint8."""
    return np.array(list(flags), np.uint8)


def pack_bytes(data: bytes) -> Any:
    """The bytes of a file as uint8."""
    return np.frombuffer(data, np.uint8)
