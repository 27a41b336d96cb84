"""DocBin: many Docs in one compact file. Inside it is a compressed safetensors file.

Offsets are stored as token and gap lengths in the narrowest integers, codes likewise, with one label table
for each column that all Docs of the bin share.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nlptk.doc import Doc
from nlptk.doc_io import decode_user_data, encode_user_data, read_file
from nlptk.errors import ConfigError, ModelError
from nlptk.store import dump_json, load_json, pack_sealed, unpack_sealed, write_atomic

if TYPE_CHECKING:
    from typing_extensions import Self

Array = npt.NDArray[Any]


class DocBin:
    """A container for Docs: columns, sentences, cats, tensors and user data are all kept.

    >>> from nlptk import Doc, DocBin
    >>> data = DocBin([Doc.from_words(["Hello", "world"])]).to_bytes()
    >>> [doc.words for doc in DocBin.from_bytes(data).get_docs()]
    [['Hello', 'world']]
    """

    def __init__(self, docs: Iterable[Doc] = (), *, store_user_data: bool = True) -> None:
        self.store_user_data = store_user_data
        self._docs: list[Doc] = []
        for doc in docs:
            self.add(doc)

    def __len__(self) -> int:
        return len(self._docs)

    def add(self, doc: Doc) -> None:
        """Add a copy of the Doc as it is now."""
        if not isinstance(doc, Doc):
            raise ConfigError(f"a DocBin takes Docs, not {type(doc).__name__}")
        self._docs.append(doc.copy())

    def get_docs(self) -> Iterator[Doc]:
        """Copies of the Docs, in the order in which they were added."""
        return (doc.copy() for doc in self._docs)

    def merge(self, other: DocBin) -> None:
        """Add all Docs of another bin."""
        for doc in list(other._docs):
            self.add(doc)

    def to_bytes(self) -> bytes:
        """The bin as bytes. Raises ConfigError if `user_data` or `cats` of a Doc is not JSON-able."""
        return zlib.compress(pack_sealed(_encode(self._docs, self.store_user_data), "the DocBin"), 3)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The bin that `to_bytes` gave. Raises ModelError if the data is truncated or altered."""
        return cls._parse(data, "the bytes of a DocBin")

    def to_disk(self, path: str | os.PathLike[str]) -> None:
        """Write `to_bytes` to a file, at once or not at all."""
        write_atomic(path, self.to_bytes())

    @classmethod
    def from_disk(cls, path: str | os.PathLike[str]) -> Self:
        """The bin that `to_disk` wrote. Raises ModelError if the file is missing, truncated or altered."""
        return cls._parse(read_file(path), str(path))

    @classmethod
    def _parse(cls, data: bytes, where: str) -> Self:
        inflater = zlib.decompressobj()
        try:
            raw = inflater.decompress(data)
        except (zlib.error, TypeError) as error:
            raise ModelError(f"{where}: is truncated or altered, or not a DocBin: {error}") from error
        if not inflater.eof or inflater.unused_data:
            raise ModelError(f"{where}: is truncated or altered: its compressed data has no proper end")
        new = cls()
        try:
            new._docs = _decode(unpack_sealed(raw, where), where)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ModelError(f"{where}: is not a DocBin: {type(error).__name__}: {error}") from error
        return new


# ---- encoding --------------------------------------------------------------------------------


def _encode(docs: Sequence[Doc], store_user_data: bool) -> dict[str, Array]:
    """The arrays of the bin; "lengths/..." say how many of a row are each Doc's (-1: the Doc has none)."""
    text = "".join(doc.text for doc in docs)
    arrays: dict[str, Array] = {
        "text": np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8),
        "lengths/text": _narrow([len(doc.text) for doc in docs]),
        "lengths/tokens": _narrow([len(doc) if doc.is_tokenized else -1 for doc in docs]),
        "tokens": _narrow(_joined([doc.ends - doc.starts for doc in docs])),
        "gaps": _narrow(_joined([_gaps(doc) for doc in docs])),
        "has_sents": np.array([doc.sent_starts is not None for doc in docs], bool),
        "sent_starts": np.packbits(_joined([_sents(doc) for doc in docs]).astype(bool)),
    }
    head: dict[str, Any] = {"docs": len(docs), "labels": {}, "tensors": []}
    columns = dict.fromkeys(name for doc in docs for name in doc.columns)
    for k, name in enumerate(columns):
        table: dict[str, int] = {"": 0}
        codes = [_shared_codes(doc, name, table) for doc in docs if doc.has_column(name)]
        arrays[f"codes/{k}"] = _narrow(_joined(codes))
        arrays[f"has/{k}"] = np.array([doc.has_column(name) for doc in docs], bool)
        head["labels"][name] = list(table)
    tensors = [(i, name, rows) for i, doc in enumerate(docs) for name, rows in doc.tensors.items()]
    for k, (i, name, rows) in enumerate(tensors):
        head["tensors"].append([i, name])
        arrays[f"tensor/{k}"] = rows
    head["cats"] = {str(i): doc.cats for i, doc in enumerate(docs) if doc.cats}
    if store_user_data:
        head["user_data"] = {str(i): encode_user_data(d.user_data) for i, d in enumerate(docs) if d.user_data}
    arrays["json"] = np.frombuffer(dump_json(head, "the DocBin's data"), np.uint8)
    return arrays


