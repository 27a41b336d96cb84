"""nlptk's own file of vectors: safetensors, so that every array can be mapped and nothing is executed.

Tensors: ``words`` (their UTF-8, one after another) and ``offsets`` [words + 1]; ``vectors`` [words, dim]
float32, or ``codes`` int8 with ``scales`` [words]; perhaps ``counts`` int64, and ``subwords`` [buckets, dim]
float32, or ``subword_codes`` with ``subword_scales``. Metadata: ``format``, ``schema_version``, ``min_n`` and
``max_n`` of subwords.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk.errors import ModelError
from nlptk.store import unpack_header
from nlptk.vectors.formats.source import Source
from nlptk.vectors.formats.table import VectorTable
from nlptk.vectors.formats.text import Sink
from nlptk.vectors.subwords import Subwords
from nlptk.vectors.words import pack_words, unpack_words

SCHEMA_VERSION = "1"
_FORMAT = "nlptk word vectors"
_DTYPES = {"F32": "<f4", "I64": "<i8", "I8": "|i1", "U8": "|u1"}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_PIECE = 1 << 24

Arrays = dict[str, npt.NDArray[Any]]


def is_native(source: Source) -> bool:
    """Whether the file is safetensors: the length of a JSON header, then the header."""
    head = source.data[:9]
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 2**32


# ---- reading ----


def read_native(source: Source, *, mapped: bool) -> VectorTable:
    """The vectors of a file; with `mapped` the matrices stay in it.

    Raises ModelError for a file that is cut short or damaged, of other content or of an unknown version.
    """
    metadata, places = unpack_header(source.data, source.name)
    if metadata.get("format") != _FORMAT:
        raise _error(source, "is a safetensors file, but not of word vectors")
    if metadata.get("schema_version") != SCHEMA_VERSION:
        version = metadata.get("schema_version")
        message = (
            f"has schema version {version!r}, and this nlptk reads {SCHEMA_VERSION}: install a newer nlptk"
        )
        raise _error(source, message)
    arrays = {
        name: source.array(at, dtype, shape, mapped and len(shape) == 2)
        for name, (dtype, shape, at) in places.items()
    }
    try:
        return _table(arrays, metadata)
    except (KeyError, ValueError) as error:
        raise _error(source, f"is damaged: {error}") from error


def _table(arrays: Arrays, metadata: dict[str, str]) -> VectorTable:
    offsets, blob = arrays["offsets"], arrays["words"].tobytes()
    if offsets.ndim != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != len(blob):
        raise ValueError("its offsets do not fit its words")
    if (np.diff(offsets) < 0).any():
        raise ValueError("its offsets do not rise")
    words = unpack_words(blob, offsets, "surrogatepass")
    matrix, scales = _matrix(arrays, "vectors", "codes", "scales")
    counts = arrays.get("counts")
    if len(matrix) != len(words) or (counts is not None and counts.shape != (len(words),)):
        raise ValueError(f"its arrays do not fit its {len(words)} words")
    subwords = None
    if "min_n" in metadata:
        grams, gram_scales = _matrix(arrays, "subwords", "subword_codes", "subword_scales")
        subwords = Subwords(grams, int(metadata["min_n"]), int(metadata["max_n"]), gram_scales)
        if grams.shape[1] != matrix.shape[1]:
            raise ValueError("words and subwords have different dimensions")
    return VectorTable(words, matrix, scales, counts, subwords)


def _matrix(arrays: Arrays, floats: str, codes: str, scales: str) -> tuple[npt.NDArray[Any], Any]:
    name, wanted = (codes, np.int8) if codes in arrays else (floats, np.float32)
    matrix = arrays[name]
    if matrix.ndim != 2 or matrix.dtype != wanted:
        raise ValueError(f"its {name} are {matrix.dtype} of shape {matrix.shape}")
    if codes not in arrays:
        return matrix, None
    if arrays[scales].shape != (len(matrix),) or arrays[scales].dtype != np.float32:
        raise ValueError(f"its {scales} do not fit its {codes}")
    return matrix, arrays[scales]


def _error(source: Source, message: str) -> ModelError:
    return ModelError(f"{source.name}: {message}")


# ---- writing ----


def write_native(stream: Sink, table: VectorTable) -> None:
    """Write the table, a few megabytes at a time; any word is possible."""
    blob, offsets = pack_words(table.words, "surrogatepass")
    arrays: Arrays = {"offsets": offsets, "words": np.frombuffer(blob, np.uint8)}
    if table.counts is not None:
        arrays["counts"] = table.counts
    if table.scales is None:
        arrays["vectors"] = table.matrix
    else:
        arrays |= {"codes": table.matrix, "scales": table.scales}
    metadata = {"format": _FORMAT, "schema_version": SCHEMA_VERSION}
    if (subwords := table.subwords) is not None:
        metadata |= {"min_n": str(subwords.min_n), "max_n": str(subwords.max_n)}
        if subwords.scales is None:
            arrays["subwords"] = subwords.vectors
        else:
            arrays |= {"subword_codes": subwords.vectors, "subword_scales": subwords.scales}
    write_safetensors(stream, arrays, metadata)


def write_safetensors(stream: Sink, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write arrays as safetensors, a few megabytes at a time; rows may lie apart."""
    # Wide numbers first, so that each array begins at a multiple of its numbers' size.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    content: dict[str, Any] = {"__metadata__": metadata}
    at = 0
    for name in order:
        array = arrays[name]
        content[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    head = json.dumps(content, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    stream.write(struct.pack("<Q", len(head)) + head)
    for name in order:
        _write_array(stream, arrays[name])


def _write_array(stream: Sink, array: npt.NDArray[Any]) -> None:
    step = max(1, _PIECE // max(1, array[:1].nbytes))
    for begin in range(0, len(array), step):
        part = np.ascontiguousarray(array[begin : begin + step], array.dtype.newbyteorder("<"))
        if part.nbytes:
            stream.write(part.data.cast("B"))
