"""What Doc, Token and Span have of vectors, under spaCy's names; a Doc makes its vectors when first asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nlptk.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

    from nlptk.doc import Doc


# The name in ``doc.tensors`` of the Doc's own vector, [d], where a component makes one of the whole text.
DOC_VECTOR = "doc_vector"


class VectorSource(Protocol):
    """What makes a Doc's vectors when they are asked for, such as the component `word_vectors`."""

    def __contains__(self, word: str, /) -> bool: ...

    def rows(self, words: Sequence[str]) -> npt.NDArray[Any]:
        """The words' vectors, [words, d]; zeros for a word without one."""
        ...


class HasVector:
    """`vector_norm` and `similarity` by `vector`."""

    __slots__ = ()

    @property
    def vector(self) -> npt.NDArray[Any]:
        """Its vector, [d]."""
        raise NotImplementedError

    @property
    def vector_norm(self) -> float:
        """The length of its vector."""
        return float(np.linalg.norm(self.vector))

    def similarity(self, other: HasVector) -> float:
        """The cosine of its vector and that of another Doc, Span or Token, -1 to 1; 0 if one is zeros.

        Raises ConfigError where there are no vectors, or they have different sizes.
        """
        mine, theirs = self.vector.astype(np.float64), other.vector.astype(np.float64)
        if mine.shape != theirs.shape:
            raise ConfigError(f"vectors of {mine.size} and {theirs.size} dimensions cannot be compared")
        lengths = np.sqrt(mine @ mine) * np.sqrt(theirs @ theirs)
        return float(mine @ theirs / lengths) if lengths > 0 else 0.0


class DocVectors(HasVector):
    """The same of a Doc, whose vector is its own, or the mean of its tokens'."""

    __slots__ = ()

    @property
    def has_vector(self: Any) -> bool:
        """Whether it has a vector of its own, or its tokens have or will have."""
        return not {"vector", DOC_VECTOR}.isdisjoint(self.tensors) or self.vector_source is not None

    @property
    def vector(self: Any) -> npt.NDArray[Any]:
        """Its own vector, if `sentence_vectors` ran, else the mean of the tokens' vectors, [d]; zeros for a
        Doc without tokens.
        """
        own: npt.NDArray[Any] | None = self.tensors.get(DOC_VECTOR)
        return self[:].vector if own is None else own


def vectors_of(doc: Doc) -> npt.NDArray[Any]:
    """``doc.tensors["vector"]`` [n_tokens, d], made now if need be; ConfigError if nothing makes it."""
    rows = doc.tensors.get("vector")
    if rows is None:
        if doc.vector_source is None:
            raise ConfigError(
                "the Doc has no vectors: run word_vectors, or a component that sets doc.tensors['vector']"
            )
        rows = doc.tensors["vector"] = doc.vector_source.rows(doc.words)
    return rows