def _joined(rows: list[Any]) -> Array:
    return np.concatenate(rows) if rows else np.zeros(0, np.int32)


def _narrow(values: Any) -> Array:
    """The values in the narrowest integer type that holds them."""
    array = np.asarray(values, np.int64)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    return array.astype(np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high)))


def _gaps(doc: Doc) -> Array:
    """Characters of whitespace behind each token."""
    return np.append(doc.starts[1:], len(doc.text)) - doc.ends if len(doc) else doc.ends


def _sents(doc: Doc) -> Array:
    return np.zeros(len(doc), np.uint8) if doc.sent_starts is None else doc.sent_starts


def _shared_codes(doc: Doc, column: str, table: dict[str, int]) -> Array:
    codes = doc.codes(column)
    used = np.unique(codes)
    labels = doc.labels(column)
    mapping = np.zeros(len(labels), np.int32)
    mapping[used] = [table.setdefault(labels[code], len(table)) for code in used.tolist()]
    return mapping[codes]


# ---- decoding --------------------------------------------------------------------------------


def _decode(arrays: dict[str, Array], where: str) -> list[Doc]:
    head = load_json(arrays["json"].tobytes(), where)
    text = arrays["text"].tobytes().decode("utf-8", "surrogatepass")
    text_ends = np.cumsum(arrays["lengths/text"], dtype=np.int64).tolist()
    sizes = arrays["lengths/tokens"].astype(np.int64)
    token_ends = np.cumsum(np.maximum(sizes, 0)).tolist()
    lengths, gaps = arrays["tokens"].astype(np.int64), arrays["gaps"].astype(np.int64)
    # Positions of all tokens in the joined text; untokenized Docs add characters but no tokens.
    doc_of_token = np.repeat(np.arange(len(sizes)), np.maximum(sizes, 0))
    before = np.cumsum(lengths + gaps) - lengths - gaps
    first = np.array([0, *token_ends[:-1]], np.int64) if len(sizes) else np.zeros(0, np.int64)
    starts = before - np.append(before, 0)[first][doc_of_token]
    sents = np.unpackbits(arrays["sent_starts"], count=len(lengths))
    docs: list[Doc] = []
    for i, (text_end, end) in enumerate(zip(text_ends, token_ends, strict=True)):
        doc = Doc(text[text_ends[i - 1] if i else 0 : text_end])
        if sizes[i] >= 0:
            cut = slice(end - int(sizes[i]), end)
            sent_starts = sents[cut] if arrays["has_sents"][i] else None
            doc.set_tokens(starts[cut], starts[cut] + lengths[cut], sent_starts, validate=False)
        docs.append(doc)
    _decode_columns(docs, arrays, head)
    return docs


def _decode_columns(docs: list[Doc], arrays: dict[str, Array], head: dict[str, Any]) -> None:
    for k, (name, labels) in enumerate(head["labels"].items()):
        table, codes, at = tuple(labels), arrays[f"codes/{k}"].astype(np.int32), 0
        for i in np.flatnonzero(arrays[f"has/{k}"]).tolist():
            size = len(docs[i])
            docs[i].set_codes(name, codes[at : at + size], table, validate=False)
            at += size
    for k, (i, name) in enumerate(head["tensors"]):
        docs[i].tensors[name] = np.array(arrays[f"tensor/{k}"])
    for key, cats in head["cats"].items():
        docs[int(key)].cats = cats
    for key, pairs in head.get("user_data", {}).items():
        docs[int(key)].user_data = decode_user_data(pairs)
