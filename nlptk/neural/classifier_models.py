"""The networks of the neural classifier: texts to scores of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nlptk.errors import ConfigError
from nlptk.neural.encoders import drop_dimensions
from nlptk.neural.heads import BertForSequenceClassification
from nlptk.neural.packing import Packed
from nlptk.neural.states import pack_tokenizer
from nlptk.neural.text_encoders import Pooled
from nlptk.neural.train import moved
from nlptk.neural.windows import windows
from nlptk.neural.words import Forms, Lexicon, WordInputs, WordSequences, at_places
from nlptk.tokenize.wordpiece import WordPiece

Words: TypeAlias = Sequence[str]


class ClassifierModel(nn.Module):
    """Scores of labels for texts that are not empty; a subclass says how texts become scores.

    Args:
        multilabel: each label is told by itself, and a text may have several; else one of them is.
        weights: float32 [labels], what a text counts for its label, or None.
    """

    def __init__(self, multilabel: bool, weights: NDArray[np.float32] | None) -> None:
        super().__init__()
        self.multilabel = multilabel
        self.weights: Tensor | None
        kept = None if weights is None else torch.from_numpy(weights)
        self.register_buffer("weights", kept, persistent=False)

    def examples(self, X: Sequence[Any]) -> list[Any]:
        """What `collate` takes, of each text."""
        raise NotImplementedError

    def sizes(self, examples: Sequence[Any]) -> list[int]:
        """What each costs, in words or subwords."""
        raise NotImplementedError

    def collate(self, examples: Sequence[Any]) -> Any:
        """A batch."""
        raise NotImplementedError

    def logits(self, batch: Any) -> Tensor:
        """[texts, labels]"""
        raise NotImplementedError

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """Arrays of what stands between strings and numbers."""
        raise NotImplementedError

    def contributions(self, words: Words, label: int) -> NDArray[np.float32]:
        """The gradient times the input of each word of a text, for a label's score over the mean of all."""
        raise NotImplementedError

    def shares(self, batch: Any) -> list[NDArray[np.float32]]:
        """How much each word of each text counts, as attention has it; [words] of each, of sum 1.

        Raises ConfigError for a network whose pooling is not attention.
        """
        raise ConfigError("this network has no attention over words; choose bilstm, gru or transformer")

    def probabilities(self, batch: Any) -> NDArray[np.float32]:
        """[texts, labels]; rows sum to 1 unless labels are told one by one. On the CPU."""
        scores = self.logits(batch).float()
        found = scores.sigmoid() if self.multilabel else scores.softmax(1)
        return found.cpu().numpy()

    def forward(self, batch: tuple[Any, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The weighted sum of -log p of the gold labels, and the sum of the weights.

        Gold labels are numbers [texts], or with `multilabel` 0 and 1, float32 [texts, labels], whose -log p
        are averaged over the labels; then what each text counts, float32 [texts], besides its label's weight.
        """
        given, gold, counts = batch
        scores = self.logits(given)
        if self.multilabel:
            lost = F.binary_cross_entropy_with_logits(scores, gold, pos_weight=self.weights, reduction="none")
            return (lost.mean(1) * counts).sum(), counts.sum()
        lost = F.cross_entropy(scores, gold, weight=self.weights, reduction="none")
        return (lost * counts).sum(), (counts if self.weights is None else self.weights[gold] * counts).sum()


def _margin(scores: Tensor, label: int) -> Tensor:
    """The score of a label over the mean of all, of one text: scores [1, labels]."""
    return scores[0, label] - scores[0].mean()


class WordClassifier(ClassifierModel):
    """Over vectors of words and their characters.

    Args:
        lexicon, inputs: words as numbers, numbers as vectors.
        encoder: [texts, time, inputs] and lengths -> :class:`nlptk.neural.text_encoders.Pooled`.
        dim: of its vectors.
        dropout: of whole dimensions of the inputs, and of the encoder's vectors.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        inputs: WordInputs,
        encoder: nn.Module,
        dim: int,
        labels: int,
        *,
        dropout: float,
        multilabel: bool,
        weights: NDArray[np.float32] | None,
    ) -> None:
        super().__init__(multilabel, weights)
        self.lexicon, self.forms = lexicon, Forms(lexicon)
        self.inputs, self.encoder = inputs, encoder
        self.scores = nn.Linear(dim, labels)
        self.dropout = dropout

    def examples(self, X: Sequence[Words]) -> list[NDArray[np.int64]]:
        """Texts, given as words, as numbers of forms."""
        if self.forms.full:
            self.forms.clear()
        return [self.forms.numbers(words) for words in X]

    def sizes(self, examples: Sequence[NDArray[np.int64]]) -> list[int]:
        """Words of each."""
        return [len(forms) for forms in examples]

    def collate(self, examples: Sequence[NDArray[np.int64]]) -> WordSequences:
        """Distinct words, and where they stand."""
        return self.forms.collate(examples)

    def _vectors(self, batch: WordSequences) -> Tensor:
        """[texts, time, inputs]"""
        return at_places(self.inputs(batch.words), batch.places)

    def _scores(self, x: Tensor, lengths: Tensor) -> Tensor:
        pooled: Pooled = self.encoder(drop_dimensions(x, self.dropout, self.training), lengths)
        found: Tensor = self.scores(F.dropout(pooled.vectors, self.dropout, self.training))
        return found

    def logits(self, batch: WordSequences) -> Tensor:
        return self._scores(self._vectors(batch), batch.lengths)

    def contributions(self, words: Words, label: int) -> NDArray[np.float32]:
        device = self.scores.weight.device
        batch = moved(self.collate(self.examples([words])), device)
        x = self._vectors(batch).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(_margin(self._scores(x, batch.lengths), label), x)
        return (gradient * x).sum(2)[0].detach().cpu().numpy()

    def shares(self, batch: WordSequences) -> list[NDArray[np.float32]]:
        found = self.encoder(self._vectors(batch), batch.lengths).shares
        if found is None:
            return super().shares(batch)
        rows = found.cpu().numpy()
        return [row[:length] for row, length in zip(rows, batch.lengths.tolist(), strict=True)]

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """The words and characters."""
        return self.lexicon.to_arrays()


class WindowsBatch(NamedTuple):
    """packed: the windows of texts, each with [CLS] and [SEP]; owner: int64 [windows], the text of each."""

    packed: Packed
    owner: Tensor


class SubwordClassifier(ClassifierModel):
    """BERT with a linear layer over the pooled [CLS] (Devlin et al. 2019, 4.1).

    A text longer than the model's positions goes through it in windows, whose scores are averaged.

    Args:
        network: the encoder with its head.
        tokenizer: of its vocabulary, with [CLS] and [SEP].
        stride: pieces from one window to the next; None: half a window.
    """

    def __init__(
        self,
        network: BertForSequenceClassification,
        tokenizer: WordPiece,
        *,
        stride: int | None,
        multilabel: bool,
        weights: NDArray[np.float32] | None,
    ) -> None:
        super().__init__(multilabel, weights)
        self.network, self.tokenizer = network, tokenizer
        self.size = network.config.max_position_embeddings - 2
        self.stride = self.size // 2 if stride is None else stride
        if not 1 <= self.stride <= self.size:
            raise ConfigError(
                f"stride must be from 1 to {self.size}, what the model takes, not {self.stride!r}"
            )

    def examples(self, X: Sequence[str]) -> list[list[list[int]]]:
        """The windows of each text."""
        found = []
        for first, *body, last in self.tokenizer.encode_batch(list(X)):
            plan = windows(len(body), self.size, self.stride)
            found.append([[first, *body[a:b], last] for a, b in zip(plan.starts, plan.ends, strict=True)])
        return found

    def sizes(self, examples: Sequence[list[list[int]]]) -> list[int]:
        """Pieces of each."""
        return [sum(map(len, text)) for text in examples]

    def collate(self, examples: Sequence[list[list[int]]]) -> WindowsBatch:
        """The windows of all."""
        owner = np.repeat(np.arange(len(examples)), [len(text) for text in examples])
        packed = Packed.of([window for text in examples for window in text])
        return WindowsBatch(packed, torch.from_numpy(owner))

    def logits(self, batch: WindowsBatch) -> Tensor:
        found: Tensor = self.network(batch.packed)  # [windows, labels]
        counts = torch.bincount(batch.owner)
        if len(counts) == len(found):
            return found
        sums = found.new_zeros(len(counts), found.shape[1]).index_add_(0, batch.owner, found)
        return sums / counts[:, None]

    def contributions(self, words: Words, label: int) -> NDArray[np.float32]:
        pieces = [self.tokenizer.encode(word, add_special_tokens=False) for word in words]
        owner = np.repeat(np.arange(len(words)), [len(ids) for ids in pieces])
        first, *_, last = self.tokenizer.encode("")
        body = [number for ids in pieces for number in ids]
        plan = windows(len(body), self.size, self.stride)
        table = self.network.bert.embeddings.words
        found = np.zeros(len(words), np.float32)
        for a, b in zip(plan.starts.tolist(), plan.ends.tolist(), strict=True):
            seen: list[Tensor] = []
            hook = table.register_forward_hook(lambda _, __, made, seen=seen: seen.append(made))
            try:  # of one window, whose tokens stay in their order
                scores = self.network(Packed.of([[first, *body[a:b], last]]))
            finally:
                hook.remove()
            (gradient,) = torch.autograd.grad(_margin(scores, label), seen)
            weights = (gradient * seen[0]).sum(1)[1:-1].detach().cpu().numpy()
            np.add.at(found, owner[a:b], weights / len(plan.starts))
        return found

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """The tokenizer, as a tokenizer.json."""
        return pack_tokenizer(self.tokenizer)
