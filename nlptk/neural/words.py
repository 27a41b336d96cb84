"""Words as a neural model takes them: numbers of known words, of their vectors, and of their characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from nlptk import _core
from nlptk.errors import ConfigError
from nlptk.neural.characters import CHARACTERS
from nlptk.tag.base import pack_strings, unpack_strings
from nlptk.vectors.keyed_vectors import KeyedVectors

#: Numbers that are no word and no character: of what is beyond the end, and of what is not known.
PADDING, UNKNOWN = 0, 1
#: Characters of a word that are looked at: so many from either end.
ENDS = 12
CHARACTER_DIM = 30  # of one character (Ma and Hovy 2016)


def normal(word: str) -> str:
    """A word as it is looked up: lower case, every digit as 0."""
    return "".join("0" if c.isdecimal() else c for c in _core.lower(word))


@dataclass
class Lexicon:
    """What the numbers mean.

    Attributes:
        words: of the training set, as `normal` has them.
        characters: of the training set.
        vectors: words with vectors that do not change, to their rows; or none.
    """

    words: dict[str, int]
    characters: dict[str, int]
    vectors: dict[str, int]

    @classmethod
    def of(
        cls,
        sentences: Iterable[Sequence[str]],
        vectors: KeyedVectors | None,
        min_freq: int = 1,
        characters: Iterable[str] = (),
    ) -> Lexicon:
        """The words of at least `min_freq` occurrences, and the characters, of training sentences.

        `characters`: more of them, which have vectors already.
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        words: Counter[str] = Counter()
        letters: Counter[str] = Counter()
        for word, count in counts.items():
            words[normal(word)] += count
            for character in word:
                letters[character] += count
        kept = [word for word, count in words.most_common() if count >= min_freq]
        rows = {} if vectors is None else {word: i + 2 for i, word in enumerate(vectors.index_to_key)}
        repeated = [c for c, n in letters.most_common() if n > 1]
        return cls(numbered(kept), numbered(dict.fromkeys([*repeated, *characters])), rows)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for the store."""
        return {
            **pack_strings("words", self.words),
            **pack_strings("characters", self.characters),
            **pack_strings("vector_words", self.vectors),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Lexicon:
        """The lexicon that `to_arrays` gave. Raises ModelError for arrays that are none."""
        names = ("words", "characters", "vector_words")
        return cls(*(numbered(unpack_strings(name, arrays)) for name in names))


def numbered(values: Iterable[str]) -> dict[str, int]:
    """Each value's number; those of `PADDING` and `UNKNOWN` are left free."""
    return {value: number for number, value in enumerate(values, 2)}


