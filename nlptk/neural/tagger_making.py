"""From settings to the network of a neural tagger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from nlptk.errors import ConfigError
from nlptk.neural.encoders import BiRecurrent
from nlptk.neural.tagger_models import ENCODERS, TaggerModel, WordTagger
from nlptk.neural.words import Lexicon, WordInputs
from nlptk.vectors.keyed_vectors import KeyedVectors

if TYPE_CHECKING:
    from nlptk.neural.tagger import NeuralTagger


def make_model(tagger: NeuralTagger, X: Sequence[Sequence[str]], labels: int) -> TaggerModel:
    """A new network for a tagger's settings and training sentences. Raises ConfigError for wrong settings."""
    name, crf = tagger.encoder.removesuffix("-crf"), tagger.encoder.endswith("-crf")
    if name not in ENCODERS:
        known = ", ".join(f"{one}, {one}-crf" for one in ENCODERS)
        raise ConfigError(f"there is no encoder {tagger.encoder!r}; choose one of {known}")
    dropout = ENCODERS[name]["dropout"] if tagger.dropout is None else tagger.dropout
    wv = tagger.vectors
    vectors = wv if wv is None or isinstance(wv, KeyedVectors) else KeyedVectors.load(wv)
    lexicon = Lexicon.of(X, vectors, tagger.min_freq)
    inputs = WordInputs(
        lexicon,
        tagger.dim,
        None if vectors is None else vectors.vectors,
        tagger.characters,
        tagger.character_dim,
        tagger.unknown,
    )
    encoder = BiRecurrent(
        {"bilstm": "lstm", "gru": "gru"}[name], inputs.dim, tagger.hidden, tagger.layers, dropout
    )
    return WordTagger(
        lexicon,
        inputs,
        encoder,
        2 * tagger.hidden,
        labels,
        crf=crf,
        dropout=dropout,
        smoothing=tagger.label_smoothing,
    )
