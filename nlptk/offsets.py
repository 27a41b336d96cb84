"""The rules that a Doc's arrays keep, checked."""

from __future__ import annotations

from collections.abc import Sequence
from operator import le, lt
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk.errors import ConfigError

Int32Array = npt.NDArray[np.int32]
UInt8Array = npt.NDArray[np.uint8]
Offsets = Sequence[int] | npt.NDArray[np.integer[Any]]


def _as_array(values: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:  # rows of different length
        return np.empty((0, 0))


def whole_numbers(values: Any, name: str) -> npt.NDArray[np.integer[Any]]:
    """`values` as an integer array [n]. Raises ConfigError naming them `name` if they are anything else."""
    array = _as_array(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ConfigError(f"{name} must be one row of whole numbers")
    return array


def as_sent_starts(values: Any, n: int) -> UInt8Array:
    """Flags as uint8 [n], with the first set. Raises ConfigError if they are not `n` flags."""
    array = _as_array(values)
    flags = array.dtype in (np.uint8, np.bool_) or not array.size
    if not flags and array.dtype.kind in "iu":
        flags = array.min() >= 0 and array.max() <= 1
    if array.ndim != 1 or not flags:
        raise ConfigError("sent_starts must be one row of 0 and 1 (or False and True)")
    array = np.array(array, np.uint8)
    if array.shape != (n,):
        raise ConfigError(f"sent_starts has {array.size} values for {n} tokens")
    if n:
        array[0] = 1  # the first token always starts a sentence
    return array


def check_tokens(text: str, starts: list[int], ends: list[int]) -> None:
    """Raise ConfigError unless the tokens keep the rules of `Doc.set_tokens`."""
    if len(starts) != len(ends):
        raise ConfigError(f"{len(starts)} starts but {len(ends)} ends: they must be as many")
    if not starts:
        if text:
            raise ConfigError("a text that is not empty needs at least one token")
        return
    nexts = [*starts[1:], len(text)]
    if starts[0] != 0:
        raise ConfigError(
            f"the first token starts at {starts[0]}: it must start at 0 "
            "(leading whitespace is a token of its own)"
        )
    if not (all(map(lt, starts, ends)) and all(map(le, ends, nexts))):
        i = next(i for i, (s, e, n) in enumerate(zip(starts, ends, nexts, strict=True)) if not s < e <= n)
        raise ConfigError(
            f"token {i} [{starts[i]}, {ends[i]}) is empty, overlaps the next or leaves the text "
            f"of {len(text)} characters"
        )
    # One pass in C for all gaps: what lies between tokens, joined, must be whitespace.
    gaps = "".join(map(text.__getitem__, map(slice, ends, nexts)))
    if gaps and not gaps.isspace():
        i = next(i for i, (e, n) in enumerate(zip(ends, nexts, strict=True)) if text[e:n].strip())
        raise ConfigError(
            f"{text[ends[i] : nexts[i]].strip()[:20]!r} after token {i} belongs to no token: "
            "only whitespace may lie between"
        )
