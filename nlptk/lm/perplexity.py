"""How well an n-gram model tells sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
        return _power(-(self.log10 - self.log10_unknown) / known) if known else float("nan")

    @property
    def bits_per_token(self) -> float:
        """-log2 of the probability, over tokens: bits per character if tokens are characters."""
        return float(-self.log10 / self.tokens / np.log10(2))


def _power(exponent: float) -> float:
    return 10.0**exponent if exponent < 308 else float("inf")