class Forms:
    """Word forms met so far, each with its numbers; a sentence is then an array of numbers of forms.

    Attributes:
        words, vectors: int64 [forms], rows of the two tables.
        characters: int64 [forms, 2 * ENDS]: the first, and of longer words the last, padded.
    """

    _MOST = 200_000  # forms after which one begins anew

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._numbers: dict[str, int] = {}
        self._rows: list[tuple[int, int, list[int]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def numbers(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        """The forms of a sentence's words, int64 [words]; new ones are added."""
        known = self._numbers
        try:
            return np.fromiter(map(known.__getitem__, sentence), np.int64, len(sentence))
        except KeyError:
            for word in sentence:
                if word not in known:
                    known[word] = len(known)
                    self._rows.append(self._row(word))
            return np.fromiter(map(known.__getitem__, sentence), np.int64, len(sentence))

    @property
    def full(self) -> bool:
        """Whether there are so many that it is time to clear them."""
        return len(self._rows) > self._MOST

    def _row(self, word: str) -> tuple[int, int, list[int]]:
        lexicon = self.lexicon
        plain = normal(word)
        rows = lexicon.vectors
        row = rows.get(word) or rows.get(_core.lower(word)) or rows.get(plain) or UNKNOWN
        seen = word if len(word) <= 2 * ENDS else word[:ENDS] + word[-ENDS:]
        characters = [lexicon.characters.get(character, UNKNOWN) for character in seen]
        return lexicon.words.get(plain, UNKNOWN), row, characters

    def tensors(self, forms: NDArray[np.int64]) -> WordBatch:
        """The numbers of some forms."""
        rows = [self._rows[form] for form in forms.tolist()]
        longest = max((len(characters) for _, _, characters in rows), default=0)
        characters = np.zeros((len(rows), max(longest, 1)), np.int64)
        for target, (_, _, found) in zip(characters, rows, strict=True):
            target[: len(found)] = found
        pairs = np.array([row[:2] for row in rows], np.int64).reshape(len(rows), 2)
        return WordBatch(*map(torch.from_numpy, (pairs[:, 0].copy(), pairs[:, 1].copy(), characters)))

    def collate(self, sentences: Sequence[NDArray[np.int64]]) -> WordSequences:
        """Sentences, given as numbers of forms, as a batch."""
        distinct, places = np.unique(np.concatenate(sentences), return_inverse=True)
        lengths = np.array([len(forms) for forms in sentences], np.int64)
        return WordSequences(self.tensors(distinct), padded(places, lengths), torch.from_numpy(lengths))


def padded(values: NDArray[np.int64], lengths: NDArray[np.int64]) -> torch.Tensor:
    """Numbers of all sentences' words, end to end, as int64 [sentences, time], 0 behind the end of each."""
    inside = np.arange(lengths.max(initial=0)) < lengths[:, None]
    made = np.zeros(inside.shape, np.int64)
    made[inside] = values
    return torch.from_numpy(made)


class WordBatch(NamedTuple):
    """Distinct words of a batch: int64 [words], [words], and [words, characters], 0 beyond a word's end."""

    words: torch.Tensor
    vectors: torch.Tensor
    characters: torch.Tensor


class WordSequences(NamedTuple):
    """Sentences.

    Attributes:
        words: the distinct words.
        places: int64 [sentences, time], numbers of distinct words; 0 beyond the end.
        lengths: int64 [sentences].
    """

    words: WordBatch
    places: torch.Tensor
    lengths: torch.Tensor


def fixed_table(vectors: NDArray[np.float32]) -> torch.Tensor:
    """Vectors [values, dim] by the numbers of `numbered`: 0 for none, the mean for an unknown one.

    Its numbers are near 1, whatever they were trained with, and no finer than a model file holds them.
    """
    mean = vectors.mean(axis=0, keepdims=True)
    table = np.concatenate([np.zeros_like(mean), mean, vectors])
    table *= 1.0 / max(float(np.sqrt((table**2).sum(1).mean() / vectors.shape[1])), 1e-6)
    return torch.from_numpy(table).half().float()


class WordInputs(nn.Module):
    """Vectors of words from three sources, side by side: a given table, a learnt table, their characters.

    The given table does not change; what training finds out about its words is the learnt table's, to be
    added, which is 0 for words that training has not seen.

    Args:
        lexicon: what the numbers mean.
        dim: of the learnt table; that of `vectors` where there are some.
        vectors: float32 [words, dim] of `lexicon.vectors`; None for none.
        characters: "cnn" (Ma and Hovy 2016), "lstm" (Lample et al. 2016) or None.
        character_dim: of what is made of a word's characters.
        unknown: share of training words that are taken for unknown.
        letter_dim: of the learnt vectors of characters.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        dim: int,
        vectors: NDArray[np.float32] | None,
        characters: str | None,
        character_dim: int,
        unknown: float,
        letter_dim: int = CHARACTER_DIM,
    ) -> None:
        super().__init__()
        self.unknown = unknown
        self.given: torch.Tensor | None
        self.register_buffer("given", None)
        if vectors is not None:
            dim = vectors.shape[1]
            self.register_buffer("given", fixed_table(vectors))
        self.learnt = nn.Embedding(len(lexicon.words) + 2, dim, padding_idx=PADDING)
        nn.init.normal_(self.learnt.weight, std=0.0 if vectors is not None else 1.0)
        self.learnt._fill_padding_idx_with_zero()
        self.characters: nn.Module | None = None
        if characters is not None:
            if characters not in CHARACTERS:
                raise ConfigError(f"characters must be 'cnn', 'lstm' or None, not {characters!r}")
            self.characters = CHARACTERS[characters](len(lexicon.characters) + 2, letter_dim, character_dim)
        self.dim = dim + (character_dim if characters is not None else 0)

    def begin_characters(self, lexicon: Lexicon, vectors: KeyedVectors) -> None:
        """Let the learnt vectors of characters begin as given ones of the same dimensions."""
        if self.characters is None:
            raise ConfigError("character_vectors need characters='cnn' or 'lstm'")
        given = fixed_table(vectors.vectors)
        rows = {character: row for row, character in enumerate(vectors.index_to_key, 2)}
        table: nn.Embedding = self.characters.table  # type: ignore[assignment]
        with torch.no_grad():
            for character, number in lexicon.characters.items():
                if character in rows:
                    table.weight[number] = given[rows[character]]

    def forward(self, batch: WordBatch) -> torch.Tensor:
        """[words, dim] of distinct words; `at_places` has those of sentences."""
        words, vectors, characters = batch
        if self.training and self.unknown:
            dropped = torch.rand(words.shape, device=words.device) < self.unknown
            words = words.masked_fill(dropped, UNKNOWN)
        parts = [
            self.learnt(words)
            if self.given is None
            else F.embedding(vectors, self.given) + self.learnt(words)
        ]
        if self.characters is not None:
            parts.append(self.characters(characters))
        return torch.cat(parts, -1)


def at_places(vectors: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The vectors of distinct words, [words, dim], at the words' places: [sentences, time, dim].

    As ``vectors[places]``, but threads add up that one's gradient in the order in which they come, so that a
    seed would not give the same weights twice.
    """
    return F.embedding(places, vectors)
