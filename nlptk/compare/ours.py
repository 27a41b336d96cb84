"""nlptk's own models, as `nlptk train` makes them: their files, and how long networks learn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from nlptk import store
from nlptk.compare.contestant import Data, How

_NAME = "model"
#: Updates that a network makes at least, and batches of an epoch, as far as the most epochs allow.
_UPDATES, _BATCHES = 600, 20
#: Epochs at most, by which a small training set is not read for ever.
_MOST = {"bert": 20}
_MOST_OF_WORDS = 60


class Model(Protocol):
    """What can be written and read."""

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]: ...

    @classmethod
    def from_state(cls: type[M], config: Any, arrays: Any) -> M: ...


M = TypeVar("M", bound=Model)


def save(model: Model, folder: Path, lang: str) -> None:
    """Write a model as a pipeline's component is written."""
    meta = {"lang": lang, "name": _NAME, "pipeline": [{"name": _NAME, "factory": _NAME}]}
    store.save_model(folder, meta, {_NAME: model.to_state()})


def restore(kind: type[M], folder: Path) -> M:
    """What `save` wrote."""
    _, components = store.load_model(folder)
    return kind.from_state(*components[_NAME])


def schedule(usual: Mapping[str, Any], encoder: str, tokens: int) -> dict[str, int]:
    """Epochs and batches for so many training tokens.

    What suits an encoder was found on whole treebanks, of which it makes thousands of updates: fewer tokens
    are read more often and in smaller batches, or a network would hardly move from where it began.
    """
    encoder, batch = encoder.removesuffix("-crf"), int(usual["batch_tokens"])
    if encoder != "bert":  # its batches are 16 sentences
        batch = max(min(batch, tokens // _BATCHES), batch // 5)
    batches = max(tokens // batch, 1)
    most = _MOST.get(encoder, _MOST_OF_WORDS)
    epochs = max(int(usual["epochs"]), min(-(-_UPDATES // batches), most))
    return {"epochs": epochs, "batch_tokens": batch}


def network_settings(data: Data, how: How, encoder: str, usual: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a neural tagger or classifier."""
    settings: dict[str, Any] = {"encoder": encoder, "seed": how.seed, "device": how.device}
    settings |= schedule(usual, encoder, data.tokens)
    if encoder.startswith("bert"):
        from nlptk.neural.devices import fast_precision

        return settings | {"pretrained": how.options["bert"], "precision": fast_precision(how.device)}
    return settings | ({"vectors": how.options["vectors"]} if "vectors" in how.options else {})
