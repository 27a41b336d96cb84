"""The networks of the neural tagger: words, an encoder that sees the sentence, scores of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nlptk.neural.chain import CrfHead
from nlptk.neural.pairs import PairInputs
from nlptk.neural.words import Forms, Lexicon, WordBatch, WordInputs
from nlptk.tag.base import pack_strings


class Example(NamedTuple):
    """A sentence: numbers of its words' forms, of their pairs where these count, of known labels."""

    forms: NDArray[np.int64]
    pairs: NDArray[np.int64] | None
    gold: NDArray[np.int64] | None


class WordsBatch(NamedTuple):
    """Sentences.

    Attributes:
        words: the distinct words.
        places: int64 [sentences, time], numbers of distinct words; 0 beyond the end.
        pairs: int64 [sentences, time], of a word and the next; None where they do not count.
        lengths: int64 [sentences].
        gold: int64 [words of all sentences], or None.
    """

    words: WordBatch
    places: Tensor
    pairs: Tensor | None
    lengths: Tensor
    gold: Tensor | None


class TaggerModel(nn.Module):
    """Scores of labels at the words of sentences; a subclass says how sentences become scores.

    Args:
        head: a chain over the labels (Lafferty et al. 2001; Lample et al. 2016), or None.
        smoothing: share of the gold label's probability that all labels get, without a chain.
    """

    def __init__(self, head: CrfHead | None, smoothing: float) -> None:
        super().__init__()
        self.head, self.smoothing = head, smoothing

    def examples(
        self, X: Sequence[Sequence[str]], gold: Sequence[NDArray[np.int64]] | None = None
    ) -> list[Any]:
        """What `collate` takes, of each sentence, none of them empty."""
        raise NotImplementedError

    def sizes(self, examples: Sequence[Any]) -> list[int]:
        """What each costs, in words or subwords."""
        raise NotImplementedError

    def collate(self, examples: Sequence[Any]) -> Any:
        """A batch; it has `lengths` in words, and `gold`."""
        raise NotImplementedError

    def emissions(self, batch: Any) -> Tensor:
        """[words of all sentences, labels]"""
        raise NotImplementedError

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """Arrays of what stands between strings and numbers."""
        raise NotImplementedError

    def best(self, batch: Any) -> NDArray[np.int32]:
        """The best label of each word, [words of all sentences]; on the CPU."""
        scores = self.emissions(batch)
        if self.head is not None:
            return self.head.packed_decode(scores, batch.lengths)
        return scores.argmax(1).cpu().numpy().astype(np.int32)

    def forward(self, batch: Any) -> tuple[Tensor, int]:
        """The sum of -log p of the gold labels, and their number."""
        scores = self.emissions(batch)
        if self.head is not None:
            return self.head.packed_loss(scores, batch.gold, batch.lengths), len(batch.gold)
        smoothing = self.smoothing if self.training else 0.0
        loss = F.cross_entropy(scores, batch.gold, reduction="sum", label_smoothing=smoothing)
        return loss, len(batch.gold)


class WordTagger(TaggerModel):
    """Over vectors of words and their characters.

    Args:
        lexicon, inputs: words as numbers, numbers as vectors.
        pairs: vectors of neighbouring words, or None.
        encoder: [sentences, time, inputs] and lengths -> [sentences, time, dim].
        dropout: of inputs and of the encoder's states: whole dimensions of a sentence (Gal and Ghahramani
            2016).
    """

    def __init__(
        self,
        lexicon: Lexicon,
        inputs: WordInputs,
        pairs: PairInputs | None,
        encoder: nn.Module,
        dim: int,
        labels: int,
        *,
        head: CrfHead | None,
        dropout: float,
        smoothing: float,
    ) -> None:
        super().__init__(head, smoothing)
        self.lexicon, self.forms = lexicon, Forms(lexicon)
        self.inputs, self.pairs, self.encoder = inputs, pairs, encoder
        self.scores = nn.Linear(dim, labels)
        self.dropout = dropout

    def examples(
        self, X: Sequence[Sequence[str]], gold: Sequence[NDArray[np.int64]] | None = None
    ) -> list[Example]:
        """Sentences as numbers of forms."""
        if self.forms.full:
            self.forms.clear()
        return [
            Example(
                self.forms.numbers(sentence),
                None if self.pairs is None else self.pairs.numbers(sentence),
                None if gold is None else gold[i],
            )
            for i, sentence in enumerate(X)
        ]

    def sizes(self, examples: Sequence[Example]) -> list[int]:
        """Words of each."""
        return [len(example.forms) for example in examples]

    def collate(self, examples: Sequence[Example]) -> WordsBatch:
        """Distinct words, and where they stand."""
        lengths = np.array([len(example.forms) for example in examples], np.int64)
        distinct, places = np.unique(np.concatenate([e.forms for e in examples]), return_inverse=True)
        inside = np.arange(lengths.max(initial=0)) < lengths[:, None]

        def padded(values: NDArray[np.int64]) -> Tensor:
            made = np.zeros(inside.shape, np.int64)
            made[inside] = values
            return torch.from_numpy(made)

        pairs = [example.pairs for example in examples if example.pairs is not None]
        gold = [example.gold for example in examples if example.gold is not None]
        return WordsBatch(
            self.forms.tensors(distinct),
            padded(places),
            padded(np.concatenate(pairs)) if pairs else None,
            torch.from_numpy(lengths),
            torch.from_numpy(np.concatenate(gold)) if gold else None,
        )

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """The words and characters, and the pairs."""
        pairs = {} if self.pairs is None else pack_strings("pairs", self.pairs.rows)
        return {**self.lexicon.to_arrays(), **pairs}

    def emissions(self, batch: WordsBatch) -> Tensor:
        x = self.inputs(batch.words)[batch.places]  # [sentences, time, inputs]
        if self.pairs is not None:
            x = torch.cat([x, self.pairs(batch.pairs)], -1)
        x = self._dropped(self.encoder(self._dropped(x), batch.lengths))  # [sentences, time, dim]
        inside = torch.arange(x.shape[1], device=x.device) < batch.lengths[:, None]
        return self.scores(x[inside])  # type: ignore[no-any-return]

    def _dropped(self, x: Tensor) -> Tensor:
        """With whole dimensions of a sentence at 0, and the others made up for it."""
        if not self.training or not self.dropout:
            return x
        kept = torch.empty_like(x[:, :1]).bernoulli_(1 - self.dropout)  # [sentences, 1, dim]
        return x * kept.div_(1 - self.dropout)
