"""CRF weights in the small form of the embedded pipelines: lists of pairs, which loading packs anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.crf import CrfWeights

_KIND = 0x3F  # of a reference: csrc/core/kernels/linear_kernel.hpp
_DENSE = 0x3F


def compact(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """A component's arrays with pairs of labels and weights in place of a CRF's rows and blocks, if any.

    `CrfWeights.from_arrays` takes both forms. This one is smaller, but cannot be used where it lies.
    """
    if "rows" not in arrays:
        return dict(arrays)
    weights = CrfWeights.from_arrays(arrays)
    keys, references = weights.rows.T
    kinds, firsts = references & _KIND, (references >> 6).astype(np.int64)
    single = np.flatnonzero(kinds == 0)
    inline = references[single]
    parts = [(single, (inline & 0xFFFF) >> 6, (inline >> 16).astype(np.uint16).view(np.int16))]
    for kind in np.unique(kinds[kinds > 0]).tolist():
        rows = np.flatnonzero(kinds == kind)
        blocks = -(-weights.labels // 8) if kind == _DENSE else kind
        values = weights.blocks[firsts[rows, None] + np.arange(blocks)].reshape(len(rows), -1)
        if kind == _DENSE:
            labels = np.broadcast_to(np.arange(8 * blocks), values.shape)
        else:
            labels, values = values[:, ::2].astype(np.uint16), values[:, 1::2]
        at, place = np.nonzero(values)  # padding is 0
        parts.append((rows[at], labels[at, place], values[at, place]))
    row, label, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((label, row))
    narrow = np.uint8 if weights.labels <= 255 else np.uint16
    pairs = {
        "keys": keys.copy(),
        "row_sizes": np.bincount(row, minlength=len(keys)).astype(narrow),
        "pair_labels": label[order].astype(narrow),
        "pair_weights": weight[order],
    }
    return {**{name: a for name, a in arrays.items() if name not in ("rows", "blocks")}, **pairs}
