"""From settings to the network of a neural tagger, and from a model file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, ModelError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.chain import CrfHead
from nlptk.neural.characters import CHARACTERS
from nlptk.neural.encoders import make_encoder
from nlptk.neural.pairs import PairInputs
from nlptk.neural.subword_tagger import SubwordTagger
from nlptk.neural.tagger_models import TaggerModel, WordTagger
from nlptk.neural.words import CHARACTER_DIM, Lexicon, WordInputs
from nlptk.tag.base import resolve_scheme, take_array, unpack_strings
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
_HALF = ("inputs.given", "pairs.given")  # stored in float16, which loses nothing: see fixed_table


def parse_encoder(encoder: str) -> tuple[str, bool]:
    """The encoder without "-crf", and whether that was there. Raises ConfigError for an unknown one."""
    name, crf = encoder.removesuffix("-crf"), encoder.endswith("-crf")
    if name not in ENCODERS:
        known = ", ".join(f"{one}, {one}-crf" for one in ENCODERS)
        raise ConfigError(f"there is no encoder {encoder!r}; choose one of {known}")
    return name, crf


def make_model(tagger: NeuralTagger, X: Sequence[Sequence[str]], classes: Sequence[str]) -> TaggerModel:
    """A new network for a tagger's settings, training sentences and labels.

    Raises ConfigError for wrong settings, ModelError for a pretrained model that cannot be read.
    """
    if parse_encoder(tagger.encoder)[0] == "bert":
        if tagger.pretrained is None:
            raise ConfigError(
                "encoder 'bert' needs pretrained=, the folder of a checkpoint with its vocabulary"
            )
        bert, tokenizer = Bert.from_pretrained(tagger.pretrained), WordPiece.load(tagger.pretrained)
        return _subword_tagger(tagger, bert, tokenizer, classes)
    vectors, pairs, letters = map(_vectors, (tagger.vectors, tagger.pair_vectors, tagger.character_vectors))
    more = () if letters is None else [key for key in letters.index_to_key if len(key) == 1]
    lexicon = Lexicon.of(X, vectors, tagger.min_freq, more)
    given = None if vectors is None else vectors.vectors
    paired = None if pairs is None else PairInputs(pairs.index_to_key, pairs.vectors)
    letter_dim = CHARACTER_DIM if letters is None else letters.vector_size
    model = _word_tagger(tagger, lexicon, given, paired, letter_dim, classes)
    if letters is not None:
        model.inputs.begin_characters(lexicon, letters)
    return model


def _vectors(given: PathLike | KeyedVectors | None) -> KeyedVectors | None:
    return given if given is None or isinstance(given, KeyedVectors) else KeyedVectors.load(given)


def _subword_tagger(
    tagger: NeuralTagger, bert: Bert, tokenizer: WordPiece, classes: Sequence[str]
) -> SubwordTagger:
    return SubwordTagger(
        bert,
        tokenizer,
        len(classes),
        head=_head(tagger, classes),
        dropout=_dropout(tagger),
        smoothing=tagger.label_smoothing,
        stride=tagger.stride,
    )


def _word_tagger(
    tagger: NeuralTagger,
    lexicon: Lexicon,
    vectors: NDArray[np.float32] | None,
    pairs: PairInputs | None,
    letter_dim: int,
    classes: Sequence[str],
) -> WordTagger:
    dropout, characters = _dropout(tagger), tagger.characters
    if characters is not None and characters not in CHARACTERS:
        raise ConfigError(f"there is no character encoder {characters!r}; choose 'cnn', 'lstm' or None")
    inputs = WordInputs(
        lexicon, tagger.dim, vectors, characters, tagger.character_dim, tagger.unknown, letter_dim
    )
    encoder, dim = make_encoder(
        parse_encoder(tagger.encoder)[0],
        inputs.dim + (0 if pairs is None else pairs.dim),
        hidden=tagger.hidden,
        layers=tagger.layers,
        heads=tagger.heads,
        dropout=dropout,
    )
    return WordTagger(
        lexicon,
        inputs,
        pairs,
        encoder,
        dim,
        len(classes),
        head=_head(tagger, classes),
        dropout=dropout,
        smoothing=tagger.label_smoothing,
    )


def _head(tagger: NeuralTagger, classes: Sequence[str]) -> CrfHead | None:
    scheme = resolve_scheme(tagger.scheme, classes)
    return CrfHead(classes, scheme) if parse_encoder(tagger.encoder)[1] else None


def _dropout(tagger: NeuralTagger) -> float:
    usual = ENCODERS[parse_encoder(tagger.encoder)[0]]["dropout"]
    dropout = usual if tagger.dropout is None else tagger.dropout
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
        arrays[f"model.{name}"] = array.astype(np.float16) if name in _HALF else array
    return config, arrays


def restore_model(
    tagger: NeuralTagger,
    config: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    classes: Sequence[str],
) -> TaggerModel:
    """The network that `model_state` described. Raises ModelError where the arrays are no such network."""
    weights = {name[6:]: array for name, array in arrays.items() if name.startswith("model.")}
    weights |= {name: weights[name].astype(np.float32) for name in _HALF if name in weights}
    model: TaggerModel
    if parse_encoder(tagger.encoder)[0] == "bert":
        data = take_array("tokenizer_json", arrays, np.uint8, 1).tobytes()
        tokenizer = WordPiece.from_json(json.loads(data), "the neural tagger's tokenizer")
        bert = Bert(BertConfig(**config["bert"]), pooler=False)
        model = _subword_tagger(tagger, bert, tokenizer, classes)
    else:
        given, paired = (weights[name][2:] if name in weights else None for name in _HALF)
        pairs = None if paired is None else PairInputs(unpack_strings("pairs", arrays), paired)
        table = weights.get("inputs.characters.table.weight")
        letter_dim = CHARACTER_DIM if table is None else table.shape[-1]
        model = _word_tagger(tagger, Lexicon.from_arrays(arrays), given, pairs, letter_dim, classes)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"array {name!r} holds NaN or infinity; the model is altered, fetch it again")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"the neural tagger's weights do not fit its settings: {error}") from error
    return model
