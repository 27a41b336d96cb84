"""The state of a training on disk, from which it goes on as if it had never stopped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim import Optimizer

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.store import load_json, pack_sealed, unpack_sealed, write_atomic

_FILE = "training.safetensors"
Weights = dict[str, torch.Tensor]


@dataclass
class Position:
    """How far a training is.

    Attributes:
        epoch, batch: the next batch to learn from, both counted from 0.
        step: updates made.
        loss, terms: sums over the epoch so far, as far as they were reported.
        best, best_step: the best dev score and the update after which it was reached.
        waited: evaluations since then.
        halved: whether batches are halved since memory ran out.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    terms: float = 0.0
    best: float | None = None
    best_step: int = 0
    waited: int = 0
    halved: bool = False


class Checkpoint:
    """A folder with the last state of one training, written whole or not at all.

    Args:
        folder: is made by `prepare`.
        settings: JSON-able settings of the training; a state of others is refused.
    """

    def __init__(self, folder: PathLike, settings: dict[str, Any]) -> None:
        self.path = Path(folder) / _FILE
        self._settings = json.loads(json.dumps(settings))

    def prepare(self) -> None:
        """Make the folder. Raises DataError if it cannot be written, before an hour is spent."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path.parent, os.W_OK):
                raise PermissionError("permission denied")
        except OSError as error:
            raise DataError(
                f"cannot write the checkpoint {str(self.path)!r}: {error.strerror or error}"
            ) from error

    def write(
        self,
        position: Position,
        log: list[dict[str, Any]],
        model: nn.Module,
        optimizer: Optimizer,
        best: Weights | None,
    ) -> None:
        """Raises DataError if the folder cannot be written; the state before stays."""
        state = {"settings": self._settings, "position": asdict(position), "log": log}
        arrays: dict[str, NDArray[Any]] = {"state": np.frombuffer(json.dumps(state).encode(), np.uint8)}
        arrays |= {f"model.{name}": _to_numpy(value) for name, value in model.state_dict().items()}
        arrays |= {f"best.{name}": _to_numpy(value) for name, value in (best or {}).items()}
        for number, values in optimizer.state_dict()["state"].items():
            for name, value in values.items():
                arrays[f"optimizer.{number}.{name}"] = _to_numpy(torch.as_tensor(value))
        try:
            write_atomic(self.path, pack_sealed(arrays, "the checkpoint"))
        except OSError as error:
            raise DataError(
                f"cannot write the checkpoint {str(self.path)!r}: {error.strerror or error}"
            ) from error

    def read(
        self, model: nn.Module, optimizer: Optimizer
    ) -> tuple[Position, list[dict[str, Any]], Weights | None] | None:
        """Put the state into model and optimizer: position, log and the best weights; None if there is none.

        Raises:
            ConfigError: the state is of another training.
            ModelError: the file is damaged.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataError(f"cannot read the checkpoint {str(self.path)!r}: {error.strerror}") from error
        arrays = unpack_sealed(data, str(self.path))
        try:
            state = load_json(arrays.pop("state").tobytes(), str(self.path))
            self._check_settings(state["settings"])
            position, log = Position(**state["position"]), state["log"]
            parts: dict[str, Weights] = {"model": {}, "best": {}, "optimizer": {}}
            for name, array in arrays.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = torch.from_numpy(array.copy())
            model.load_state_dict(parts["model"])
            _restore(optimizer, parts["optimizer"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ModelError(f"the checkpoint {str(self.path)!r} does not fit: {error}; delete it") from error
        return position, log, parts["best"] or None

    def _check_settings(self, saved: dict[str, Any]) -> None:
        names = sorted({*saved, *self._settings})
        changed = [name for name in names if saved.get(name) != self._settings.get(name)]
        if changed:
            shown = ", ".join(
                f"{name} {saved.get(name)!r} there, {self._settings.get(name)!r} here" for name in changed
            )
            raise ConfigError(
                f"{str(self.path)!r} is of another training ({shown}); use the same settings, or a new folder"
            )


def _to_numpy(tensor: torch.Tensor) -> NDArray[Any]:
    return tensor.detach().cpu().numpy()


def _restore(optimizer: Optimizer, flat: Weights) -> None:
    """Put state of the names "number.name" into an optimizer; its groups are as they were made."""
    state: dict[int, Weights] = {}
    for name, value in flat.items():
        number, _, rest = name.partition(".")
        state.setdefault(int(number), {})[rest] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
