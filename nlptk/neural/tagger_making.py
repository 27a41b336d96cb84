"""From settings to the network of a neural tagger, and from a model file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.errors import ConfigError, ModelError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.encoders import BiRecurrent, SelfAttentive
from nlptk.neural.subword_tagger import SubwordTagger
from nlptk.neural.tagger_models import TaggerModel, WordTagger
from nlptk.neural.words import CHARACTERS, Lexicon, WordInputs
from nlptk.tag.base import take_array
from nlptk.tokenize.wordpiece import WordPiece
from nlptk.vectors.keyed_vectors import KeyedVectors

if TYPE_CHECKING:
    from nlptk.neural.tagger import NeuralTagger

#: What suits an encoder: dropout, and settings of its training.
ENCODERS: dict[str, dict[str, Any]] = {
    "bilstm": {"dropout": 0.4, "learning_rate": 3e-3, "epochs": 15},
    "gru": {"dropout": 0.4, "learning_rate": 3e-3, "epochs": 15},
    "transformer": {"dropout": 0.2, "learning_rate": 1e-3, "epochs": 30},
    "bert": {"dropout": 0.1, "learning_rate": 1e-4, "epochs": 3},
}
_HALF = "inputs.given"  # stored in float16, which loses nothing: see WordInputs


def parse_encoder(encoder: str) -> tuple[str, bool]:
    """The encoder without "-crf", and whether that was there. Raises ConfigError for an unknown one."""
    name, crf = encoder.removesuffix("-crf"), encoder.endswith("-crf")
    if name not in ENCODERS:
        known = ", ".join(f"{one}, {one}-crf" for one in ENCODERS)
        raise ConfigError(f"there is no encoder {encoder!r}; choose one of {known}")
    return name, crf


def make_model(tagger: NeuralTagger, X: Sequence[Sequence[str]], labels: int) -> TaggerModel:
    """A new network for a tagger's settings and training sentences.

    Raises ConfigError for wrong settings, ModelError for a pretrained model that cannot be read.
    """
    if parse_encoder(tagger.encoder)[0] == "bert":
        if tagger.pretrained is None:
            raise ConfigError(
                "encoder 'bert' needs pretrained=, the folder of a checkpoint with its vocabulary"
            )
        bert, tokenizer = Bert.from_pretrained(tagger.pretrained), WordPiece.load(tagger.pretrained)
        return _subword_tagger(tagger, bert, tokenizer, labels)
    wv = tagger.vectors
    vectors = wv if wv is None or isinstance(wv, KeyedVectors) else KeyedVectors.load(wv)
    lexicon = Lexicon.of(X, vectors, tagger.min_freq)
    return _word_tagger(tagger, lexicon, None if vectors is None else vectors.vectors, labels)


def _subword_tagger(tagger: NeuralTagger, bert: Bert, tokenizer: WordPiece, labels: int) -> SubwordTagger:
    name, crf = parse_encoder(tagger.encoder)
    return SubwordTagger(
        bert,
        tokenizer,
        labels,
        crf=crf,
        dropout=_dropout(tagger, name),
        smoothing=tagger.label_smoothing,
        stride=tagger.stride,
    )


def _word_tagger(
    tagger: NeuralTagger, lexicon: Lexicon, vectors: NDArray[np.float32] | None, labels: int
) -> WordTagger:
    name, crf = parse_encoder(tagger.encoder)
    dropout = _dropout(tagger, name)
    characters = tagger.characters
    if characters is not None and characters not in CHARACTERS:
        raise ConfigError(f"there is no character encoder {characters!r}; choose 'cnn', 'lstm' or None")
    inputs = WordInputs(lexicon, tagger.dim, vectors, characters, tagger.character_dim, tagger.unknown)
    encoder, dim = _encoder(tagger, name, inputs.dim, dropout)
    smoothing = tagger.label_smoothing
    return WordTagger(lexicon, inputs, encoder, dim, labels, crf=crf, dropout=dropout, smoothing=smoothing)


def _encoder(tagger: NeuralTagger, name: str, inputs: int, dropout: float) -> tuple[nn.Module, int]:
    """The encoder and the dimensions it gives."""
    if name == "transformer":
        return SelfAttentive(inputs, tagger.hidden, tagger.layers, tagger.heads, dropout), tagger.hidden
    kind = {"bilstm": "lstm", "gru": "gru"}[name]
    return BiRecurrent(kind, inputs, tagger.hidden, tagger.layers, dropout), 2 * tagger.hidden


def _dropout(tagger: NeuralTagger, name: str) -> float:
    dropout = ENCODERS[name]["dropout"] if tagger.dropout is None else tagger.dropout
    if not 0 <= dropout < 1:
        raise ConfigError(f"dropout must be at least 0 and below 1, not {dropout!r}")
    return float(dropout)


# ---- files -------------------------------------------------------------------------------------------------


def model_state(model: TaggerModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `restore_model` needs: JSON-able config, and arrays of vocabulary and weights."""
    config = {"bert": asdict(model.bert.config)} if isinstance(model, SubwordTagger) else {}
    arrays = model.vocabulary()
    for name, value in model.state_dict().items():
        array = value.detach().cpu().numpy()
        arrays[f"model.{name}"] = array.astype(np.float16) if name == _HALF else array
    return config, arrays


def restore_model(
    tagger: NeuralTagger, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], labels: int
) -> TaggerModel:
    """The network that `model_state` described. Raises ModelError where the arrays are no such network."""
    weights = {name[6:]: array for name, array in arrays.items() if name.startswith("model.")}
    if _HALF in weights:
        weights[_HALF] = weights[_HALF].astype(np.float32)
    model: TaggerModel
    if parse_encoder(tagger.encoder)[0] == "bert":
        data = take_array("tokenizer_json", arrays, np.uint8, 1).tobytes()
        tokenizer = WordPiece.from_json(json.loads(data), "the neural tagger's tokenizer")
        bert = Bert(BertConfig(**config["bert"]), pooler=False)
        model = _subword_tagger(tagger, bert, tokenizer, labels)
    else:
        given = weights.get(_HALF)
        model = _word_tagger(
            tagger, Lexicon.from_arrays(arrays), None if given is None else given[2:], labels
        )
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"array {name!r} holds NaN or infinity; the model is altered, fetch it again")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"the neural tagger's weights do not fit its settings: {error}") from error
    return model
