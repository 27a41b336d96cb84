"""BERT fine-tuned to tell the class of a text.

Source: Devlin et al. 2019, 4.1: a linear layer over the pooled state of [CLS], all weights learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.neural.batches import Batches
from nlptk.neural.devices import find_device
from nlptk.neural.heads import BertForSequenceClassification
from nlptk.neural.packing import Packed
from nlptk.neural.train import TrainingLog, TrainSettings, moved, train
from nlptk.neural.windows import windows
from nlptk.neural.workers import infer_each, inference_batches
from nlptk.tokenize.wordpiece import WordPiece

_TOKENS = 1024  # of a batch of texts that are classified


class Text(NamedTuple):
    """The windows of a text, each with [CLS] and [SEP], and the number of its label if that is known."""

    windows: list[list[int]]
    gold: int | None


class TextBatch(NamedTuple):
    """Texts.

    Attributes:
        packed: their windows.
        owner: int64 [windows], the text of each.
        gold: int64 [texts]; empty if the labels are not known.
    """

    packed: Packed
    owner: Tensor
    gold: Tensor


class TextModel(nn.Module):
    """The loss of texts; a text's logits are the mean of those of its windows."""

    def __init__(self, network: BertForSequenceClassification) -> None:
        super().__init__()
        self.network = network

    def logits(self, batch: TextBatch) -> Tensor:
        """[texts, labels]"""
        found: Tensor = self.network(batch.packed)  # [windows, labels]
        counts = torch.bincount(batch.owner)
        if len(counts) == len(found):
            return found
        sums = found.new_zeros(len(counts), found.shape[1]).index_add_(0, batch.owner, found)
        return sums / counts[:, None]

    def forward(self, batch: TextBatch) -> tuple[Tensor, int]:
        """The sum of -log p of the labels, and their number."""
        return F.cross_entropy(self.logits(batch), batch.gold, reduction="sum"), len(batch.gold)


