"""N-gram models as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nlptk import _core
from nlptk.state import pack_strings, take_array, unpack_strings

_OF_ALL = ("words", "log_probs")
_OF_LOWER = ("backoffs", "begins")


def to_arrays(model: _core.NgramModel) -> dict[str, NDArray[Any]]:
    """Words, and for each order what `NgramLM.to_state` tells."""
    arrays = pack_strings("words", model.words())
    for n in range(1, model.order + 1):
        names = _OF_ALL + _OF_LOWER if n < model.order else _OF_ALL
        arrays |= {f"{n}.{name}": array for name, array in zip(names, model.level(n), strict=False)}
    return arrays


def from_arrays(order: int, laplace: bool, arrays: Mapping[str, NDArray[Any]]) -> _core.NgramModel:
    """The model of these. Raises ModelError or ValueError where they are none."""

    def level(n: int) -> _core.NgramLevel:
        def take(name: str, dtype: DTypeLike) -> NDArray[Any]:
            if n == order and name in _OF_LOWER:
                return np.zeros(0, dtype)
            return take_array(f"{n}.{name}", arrays, dtype, 1)

        words, log_probs = take("words", np.uint32), take("log_probs", np.float32)
        return words, log_probs, take("backoffs", np.float32), take("begins", np.uint32)

    levels = [level(n) for n in range(1, order + 1)]
    return _core.NgramModel(unpack_strings("words", arrays), levels, laplace)
