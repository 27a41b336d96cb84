"""Texts through a trained network: encode, search, decode, and what was looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.decoding import Hypothesis, Limits
from nlptk.draw import Attention
from nlptk.errors import ConfigError, DataError
from nlptk.neural.decode import beam_search, greedy, sample
from nlptk.neural.devices import ready
from nlptk.neural.seq2seq_models import (
    BOS,
    EOS,
    Looking,
    Seq2SeqModel,
    collate_pairs,
    collate_sources,
)  # fmt: skip
from nlptk.neural.seq2seq_pieces import Pieces
from nlptk.neural.train import moved
from nlptk.neural.workers import infer_each
from nlptk.state import check_integer

_MARGIN = 5  # tokens of a translation beyond twice the number that training leads one to expect
#: Settings of sampling, see :func:`nlptk.neural.decode.sample`.
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
_STEP = 16  # and rounded up, so that there are few such lengths


@dataclass(frozen=True)
class Translation:
    """One translation.

    Attributes:
        text: what it says.
        score: log-probability of its tokens, end included; of a beam, over the length penalty and with the
            coverage penalty.
        tokens, source_tokens: with the end, which is ""; empty unless attention was asked for.
        attention: float32 [layers, heads, tokens, source tokens], each row of sum 1; None likewise.
    """

    text: str
    score: float
    tokens: list[str] = field(default_factory=list)
    source_tokens: list[str] = field(default_factory=list)
    attention: NDArray[np.float32] | None = None

    def to_attention(self) -> Attention:
        """What `nlptk.draw.attention` draws: tokens look at source tokens.

        Raises ConfigError where attention was not asked for, or the text was empty.
        """
        if self.attention is None:
            raise ConfigError(
                "there is no attention to draw: translate a text that is not empty with attention=True"
            )
        return Attention(self.attention, self.tokens, self.source_tokens, self.text)


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
    coverage_penalty: float
    sampling: Mapping[str, Any] | None
    seed: int
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
        ready(self.model, self.device)
        batches = list(self._batches(sources, batch_size))

        def search(batch: list[int]) -> list[list[Translation]]:
            numbers = [numbered_from + i for i in batch]
            return self._decoded(numbers, [sources[i] for i in batch], [begins[i] for i in batch])

        for batch, answers in zip(batches, infer_each(search, batches, self.device), strict=True):
            for number, answer in zip(batch, answers, strict=True):
                found[number] = answer
        return found

    def _batches(self, sources: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
        """Numbers of texts of like length. All of a batch have the same greatest length of a translation, so
        that what a text becomes does not depend on the others.
        """
        groups: dict[int, list[int]] = {}
        for number in sorted(range(len(sources)), key=lambda number: -len(sources[number])):
            if sources[number]:
                groups.setdefault(self._most(sources[number]), []).append(number)
        for group in groups.values():
            yield from (group[first : first + size] for first in range(0, len(group), size))

    def _decoded(
        self, numbers: list[int], sources: Sequence[Sequence[int]], begins: Sequence[Sequence[int]]
    ) -> list[list[Translation]]:
        copies = self.n_best if self.sampling is not None else 1
        prefix = [begin for begin in begins for _ in range(copies)]
        limits = Limits(bos=BOS, eos=EOS, max_length=self._most(sources[0]) + 1, prefix=prefix)
        model = Looking(self.model) if self.coverage_penalty else self.model
        state = model.start(moved(collate_sources(sources), self.device), self.cache)
        if self.sampling is not None:
            # The seeds are those of texts: what is drawn does not depend on the batch.
            seeds = [[self.seed, number, copy] for number in numbers for copy in range(copies)]
            rows = torch.arange(len(sources), device=self.device).repeat_interleave(copies)
            state = model.reorder(state, rows)
            drawn = sample(model, state, len(rows), limits, **self.sampling, seed=seeds)
            found = [drawn[first : first + copies] for first in range(0, len(drawn), copies)]
        elif self.beam == 1 and not self.coverage_penalty:
            found = [[one] for one in greedy(model, state, len(sources), limits)]
        else:
            found = beam_search(
                model,
                state,
                len(sources),
                limits,
                beam=self.beam,
                n_best=self.n_best,
                length_penalty=self.length_penalty,
                coverage_penalty=self.coverage_penalty,
            )
        return [
            [self._translation(source, one) for one in choices]
            for source, choices in zip(sources, found, strict=True)
        ]

    def _translation(self, source: Sequence[int], found: Hypothesis) -> Translation:
        text = self.pieces[1].decode(found.body)
        if not self.attention:
            return Translation(text, found.score)
        # A pass as in training, over the whole translation: its end is there even where it was cut.
        pair = moved(collate_pairs([(source, found.body)]), self.device)
        return Translation(
            text,
            found.score,
            self.pieces[1].tokens([*found.body, EOS]),
            self.pieces[0].tokens([*source, EOS]),
            self.model.looks(pair)[0].float().cpu().numpy(),
        )

    def _check(self, batch_size: int) -> None:
        """Raise ConfigError for settings of the search that are out of range."""
        for name, value in (("beam", self.beam), ("n_best", self.n_best), ("batch_size", batch_size)):
            check_integer(name, value, 1)
        if self.max_length is not None:
            check_integer("max_length", self.max_length, 1)
        words = self.pieces[1].size - len(self.model.banned)
        if self.sampling is not None:
            self._check_sampling(self.sampling)
            return
        if self.beam > words:
            raise ConfigError(f"a beam of {self.beam} is larger than the vocabulary of {words} tokens")
        if self.n_best > self.beam:
            raise ConfigError(f"a beam of {self.beam} has no {self.n_best} best; raise beam to n_best")

    def _check_sampling(self, sampling: Mapping[str, Any]) -> None:
        wrong = [name for name in sampling if name not in SAMPLING]
        if wrong:
            raise ConfigError(f"sampling has no setting {wrong[0]!r}; it has {', '.join(SAMPLING)}")
        if self.coverage_penalty:
            raise ConfigError("coverage_penalty ranks hypotheses of a beam: it has no meaning with sampling")

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
        if self.max_length is not None:
            return self.max_length
        expected = 2 * self.ratio * (len(source) + 1)
        return min(self.longest, _STEP * math.ceil((expected + _MARGIN) / _STEP))
