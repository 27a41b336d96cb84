"""From settings to the network of a neural tagger, and from a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.chain import CrfHead
from nlptk.neural.encoders import make_encoder
from nlptk.neural.places import SETTINGS, PlaceInputs, make_places, pack_places, unpack_places
from nlptk.neural.states import (
    check_pretrained,
    checked_dropout,
    load_vectors,
    load_weights,
    pack_weights,
    unpack_tokenizer,
    unpack_weights,
)
from nlptk.neural.subword_tagger import SubwordTagger
from nlptk.neural.tagger_models import TaggerModel, WordTagger
from nlptk.neural.words import CHARACTER_DIM, Lexicon, WordInputs
from nlptk.tag.base import resolve_scheme
from nlptk.tokenize.wordpiece import WordPiece

if TYPE_CHECKING:
    from nlptk.neural.tagger import NeuralTagger

#: What suits an encoder: dropout, and settings of its training.
ENCODERS: dict[str, dict[str, Any]] = {
    "bilstm": {"dropout": 0.4, "learning_rate": 3e-3, "epochs": 15, "batch_tokens": 1000},
    "gru": {"dropout": 0.4, "learning_rate": 3e-3, "epochs": 15, "batch_tokens": 1000},
    "transformer": {"dropout": 0.2, "learning_rate": 1e-3, "epochs": 30, "batch_tokens": 1000},
    "bert": {"dropout": 0.1, "learning_rate": 1e-4, "epochs": 3, "batch_tokens": 400},
}


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
        folder = check_pretrained(tagger.pretrained)
        for name in ("vectors", "character_vectors", *SETTINGS):
            if getattr(tagger, name) is not None:
                raise ConfigError(f"encoder 'bert' reads subwords alone and takes no {name}; leave it out")
        bert, tokenizer = Bert.from_pretrained(folder), WordPiece.load(folder)
        return _subword_tagger(tagger, bert, tokenizer, classes)
    vectors, letters = map(load_vectors, (tagger.vectors, tagger.character_vectors))
    more = () if letters is None else [key for key in letters.index_to_key if len(key) == 1]
    lexicon = Lexicon.of(X, vectors, tagger.min_freq, more)
    given = None if vectors is None else vectors.vectors
    letter_dim = CHARACTER_DIM if letters is None else letters.vector_size
    model = _word_tagger(tagger, lexicon, given, make_places(tagger, X), letter_dim, classes)
    if letters is not None:
        model.inputs.begin_characters(lexicon, letters)
    return model


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
    places: Sequence[PlaceInputs],
    letter_dim: int,
    classes: Sequence[str],
) -> WordTagger:
    dropout = _dropout(tagger)
    inputs = WordInputs(
        lexicon, tagger.dim, vectors, tagger.characters, tagger.character_dim, tagger.unknown, letter_dim
    )
    encoder, dim = make_encoder(
        parse_encoder(tagger.encoder)[0],
        inputs.dim + sum(one.dim for one in places),
        hidden=tagger.hidden,
        layers=tagger.layers,
        heads=tagger.heads,
        dropout=dropout,
    )
    return WordTagger(
        lexicon,
        inputs,
        places,
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
    return checked_dropout(tagger.dropout, ENCODERS[parse_encoder(tagger.encoder)[0]]["dropout"])


# ---- files -------------------------------------------------------------------------------------------------


def model_state(model: TaggerModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `restore_model` needs: JSON-able config, and arrays of vocabulary and weights."""
    arrays = {**model.vocabulary(), **pack_weights(model)}
    if isinstance(model, SubwordTagger):
        return {"bert": asdict(model.bert.config)}, arrays
    assert isinstance(model, WordTagger)
    config, more = pack_places(list(model.places))  # type: ignore[arg-type]
    return config, arrays | more


def restore_model(
    tagger: NeuralTagger,
    config: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    classes: Sequence[str],
) -> TaggerModel:
    """The network that `model_state` described. Raises ModelError where the arrays are no such network."""
    weights = unpack_weights(arrays)
    model: TaggerModel
    if parse_encoder(tagger.encoder)[0] == "bert":
        tokenizer = unpack_tokenizer(arrays, "neural tagger")
        bert = Bert(BertConfig(**config["bert"]), pooler=False)
        model = _subword_tagger(tagger, bert, tokenizer, classes)
    else:
        given = weights["inputs.given"][2:] if "inputs.given" in weights else None
        places = unpack_places(config, arrays, weights)
        table = weights.get("inputs.characters.table.weight")
        letter_dim = CHARACTER_DIM if table is None else table.shape[-1]
        model = _word_tagger(tagger, Lexicon.from_arrays(arrays), given, places, letter_dim, classes)
    load_weights(model, weights, "neural tagger")
    return model
