"""How well a language model tells a text, in numbers that can be compared across tokenizations."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Perplexity:
    """What a model gave a text.

    A text has the same words and characters whatever its tokens are, so that `per_word` and
    `bits_per_character` of models with other tokens can be compared, as long as none has unknown tokens:
    these are told as one, for less than their spelling costs.

    Attributes:
        log_prob: natural logarithm of the text's probability.
        tokens: of the model, an end for each line among them.
        words: between white space, and one for the end of each line.
        characters: and one for the end of each line.
        unknown: tokens that are not known to the model.
    """

    log_prob: float
    tokens: int
    words: int
    characters: int
    unknown: int

    @property
    def per_token(self) -> float:
        """exp(-log_prob / tokens)"""
        return _exp(-self.log_prob / self.tokens)

    @property
    def per_word(self) -> float:
        """exp(-log_prob / words)"""
        return _exp(-self.log_prob / self.words)

    @property
    def bits_per_character(self) -> float:
        """-log2 of the probability, over characters."""
        return -self.log_prob / self.characters / math.log(2)


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


@dataclass(frozen=True)
class NgramPerplexity:
    """What a model gave some sentences.

    Attributes:
        log10: of the probability of all tokens.
        log10_unknown: of the unknown words alone.
        tokens: words, and an end for each sentence.
        unknown: words that the model does not know.
    """

    log10: float
    log10_unknown: float
    tokens: int
    unknown: int

    @property
    def including(self) -> float:
        """Per token, of all tokens; unknown words count as the one word <unk>."""
        return _power(-self.log10 / self.tokens)

    @property
    def excluding(self) -> float:
        """Per token, of the known words and sentence ends alone; NaN where there are none."""
        known = self.tokens - self.unknown
        return _power(-(self.log10 - self.log10_unknown) / known) if known else math.nan

    @property
    def bits_per_token(self) -> float:
        """-log2 of the probability, over tokens: bits per character if tokens are characters."""
        return -self.log10 / self.tokens / math.log10(2)


def _power(exponent: float) -> float:
    return 10.0**exponent if exponent < 308 else math.inf
