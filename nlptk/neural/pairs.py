"""Given vectors of pairs of neighbouring words: of two characters, where the words are characters.

What a character means depends most on the one beside it (Zhang and Yang 2018, "Chinese NER Using Lattice
LSTM", arXiv 1805.02023, whose bichar embeddings these are). A place has the vector of its word and the next
one; that of the word before is at the place before.
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


class PairInputs(nn.Module):
    """Vectors of pairs, which do not change.

    Args:
        pairs: both words of each written together.
        vectors: float32 [pairs, dim].
    """

    def __init__(self, pairs: Iterable[str], vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.rows = numbered(pairs)
        self.given: torch.Tensor
        self.register_buffer("given", fixed_table(vectors))
        self.dim = vectors.shape[1]

    def numbers(self, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.int64]]:
        """The pair that each word of each sentence begins, int64 [words]; the last word begins none."""
        return [self._pairs(sentence) for sentence in sentences]

    def _pairs(self, sentence: Sequence[str]) -> NDArray[np.int64]:
        rows = self.rows
        found = np.full(len(sentence), PADDING, np.int64)
        found[:-1] = [rows.get(word + following, UNKNOWN) for word, following in pairwise(sentence)]
        return found

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """int64 [sentences, time] -> [sentences, time, dim]."""
        return F.embedding(numbers, self.given)
