"""Component ``word_vectors``: token.vector, doc.vector and similarity, looked up when they are asked for.

A Doc gets no matrix in the pipeline, only a reference to the table, so that `nlp.pipe` costs nothing more;
the table itself is made of the stored arrays when the first vector is asked for.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from nlptk.doc import Doc
    from nlptk.vectors.keyed_vectors import KeyedVectors

Arrays = dict[str, "NDArray[Any]"]
_ALIVE: weakref.WeakSet[VectorTable] = weakref.WeakSet()


class VectorTable:
    """The vectors of a component, which Docs refer to: a `nlptk.similarity.VectorSource`.

    A pickled Doc carries the name of its table, not the table: in a process that has the table (as that has
    where `nlp.pipe` gets Docs back from others) it is found again, elsewhere the Doc has no vectors.
    """

    def __init__(self, arrays: Arrays, lower: bool, min_n: int = 0, max_n: int = 0) -> None:
        self.arrays, self.lower, self.min_n, self.max_n = arrays, lower, min_n, max_n
        _ALIVE.add(self)

    @classmethod
    def of(cls, wv: KeyedVectors, lower: bool) -> VectorTable:
        """The table of a `KeyedVectors`."""
        from nlptk.vectors.words import pack_words

        blob, offsets = pack_words(wv.index_to_key)
        sizes = np.diff(offsets)
        arrays: Arrays = {
            "words": np.frombuffer(blob, np.uint8),
            "sizes": sizes.astype(np.min_scalar_type(int(sizes.max(initial=0)))),
            "vectors": wv.vectors if wv.codes is None else wv.codes,
        }
        if wv.scales is not None:
            arrays["scales"] = wv.scales
        if wv.subwords is None:
            return cls(arrays, lower)
        arrays["buckets"] = wv.subwords.vectors
        if wv.subwords.scales is not None:
            arrays["bucket_scales"] = wv.subwords.scales
        return cls(arrays, lower, wv.subwords.min_n, wv.subwords.max_n)

    @cached_property
    def vectors(self) -> KeyedVectors:
        """The table as `KeyedVectors`, made at the first look. Raises ModelError if arrays do not fit."""
        from nlptk.vectors.keyed_vectors import KeyedVectors
        from nlptk.vectors.subwords import Subwords
        from nlptk.vectors.words import unpack_words

        try:
            offsets = np.concatenate([[0], np.cumsum(self.arrays["sizes"], dtype=np.int64)])
            if offsets[-1] != len(self.arrays["words"]):
                raise ConfigError(f"words of {offsets[-1]} bytes in {len(self.arrays['words'])}")
            words = unpack_words(self.arrays["words"].tobytes(), offsets)
            buckets = self.arrays.get("buckets")
            scales = self.arrays.get("bucket_scales")
            subwords = None if buckets is None else Subwords(buckets, self.min_n, self.max_n, scales)
            return KeyedVectors(
                words, self.arrays["vectors"], scales=self.arrays.get("scales"), subwords=subwords
            )
        except (ConfigError, KeyError, ValueError) as error:
            raise ModelError(f"word_vectors: the stored arrays do not fit each other: {error}") from error

    def _number(self, word: str) -> int:
        """The row of a word, or of its lower case; -1 for none."""
        index = self.vectors.key_to_index
        number = index.get(word, -1)
        return index.get(word.lower(), -1) if number < 0 and self.lower else number

    def _asked(self, word: str) -> str:
        """What n-grams are taken of."""
        return word.lower() if self.lower else word

    def __contains__(self, word: str) -> bool:
        return self._number(word) >= 0 or self._asked(word) in self.vectors

    def rows(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The words' vectors, [words, dim]: unseen ones by subwords if there are any, else zeros."""
        wv = self.vectors
        numbers = np.fromiter(map(self._number, words), np.int64, len(words))
        known = numbers >= 0
        out = np.zeros((len(words), wv.vector_size), np.float32)
        chosen = numbers[known]
        if wv.codes is None or wv.scales is None:
            out[known] = wv.vectors[chosen]
        else:
            out[known] = wv.codes[chosen] * wv.scales[chosen, None]
        unseen = np.flatnonzero(~known)
        if wv.subwords is not None and len(unseen):
            out[unseen] = wv.subwords.vectors_of([self._asked(words[i]) for i in unseen.tolist()])
        return out

    @cached_property
    def digest(self) -> str:
        """What tells one table from another."""
        found = hashlib.sha256(repr((self.lower, self.min_n, self.max_n)).encode())
        for name, array in sorted(self.arrays.items()):
            found.update(f"{name}{array.dtype}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return _alive, (self.digest,)


def _alive(digest: str) -> VectorTable | None:
    """The table of that digest in this process, if there is one."""
    return next((table for table in list(_ALIVE) if table.digest == digest), None)


class WordVectorsComponent(Component):
    """Gives Docs their vectors: ``token.vector``, ``span.vector``, ``doc.vector``, ``similarity``.

    Args:
        path: a file of vectors, of any format that `nlptk.KeyedVectors.load` reads.
        lower: look up words that are not there in lower case, and take n-grams of it.
        top: keep so many words only, the first, which in files are the most frequent.
        quantize: keep 8-bit vectors, a quarter of the size.
        subwords: keep the n-grams of a file that has them, for unseen words.

    Raises:
        ConfigError: no path.
        DataError, ModelError: the file is not usable.
    """

    name = "word_vectors"
    assigns = ("doc.vector",)
    requires = ("doc.tokens",)

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        lower: bool = True,
        top: int | None = None,
        quantize: bool = False,
        subwords: bool = True,
    ) -> None:
        if path is None:
            raise ConfigError('word_vectors needs a file of vectors: config={"path": "vectors.bin"}')
        from nlptk.vectors.keyed_vectors import KeyedVectors

        wv = KeyedVectors.load(path)
        if top is not None or not subwords:
            wv = KeyedVectors(
                wv.index_to_key[:top], wv.vectors[:top], subwords=wv.subwords if subwords else None
            )
        self._table = VectorTable.of(wv.quantize() if quantize else wv, lower)

    @classmethod
    def of(cls, wv: KeyedVectors, lower: bool = True) -> Self:
        """The component of vectors that are there already."""
        made = cls.__new__(cls)
        made._table = VectorTable.of(wv, lower)
        return made

    @property
    def vectors(self) -> KeyedVectors:
        """The vectors: look-up, `most_similar`, analogies."""
        return self._table.vectors

    def annotate(self, docs: Sequence[Doc]) -> None:
        for doc in docs:
            doc.tensors.pop("vector", None)
            doc.vector_source = self._table

    def to_state(self) -> tuple[dict[str, Any], Arrays]:
        table = self._table
        return {"lower": table.lower, "min_n": table.min_n, "max_n": table.max_n}, table.arrays

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_state, self.to_state(), {"name": self.name}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """The component that `to_state` described. Raises ModelError for arrays that are not all there."""
        if not {"words", "sizes", "vectors"} <= arrays.keys():
            raise ModelError("word_vectors: the model lacks the arrays of its words or vectors")
        made = cls.__new__(cls)
        made._table = VectorTable(arrays, config["lower"], config["min_n"], config["max_n"])
        return made
