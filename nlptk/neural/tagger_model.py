"""The network of the neural tagger: words, an encoder that sees the sentence, scores of labels, a chain."""

from __future__ import annotations

from typing import NamedTuple

import torch

from nlptk.neural.words import WordBatch


class TaggerBatch(NamedTuple):
    """Sentences: which of the distinct words stands where.

    Attributes:
        words: the distinct words.
        places: int64 [sentences, time], numbers of distinct words; 0 beyond the end.
        lengths: int64 [sentences].
        gold: int64 [sentences, time], -1 where there is no label; None when tagging.
    """

    words: WordBatch
    places: torch.Tensor
    lengths: torch.Tensor
    gold: torch.Tensor | None = None
