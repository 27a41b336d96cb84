"""The folder of a run: what the run is, and its finished cells, so that it can go on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nlptk
from nlptk.compare.grid import Cell, Grid
from nlptk.compare.measure import own_commit, versions
from nlptk.errors import ConfigError, DataError
from nlptk.machine import cores, cpu_name
from nlptk.store import write_atomic

_SCHEMA = 1
_RUN, _CELLS = "run.json", "cells"
#: To which a later call may add, for models that could not run without: none of it may change.
_MAY_GROW = ("checkpoints", "versions", "devices")
#: What differs between two runs, as a message says it.
_SAID = {
    "schema": "version of the format", "nlptk": "version or commit of nlptk", "task": "task",
    "column": "column", "lang": "language", "vectors": "file of vectors",
    "checkpoints": "--bert or --hanlp", "versions": "versions of packages", "machine": "machine",
    "threads": "number of threads", "devices": "device",
}  # fmt: skip


def identity(grid: Grid) -> dict[str, Any]:
    """What cells must share to be compared; models, sizes and seeds may come later."""
    prints = {name: fingerprint(Path(path)) for name, path in sorted(grid.options.items())}
    return {
        "schema": _SCHEMA, "nlptk": f"{nlptk.__version__} {own_commit() or ''}".strip(), "task": grid.task,
        "column": grid.column, "lang": grid.lang,
        # With its length, as of a file without a dev file beside it a tenth is held out.
        "data": [[one.role, one.name, f"{one.sha256} {len(one.part)}"] for one in grid.sources.all],
        "vectors": prints.pop("vectors", None), "checkpoints": prints, "versions": versions(),
        "machine": [cpu_name(), cores()], "threads": grid.threads, "devices": devices(grid),
    }  # fmt: skip


def devices(grid: Grid) -> dict[str, str]:
    """What networks run on, if any take part: {"networks": "cpu"}."""
    if not any("torch" in one.needs and one.missing(dict(grid.options)) is None for one in grid.contestants):
        return {}
    from nlptk.neural.devices import describe

    return {"networks": describe(grid.device)}


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names."""
    if path.is_file():
        return _hash(path)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    listed = [[str(one.relative_to(path)), _hash(one)] for one in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


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
            for name in _MAY_GROW:
                new, kept = run[name], before[name]
                run[name], before[name] = {**kept, **new}, {**new, **kept}
            different = next((name for name in run if before.get(name) != run[name]), None)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{file} cannot be read ({error}); give a new folder") from None
        if different is None:
            return
        said = _SAID.get(different, different)
        if different == "data":
            mine, theirs = ({(role, name): sha for role, name, sha in one["data"]} for one in (run, before))
            files = sorted({key for key in mine | theirs if mine.get(key) != theirs.get(key)})
            said = " and ".join(f"{role} file ({name})" for role, name in files) or "order of further files"
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
