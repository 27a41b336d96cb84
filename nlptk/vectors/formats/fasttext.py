"""fastText's ``.bin``: words, counts, and the rows of words and of hashed n-grams (version 12 of its files).

Layout, little-endian: magic and version; twelve int32 settings and a double; the dictionary (sizes, then each
word to a NUL, int64 count, a byte of kind); a byte "quantized" and the input matrix (rows and columns as
int64, floats); the same of the output matrix, which only training needs.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from nlptk.errors import ConfigError, DataError
from nlptk.vectors.formats.binary import finite_rows
from nlptk.vectors.formats.source import Source
from nlptk.vectors.formats.table import VectorTable
from nlptk.vectors.formats.text import ROWS, Sink
from nlptk.vectors.subwords import Subwords
from nlptk.vectors.words import pack_words

MAGIC = struct.pack("<i", 793712314)
_VERSIONS = (11, 12)
_SETTINGS = "<12id"  # dim ws epoch min_count neg word_ngrams loss model bucket minn maxn lr_update_rate, t
_SUPERVISED = 3
_NEGATIVE_SAMPLING, _SKIP_GRAM = 2, 2


class _Reader:
    """Takes one piece after another, none beyond the file's end."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize(layout)
        self.need(size)
        values = struct.unpack_from(layout, self.source.data, self.at)
        self.at += size
        return values

    def need(self, size: int) -> None:
        if size > len(self.source.data) - self.at:
            raise self.source.error(f"the file is cut short: {size} more bytes are expected at {self.at}")

    def matrix(self, what: str) -> tuple[int, int, int]:
        """Rows, columns and where the floats are; the reader goes on after them."""
        (quantized,) = self.take("<?")
        if quantized:
            message = "is quantized, which is not supported; give the .bin before `fasttext quantize`"
            raise self.source.error(f"the {what} matrix {message}")
        rows, columns = self.take("<2q")
        if rows < 0 or columns < 0:
            raise self.source.error(f"the {what} matrix cannot have {rows} rows of {columns}")
        begin = self.at
        self.need(rows * columns * 4)
        self.at += rows * columns * 4
        return rows, columns, begin


def read_fasttext(source: Source, *, errors: str, mapped: bool) -> VectorTable:
    """Words, counts, vectors and subwords of a ``.bin``; with `mapped` the n-grams' rows stay in the file.

    Raises DataError for a file that is cut short or damaged, supervised or quantized.
    """
    reader = _Reader(source)
    _, version = reader.take("<4si")
    if version not in _VERSIONS:
        raise source.error(f"has version {version} of fastText's format; {_VERSIONS} can be read")
    dim, *_, model, buckets, min_n, max_n, _, _ = reader.take(_SETTINGS)
    if model == _SUPERVISED:
        raise source.error("is a supervised fastText model (a classifier); give one of skipgram or cbow")
    size, word_count, labels, _, pruned = reader.take("<3i2q")
    if labels != 0 or word_count != size or pruned > 0:
        raise source.error("holds labels or a pruned dictionary, which word vectors have not")
    places, counts = _dictionary(reader, size)
    rows, columns, begin = reader.matrix("input")
    if columns != dim or dim <= 0 or size <= 0 or rows != size + buckets or buckets < 0:
        message = (
            f"{size} words and {buckets} buckets of {dim} dimensions do not fit {rows} rows of {columns}"
        )
        raise source.error(f"the file is damaged: {message}")
    reader.matrix("output")
    if reader.at != len(source.data):
        raise source.error(f"{len(source.data) - reader.at} bytes too many stand at the end")
    words = source.words(places, errors, "word", 1)
    own: np.ndarray[Any, Any] = source.array(begin, "<f4", (size, dim), False).astype(np.float32, copy=False)
    subwords = None
    if buckets and max_n > 0:
        grams = source.array(begin + size * dim * 4, "<f4", (buckets, dim), mapped)
        subwords = Subwords(grams.view(np.float32), min_n, max_n)
        own = subwords.with_own(words, own)
    bad = np.flatnonzero(~np.isfinite(own).all(1))
    if len(bad):
        raise source.error(
            f"the vector of {words[int(bad[0])]!r} (word {bad[0] + 1}) holds NaN or an infinity"
        )
    return VectorTable(words, own, counts=counts, subwords=subwords)


def _dictionary(reader: _Reader, size: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where each word lies [size, 2], and the counts [size]."""
    if size < 0 or size > len(reader.source.data) // 10:  # a word takes ten bytes at least
        raise reader.source.error(f"the file is cut short or damaged: it cannot hold {size} words")
    data, at = reader.source.data, reader.at
    places, counts = np.empty((size, 2), np.int64), np.empty(size, np.int64)
    for number in range(size):
        end = data.find(b"\0", at)
        if end < 0 or end + 10 > len(data):
            raise reader.source.error(f"the file is cut short in word {number + 1} of {size}")
        places[number] = at, end
        counts[number] = int.from_bytes(data[end + 1 : end + 9], "little", signed=True)
        at = end + 10
    reader.at = at
    return places, counts


def write_fasttext(stream: Sink, table: VectorTable) -> None:
    """Write a ``.bin`` that fastText and gensim load; its output matrix, which only training needs, is empty.

    Words without counts get falling ones, as gensim gives them.

    Raises DataError for a word that is empty or holds NUL or a lone surrogate, and for NaN or inf.
    """
    words, subwords = table.words, table.subwords
    rows, dim = table.matrix.shape
    blob, offsets = pack_words(words)
    if b"\0" in blob or (np.diff(offsets) == 0).any():
        raise DataError("a word is empty or holds NUL, which a .bin file cannot carry; save as .safetensors")
    buckets, min_n, max_n = (len(subwords.vectors), subwords.min_n, subwords.max_n) if subwords else (0, 0, 0)
    if rows + buckets >= 2**31:
        raise ConfigError("a .bin file holds fewer than 2 ** 31 rows; save as .safetensors")
    counts = np.arange(rows, 0, -1) if table.counts is None else table.counts
    least = max(1, int(counts.min(initial=1)))
    settings = (dim, 5, 5, least, 5, 1, _NEGATIVE_SAMPLING, _SKIP_GRAM, buckets, min_n, max_n, 100, 1e-4)
    stream.write(MAGIC + struct.pack("<i", _VERSIONS[-1]) + struct.pack(_SETTINGS, *settings))
    stream.write(struct.pack("<3i2q", rows, rows, 0, int(counts.sum()), -1))
    bounds = offsets.tolist()
    entries = [
        blob[bounds[i] : bounds[i + 1]] + b"\0" + count.to_bytes(8, "little", signed=True) + b"\0"
        for i, count in enumerate(counts.tolist())
    ]
    stream.write(b"".join(entries))
    stream.write(struct.pack("<?2q", False, rows + buckets, dim))
    for begin in range(0, rows, ROWS):
        vectors = finite_rows(table, begin)
        if subwords is not None:
            vectors = subwords.without_own(words[begin : begin + ROWS], vectors).astype("<f4", copy=False)
        stream.write(np.ascontiguousarray(vectors).data.cast("B"))
    if subwords is not None:
        grams = VectorTable((), subwords.vectors, subwords.scales)
        for begin in range(0, buckets, ROWS):
            part = grams.floats(begin, begin + ROWS).astype("<f4", copy=False)
            stream.write(np.ascontiguousarray(part).data.cast("B"))
    stream.write(struct.pack("<?2q", False, 0, dim))
