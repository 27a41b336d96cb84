"""What a run is: data, code, machine, settings. Cells that differ in it are not compared."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import nlptk
from nlptk.compare.grid import Grid
from nlptk.compare.measure import own_commit, versions
from nlptk.machine import cores, cpu_name

SCHEMA = 2
_NOT_COMPARED = ("commit",)
#: To which a later call may add, for models that had no part in the run before: none of it may change.
_MAY_GROW = ("checkpoints", "vectors", "versions", "devices")
_NOT_MEASURED = ("cli", "compare/report")  # folders of nlptk that change no number
#: What differs between two runs, as a message says it.
_SAID = {
    "schema": "version of the format", "code": "code of nlptk", "lang": "language",
    "vectors": "file of vectors", "checkpoints": "--bert or --hanlp", "versions": "version of a package",
    "threads": "number of threads", "devices": "device",
}  # fmt: skip


def identity(grid: Grid) -> dict[str, Any]:
    """What cells must share to be compared; models, sizes and seeds may come later."""
    prints = {
        name: {"name": Path(path).name, "sha256": fingerprint(Path(path))}
        for name, path in sorted(grid.options.items())
    }
    vectors = prints.pop("vectors", None)
    return {
        "schema": SCHEMA, "code": code(), "commit": own_commit(), "task": grid.task, "column": grid.column,
        "lang": grid.lang,
        # With its length, as of a file without a dev file beside it a tenth is held out.
        "data": [[one.role, one.name, f"{one.sha256} {len(one.part)}"] for one in grid.sources.all],
        "checkpoints": prints, "vectors": {"networks": vectors} if grid.networks else {},
        "versions": versions(), "machine": [cpu_name(), cores()], "threads": grid.threads,
        "devices": _devices(grid),
    }  # fmt: skip


def code() -> str:
    """Of the files of nlptk, compiled or not, that decide what is measured."""
    root = Path(nlptk.__file__).parent
    files = [one for kind in ("*.py", "*.so", "*.pyd") for one in root.rglob(kind)]
    names = {one.relative_to(root).as_posix(): one for one in files}
    listed = [
        [name, _hash(path)] for name, path in sorted(names.items()) if not name.startswith(_NOT_MEASURED)
    ]
    return _digest(listed)


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names."""
    if path.is_file():
        return _hash(path)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return _digest([[one.relative_to(path).as_posix(), _hash(one)] for one in files])


def merged(before: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """The run with what it had before."""
    grown = {name: {**before[name], **run[name]} for name in _MAY_GROW}
    return {**run, **{name: before[name] for name in _NOT_COMPARED}, **grown}


def difference(before: dict[str, Any], run: dict[str, Any]) -> str | None:
    """What is not the same in two runs, in words; None where nothing is."""
    if before.get("schema") != run["schema"]:
        return _SAID["schema"]
    both, theirs = merged(before, run), merged(run, before)
    name = next((name for name in run if name not in _NOT_COMPARED and both[name] != theirs[name]), None)
    if name != "data":
        return name and _SAID.get(name, name)
    shas = [{(role, file): sha for role, file, sha in one["data"]} for one in (before, run)]
    files = sorted({key for key in shas[0] | shas[1] if shas[0].get(key) != shas[1].get(key)})
    return " and ".join(f"{role} file ({file})" for role, file in files) or "order of further files"


def _devices(grid: Grid) -> dict[str, str]:
    if not grid.networks:
        return {}
    from nlptk.neural.devices import describe

    return {"networks": describe(grid.device)}


def _digest(listed: list[list[str]]) -> str:
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
