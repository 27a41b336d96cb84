"""The state of a training of word vectors on disk, from which it goes on as if it had never stopped."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nlptk import _core
from nlptk.corpora.files import PathLike, atomic_bytes
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.vectors.formats.native import write_safetensors
from nlptk.vectors.words import pack_words, unpack_words

_FILE = "training.safetensors"
_SCHEMA = 1
# What may differ between the two halves of a training.
_FREE = ("threads",)


class Position(NamedTuple):
    """How far a training is: the epoch from 0, its next chunk, and the words trained on so far."""

    epoch: int
    chunk: int
    tokens: int


class Checkpoint:
    """A folder with the last state of one training, written whole or not at all.

    Args:
        folder: is made by `prepare`.
        settings: of the training, and `corpus_bytes` the size of its corpus: a state of another is refused.
    """

    def __init__(self, folder: PathLike, settings: dict[str, Any], corpus_bytes: int) -> None:
        self.path = Path(folder) / _FILE
        self._settings = {k: v for k, v in settings.items() if k not in _FREE} | {
            "corpus_bytes": corpus_bytes
        }
        self._vocabulary: _core.WordVocabulary
        self._written = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last state was written, or since this was made."""
        return time.monotonic() - self._written

    def prepare(self) -> None:
        """Make the folder. Raises DataError if it cannot be written, before an hour is spent."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path.parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, trainer: _core.SgnsTrainer, vocabulary: _core.WordVocabulary, at: Position) -> None:
        """Raises DataError if the folder cannot be written."""
        blob, offsets = pack_words(vocabulary.words())
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "inputs": trainer.inputs,
            "outputs": trainer.outputs,
            "words": np.frombuffer(blob, np.uint8),
            "offsets": offsets,
            "counts": vocabulary.counts().astype(np.int64),
        }
        state = {
            "schema": _SCHEMA,
            "settings": self._settings,
            "position": at._asdict(),
            "raw_tokens": vocabulary.raw_tokens,
        }
        try:
            with atomic_bytes(self.path) as stream:
                write_safetensors(stream, arrays, {"state": json.dumps(state)})
        except OSError as error:
            raise self._unwritable(error) from error
        self._written = time.monotonic()

    def _unwritable(self, error: OSError) -> DataError:
        return DataError(f"cannot write the checkpoint {str(self.path)!r}: {error.strerror or error}")

    def read(self) -> Position | None:
        """Where to go on, or None if there is no state.

        Raises:
            ConfigError: the state is of other settings or another corpus.
            ModelError: the file is damaged.
        """
        if not self.path.exists():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(os.fspath(self.path), "numpy") as file:
                state = json.loads((file.metadata() or {})["state"])
                blob, offsets, counts = (file.get_tensor(name) for name in ("words", "offsets", "counts"))
            if state["schema"] != _SCHEMA:
                raise ModelError(f"{str(self.path)!r} is of schema {state['schema']}, not {_SCHEMA}")
            position = Position(**state["position"])
            if not all(type(number) is int and number >= 0 for number in position):
                raise ValueError("there is no such place in a training")
            words = unpack_words(blob.tobytes(), offsets)
            self._vocabulary = _core.WordVocabulary(words, counts.tolist(), state["raw_tokens"])
            saved_settings = dict(state["settings"])
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error
        changed = [k for k, v in self._settings.items() if saved_settings.get(k) != v]
        if changed:
            names = ", ".join(
                f"{k} {saved_settings.get(k)!r} there, {self._settings[k]!r} here" for k in changed
            )
            raise ConfigError(
                f"{str(self.path)!r} is of another training ({names}); use the same, or a new folder"
            )
        return position

    def _damaged(self, error: Exception) -> ModelError:
        return ModelError(f"the checkpoint {str(self.path)!r} is damaged: {error}; delete it")

    def vocabulary(self) -> _core.WordVocabulary:
        """The words of the state that was read."""
        return self._vocabulary

    def restore(self, trainer: _core.SgnsTrainer, at: Position) -> None:
        """Give the trainer the matrices of the state that was read, and its place in the schedule.

        Raises ModelError if they are of another shape.
        """
        from safetensors import SafetensorError, safe_open

        trainer.set_tokens(at.tokens)
        try:
            with safe_open(os.fspath(self.path), "numpy") as file:
                for name, matrix in (("inputs", trainer.inputs), ("outputs", trainer.outputs)):
                    saved = file.get_tensor(name)
                    if saved.shape != matrix.shape or saved.dtype != np.float32:
                        raise ValueError(f"its {name} are of another shape")
                    matrix[:] = saved
        except (SafetensorError, OSError, ValueError) as error:
            raise self._damaged(error) from error
