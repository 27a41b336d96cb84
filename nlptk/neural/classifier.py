"""Neural classifier of texts: a CNN, recurrent, Transformer and BERT encoders, in one estimator.

Sources: Kim 2014 (CNN); Yang et al. 2016 (attention as pooling); Devlin et al. 2019 (BERT).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.classify.base import (
    ClassWeight,
    Labels,
    TextClassifier,
    Texts,
    check_dev,
    check_texts,
    class_weights,
    encode_labels,
)
from nlptk.classify.explain import Explanation
from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.draw import Attention
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.batches import Batches
from nlptk.neural.classifier_making import (
    ENCODERS,
    check_encoder,
    make_model,
    model_state,
    restore_model,
)
from nlptk.neural.classifier_models import ClassifierModel, SubwordClassifier
from nlptk.neural.devices import find_device, ready
from nlptk.neural.train import TrainingLog, TrainSettings, moved, train
from nlptk.neural.workers import infer_each, inference_batches
from nlptk.vectors.keyed_vectors import KeyedVectors

_FILES = ("vectors", "pretrained")  # settings that a model file has as arrays
_TOKENS = {"bert": 1024}  # of a batch of texts that are classified; of words 8192


def _length_weights(sizes: Sequence[int], power: float) -> torch.Tensor:
    """float32 [texts], of mean 1. Raises ConfigError where the power is no finite number from 0."""
    if not 0 <= power <= 10:
        raise ConfigError(f"length_weight must be from 0 to 10, not {power!r}")
    weights = torch.tensor(sizes, dtype=torch.float64) ** power
    return (weights / weights.mean()).float()


class NeuralClassifier(TextClassifier):
    """A classifier on torch.

    A text is a string or a list of words. A string is cut at white space, but for "bert", which has pieces of
    its own; a list of words is joined by spaces for "bert".

    Args:
        encoder: "cnn", "bilstm", "gru" (in two directions, pooled by attention), "transformer" (likewise) or
            "bert".
        vectors: of words, which do not change: a file that :meth:`nlptk.KeyedVectors.load` reads, or vectors.
            Kept in the model.
        pretrained: for "bert": folder of a checkpoint with its vocabulary.
        dim: of the learnt vectors of words, where there are no `vectors`.
        characters: what reads a word's characters: "cnn", "lstm" or None.
        character_dim: of what it makes of them.
        hidden: of the encoder: of each direction, or of the Transformer.
        layers, heads: of the encoder; heads of the Transformer.
        widths: words that the CNN's filters see.
        dropout: of inputs and of what the encoder gives.
        unknown: share of training words that are taken for unknown, so that these learn something.
        min_freq: words of fewer occurrences have no vector of their own.
        class_weight: what a text counts for its label: "balanced", weights of labels, or None.
        length_weight: a text of n words, or of n pieces, counts as much as n to this power: above 0 where the
            texts to label are longer than most to learn from.
        threshold: of the probability of a label, where a text may have several.
        stride: pieces by which windows move over a text that is longer than BERT's positions, whose scores
            are averaged; None: half a window. Nothing is cut off.
        batch_tokens: of a training batch; None for what suits the encoder.
        optimizer, learning_rate, weight_decay, schedule, warmup, epochs, max_grad_norm, patience, seed,
            device, precision, compile, halve_on_oom: see
            :class:`nlptk.neural.train_settings.TrainSettings`. None for what suits the encoder.

    Attributes:
        classes_, multilabel_, prior_: see :class:`nlptk.classify.base.TextClassifier`.
        log_: :class:`nlptk.neural.train.TrainingLog` of the last training.
    """

    log_: TrainingLog

    def __init__(
        self,
        encoder: str = "cnn",
        vectors: PathLike | KeyedVectors | None = None,
        pretrained: PathLike | None = None,
        dim: int = 100,
        characters: str | None = None,
        character_dim: int = 50,
        hidden: int = 160,
        layers: int = 1,
        heads: int = 4,
        widths: Sequence[int] = (3, 4, 5),
        dropout: float | None = None,
        unknown: float = 0.02,
        min_freq: int = 1,
        class_weight: ClassWeight = None,
        length_weight: float = 0.0,
        threshold: float = 0.5,
        stride: int | None = None,
        batch_tokens: int | None = None,
        optimizer: str = "adamw",
        learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: str = "linear",
        warmup: float = 0.1,
        epochs: int | None = None,
        max_grad_norm: float = 1.0,
        patience: int | None = None,
        seed: int = 1,
        device: str = "auto",
        precision: str = "float32",
        compile: bool = False,
        halve_on_oom: bool = False,
    ) -> None:
        self.encoder = encoder
        self.vectors = vectors
        self.pretrained = pretrained
        self.dim = dim
        self.characters = characters
        self.character_dim = character_dim
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.widths = widths
        self.dropout = dropout
        self.unknown = unknown
        self.min_freq = min_freq
        self.class_weight = class_weight
        self.length_weight = length_weight
        self.threshold = threshold
        self.stride = stride
        self.batch_tokens = batch_tokens
        self.optimizer = optimizer
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
        X: Texts,
        y: Labels,
        X_dev: Texts | None = None,
        y_dev: Labels | None = None,
        *,
        checkpoint: PathLike | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> NeuralClassifier:
        """Learn from texts X and their labels y: a label each, or a list of labels each.

        With a dev set the weights of the epoch that labels it best are kept, by `score`. `checkpoint` and
        `resume` are those of :func:`nlptk.neural.train.train`. Empty texts tell how often their labels are,
        and nothing else is learnt from them.

        Raises:
            ConfigError: a setting is out of range.
            DataError: X and y do not match, are empty, or a label is no string.
            ModelError: a pretrained model cannot be read.
        """
        given = check_texts(X)
        labels = encode_labels(y, len(given))
        has_dev = check_dev(X_dev, y_dev, labels.classes)
        kept = np.flatnonzero(~self.empty(X)).tolist()
        if not kept:
            raise ConfigError("all texts are empty; there is nothing to learn from")
        torch.manual_seed(self.seed)
        texts = self._prepared([given[i] for i in kept])
        model = make_model(self, texts, labels, class_weights(self.class_weight, labels))
        self._learn_labels(labels)
        self._model = model
        examples, gold = model.examples(texts), torch.from_numpy(labels.targets[kept])
        sizes = model.sizes(examples)
        counts = _length_weights(sizes, self.length_weight)

        def collate(chosen: Sequence[int]) -> tuple[Any, torch.Tensor, torch.Tensor]:
            picked = list(chosen)
            return model.collate([examples[i] for i in chosen]), gold[picked], counts[picked]

        def evaluate(_: nn.Module) -> float:
            assert X_dev is not None
            assert y_dev is not None
            return self.score(X_dev, y_dev)

        usual = ENCODERS[check_encoder(self.encoder)]
        tokens = usual["batch_tokens"] if self.batch_tokens is None else self.batch_tokens
        self.log_ = train(
            model,
            Batches(sizes, tokens, seed=self.seed),
            collate,
            TrainSettings.of(usual, self.get_params()),
            evaluate=evaluate if has_dev else None,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )
        return self

    @property
    def takes_words(self) -> bool:
        """False for "bert", which has pieces of its own."""
        return self.encoder != "bert"

    def _prepared(self, X: Texts) -> list[Any]:
        """Texts as the encoder takes them: strings for BERT, words for the others."""
        if not self.takes_words:
            return [text if isinstance(text, str) else " ".join(text) for text in X]
        return [text.split() if isinstance(text, str) else text for text in X]

    def _probabilities(self, X: Texts) -> NDArray[np.float32]:
        found = np.empty((len(X), len(self.classes_)), np.float32)
        for numbers, rows in self._infer(X, self._model.probabilities):
            found[numbers] = rows
        return found

    def _infer(self, X: Texts, run: Callable[[Any], Any]) -> Sequence[tuple[list[int], Any]]:
        """The numbers of the texts of each batch, and what `run` gives for it."""
        device = find_device(self.device)
        model = ready(self._model, device)
        examples = model.examples(self._prepared(X))
        batches = inference_batches(model.sizes(examples), _TOKENS.get(self.encoder, 8192))

        def each(numbers: list[int]) -> Any:
            return run(moved(model.collate([examples[i] for i in numbers]), device))

        return list(zip(batches, infer_each(each, batches, device), strict=True))

    def attention(self, X: Texts) -> list[NDArray[np.float32]]:
        """How much each word of each text counts when its words are pooled, [words] of each, of sum 1.

        Raises ConfigError where nothing is pooled by attention ("cnn", "bert"), or nothing is fitted.
        """
        model, X = self._fitted(), check_texts(X)
        found = [np.zeros(0, np.float32)] * len(X)
        kept = np.flatnonzero(~self.empty(X)).tolist()
        for numbers, rows in self._infer([X[i] for i in kept], model.shares) if kept else ():
            for number, row in zip(numbers, rows, strict=True):
                found[kept[number]] = row
        return found

    def to_attention(self, text: str | Sequence[str]) -> Attention:
        """What `nlptk.draw.attention` draws: one row of `attention`, or for "bert" BERT's own weights.

        Raises:
            ConfigError: as `attention`, but for "bert".
            DataError: there are no words; "bert": more pieces than the model has positions.
        """
        model = self._fitted()
        if self.empty([text])[0]:
            raise DataError("there is no attention to draw: the text has no words")
        (label,), (given,) = self.predict([text]), self._prepared([text])
        labels = label if isinstance(label, str) else ", ".join(label)
        title = f"{labels}: {text if isinstance(text, str) else ' '.join(text)}"
        if isinstance(model, SubwordClassifier):
            found = model.network.bert.to_attention(model.tokenizer, given)
            return replace(found, title=title)
        return Attention(self.attention([text])[0][None, None, None], ["text"], given, title)

    def explain(self, X: Texts, label: str | None = None) -> list[Explanation]:
        """Which words speak for a label of each text, or for the most probable one.

        A word's weight is the gradient of the label's score, over the mean of all, with respect to the word's
        vector, times that vector (Shrikumar et al. 2017, "Not just a black box", gradient times input): about
        what the score would lose without it. For "bert" it is that of its pieces. Raises as
        :meth:`nlptk.classify.base.TextClassifier.explain`.
        """
        return super().explain(X, label)

    def _contributions(self, text: str | Sequence[str], label: int) -> tuple[list[str], NDArray[np.float32]]:
        words = text.split() if isinstance(text, str) else list(text)
        model = self._fitted().eval()
        return words, model.contributions(words, label)

    def _fitted(self) -> ClassifierModel:
        if not hasattr(self, "_model"):
            raise ConfigError("this NeuralClassifier is not fitted; call fit or from_state first")
        return self._model

    # ---- files --------------------------------------------------------------------------------------------

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and labels that JSON can hold, and arrays: vocabulary and weights.

        Files that training began with, of vectors and of a pretrained model, are in the arrays. Raises
        ConfigError if nothing is fitted.
        """
        config, arrays = model_state(self._fitted())
        settings = {**self.get_params(), **dict.fromkeys(_FILES), "widths": list(self.widths)}
        labels = {"classes": self.classes_, "multilabel": self.multilabel_}
        return {**settings, **labels, "model": config}, {**arrays, "prior": self.prior_}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NeuralClassifier:
        """The classifier that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        try:
            settings = dict(config)
            classes = [str(label) for label in settings.pop("classes")]
            several, network = bool(settings.pop("multilabel")), settings.pop("model")
            made = cls(**settings)
            made.classes_, made.multilabel_ = classes, several
            made.prior_ = np.array(arrays["prior"], np.float32).reshape(len(classes))
            made._model = restore_model(made, network, arrays, len(classes), several)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the neural classifier's state is not usable: {error}") from error
        return made

    def save_pretrained(self, folder: PathLike) -> None:
        """Write a checkpoint that transformers' sequence classifier reads, and the vocabulary.

        Raises ConfigError unless the encoder is a fitted "bert", DataError if the folder cannot be written.
        """
        model = self._fitted()
        if not isinstance(model, SubwordClassifier):
            raise ConfigError("save_pretrained is for encoder 'bert'; a pipeline's to_disk saves the others")
        model.network.save_pretrained(folder)
        model.tokenizer.save(folder)
