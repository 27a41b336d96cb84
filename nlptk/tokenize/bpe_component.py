"""The pipeline component `bpe`: the subwords of a BPE model as tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.subwords import set_subword_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nlptk.doc import Doc

_STATE = "tokenizer_json"


class BPEComponent(Component):
    """Sets subwords as tokens; assigns "doc.tokens".

    A token is what the model makes of the text, without the white space that belongs to it; tokens that share
    a character (a rare one is several bytes) are one. The model's own tokens are in ``doc.user_data["bpe"]``:
    "ids" and "offsets", start and end of each in characters.

    Args:
        path: a model that `BPE.load` reads.
        settings: those of `BPE` that come before what the file says.

    Raises:
        ConfigError: no path, a wrong setting.
        ModelError: the file is not usable.
    """

    assigns = ("doc.tokens",)

    def __init__(self, path: str = "", **settings: Any) -> None:
        if not path:
            raise ConfigError('bpe: give the model: config={"path": "tokenizer.json"}')
        self.tokenizer = BPE.load(path, **settings)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc."""
        ids, starts, ends, bounds = self.tokenizer.encode_arrays([doc.text for doc in docs])
        for doc, a, b in zip(docs, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            set_subword_tokens(doc, starts[a:b], ends[a:b])
            offsets = list(zip(starts[a:b].tolist(), ends[a:b].tolist(), strict=True))
            doc.user_data["bpe"] = {"ids": ids[a:b].tolist(), "offsets": offsets}

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """No config; the tokenizer.json as bytes, so that a saved pipeline needs no other file."""
        data = json.dumps(self.tokenizer.to_json()).encode()
        return {}, {_STATE: np.frombuffer(data, np.uint8)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> BPEComponent:
        """The component that `to_state` described. Raises ModelError if the state is not usable."""
        if _STATE not in arrays:
            raise ModelError(f"the bpe component lacks its array {_STATE!r}")
        try:
            data = json.loads(arrays[_STATE].tobytes())
        except ValueError as error:
            raise ModelError(f"the bpe component's array {_STATE!r} is damaged: {error}") from error
        made = cls.__new__(cls)
        made.tokenizer = BPE.from_json(data, "the bpe component")
        return made
