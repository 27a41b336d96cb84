"""The state of models as arrays: strings packed and unpacked, arrays and settings checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nlptk.errors import ConfigError, ModelError


def check_integer(name: str, value: Any, low: int) -> None:
    """Raise ConfigError unless `value` is an integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise ConfigError(f"{name} must be an integer of at least {low}, not {value!r}")


def pack_strings(name: str, strings: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Arrays `<name>_bytes` (UTF-8, uint8) and `<name>_offsets` (int64 [n + 1]); lone surrogates are kept."""
    parts = [text.encode("utf-8", "surrogatepass") for text in strings]
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return {f"{name}_bytes": np.frombuffer(b"".join(parts), np.uint8), f"{name}_offsets": offsets}


def unpack_strings(name: str, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """The strings that `pack_strings` packed. Raises ModelError where the arrays are not such strings."""
    data = take_array(f"{name}_bytes", arrays, np.uint8, 1).tobytes()
    offsets = take_array(f"{name}_offsets", arrays, np.int64, 1)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(data) or (np.diff(offsets) < 0).any():
        raise ModelError(
            f"the offsets of {name} do not divide its bytes; the model is altered, fetch it again"
        )
    bounds = offsets.tolist()
    try:
        return [data[first:last].decode("utf-8", "surrogatepass") for first, last in pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise ModelError(f"{name} are not UTF-8 ({error}); the model is altered, fetch it again") from error


def take_array(
    name: str, arrays: Mapping[str, NDArray[Any]], dtype: DTypeLike, dimensions: int
) -> NDArray[Any]:
    """`arrays[name]`. Raises ModelError where it is absent, of another type or not finite."""
    if name not in arrays:
        raise ModelError(f"the model has no array {name!r}; it is of another kind or incomplete")
    array = np.ascontiguousarray(arrays[name])
    if array.dtype != np.dtype(dtype) or array.ndim != dimensions:
        raise ModelError(
            f"array {name!r} is {array.dtype} with {array.ndim} dimensions, "
            f"not {np.dtype(dtype)} with {dimensions}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelError(f"array {name!r} holds NaN or infinity; the model is altered, fetch it again")
    return array
