"""Texts through a trained network: encode, search, decode, and what was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.errors import ConfigError, DataError
from nlptk.neural.batches import Batches
from nlptk.neural.seq2seq_models import Seq2SeqModel
from nlptk.neural.seq2seq_pieces import Pieces
from nlptk.state import check_integer

_MARGIN = 10  # tokens of a translation beyond twice the number that training leads one to expect


@dataclass(frozen=True)
class Translation:
    """One translation.

    Attributes:
        text: what it says.
        score: log-probability of its tokens, over the length penalty where there is a beam.
        tokens, source_tokens: with the end, which is ""; empty unless attention was asked for.
        attention: float32 [layers, heads, tokens, source tokens], each row of sum 1; None likewise.
    """

    text: str
    score: float
    tokens: list[str] = field(default_factory=list)
    source_tokens: list[str] = field(default_factory=list)
    attention: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Translator:
    """A network, its subwords, and how to search; see :meth:`nlptk.neural.seq2seq.Seq2Seq.translate`.

    Attributes:
        longest: tokens of a source at most.
        ratio: tokens of a target for each of its source, in training.
    """

    model: Seq2SeqModel
    pieces: tuple[Pieces, Pieces]
    longest: int
    ratio: float
    device: torch.device
    beam: int
    length_penalty: float
    n_best: int
    max_length: int | None
    cache: bool
    attention: bool

    def translate(
        self, texts: Sequence[str], prefixes: Sequence[str] | None, batch_size: int, numbered_from: int
    ) -> list[list[Translation]]:
        """The translations of each text; raises as `Seq2Seq.translate`."""
        self._check(batch_size)
        sources = self._sources(texts, numbered_from)
        begins = self._begins(sources, prefixes, numbered_from)
        found = [[Translation("", 0.0)] for _ in texts]
        kept = [number for number, source in enumerate(sources) if source]
        self.model.to(self.device).eval()
        batches = Batches([len(sources[i]) for i in kept], 2**40, sentences=batch_size, shuffle=False)
        for batch in batches.epoch(0) if kept else ():
            chosen = [kept[i] for i in batch]
            with torch.inference_mode():
                answers = self._search([sources[i] for i in chosen], [begins[i] for i in chosen])
            for number, answer in zip(chosen, answers, strict=True):
                found[number] = answer
        return found

    def _check(self, batch_size: int) -> None:
        """Raise ConfigError for settings of the search that are out of range."""
        for name, value in (("beam", self.beam), ("n_best", self.n_best), ("batch_size", batch_size)):
            check_integer(name, value, 1)
        if self.max_length is not None:
            check_integer("max_length", self.max_length, 1)
        words = self.pieces[1].size - len(self.model.banned)
        if self.beam > words:
            raise ConfigError(f"a beam of {self.beam} is larger than the vocabulary of {words} tokens")
        if self.n_best > self.beam:
            raise ConfigError(f"a beam of {self.beam} has no {self.n_best} best; raise beam to n_best")

    def _sources(self, texts: Sequence[str], numbered_from: int) -> list[list[int]]:
        """Ids of texts; none for white space. Raises DataError, naming the text."""
        if isinstance(texts, str):
            raise DataError("texts must be a list of texts, not one text")
        for number, text in enumerate(texts, numbered_from):
            if not isinstance(text, str):
                raise DataError(f"text {number} must be a string, not {type(text).__name__}")
        sources = self.pieces[0].encode([text if text.strip() else "" for text in texts])
        for number, source in enumerate(sources, numbered_from):
            if len(source) > self.longest:
                raise DataError(
                    f"text {number} has {len(source)} tokens, and the model takes {self.longest}: split it"
                )
        return sources

    def _begins(
        self, sources: Sequence[Sequence[int]], prefixes: Sequence[str] | None, numbered_from: int
    ) -> list[list[int]]:
        """Ids that translations begin with. Raises DataError for those that none can begin with."""
        if prefixes is None:
            return [[] for _ in sources]
        if len(prefixes) != len(sources):
            raise DataError(f"there are {len(sources)} texts and {len(prefixes)} prefixes: give one for each")
        begins = self.pieces[1].encode(prefixes)
        for number, (prefix, source, begin) in enumerate(
            zip(prefixes, sources, begins, strict=True), numbered_from
        ):
            if begin and not source:
                raise DataError(f"text {number} is empty, so its translation has no prefix; give ''")
            if self.pieces[1].unknown in begin:
                raise DataError(
                    f"the prefix of text {number}, {prefix!r}, has a character that the vocabulary lacks"
                )
            most = self._most(source)
            if len(begin) > most:
                raise DataError(
                    f"the prefix of text {number} has {len(begin)} tokens, and a translation {most} at most"
                )
        return begins

    def _most(self, source: Sequence[int]) -> int:
        """Tokens of a translation at most, its end not counted."""
        return self.max_length or min(self.longest, round(2 * self.ratio * (len(source) + 1)) + _MARGIN)
