"""The pipeline component `wordpiece`: BERT's words as tokens, with the ids of their pieces."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.wordpiece import WordPiece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nlptk.doc import Doc

_STATE = "tokenizer_json"


class WordPieceComponent(Component):
    """Sets the words of BERT's basic tokenizer as tokens; assigns "doc.tokens".

    A token is a word, a punctuation mark, a CJK character or a special token, not a piece: taggers and
    entities are of words. The pieces are in ``doc.user_data["wordpiece"]``: "ids" of the whole text without
    special tokens round it, and "offsets" [n_tokens + 1], so that token i has ``ids[offsets[i]:offsets[i +
    1]]``.

    Args:
        path: a tokenizer.json, a vocab.txt, or a folder with either (`WordPiece.load`).
        settings: those of `WordPiece` that come before what the file says.

    Raises:
        ConfigError: no path, a wrong setting.
        ModelError: the file is not usable.
    """

    assigns = ("doc.tokens",)

    def __init__(self, path: str = "", **settings: Any) -> None:
        if not path:
            raise ConfigError(
                'wordpiece: give the vocabulary: config={"path": "vocab.txt"} (or a tokenizer.json)'
            )
        known = inspect.signature(WordPiece).parameters.keys()
        for name in settings.keys() - known:
            raise ConfigError(f"wordpiece has no setting {name!r}; there are {', '.join(sorted(known))}")
        self.tokenizer = WordPiece.load(path, **settings)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens and the pieces of each Doc."""
        for doc in docs:
            starts, ends, first, ids = self.tokenizer.word_arrays(doc.text)
            doc.set_tokens(starts, ends, validate=False)
            doc.user_data["wordpiece"] = {"ids": ids.tolist(), "offsets": first.tolist()}

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """No config; the tokenizer.json as bytes, so that a saved pipeline needs no other file."""
        data = json.dumps(self.tokenizer.to_json(), ensure_ascii=False).encode()
        return {}, {_STATE: np.frombuffer(data, np.uint8)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> WordPieceComponent:
        """The component that `to_state` described. Raises ModelError if the state is not usable."""
        if _STATE not in arrays:
            raise ModelError(f"the wordpiece component lacks its array {_STATE!r}")
        try:
            data = json.loads(arrays[_STATE].tobytes())
        except ValueError as error:
            raise ModelError(f"the wordpiece component's array {_STATE!r} is damaged: {error}") from error
        made = cls.__new__(cls)
        made.tokenizer = WordPiece.from_json(data, "the wordpiece component")
        return made
