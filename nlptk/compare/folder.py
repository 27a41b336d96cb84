"""The folder of a run: what the run is, and its finished cells, so that it can go on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nlptk
from nlptk.compare.contestant import Task
from nlptk.compare.data import Sources
from nlptk.errors import ConfigError, DataError
from nlptk.store import write_atomic

_SCHEMA = 1
_RUN, _CELLS = "run.json", "cells"
_CHECKPOINTS = "checkpoints"  # a run that has none yet may get one, for models that could not run without
#: What differs between two runs, as a message says it.
_SAID = {
    "schema": "version of the format", "nlptk": "version of nlptk", "task": "task", "column": "column",
    "lang": "language", "vectors": "file of vectors", _CHECKPOINTS: "--bert or --hanlp",
    "threads": "number of threads", "device": "device",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Cell:
    """One training: so many items, a model, a seed."""

    size: int
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.model}, {self.size:,} to learn from, seed {self.seed}"


def identity(
    task: Task,
    column: str | None,
    lang: str,
    sources: Sources,
    options: Mapping[str, str],
    threads: int | None,
    device: str,
) -> dict[str, Any]:
    """What cells must share to be compared; models, sizes and seeds may come later."""
    return {
        "schema": _SCHEMA, "nlptk": nlptk.__version__, "task": task, "column": column, "lang": lang,
        "data": [[one.role, one.name, one.sha256] for one in sources.all],
        "vectors": _fingerprint(Path(options["vectors"])) if "vectors" in options else None,
        _CHECKPOINTS: {
            name: _fingerprint(Path(path)) for name, path in sorted(options.items()) if name != "vectors"
        },
        "threads": threads, "device": device,
    }  # fmt: skip


def _fingerprint(path: Path) -> str:
    """Of a file its content; of a model's folder that of its configuration, and its size."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(one for one in path.glob("*") if one.is_file())
    sizes = json.dumps([[one.name, one.stat().st_size] for one in files])
    configs = b"".join(one.read_bytes() for one in files if one.suffix == ".json")
    return hashlib.sha256(sizes.encode() + configs).hexdigest()


class RunFolder:
    """DIR/run.json and DIR/cells/MODEL-SIZE-SEED.json.

    Raises:
        ConfigError: the folder is a file, or is that of another run, or has other files and no run.
        DataError: its run.json cannot be read.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise ConfigError(f"{path} is a file; give a folder for the results")
        if path.is_dir() and any(path.iterdir()):
            self._check(run)
        (path / _CELLS).mkdir(parents=True, exist_ok=True)
        write_atomic(path / _RUN, json.dumps(run, indent=1).encode())

    def _check(self, run: dict[str, Any]) -> None:
        file = self.path / _RUN
        if not file.is_file():
            raise ConfigError(f"{self.path} holds files but no comparison; give a new folder")
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
            new, kept = run[_CHECKPOINTS], before[_CHECKPOINTS]
            run[_CHECKPOINTS], before[_CHECKPOINTS] = {**kept, **new}, {**new, **kept}
            different = next((name for name in run if before.get(name) != run[name]), None)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{file} cannot be read ({error}); give a new folder") from None
        if different is None:
            return
        said = _SAID.get(different, different)
        if different == "data":
            mine, theirs = ({(role, name): sha for role, name, sha in one["data"]} for one in (run, before))
            files = sorted({key for key in mine | theirs if mine.get(key) != theirs.get(key)})
            said = " and ".join(f"{role} file ({name})" for role, name in files)
        raise ConfigError(
            f"{self.path} is the folder of another comparison: its {said} is not the same; "
            "give a new folder, or delete that one"
        )

    def place(self, cell: Cell) -> Path:
        """The file of a cell."""
        return self.path / _CELLS / f"{cell.model}-{cell.size}-{cell.seed}.json"

    def log(self, cell: Cell) -> Path:
        """Where a cell that failed left what its processes printed."""
        return self.place(cell).with_suffix(".log")

    def read(self) -> dict[Cell, dict[str, Any]]:
        """The cells that ended, in order of size; one that cannot be read is as if it had not been."""
        found = {}
        for path in sorted((self.path / _CELLS).glob("*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                cell = Cell(entry["size"], entry["model"], entry["seed"])
            except (ValueError, KeyError, TypeError):
                continue
            found[cell] = entry
        return dict(sorted(found.items()))

    def write(self, cell: Cell, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what a cell found, whole or not at all."""
        whole = {"model": cell.model, "size": cell.size, "seed": cell.seed, **entry}
        write_atomic(self.place(cell), json.dumps(whole).encode())
        return whole
