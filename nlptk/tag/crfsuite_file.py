"""CRFsuite's model files (Okazaki 2007), read without CRFsuite.

A file is a header, the features (chunk FEAT: type, source, label, weight), the labels and the attributes (a
CQDB each, a hash table of names), and which features each label (LFRF) and each attribute (AFRF) has. All
numbers are little-endian; nothing is aligned. The file has no checksum: what is read is checked as far as its
parts tell of one another.
"""

from __future__ import annotations

import os
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ModelError
from nlptk.tag.crf_model import CrfModel

MAGIC = b"lCRF"
_HEADER = struct.Struct("<4sI4sI8I")
_FEATURE = np.dtype([("type", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])
_STATE, _TRANSITION = 0, 1
_BYTE_ORDER = 0x62445371  # as a CQDB states its own
_LARGEST = 1e30  # of a weight, as the chain kernel has it

Bytes = NDArray[np.uint8]


def read_crfsuite(path: str | os.PathLike[str]) -> CrfModel:
    """The model of a file that CRFsuite wrote, with float32 weights.

    Raises:
        ModelError: the file cannot be read, is truncated or altered; the message names it and the cause.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{os.fspath(path)}: cannot be read: {error.strerror}") from error
    try:
        return parse_crfsuite(data)
    except (ValueError, ModelError) as error:
        raise ModelError(f"{os.fspath(path)}: is not a whole CRFsuite model: {error}") from error


def parse_crfsuite(data: bytes) -> CrfModel:
    """The model in the bytes of such a file. Raises ValueError or ModelError with the cause."""
    if len(data) < _HEADER.size or data[:4] != MAGIC:
        raise ValueError("it does not begin with CRFsuite's header")
    _, size, kind, version, _, labels, attributes, *offsets = _HEADER.unpack_from(data)
    if size != len(data):
        raise ValueError(f"it has {len(data)} bytes where its header says {size}")
    if kind != b"FOMC" or version != 100:
        raise ValueError(f"it is of the type {kind!r}, version {version}, and only b'FOMC', 100 can be read")
    if labels > 65535:
        raise ValueError(f"it has {labels} labels, and at most 65535 can be read")
    raw = np.frombuffer(data, np.uint8)
    features = _features(raw, offsets[0], labels)
    names = _names(raw, offsets[1], labels, "labels")
    table = _core.AttributeTable.from_arrays(*_names(raw, offsets[2], attributes, "attributes"))
    label_counts, of_labels = _references(raw, offsets[3], b"LFRF", labels, len(features))
    counts, of_attributes = _references(raw, offsets[4], b"AFRF", attributes, len(features))
    steps, states = features[of_labels], features[of_attributes]
    if (steps["type"] != _TRANSITION).any() or (states["type"] != _STATE).any():
        raise ValueError("a label or attribute has a feature of the other's type")
    transitions = np.zeros((labels, labels), np.float32)
    transitions[np.repeat(np.arange(labels), label_counts), steps["label"]] = steps["weight"]
    return CrfModel(
        _strings(*names),
        table,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        states["label"].astype(np.uint16),
        states["weight"].astype(np.float32),
        transitions,
    )


def _take(raw: Bytes, offset: int, size: int, what: str) -> Bytes:
    if offset + size > len(raw):
        raise ValueError(f"its {what} would end at byte {offset + size} of {len(raw)}")
    return raw[offset : offset + size]


def _numbers(raw: Bytes, offset: int, count: int, what: str) -> NDArray[np.int64]:
    """`count` unsigned 32-bit integers."""
    return _take(raw, offset, 4 * count, what).view("<u4").astype(np.int64)


def _numbers_at(raw: Bytes, offsets: NDArray[np.int64], what: str) -> NDArray[np.int64]:
    """The unsigned 32-bit integer at each of the offsets."""
    if len(offsets) and (offsets.min() < 0 or offsets.max() + 4 > len(raw)):
        raise ValueError(f"its {what} lie outside the file")
    found: NDArray[np.uint32] = raw[offsets[:, None] + np.arange(4)].view("<u4").reshape(-1)
    return found.astype(np.int64)


def _ranges(firsts: NDArray[np.int64], sizes: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """`first, first + step, ...`, `size` numbers for each, one after the other."""
    ends = np.cumsum(sizes)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - sizes, sizes)
    return np.repeat(firsts, sizes) + step * within


def _features(raw: Bytes, offset: int, labels: int) -> NDArray[np.void]:
    chunk = _take(raw, offset, 12, "features")
    if chunk[:4].tobytes() != b"FEAT":
        raise ValueError(f"there are no features at byte {offset}")
    count = int(_numbers(raw, offset + 8, 1, "features")[0])
    features = _take(raw, offset + 12, count * _FEATURE.itemsize, "features").view(_FEATURE)
    if (features["label"] >= labels).any():
        raise ValueError("a feature has a label that there is not")
    if not (np.abs(features["weight"]) <= _LARGEST).all():  # NaN too
        raise ValueError("a weight is not a number below 1e30")
    return features


def _names(raw: Bytes, offset: int, count: int, what: str) -> tuple[Bytes, NDArray[np.int64]]:
    """The names in a CQDB by number: their bytes one after another, and int64 offsets [count + 1]."""
    head = _numbers(raw, offset, 6, what)
    if _take(raw, offset, 4, what).tobytes() != b"CQDB" or head[3] != _BYTE_ORDER:
        raise ValueError(f"there is no table of {what} at byte {offset}")
    if head[4] != count:
        raise ValueError(f"its table of {what} has {head[4]} names where its header says {count}")
    chunk = _take(raw, offset, int(head[1]), what)
    places = _numbers(chunk, int(head[5]), count, what)
    if (_numbers_at(chunk, places, what) != np.arange(count)).any():
        raise ValueError(f"its {what} do not stand where their table says")
    sizes = _numbers_at(chunk, places + 4, what) - 1  # less the NUL at the end
    if (sizes < 0).any() or (places + 9 + sizes > len(chunk)).any() or sizes.sum() > len(chunk):
        raise ValueError(f"its {what} lie outside their table")
    if chunk[places + 8 + sizes].any():
        raise ValueError(f"one of its {what} does not end where it should")
    return chunk[_ranges(places + 8, sizes, 1)], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _strings(data: Bytes, offsets: NDArray[np.int64]) -> list[str]:
    whole = data.tobytes()
    labels = [whole[first:last].decode("utf-8") for first, last in pairwise(offsets.tolist())]
    if len(set(labels)) != len(labels):
        raise ValueError("a label is there twice")
    return labels


def _references(
    raw: Bytes, offset: int, kind: bytes, count: int, features: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many features each of `count` labels or attributes has, [count], and their numbers, one after
    another."""
    what = "lists of features"
    if _take(raw, offset, 12, what)[:4].tobytes() != kind:
        raise ValueError(f"there are no lists of features ({kind.decode()}) at byte {offset}")
    if _numbers(raw, offset + 8, 1, what)[0] < count:
        raise ValueError(f"there are fewer lists of features ({kind.decode()}) than its header says")
    places = _numbers(raw, offset + 12, count, what)
    sizes = _numbers_at(raw, places, what)
    sizes[places == 0] = 0  # none was written
    if sizes.sum() > features or (places + 4 + 4 * sizes > len(raw)).any():
        raise ValueError(f"its lists of features ({kind.decode()}) have more than there are")
    numbers = _numbers_at(raw, _ranges(places + 4, sizes, 4), what)
    if (numbers >= features).any():
        raise ValueError(f"a list of features ({kind.decode()}) names one that there is not")
    return sizes, numbers
