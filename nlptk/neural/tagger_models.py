"""The networks of the neural tagger: words, an encoder that sees the sentence, scores of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nlptk.neural.attention import length_mask
from nlptk.neural.chain import CrfHead
from nlptk.neural.encoders import drop_dimensions
from nlptk.neural.places import PlaceInputs
from nlptk.neural.words import Forms, Lexicon, WordInputs, WordSequences, at_places, padded


class Example(NamedTuple):
    """A sentence: numbers of its words' forms, of what else is known of its places, of known labels."""

    forms: NDArray[np.int64]
    places: tuple[NDArray[np.int64], ...]
    gold: NDArray[np.int64] | None


class WordsBatch(NamedTuple):
    """Sentences; places: int64 [sentences, time], for each of the model's `places`; gold: int64 [words of all
    sentences], or None.
    """

    sentences: WordSequences
    places: tuple[Tensor, ...]
    gold: Tensor | None

    @property
    def lengths(self) -> Tensor:
        """int64 [sentences]."""
        return self.sentences.lengths


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
        places: what gives vectors to a word's place, which hang on its neighbours: pairs of words, names.
        encoder: [sentences, time, inputs] and lengths -> [sentences, time, dim].
        dropout: of inputs and of the encoder's states: whole dimensions of a sentence (Gal and Ghahramani
            2016).
    """

    def __init__(
        self,
        lexicon: Lexicon,
        inputs: WordInputs,
        places: Sequence[PlaceInputs],
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
        self.inputs, self.places, self.encoder = inputs, nn.ModuleList(places), encoder
        self.scores = nn.Linear(dim, labels)
        self.dropout = dropout

    def examples(
        self, X: Sequence[Sequence[str]], gold: Sequence[NDArray[np.int64]] | None = None
    ) -> list[Example]:
        """Sentences as numbers of forms."""
        if self.forms.full:
            self.forms.clear()
        places = [inputs.numbers(X) for inputs in self.places]  # type: ignore[operator]
        return [
            Example(
                self.forms.numbers(sentence),
                tuple(numbers[i] for numbers in places),
                None if gold is None else gold[i],
            )
            for i, sentence in enumerate(X)
        ]

    def sizes(self, examples: Sequence[Example]) -> list[int]:
        """Words of each."""
        return [len(example.forms) for example in examples]

    def collate(self, examples: Sequence[Example]) -> WordsBatch:
        """Distinct words, and where they stand."""
        sentences = self.forms.collate([example.forms for example in examples])
        lengths = sentences.lengths.numpy()
        places = zip(*(example.places for example in examples), strict=True)
        gold = [example.gold for example in examples if example.gold is not None]
        return WordsBatch(
            sentences,
            tuple(padded(np.concatenate(numbers), lengths) for numbers in places),
            torch.from_numpy(np.concatenate(gold)) if gold else None,
        )

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """The words and characters."""
        return self.lexicon.to_arrays()

    def emissions(self, batch: WordsBatch) -> Tensor:
        words, places, lengths = batch.sentences
        x = at_places(self.inputs(words), places)  # [sentences, time, inputs]
        found = [inputs(numbers) for inputs, numbers in zip(self.places, batch.places, strict=True)]
        x = torch.cat([x, *found], -1)
        x = self._dropped(self.encoder(self._dropped(x), lengths))  # [sentences, time, dim]
        return self.scores(x[length_mask(lengths, x.shape[1])])  # type: ignore[no-any-return]

    def _dropped(self, x: Tensor) -> Tensor:
        return drop_dimensions(x, self.dropout, self.training)
