"""Given vectors of the words that jieba finds in a sentence of characters: each character has its word's.

Whether the cut is right or wrong, it tells what a character most likely belongs to (Zhang and Yang 2018,
"Chinese NER Using Lattice LSTM", arXiv 1805.02023, whose softword features these extend by the word's vector).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from nlptk.neural.words import UNKNOWN, fixed_table, numbered
from nlptk.tokenize.jieba import JiebaTokenizer


class SegmentInputs(nn.Module):
    """Vectors of jieba's words, which do not change.

    Args:
        words: that have vectors.
        vectors: float32 [words, dim].
    """

    def __init__(self, words: Iterable[str], vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.rows = numbered(words)
        self.jieba = JiebaTokenizer()
        self.given: torch.Tensor
        self.register_buffer("given", fixed_table(vectors))
        self.dim = vectors.shape[1]

    def numbers(self, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.int64]]:
        """The jieba word that each word, or character, of each sentence begins in, int64 [words]."""
        return [self._segments(sentence) for sentence in sentences]

    def _segments(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        segments = self.jieba.cut("".join(sentence))
        rows = np.array([self.rows.get(segment, UNKNOWN) for segment in segments], np.int64)
        lengths = np.array([len(word) for word in sentence])
        return rows.repeat([len(segment) for segment in segments])[np.cumsum(lengths) - lengths]

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """int64 [sentences, time] -> [sentences, time, dim]."""
        return F.embedding(numbers, self.given)
