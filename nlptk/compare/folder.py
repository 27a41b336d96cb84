"""The folder of a run: what the run is, and its finished cells, so that it can go on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nlptk.compare.grid import Cell
from nlptk.compare.identity import difference, merged
from nlptk.errors import ConfigError, DataError
from nlptk.store import write_atomic

_RUN, _CELLS = "run.json", "cells"


class RunFolder:
    """DIR/run.json and DIR/cells/MODEL-SIZE-SEED.json.

    Attributes:
        run: what the run is, with what was added to it in earlier calls.

    Raises:
        ConfigError: the folder is a file, or is that of another run, or has other files and no run.
        DataError: its run.json cannot be read.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path = path
        self._last: tuple[Cell, dict[str, list[Any]]] | None = None
        if path.exists() and not path.is_dir():
            raise ConfigError(f"{path} is a file; give a folder for the results")
        self.run = self._continued(run) if path.is_dir() and any(path.iterdir()) else run
        (path / _CELLS).mkdir(parents=True, exist_ok=True)
        write_atomic(path / _RUN, json.dumps(self.run, indent=1).encode())

    def _continued(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run, with what that of the folder has besides."""
        file = self.path / _RUN
        if not file.is_file():
            raise ConfigError(f"{self.path} holds files but no comparison; give a new folder")
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
            different = difference(before, run)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{file} cannot be read ({error}); give a new folder") from None
        if different is not None:
            raise ConfigError(
                f"{self.path} is the folder of another comparison, which differs in its {different}; "
                "give a new folder, or delete that one"
            )
        return merged(before, run)

    def place(self, cell: Cell) -> Path:
        """The file of a cell."""
        return self.path / _CELLS / f"{cell.model}-{cell.size}-{cell.seed}.json"

    def log(self, cell: Cell) -> Path:
        """Where a cell that failed left what its processes printed."""
        return self.place(cell).with_suffix(".log")

    def read(self) -> dict[Cell, dict[str, Any]]:
        """The cells that ended, in order of size, without their answers, of which there may be many.

        One that cannot be read is as if it had not been.
        """
        found = {}
        for path in sorted((self.path / _CELLS).glob("*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                cell = Cell(entry["size"], entry["model"], entry["seed"])
            except (ValueError, KeyError, TypeError):
                continue
            entry.pop("answers", None)
            found[cell] = entry
        return dict(sorted(found.items()))

    def write(self, cell: Cell, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what a cell found, whole or not at all; returns it without the answers."""
        whole = {"model": cell.model, "size": cell.size, "seed": cell.seed, **entry}
        write_atomic(self.place(cell), json.dumps(whole).encode())
        whole.pop("answers", None)
        return whole

    def answers(self, cell: Cell) -> dict[str, list[Any]]:
        """Part -> what the model of a cell answered."""
        if self._last is None or self._last[0] != cell:  # asked for one part after another
            self._last = cell, json.loads(self.place(cell).read_text(encoding="utf-8"))["answers"]
        return self._last[1]
