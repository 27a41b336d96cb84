"""Texts as ids of subwords and back, and pairs of them as batches."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from nlptk.errors import ConfigError
from nlptk.neural.batches import Batches
from nlptk.neural.seq2seq_models import SPECIAL
from nlptk.tokenize.bpe import BPE

Pair: TypeAlias = tuple[list[int], list[int]]
UNITS = ("bpe", "char-bpe", "char")
_UNKNOWN = "<unk>"
# Runs of letters, digits and other signs with the space before them: also where units are characters, so that
# spaces stay in the text.
_PATTERN = "gpt2"


def train_tokenizer(texts: Sequence[str], units: str, size: int) -> BPE:
    """Subwords of texts.

    Args:
        units: "bpe": byte-level BPE, to which nothing is unknown; "char-bpe": BPE over characters, of which
            those that are not in the texts are unknown; "char": characters, the most frequent ones.
        size: tokens at most.

    Raises:
        ConfigError: other units, or a size below the number of bytes or characters that BPE begins with.
    """
    if units == "bpe":
        return BPE.train(texts, size, prefix_space=True)  # a word at the beginning is as elsewhere
    if units == "char-bpe":
        return BPE.train(texts, size, byte_level=False, pattern=_PATTERN, unk_token=_UNKNOWN)
    if units == "char":
        counts = Counter(character for text in texts for character in text)
        ordered = sorted(counts, key=lambda character: (-counts[character], character))[: max(size - 1, 0)]
        vocab = {token: number for number, token in enumerate([_UNKNOWN, *ordered])}
        return BPE(vocab, (), byte_level=False, pattern=_PATTERN, unk_token=_UNKNOWN)
    raise ConfigError(f"there are no units {units!r}; choose one of {', '.join(UNITS)}")


class Pieces:
    """A tokenizer whose ids follow those of padding, begin and end.

    Args:
        tokenizer: any BPE.
        lowercase: whether texts become lower-case first.
        dropout: probability of leaving out a merge in `varied`.
    """

    def __init__(self, tokenizer: BPE, lowercase: bool = False, dropout: float = 0.0) -> None:
        self.tokenizer, self.lowercase = tokenizer, lowercase
        self._varied = tokenizer
        if dropout:
            self._varied = copy.copy(tokenizer)
            self._varied.dropout = dropout
        self.size = max(tokenizer.vocab.values(), default=-1) + 1 + SPECIAL
        unknown = tokenizer.token_to_id(_UNKNOWN)
        self.unknown = None if unknown is None else unknown + SPECIAL

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        return self._ids(self.tokenizer, texts)

    def varied(self, texts: Sequence[str], seed: int) -> list[list[int]]:
        """As `encode`, with other subwords for other seeds (Provilkov, Emelianenko and Voita 2020)."""
        return self._ids(self._varied, texts, seed=seed)

    def _ids(self, tokenizer: BPE, texts: Sequence[str], **options: int) -> list[list[int]]:
        if self.lowercase:
            texts = [text.lower() for text in texts]
        rows = tokenizer.encode_batch(texts, add_special_tokens=False, **options)
        return [[number + SPECIAL for number in row] for row in rows]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without white space around it."""
        return self.tokenizer.decode([number - SPECIAL for number in ids if number >= SPECIAL]).strip()

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """What each id stands for, to be shown: part of a character is U+FFFD."""
        return [self.tokenizer.decode([number - SPECIAL]) if number >= SPECIAL else "" for number in ids]


class PairBatches:
    """Batches of pairs of like lengths, epoch by epoch: what the trainer learns from.

    Args:
        pairs: of an epoch's number the pairs.
        tokens: of a batch's targets, end and padding included.
        seed: of the order.
    """

    def __init__(self, pairs: Callable[[int], Sequence[Pair]], tokens: int, seed: int) -> None:
        self._pairs, self._tokens, self._seed = pairs, tokens, seed
        self._length: int | None = None

    def __len__(self) -> int:
        if self._length is None:
            self._length = len(self._batches(self._pairs(0)))
        return self._length

    def epoch(self, number: int) -> Iterator[list[Pair]]:
        """The batches of an epoch, counted from 0."""
        pairs = self._pairs(number)
        for chosen in self._batches(pairs).epoch(number):
            yield [pairs[i] for i in chosen]

    def _batches(self, pairs: Sequence[Pair]) -> Batches:
        targets = [len(target) + 1 for _, target in pairs]
        sources = [len(source) for source, _ in pairs]
        return Batches(targets, self._tokens, seed=self._seed, within=sources)
