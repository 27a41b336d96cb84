"""Tokens and their numbers: what sequences are encoded by before a model sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.vectors.corpus import checked_sentences
from nlptk.vectors.words import pack_words, unpack_words

if TYPE_CHECKING:
    from typing_extensions import Self

    from nlptk.store import State

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


class Vocabulary:
    """Tokens by number, from 0.

    Args:
        tokens: none of them twice; their order is that of the numbers.
        unknown: the one of them that stands for all tokens that are not there; None: those are errors.
        counts: [tokens], how often each was seen.

    Attributes:
        tokens, counts, unknown: as given.
        ids: the number of each token.

    Raises ConfigError if these do not fit each other.
    """

    def __init__(
        self, tokens: Iterable[str], *, unknown: str | None = None, counts: npt.ArrayLike | None = None
    ) -> None:
        self.tokens = list(tokens)
        self.ids = {token: number for number, token in enumerate(self.tokens)}
        self.counts = None if counts is None else np.asarray(counts, np.int64)
        self.unknown = unknown
        if not all(isinstance(token, str) for token in self.tokens):
            raise ConfigError("a vocabulary is made of strings")
        if len(self.ids) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ConfigError(f"the token {twice!r} stands twice in the vocabulary")
        if self.counts is not None and self.counts.shape != (len(self.tokens),):
            raise ConfigError(f"{len(self.tokens)} tokens need as many counts, not {self.counts.shape}")
        if unknown is not None and unknown not in self.ids:
            raise ConfigError(f"the token for unknown ones, {unknown!r}, is not in the vocabulary")

    @classmethod
    def build(
        cls,
        documents: Iterable[Sequence[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = "<unk>",
        special: Sequence[str] = (),
    ) -> Self:
        """The tokens of documents, the most frequent first, those seen as often by code points.

        Args:
            documents: lists of tokens.
            min_count: rarer tokens are left out.
            max_size: of the vocabulary with special tokens and the unknown one; the most frequent stay.
            unknown: stands for tokens that are left out; None: there is none.
            special: tokens that stand first whatever their counts ("<pad>", "<s>"); then comes `unknown`.

        Raises:
            ConfigError: a setting that is none.
            DataError: a document is no list of tokens.
        """
        if min_count < 1:
            raise ConfigError(f"min_count must be at least 1, not {min_count!r}")
        if isinstance(special, str):
            raise ConfigError("special tokens are a list of strings, not one string")
        first = [*special, *([] if unknown is None or unknown in special else [unknown])]
        if max_size is not None and max_size < len(first):
            raise ConfigError(
                f"max_size is {max_size!r}, which does not hold the {len(first)} special tokens"
            )
        counts: Counter[str] = Counter()
        for document in checked_sentences(documents):
            counts.update(document)
        rows = [(token, counts.pop(token, 0)) for token in first]
        kept = [(token, count) for token, count in counts.items() if count >= min_count]
        kept.sort(key=lambda pair: (-pair[1], pair[0]))
        rows += kept[: None if max_size is None else max_size - len(first)]
        return cls([token for token, _ in rows], unknown=unknown, counts=[count for _, count in rows])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.ids

    def __getitem__(self, token: str) -> int:
        """The token's number, or that of the unknown one. KeyError if there is neither."""
        number = self.ids.get(token, self.unknown_id)
        if number < 0:
            raise KeyError(f"{token!r} is not one of the {len(self)} tokens of the vocabulary")
        return number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens and self.unknown == other.unknown

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens, unknown={self.unknown!r})"

    @property
    def unknown_id(self) -> int:
        """The number of the unknown token, or -1."""
        return -1 if self.unknown is None else self.ids[self.unknown]

    # ---- sequences ----

    def encode(self, tokens: Sequence[str]) -> Ids:
        """The numbers of tokens, int32 [tokens].

        Raises:
            DataError: it is no list of tokens, or one is not known and there is no unknown token.
        """
        return self.encode_batch([tokens])[0]

    def encode_batch(self, documents: Iterable[Sequence[str]]) -> tuple[Ids, Offsets]:
        """The numbers of all documents' tokens in a row, where each document begins and the last ends.

        Returns int32 [tokens] and int64 [documents + 1]; raises what `encode` does.
        """
        ids, offsets = self.find_batch(documents)
        if self.unknown is None and len(ids) and ids.min() < 0:
            place = int(np.argmin(ids))
            document = int(np.searchsorted(offsets, place, "right")) - 1
            raise DataError(
                f"document {document} holds a token that is not in the vocabulary, and there is none for "
                "unknown ones; build it with `unknown`"
            )
        return ids, offsets

    def find_batch(self, documents: Iterable[Sequence[str]]) -> tuple[Ids, Offsets]:
        """As `encode_batch`, but unknown tokens are -1 where there is none that stands for them."""
        lists = [list(document) for document in checked_sentences(documents)]
        found = _core.word_ids(self.ids, lists, self.unknown_id)
        if found is None:  # a subclass of str is among them
            plain = [[str(token) for token in document] for document in lists]
            found = _core.word_ids(self.ids, plain, self.unknown_id)
        assert found is not None
        return found

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of numbers. Raises DataError for a number that is none of a token."""
        numbers = [int(number) for number in ids]
        for number in numbers:
            if not 0 <= number < len(self):
                raise DataError(f"{number} is not the number of one of the {len(self)} tokens")
        return [self.tokens[number] for number in numbers]

    # ---- saving ----

    def to_state(self) -> State:
        """(JSON-able config, arrays)."""
        arrays = pack_terms(self.tokens)
        if self.counts is not None:
            arrays["counts"] = self.counts
        return {"unknown": self.unknown}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `to_state` gave. Raises ModelError if it was altered."""
        try:
            return cls(
                unpack_terms(arrays, "the vocabulary"), unknown=config["unknown"], counts=arrays.get("counts")
            )
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the vocabulary is altered: {error}") from error


def pack_terms(terms: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Strings as arrays: uint8 "terms", their UTF-8 (surrogates pass), and int64 "offsets" [terms + 1]."""
    blob, offsets = pack_words(terms, "surrogatepass")
    return {"terms": np.frombuffer(blob, np.uint8), "offsets": offsets}


def unpack_terms(arrays: Mapping[str, npt.NDArray[Any]], what: str) -> list[str]:
    """The strings that `pack_terms` packed. Raises ModelError naming `what` if the arrays were altered."""
    blob, offsets = arrays.get("terms"), arrays.get("offsets")
    if blob is None or offsets is None or blob.dtype != np.uint8 or offsets.dtype != np.int64:
        raise ModelError(f"{what} lacks its arrays of terms, or they are of another kind")
    if offsets.ndim != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != blob.size:
        raise ModelError(f"{what} is altered: its terms do not end where they must")
    if (np.diff(offsets) < 0).any():
        raise ModelError(f"{what} is altered: its terms do not follow one another")
    try:
        return unpack_words(blob.tobytes(), offsets, "surrogatepass")
    except UnicodeDecodeError as error:
        raise ModelError(f"{what} is altered: a term is not UTF-8") from error
