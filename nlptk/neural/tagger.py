"""Neural tagger: recurrent, Transformer and BERT encoders over words, with or without a chain of labels.

Sources: Huang, Xu and Yu 2015 (BiLSTM-CRF); Lample et al. 2016, Ma and Hovy 2016 (with characters); Vaswani
et al. 2017 (Transformer); Devlin et al. 2019 (BERT).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain as joined
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.lexicons import Gazetteer
from nlptk.neural.batches import Batches
from nlptk.neural.devices import find_device, ready
from nlptk.neural.places import SETTINGS
from nlptk.neural.tagger_making import ENCODERS, make_model, model_state, parse_encoder, restore_model
from nlptk.neural.train import TrainingLog, TrainSettings, moved, train
from nlptk.neural.workers import infer_each, inference_batches
from nlptk.scoring import accuracy, entity_scores
from nlptk.tag.base import (
    Estimator,
    Sentences,
    check_dev,
    check_lengths,
    check_sentences,
    check_training,
    resolve_scheme,
)
from nlptk.vectors.keyed_vectors import KeyedVectors

# Settings that a model file has as arrays.
_FILES = ("vectors", "character_vectors", *SETTINGS, "pretrained")
_TAGGED = 8192  # tokens of a batch of sentences of like length that are tagged


class NeuralTagger(Estimator):
    """A tagger on torch.

    Args:
        encoder: "bilstm", "gru" (both in two directions), "transformer" or "bert", and each with "-crf" for a
            chain over the labels.
        vectors: of words, which do not change: a file that :meth:`nlptk.KeyedVectors.load` reads, or vectors.
            Kept in the model.
        pair_vectors: of pairs of neighbouring words, written together, likewise: of two characters, where
            words are characters (:class:`nlptk.neural.neighbours.PairInputs`).
        segment_vectors: likewise, of the words that jieba finds in the sentence written without spaces
            (:class:`nlptk.neural.neighbours.SegmentInputs`).
        character_vectors: of characters, likewise; what is learnt of a character begins there.
        gazetteers: lists of names by name, as :class:`nlptk.CRFTagger` takes them ("jieba" for jieba's
            dictionary); a word's place in a name is an input (:class:`nlptk.neural.names.NameInputs`).
        pretrained: for "bert": folder of a checkpoint (:meth:`nlptk.neural.bert.Bert.from_pretrained`) with
            its vocabulary.
        dim: of the learnt vectors of words, where there are no `vectors`.
        characters: what reads a word's characters: "cnn", "lstm" or None.
        character_dim: of what it makes of them.
        hidden: of the encoder: of each direction, or of the Transformer.
        layers, heads: of the encoder; heads of the Transformer.
        dropout: of inputs and states.
        unknown: share of training words that are taken for unknown, so that these learn something.
        min_freq: words of fewer occurrences have no vector of their own.
        label_smoothing: without a chain.
        scheme: "bio" or "bioes" to let only valid label sequences out, "auto" to see whether the training
            labels are of the first kind, None for no constraint. Needs a chain.
        stride: pieces by which windows move over a sentence that is longer than BERT's positions.
        batch_tokens: of a training batch; None for what suits the encoder.
        optimizer, learning_rate, weight_decay, schedule, warmup, epochs, max_grad_norm, patience, seed,
            device, precision, compile, halve_on_oom: see
            :class:`nlptk.neural.train_settings.TrainSettings`. None for what suits the encoder.

    Attributes:
        classes_: the labels, sorted.
        log_: :class:`nlptk.neural.train.TrainingLog` of the last training.
    """

    classes_: list[str]
    log_: TrainingLog

    def __init__(
        self,
        encoder: str = "bilstm-crf",
        vectors: PathLike | KeyedVectors | None = None,
        pair_vectors: PathLike | KeyedVectors | None = None,
        segment_vectors: PathLike | KeyedVectors | None = None,
        character_vectors: PathLike | KeyedVectors | None = None,
        gazetteers: Mapping[str, str | Gazetteer] | None = None,
        pretrained: PathLike | None = None,
        dim: int = 100,
        characters: str | None = "cnn",
        character_dim: int = 50,
        hidden: int = 200,
        layers: int = 1,
        heads: int = 4,
        dropout: float | None = None,
        unknown: float = 0.05,
        min_freq: int = 1,
        label_smoothing: float = 0.0,
        scheme: str | None = "auto",
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
        self.pair_vectors = pair_vectors
        self.segment_vectors = segment_vectors
        self.character_vectors = character_vectors
        self.gazetteers = gazetteers
        self.pretrained = pretrained
        self.dim = dim
        self.characters = characters
        self.character_dim = character_dim
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.dropout = dropout
        self.unknown = unknown
        self.min_freq = min_freq
        self.label_smoothing = label_smoothing
        self.scheme = scheme
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
        X: Sentences,
        y: Sentences,
        X_dev: Sentences | None = None,
        y_dev: Sentences | None = None,
        *,
        checkpoint: PathLike | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> NeuralTagger:
        """Learn from tokens X and their labels y, both lists of lists of strings.

        With a dev set the weights of the epoch that labels it best are kept: by the F1 of entities where the
        labels are a scheme's, else by accuracy. `checkpoint` and `resume` are those of
        :func:`nlptk.neural.train.train`.

        Raises:
            ConfigError: a setting is out of range.
            DataError: X and y do not match (the message names the sentence), or there are no tokens.
            ModelError: a pretrained model cannot be read.
        """
        check_training(X, y)
        if check_dev(X_dev, y_dev) and not any(map(len, X_dev or ())):
            raise DataError("the dev set has no tokens; give at least one sentence, or no dev set")
        classes = sorted(set(joined.from_iterable(y)))
        torch.manual_seed(self.seed)
        model = make_model(self, X, classes)
        self.classes_, self._model = classes, model
        kept = [number for number, sentence in enumerate(X) if len(sentence)]
        numbers = {label: number for number, label in enumerate(classes)}
        gold = [np.array([numbers[label] for label in y[i]], np.int64) for i in kept]
        examples = model.examples([X[i] for i in kept], gold)
        usual = ENCODERS[parse_encoder(self.encoder)[0]]
        tokens = usual["batch_tokens"] if self.batch_tokens is None else self.batch_tokens
        source = Batches(model.sizes(examples), tokens, seed=self.seed)
        evaluate = None
        if X_dev is not None and y_dev is not None:
            held_out, wanted = X_dev, y_dev
            spans = resolve_scheme(self.scheme, classes) is not None

            def evaluate(_: nn.Module) -> float:
                found = self.predict(held_out)
                return entity_scores(wanted, found).f1 if spans else accuracy(wanted, found).accuracy

        self.log_ = train(
            model,
            source,
            lambda chosen: model.collate([examples[i] for i in chosen]),
            TrainSettings.of(usual, self.get_params()),
            evaluate=evaluate,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )
        return self

    def predict(self, X: Sentences) -> list[list[str]]:
        """The best labels of each sentence, as lists parallel to X.

        Raises:
            ConfigError: the tagger is not fitted.
            DataError: X is not a list of lists of strings.
        """
        check_sentences(X)
        found = self.predict_ids(X)
        labels: list[str] = np.array(self.classes_, object)[found].tolist()
        bounds = np.concatenate([[0], np.cumsum([len(sentence) for sentence in X])]).tolist()
        return [labels[first:last] for first, last in pairwise(bounds)]

    def predict_ids(self, X: Sentences) -> NDArray[np.int32]:
        """Indices into ``classes_`` of the best labels of all words, int32 [tokens]. Raises as `predict`."""
        if not hasattr(self, "_model"):
            raise ConfigError("this NeuralTagger is not fitted; call fit or from_state first")
        device = find_device(self.device)
        model = ready(self._model, device)
        lengths = np.array([len(sentence) for sentence in X], np.int64)
        starts = np.cumsum(lengths) - lengths
        kept = np.flatnonzero(lengths)
        examples = model.examples([X[i] for i in kept.tolist()])
        found = np.zeros(int(lengths.sum()), np.int32)

        def best(numbers: list[int]) -> NDArray[np.int32]:
            return model.best(moved(model.collate([examples[i] for i in numbers]), device))

        batches = inference_batches(model.sizes(examples), _TAGGED)
        for numbers, labels in zip(batches, infer_each(best, batches, device), strict=True):
            chosen = kept[numbers]
            offsets = np.concatenate([[0], np.cumsum(lengths[chosen])])
            places = np.repeat(starts[chosen] - offsets[:-1], lengths[chosen]) + np.arange(offsets[-1])
            found[places] = labels
        return found

    def score(self, X: Sentences, y: Sentences) -> float:
        """The share of tokens whose predicted label is the one in y.

        Raises DataError where X and y do not match, or there are no tokens.
        """
        check_lengths(X, y)
        if not any(map(len, X)):
            raise DataError("there are no tokens to score")
        return accuracy(y, self.predict(X)).accuracy

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and labels that JSON can hold, and arrays: vocabulary and weights.

        Files that training began with, of vectors and of a pretrained model, are in the arrays.
        """
        if not hasattr(self, "_model"):
            raise ConfigError("this NeuralTagger is not fitted, so there is nothing to save; call fit first")
        config, arrays = model_state(self._model)
        settings = {**self.get_params(), **dict.fromkeys(_FILES)}
        return {**settings, "classes": self.classes_, "model": config}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NeuralTagger:
        """The tagger that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        try:
            settings = dict(config)
            classes = [str(label) for label in settings.pop("classes")]
            network = settings.pop("model")
            made = cls(**settings)
            made.classes_, made._model = classes, restore_model(made, network, arrays, classes)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the neural tagger's state is not usable: {error}") from error
        return made
