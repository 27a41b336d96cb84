"""From settings to the network of a neural classifier, and from a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlptk.classify.base import LabelTable
from nlptk.errors import ConfigError
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.classifier_models import ClassifierModel, SubwordClassifier, WordClassifier
from nlptk.neural.heads import BertForSequenceClassification
from nlptk.neural.states import (
    check_pretrained,
    checked_dropout,
    load_vectors,
    load_weights,
    pack_weights,
    unpack_tokenizer,
    unpack_weights,
)
from nlptk.neural.text_encoders import make_text_encoder
from nlptk.neural.words import Lexicon, WordInputs
from nlptk.tokenize.wordpiece import WordPiece

if TYPE_CHECKING:
    from nlptk.neural.classifier import NeuralClassifier

#: What suits an encoder: dropout, and settings of its training.
ENCODERS: dict[str, dict[str, Any]] = {
    "cnn": {"dropout": 0.4, "learning_rate": 1e-3, "epochs": 8, "batch_tokens": 1000},
    "bilstm": {"dropout": 0.4, "learning_rate": 2e-3, "epochs": 8, "batch_tokens": 1000},
    "gru": {"dropout": 0.4, "learning_rate": 2e-3, "epochs": 8, "batch_tokens": 1000},
    "transformer": {"dropout": 0.2, "learning_rate": 1e-3, "epochs": 8, "batch_tokens": 1000},
    "bert": {"dropout": 0.1, "learning_rate": 5e-5, "epochs": 3, "batch_tokens": 450},
}


def check_encoder(encoder: str) -> str:
    """The encoder. Raises ConfigError where there is none of that name."""
    if encoder not in ENCODERS:
        raise ConfigError(f"there is no encoder {encoder!r}; choose one of {', '.join(ENCODERS)}")
    return encoder


def make_model(
    settings: NeuralClassifier,
    X: Sequence[Any],
    table: LabelTable,
    weights: NDArray[np.float32] | None,
) -> ClassifierModel:
    """A new network for a classifier's settings, training texts and labels.

    Raises ConfigError for wrong settings, ModelError for a pretrained model that cannot be read.
    """
    labels, several = len(table.classes), table.multilabel
    if check_encoder(settings.encoder) == "bert":
        folder = check_pretrained(settings.pretrained)
        network = BertForSequenceClassification.from_pretrained(folder, table.classes)
        tokenizer = WordPiece.load(folder)
        return _subword_classifier(settings, network, tokenizer, several, weights)
    vectors = load_vectors(settings.vectors)
    lexicon = Lexicon.of(X, vectors, settings.min_freq)
    given = None if vectors is None else vectors.vectors
    return _word_classifier(settings, lexicon, given, labels, several, weights)


def _subword_classifier(
    settings: NeuralClassifier,
    network: BertForSequenceClassification,
    tokenizer: WordPiece,
    several: bool,
    weights: NDArray[np.float32] | None,
) -> SubwordClassifier:
    network.dropout.p = checked_dropout(settings.dropout, ENCODERS["bert"]["dropout"])
    return SubwordClassifier(network, tokenizer, stride=settings.stride, multilabel=several, weights=weights)


def _word_classifier(
    settings: NeuralClassifier,
    lexicon: Lexicon,
    vectors: NDArray[np.float32] | None,
    labels: int,
    several: bool,
    weights: NDArray[np.float32] | None,
) -> WordClassifier:
    dropout = checked_dropout(settings.dropout, ENCODERS[settings.encoder]["dropout"])
    inputs = WordInputs(
        lexicon, settings.dim, vectors, settings.characters, settings.character_dim, settings.unknown
    )
    encoder, dim = make_text_encoder(
        settings.encoder,
        inputs.dim,
        hidden=settings.hidden,
        layers=settings.layers,
        heads=settings.heads,
        dropout=dropout,
        widths=settings.widths,
    )
    return WordClassifier(
        lexicon, inputs, encoder, dim, labels, dropout=dropout, multilabel=several, weights=weights
    )


# ---- files -------------------------------------------------------------------------------------------------


def model_state(model: ClassifierModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `restore_model` needs: JSON-able config, and arrays of vocabulary and weights."""
    config = {"bert": asdict(model.network.config)} if isinstance(model, SubwordClassifier) else {}
    return config, {**model.vocabulary(), **pack_weights(model)}


def restore_model(
    settings: NeuralClassifier,
    config: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    labels: int,
    several: bool,
) -> ClassifierModel:
    """The network that `model_state` described. Raises ModelError where the arrays are no such network."""
    weights = unpack_weights(arrays)
    model: ClassifierModel
    if check_encoder(settings.encoder) == "bert":
        sizes = {**config["bert"], "labels": tuple(config["bert"]["labels"])}
        network = BertForSequenceClassification(BertConfig(**sizes))
        tokenizer = unpack_tokenizer(arrays, "neural classifier")
        model = _subword_classifier(settings, network, tokenizer, several, None)
    else:
        given = weights.get("inputs.given")
        vectors = None if given is None else given[2:]
        model = _word_classifier(settings, Lexicon.from_arrays(arrays), vectors, labels, several, None)
    load_weights(model, weights, "neural classifier")
    return model
