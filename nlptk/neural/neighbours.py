"""Given vectors of what a word forms with its neighbours, where words are characters: pairs, jieba's words.

What a character means depends most on the ones beside it (Zhang and Yang 2018, "Chinese NER Using Lattice
LSTM", arXiv 1805.02023: the bichar embeddings, and softwords, here with the vectors of the words).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from nlptk.neural.words import PADDING, UNKNOWN, fixed_table, numbered
from nlptk.tokenize.jieba import JiebaTokenizer


class GivenInputs(nn.Module):
    """Vectors of strings, which do not change. A subclass says which string a word has.

    Args:
        keys: the strings.
        vectors: float32 [keys, dim].
    """

    def __init__(self, keys: Iterable[str], vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.rows: dict[str, int] = numbered(keys)
        self.given: torch.Tensor
        self.register_buffer("given", fixed_table(vectors))
        self.dim = vectors.shape[1]

    def numbers(self, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.int64]]:
        """The row of each word of each sentence, int64 [words]."""
        return [self._numbers(sentence) for sentence in sentences]

    def _numbers(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        raise NotImplementedError

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """int64 [sentences, time] -> [sentences, time, dim]."""
        return F.embedding(numbers, self.given)


class PairInputs(GivenInputs):
    """A word has its pair with the next one, both written together; the last word has none.

    The pair with the word before is at the place before.
    """

    def _numbers(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        rows = self.rows
        found = np.full(len(sentence), PADDING, np.int64)
        found[:-1] = [rows.get(word + following, UNKNOWN) for word, following in pairwise(sentence)]
        return found


class SegmentInputs(GivenInputs):
    """A word has the one of jieba's words that its first character is in.

    Whether jieba cuts rightly or not, that tells what a character most likely belongs to.
    """

    def __init__(self, keys: Iterable[str], vectors: NDArray[np.float32]) -> None:
        super().__init__(keys, vectors)
        self.jieba = JiebaTokenizer()

    def _numbers(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        segments = self.jieba.cut("".join(sentence))
        rows = np.array([self.rows.get(segment, UNKNOWN) for segment in segments], np.int64)
        lengths = np.array([len(word) for word in sentence], np.int64)
        found = np.append(rows.repeat([len(segment) for segment in segments]), UNKNOWN)  # of empty last words
        firsts: NDArray[np.int64] = found[np.cumsum(lengths) - lengths]
        return firsts
