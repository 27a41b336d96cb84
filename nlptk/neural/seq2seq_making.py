"""From settings to the network of a translator, and from a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError
from nlptk.neural.seq2seq_models import Seq2SeqModel
from nlptk.neural.seq2seq_pieces import Pieces, train_tokenizer
from nlptk.neural.seq2seq_recurrent import RecurrentSeq2Seq
from nlptk.neural.seq2seq_transformer import TransformerSeq2Seq
from nlptk.neural.states import (
    checked_dropout,
    load_weights,
    pack_tokenizer,
    pack_weights,
    unpack_bpe,
    unpack_weights,
)
from nlptk.neural.transformer import TransformerConfig
from nlptk.tokenize.bpe import BPE

if TYPE_CHECKING:
    from nlptk.neural.seq2seq import Seq2Seq

_RECURRENT: dict[str, Any] = {
    "hidden": 512, "layers": 1, "dropout": 0.3, "learning_rate": 1e-3, "schedule": "linear", "warmup": 0.05,
    "epochs": 20, "batch_tokens": 2048, "beta2": 0.999,
}  # fmt: skip
#: What suits a model: sizes, and settings of its training.
MODELS: dict[str, dict[str, Any]] = {
    "transformer": {
        "hidden": 1024, "layers": 4, "dropout": 0.3, "learning_rate": 1.5e-3, "schedule": "inverse_sqrt",
        "warmup": 0.1, "epochs": 40, "batch_tokens": 2048, "beta2": 0.98,
    },
    "gru": _RECURRENT,
    "lstm": _RECURRENT,
}  # fmt: skip
_WHAT = "translator"
_SOURCE, _TARGET = "source_tokenizer_json", "target_tokenizer_json"


def usual(model: str) -> dict[str, Any]:
    """What suits the model of that name. Raises ConfigError for another name."""
    if model not in MODELS:
        raise ConfigError(f"there is no model {model!r}; choose one of {', '.join(MODELS)}")
    return MODELS[model]


def make_pieces(made: Seq2Seq, sources: Sequence[str], targets: Sequence[str]) -> tuple[Pieces, Pieces]:
    """The subwords of both sides, the same where they share a vocabulary; trained where none is given.

    Raises:
        ConfigError: settings of a shared vocabulary that are of separate ones, or a vocabulary that is too
            small.
        ModelError: a tokenizer that is given cannot be read.
    """
    given = [_load(one) for one in (made.source_tokenizer, made.target_tokenizer)]
    if made.shared:
        if given[1] is not None or made.target_units is not None:
            raise ConfigError(
                "a shared vocabulary has one tokenizer: give source_tokenizer and units, or shared=False"
            )
        both = _pieces(made, given[0], [*sources, *targets], made.units)
        return both, both
    return (
        _pieces(made, given[0], sources, made.units),
        _pieces(made, given[1], targets, made.target_units or made.units),
    )


def _pieces(made: Seq2Seq, given: BPE | None, texts: Sequence[str], units: str) -> Pieces:
    if given is None:
        texts = [text.lower() for text in texts] if made.lowercase else texts
        given = train_tokenizer(texts, units, made.vocab_size)
    return Pieces(given, made.lowercase, made.bpe_dropout)


def _load(given: PathLike | BPE | None) -> BPE | None:
    return given if given is None or isinstance(given, BPE) else BPE.load(given)


def make_model(made: Seq2Seq, pieces: tuple[Pieces, Pieces]) -> Seq2SeqModel:
    """A new network for a translator's settings. Raises ConfigError for wrong ones."""
    suits = usual(made.model)
    hidden, layers = made.hidden or suits["hidden"], made.layers or suits["layers"]
    for name, value in (("dim", made.dim), ("hidden", hidden), ("layers", layers), ("heads", made.heads)):
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name} must be an integer of at least 1, not {value!r}")
    if not 0 <= made.label_smoothing < 1:
        raise ConfigError(f"label_smoothing must be at least 0 and below 1, not {made.label_smoothing!r}")
    dropout = checked_dropout(made.dropout, suits["dropout"])
    sizes = [pieces[0].size] if made.shared else [one.size for one in pieces]
    model: Seq2SeqModel
    if made.model == "transformer":
        config = TransformerConfig(
            dim=made.dim, heads=made.heads, layers=layers, hidden=hidden, dropout=dropout,
            inner_dropout=checked_dropout(made.inner_dropout, 0.0), pre_norm=made.pre_norm, activation="relu",
        )  # fmt: skip
        model = TransformerSeq2Seq(sizes, config, made.label_smoothing)
    else:
        model = RecurrentSeq2Seq(
            sizes, made.dim, made.label_smoothing, kind=made.model, hidden=hidden, layers=layers,
            attention=made.attention, input_feeding=made.input_feeding, dropout=dropout,
            sampled=made.scheduled_sampling, decay=made.sampling_decay,
        )  # fmt: skip
    if pieces[1].unknown is not None:
        model.banned.append(pieces[1].unknown)
    return model


# ---- files -------------------------------------------------------------------------------------------------


def model_state(model: Seq2SeqModel, pieces: tuple[Pieces, Pieces]) -> dict[str, NDArray[Any]]:
    """What `restore_model` needs: tokenizers and weights."""
    arrays = {**pack_weights(model), **pack_tokenizer(pieces[0].tokenizer, _SOURCE)}
    return arrays if pieces[1] is pieces[0] else arrays | pack_tokenizer(pieces[1].tokenizer, _TARGET)


def restore_model(
    made: Seq2Seq, arrays: Mapping[str, NDArray[Any]]
) -> tuple[Seq2SeqModel, tuple[Pieces, Pieces]]:
    """Network and subwords that `model_state` described. Raises ModelError where the arrays are no such."""
    source = _pieces(made, unpack_bpe(arrays, _WHAT, _SOURCE), (), made.units)
    target = source if made.shared else _pieces(made, unpack_bpe(arrays, _WHAT, _TARGET), (), made.units)
    model = make_model(made, (source, target))
    load_weights(model, unpack_weights(arrays), _WHAT)
    return model, (source, target)
