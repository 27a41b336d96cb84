"""What stands on BERT's encoder: masked words and next sentence (pre-training), tags, classes.

Each model has the encoder as `bert`, reads a checkpoint with or without its head, and saves one that the
class of transformers of the same name reads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError
from nlptk.neural import checkpoint
from nlptk.neural.bert import Bert, initialize
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.linear import Linear
from nlptk.neural.packing import Packed
from nlptk.neural.pretraining import PretrainingBatch

if TYPE_CHECKING:
    from typing_extensions import Self


class WithHeads(nn.Module):
    """Base: an encoder with heads, and its files.

    Attributes:
        new_weights: names of the heads' parameters that the checkpoint did not have, so that they are to be
            trained; empty for a model that was not read.
    """

    architecture: ClassVar[str]
    pooler: ClassVar[bool]

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, pooler=self.pooler)
        self.new_weights: list[str] = []

    @classmethod
    def from_pretrained(cls, folder: PathLike) -> Self:
        """The model of a checkpoint; a head that is not in it is drawn at random, and in `new_weights`.

        Raises ModelError as `Bert.from_pretrained`.
        """
        return cls._of(folder, checkpoint.read_config(folder), checkpoint.read_weights(folder))

    @classmethod
    def _of(cls, folder: PathLike, config: BertConfig, weights: Mapping[str, Tensor]) -> Self:
        made = cls(config)
        optional = [
            name
            for name, _ in made.named_parameters()
            if not name.startswith("bert.") or name.startswith("bert.pooler.")
        ]
        where = os.path.join(folder, checkpoint.WEIGHTS)
        made.new_weights = checkpoint.assign(made, weights, where, optional)
        return made.eval()

    def save_pretrained(self, folder: PathLike) -> None:
        """Write config.json and model.safetensors. Raises DataError if the folder cannot be written."""
        checkpoint.write(self, folder, self.config, self.architecture)


class WordsHead(nn.Module):
    """The scores of all words of the vocabulary at a masked place h:

    E LN(act(W h + b)) + c,   with the word embeddings E [words, dim] again (tied).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size, config.hidden_act)
        self.norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """states [places, dim], embeddings [words, dim] -> [places, words]."""
        return F.linear(self.norm(self.dense(states)), embeddings, self.bias)


class BertForPreTraining(WithHeads):
    """Masked words and next sentence, learnt together."""

    architecture = "BertForPreTraining"
    pooler = True

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.words = WordsHead(config)
        self.next = Linear(config.hidden_size, 2)
        initialize(self.words, config.initializer_range)
        initialize(self.next, config.initializer_range)

    def scores(self, batch: PretrainingBatch) -> tuple[Tensor, Tensor | None]:
        """Scores of the words at the masked places [masked, words]; of the pairs [pairs, 2], 0 for "follows".

        Only the masked places are scored: 15 % of the largest product of a small model.
        """
        found = self.bert(batch.packed)
        words = self.words(found.states[batch.places], self.bert.embeddings.words.weight)
        return words, None if batch.random_next is None else self.next(found.pooled)

    def losses(self, batch: PretrainingBatch) -> tuple[Tensor, Tensor | None]:
        """Cross-entropy in nats, means over the masked places and over the pairs."""
        words, pairs = self.scores(batch)
        # No masked place: a sum of nothing, not a mean.
        masked = F.cross_entropy(words, batch.targets, reduction="sum") / max(len(batch.targets), 1)
        if pairs is None or batch.random_next is None:
            return masked, None
        return masked, F.cross_entropy(pairs, batch.random_next)

    def forward(self, batch: PretrainingBatch) -> tuple[Tensor, int]:
        """The loss, the sum of both means, times the number of masked places; and that number.

        So sums over several batches or processes, divided by the sum of the numbers, are means again.
        """
        masked, pairs = self.losses(batch)
        number = max(len(batch.targets), 1)
        return (masked if pairs is None else masked + pairs) * number, number


class _Classifier(WithHeads):
    """A linear layer over states or sentences, to as many scores as there are labels."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        if not config.labels:
            raise ConfigError(f"{self.architecture} needs labels: give them, or a config.json with id2label")
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = Linear(config.hidden_size, len(config.labels))
        initialize(self.classifier, config.initializer_range)

    @classmethod
    def from_pretrained(cls, folder: PathLike, labels: Sequence[str] | None = None) -> Self:
        """As `WithHeads.from_pretrained`. `labels`: others than those of config.json have a new head.

        Raises ConfigError also if there are no labels, neither here nor in config.json.
        """
        config, weights = checkpoint.read_config(folder), checkpoint.read_weights(folder)
        if labels is not None and tuple(labels) != config.labels:
            config = config.with_labels(labels)
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier.")}
        return cls._of(folder, config, weights)


class BertForTokenClassification(_Classifier):
    """Scores of each label for each token: [tokens, labels]."""

    architecture = "BertForTokenClassification"
    pooler = False

    def forward(self, batch: Packed) -> Tensor:
        return self.classifier(self.dropout(self.bert(batch).states))  # type: ignore[no-any-return]


class BertForSequenceClassification(_Classifier):
    """Scores of each label for each sentence, from the pooled first token: [sentences, labels]."""

    architecture = "BertForSequenceClassification"
    pooler = True

    def forward(self, batch: Packed) -> Tensor:
        return self.classifier(self.dropout(self.bert(batch).pooled))  # type: ignore[no-any-return]