class BertClassifier(Estimator):
    """A classifier of texts that begins as a pretrained BERT.

    Args:
        pretrained: folder of a checkpoint with its vocabulary.
        stride: pieces by which windows move over a text that is longer than the model; None: half a window.
            Nothing is cut off.
        batch_tokens: pieces of a training batch.
        learning_rate, weight_decay, schedule, warmup, epochs, max_grad_norm, patience, seed, device,
            precision, compile, halve_on_oom: see :class:`nlptk.neural.train_settings.TrainSettings`.

    Attributes:
        classes_: the labels, sorted; of a model that was read, as its config.json has them.
        log_: :class:`nlptk.neural.train.TrainingLog` of the last training.
    """

    classes_: list[str]
    log_: TrainingLog

    def __init__(
        self,
        pretrained: PathLike | None = None,
        stride: int | None = None,
        batch_tokens: int = 1000,
        learning_rate: float = 5e-5,
        weight_decay: float = 0.01,
        schedule: str = "linear",
        warmup: float = 0.1,
        epochs: int = 3,
        max_grad_norm: float = 1.0,
        patience: int | None = None,
        seed: int = 1,
        device: str = "auto",
        precision: str = "float32",
        compile: bool = False,
        halve_on_oom: bool = False,
    ) -> None:
        self.pretrained = pretrained
        self.stride = stride
        self.batch_tokens = batch_tokens
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup = warmup
        self.epochs = epochs
        self.max_grad_norm = max_grad_norm
        self.patience = patience
        self.seed = seed
        self.device = device
        self.precision = precision
        self.compile = compile
        self.halve_on_oom = halve_on_oom

    def fit(
        self,
        X: Sequence[str],
        y: Sequence[str],
        X_dev: Sequence[str] | None = None,
        y_dev: Sequence[str] | None = None,
        *,
        checkpoint: PathLike | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> BertClassifier:
        """Learn from texts X and their labels y; with a dev set the weights of the best epoch are kept.

        `checkpoint` and `resume` are those of :func:`nlptk.neural.train.train`.

        Raises:
            ConfigError: a setting is out of range, or there is no pretrained model.
            DataError: X and y do not match, are empty, or hold what is not a string.
            ModelError: the pretrained model cannot be read.
        """
        _check(X, y, "X")
        if (X_dev is None) != (y_dev is None):
            raise ConfigError("X_dev and y_dev belong together; give both or neither")
        if X_dev is not None and y_dev is not None:
            _check(X_dev, y_dev, "X_dev")
        if self.pretrained is None:
            raise ConfigError("BertClassifier needs pretrained=, the folder of a checkpoint")
        settings = TrainSettings(
            **{f.name: getattr(self, f.name) for f in fields(TrainSettings) if hasattr(self, f.name)}
        )
        torch.manual_seed(self.seed)
        labels = sorted(set(y))
        network = BertForSequenceClassification.from_pretrained(self.pretrained, labels)
        self._set(network, WordPiece.load(self.pretrained))
        numbers = {label: number for number, label in enumerate(labels)}
        texts = self._texts(X, [numbers[label] for label in y])

        def evaluate(_: nn.Module) -> float:
            assert X_dev is not None
            assert y_dev is not None
            return self.score(X_dev, y_dev)

        self.log_ = train(
            self._model,
            Batches(_sizes(texts), self.batch_tokens, seed=self.seed),
            lambda chosen: _collate([texts[i] for i in chosen]),
            settings,
            evaluate=None if X_dev is None else evaluate,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )
        return self

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities of ``classes_``, float32 [texts, classes]; rows sum to 1.

        Raises:
            ConfigError: the classifier is not fitted.
            DataError: X holds what is not a string.
        """
        if not hasattr(self, "_model"):
            raise ConfigError("this BertClassifier is not fitted; call fit or from_pretrained first")
        _check(X, None, "X")
        device, texts = find_device(self.device), self._texts(X)
        model = self._model.to(device).eval()

        def shares(numbers: list[int]) -> NDArray[np.float32]:
            batch = moved(_collate([texts[i] for i in numbers]), device)
            found: NDArray[np.float32] = model.logits(batch).float().softmax(1).cpu().numpy()
            return found

        found = np.empty((len(X), len(self.classes_)), np.float32)
        batches = inference_batches(_sizes(texts), _TOKENS)
        for numbers, rows in zip(batches, infer_each(shares, batches, device), strict=True):
            found[numbers] = rows
        return found

    def predict(self, X: Sequence[str]) -> list[str]:
        """The most probable label of each text. Raises as `predict_proba`."""
        return [self.classes_[i] for i in self.predict_proba(X).argmax(1)]

    def score(self, X: Sequence[str], y: Sequence[str]) -> float:
        """The share of texts whose predicted label is the one in y. Raises DataError as `fit`."""
        _check(X, y, "X")
        return float(np.mean([a == b for a, b in zip(self.predict(X), y, strict=True)]))

    def save_pretrained(self, folder: PathLike) -> None:
        """Write a checkpoint that transformers' sequence classifier reads, and the vocabulary.

        Raises ConfigError if the classifier is not fitted, DataError if the folder cannot be written.
        """
        if not hasattr(self, "_model"):
            raise ConfigError("this BertClassifier is not fitted, so there is nothing to save")
        self._model.network.save_pretrained(folder)
        self._tokenizer.save(folder)

    @classmethod
    def from_pretrained(cls, folder: PathLike, **settings: Any) -> BertClassifier:
        """The classifier of a checkpoint with such a head, as `save_pretrained` or transformers writes it.

        Raises ModelError if it cannot be read, or has no head, ConfigError if it names no labels.
        """
        made = cls(**settings)
        network = BertForSequenceClassification.from_pretrained(folder)
        if network.new_weights:
            raise ModelError(f"{folder}: has no {', '.join(network.new_weights)}; fit a classifier on it")
        made._set(network, WordPiece.load(folder))
        return made

    def _set(self, network: BertForSequenceClassification, tokenizer: WordPiece) -> None:
        self._model, self._tokenizer = TextModel(network), tokenizer
        self.classes_ = list(network.config.labels)

    def _texts(self, X: Sequence[str], gold: Sequence[int] | None = None) -> list[Text]:
        """Texts as windows of pieces."""
        size = self._model.network.config.max_position_embeddings - 2
        stride = size // 2 if self.stride is None else self.stride
        if not 1 <= stride <= size:
            raise ConfigError(f"stride must be from 1 to {size}, what the model takes, not {stride!r}")
        texts = []
        for number, ids in enumerate(self._tokenizer.encode_batch(list(X))):
            first, *body, last = ids
            plan = windows(len(body), size, stride)
            parts = [[first, *body[a:b], last] for a, b in zip(plan.starts, plan.ends, strict=True)]
            texts.append(Text(parts, None if gold is None else gold[number]))
        return texts


def _sizes(texts: Sequence[Text]) -> list[int]:
    """Pieces of each."""
    return [sum(map(len, text.windows)) for text in texts]


def _collate(texts: Sequence[Text]) -> TextBatch:
    owner = np.repeat(np.arange(len(texts)), [len(text.windows) for text in texts])
    return TextBatch(
        Packed.of([window for text in texts for window in text.windows]),
        torch.from_numpy(owner),
        torch.tensor([text.gold for text in texts if text.gold is not None], dtype=torch.int64),
    )


def _check(X: Sequence[str], y: Sequence[str] | None, name: str) -> None:
    """Raise DataError unless X are strings and y, if given, as many, with one at least."""
    if isinstance(X, str):
        raise DataError(f"{name} is one string; give a list of texts")
    for what, values in ((name, X), ("labels", y)):
        for number, value in enumerate(values or ()):
            if not isinstance(value, str):
                raise DataError(f"{what}: {number} is {value!r}, which is not a string")
    if y is not None and len(X) != len(y):
        raise DataError(f"{name} has {len(X)} texts but there are {len(y)} labels; they must be parallel")
    if y is not None and not len(y):
        raise DataError(f"{name} has no texts; give one at least")
