"""What components of Hugging Face's file format share: read from a path, saved as a ``tokenizer.json``."""

from __future__ import annotations

import json
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

_STATE = "tokenizer_json"


class JsonTokenizer(Protocol):
    """A class of tokenizers that reads and writes a ``tokenizer.json``."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def load(self, path: str, **settings: Any) -> Any: ...
    def from_json(self, data: dict[str, Any], source: str) -> Any: ...


class JsonTokenizerComponent(Component):
    """A component around a tokenizer of the class `tokenizer_class`, which is its `tokenizer`.

    Args:
        path: a file or folder that the class's `load` reads.
        settings: those of the class that come before what the file says.

    Raises:
        ConfigError: no path, a wrong setting.
        ModelError: the file is not usable.
    """

    assigns = ("doc.tokens",)
    tokenizer_class: ClassVar[JsonTokenizer]

    def __init__(self, path: str = "", **settings: Any) -> None:
        if not path:
            name = self.name or type(self).__name__
            raise ConfigError(
                f'{name}: give the model: config={{"path": "tokenizer.json"}} (a file or a folder)'
            )
        takes = signature(self.tokenizer_class).parameters | signature(self.tokenizer_class.load).parameters
        known = [name for name, parameter in takes.items() if parameter.kind is Parameter.KEYWORD_ONLY]
        for setting in settings.keys() - set(known):
            raise ConfigError(f"{self.name}: there is no setting {setting!r}; there are {', '.join(known)}")
        self.tokenizer = self.tokenizer_class.load(path, **settings)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """No config; the tokenizer.json as bytes, so that a saved pipeline needs no other file."""
        data = json.dumps(self.tokenizer.to_json()).encode()
        return {}, {_STATE: np.frombuffer(data, np.uint8)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        """The component that `to_state` described. Raises ModelError if the state is not usable."""
        if _STATE not in arrays:
            raise ModelError(f"the {cls.name} component lacks its array {_STATE!r}")
        try:
            data = json.loads(arrays[_STATE].tobytes())
        except ValueError as error:
            raise ModelError(f"the {cls.name} component's array {_STATE!r} is damaged: {error}") from error
        made = cls.__new__(cls)
        made.tokenizer = cls.tokenizer_class.from_json(data, f"the {cls.name} component")
        return made
