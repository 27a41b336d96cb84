"""What models are made of in files: weights and vocabularies as arrays; and what their settings share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, ModelError
from nlptk.tag.base import take_array
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.wordpiece import WordPiece
from nlptk.vectors.keyed_vectors import KeyedVectors

_PREFIX, _TOKENIZER = "model.", "tokenizer_json"
_HALF = ".given"  # ends of names that are stored in float16, which loses nothing: see words.fixed_table


def pack_weights(model: nn.Module) -> dict[str, NDArray[Any]]:
    """The weights of a model as arrays."""
    arrays = {}
    for name, value in model.state_dict().items():
        array = value.detach().cpu().numpy()
        arrays[_PREFIX + name] = array.astype(np.float16) if name.endswith(_HALF) else array
    return arrays


def unpack_weights(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The weights among arrays, by the names in the model."""
    weights = {
        name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)
    }
    return {
        name: array.astype(np.float32) if name.endswith(_HALF) else array for name, array in weights.items()
    }


def load_weights(model: nn.Module, weights: Mapping[str, NDArray[Any]], what: str) -> None:
    """Give a model weights. Raises ModelError for NaN, and for weights of another model."""
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"array {name!r} holds NaN or infinity; the model is altered, fetch it again")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"the {what}'s weights do not fit its settings: {error}") from error


def pack_tokenizer(tokenizer: WordPiece | BPE, name: str = _TOKENIZER) -> dict[str, NDArray[Any]]:
    """A tokenizer, as the bytes of a tokenizer.json."""
    return {name: np.frombuffer(json.dumps(tokenizer.to_json()).encode(), np.uint8)}


def unpack_tokenizer(arrays: Mapping[str, NDArray[Any]], what: str) -> WordPiece:
    """The tokenizer that `pack_tokenizer` packed. Raises ModelError where there is none."""
    data = take_array(_TOKENIZER, arrays, np.uint8, 1).tobytes()
    return WordPiece.from_json(json.loads(data), f"the {what}'s tokenizer")


def unpack_bpe(arrays: Mapping[str, NDArray[Any]], what: str, name: str = _TOKENIZER) -> BPE:
    """The BPE that `pack_tokenizer` packed. Raises ModelError where there is none."""
    data = take_array(name, arrays, np.uint8, 1).tobytes()
    return BPE.from_json(json.loads(data), f"the {what}'s tokenizer")


def check_pretrained(folder: PathLike | None) -> PathLike:
    """The folder that encoder "bert" begins with. Raises ConfigError where there is none."""
    if folder is None:
        raise ConfigError("encoder 'bert' needs pretrained=, the folder of a checkpoint with its vocabulary")
    return folder


@overload
def load_vectors(given: None) -> None: ...
@overload
def load_vectors(given: PathLike | KeyedVectors) -> KeyedVectors: ...
@overload
def load_vectors(given: PathLike | KeyedVectors | None) -> KeyedVectors | None: ...
def load_vectors(given: PathLike | KeyedVectors | None) -> KeyedVectors | None:
    """Vectors that a setting names, or is."""
    return given if given is None or isinstance(given, KeyedVectors) else KeyedVectors.load(given)


def checked_dropout(given: float | None, usual: float) -> float:
    """The dropout of a setting. Raises ConfigError for one out of range."""
    dropout = usual if given is None else given
    if not 0 <= dropout < 1:
        raise ConfigError(f"dropout must be at least 0 and below 1, not {dropout!r}")
    return float(dropout)
