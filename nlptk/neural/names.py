"""Where gazetteers find names: a learnt vector for each place in a name of each class.

What a dictionary knows of the words that a sentence may be cut into is as useful to a network as to a CRF
(Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", 6.2; Peng and Dredze 2016 for
Chinese characters). The names are those that the atom ``gazetteer:name`` of feature templates finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.lexicons import Gazetteer
from nlptk.neural.words import PADDING, UNKNOWN
from nlptk.tag.features import TokenBatch, TokenFeatures

NAME_DIM = 30


class NameInputs(nn.Module):
    """Vectors of places in names.

    Args:
        gazetteer: the names.
        keys: uint32, sorted: what the gazetteer says of the words of the training set: also that of no name.
    """

    def __init__(self, gazetteer: Gazetteer, keys: NDArray[np.uint32]) -> None:
        super().__init__()
        self.gazetteer: Gazetteer = gazetteer
        self.features = TokenFeatures([f"gazetteer:{gazetteer.name}"], gazetteers=[gazetteer])
        self.keys: NDArray[np.uint32] = keys
        self.dim = NAME_DIM
        self.table = nn.Embedding(len(keys) + 2, NAME_DIM, padding_idx=PADDING)
        with torch.no_grad():
            self.table.weight[UNKNOWN] = 0  # what training has not: it would stay as it was drawn

    @classmethod
    def of(cls, gazetteer: Gazetteer, sentences: Sequence[Sequence[str]]) -> NameInputs:
        """For the names in training sentences."""
        return cls(gazetteer, np.unique(cls(gazetteer, np.zeros(0, np.uint32))._found(sentences)))

    def _found(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        return self.features.keys(TokenBatch.from_words(sentences), 1)[:, 0]

    def numbers(self, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.int64]]:
        """The place in a name of each word of each sentence, int64 [words]."""
        found = self._found(sentences)
        rows = np.searchsorted(self.keys, found)
        known = np.append(self.keys, 0)[rows] == found
        numbers = np.where(known, rows + 2, UNKNOWN).astype(np.int64)
        ends = np.cumsum([len(words) for words in sentences]).tolist()
        return [numbers[first:last] for first, last in pairwise([0, *ends])]

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """int64 [sentences, time] -> [sentences, time, dim]."""
        return self.table(numbers)  # type: ignore[no-any-return]
