"""The cells of a comparison, one after another, each in processes of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import nlptk
from nlptk.compare.budget import estimate
from nlptk.compare.cell import WATCH, Spec
from nlptk.compare.contestant import Contestant
from nlptk.compare.durations import shown
from nlptk.compare.folder import RunFolder
from nlptk.compare.grid import Cell, Grid
from nlptk.compare.units import check_answers
from nlptk.errors import DataError

#: Told before each cell, and after it with its outcome: see :func:`nlptk.compare`.
Progress = Callable[[dict[str, Any]], None]

_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS",
    "NLPTK_NUM_THREADS",
)  # fmt: skip
_DEATHS = {9: " (out of memory?)", 11: " (a crash)", 6: " (a crash)"}


class _Stopped(Exception):
    """A cell took longer than what was left of the budget."""


def run_cells(grid: Grid, folder: RunFolder, progress: Progress | None = None) -> dict[Cell, dict[str, Any]]:
    """Run the cells that the folder has not; returns all that it has then, and those left out or skipped.

    A cell that failed before is tried again. On Ctrl-C the process of the cell ends, and what was finished
    stays in the folder.
    """
    cells = grid.cells
    found = folder.read()
    started = time.monotonic()
    with _Workplace(grid) as work:
        for number, (contestant, cell) in enumerate(cells):
            if found.get(cell, {}).get("status") == "done":
                continue
            left = None if grid.budget is None else grid.budget - (time.monotonic() - started)
            why = contestant.missing(dict(grid.options))
            if why is not None:
                entry = {"status": "skipped", "why": why}
            elif left is not None and (guess := estimate(grid, contestant, cell, found)) > left:
                spare = f"of the budget {shown(left)} were left" if left > 0 else "the budget was spent"
                entry = {"status": "left out", "why": f"it would take about {shown(guess)}; {spare}"}
            else:
                _tell(progress, number, cells, cell, None)
                entry = _run_cell(work, contestant, cell, folder, left)
                if entry["status"] != "left out":
                    entry = folder.write(cell, entry)
            found[cell] = entry
            _tell(progress, number + 1, cells, cell, entry)
    return dict(sorted(found.items()))


def _tell(
    progress: Progress | None,
    done: int,
    cells: Sequence[Any],
    cell: Cell,
    entry: Mapping[str, Any] | None,
) -> None:
    if progress is None:
        return
    told: dict[str, Any] = {"done": done, "of": len(cells), "cell": str(cell)}
    if entry is not None:
        told |= {name: entry[name] for name in ("status", "why", "seconds") if entry.get(name) is not None}
    progress(told)


class _Workplace:
    """A temporary folder with what the processes read, and the model of the cell at hand."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __enter__(self) -> _Workplace:
        self.folder = Path(tempfile.mkdtemp(prefix="nlptk-compare-"))
        sources = self.grid.sources
        learn = {one.role: [one.part.items, one.part.gold] for one in (sources.train, sources.dev)}
        asked = {name: part.items for name, part in self.grid.parts.items()}
        for name, content in (("learn", learn), ("ask", asked)):
            (self.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def model(self) -> Iterator[Path]:
        """A new folder for a model, which is then deleted."""
        path = self.folder / "model"
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def step(self, step: str, cell: Cell, model: Path, log: IO[bytes], left: float | None) -> dict[str, Any]:
        """Run a process of a cell: its answer. Raises _Stopped after `left` seconds."""
        grid, answer, place = self.grid, self.folder / "answer.json", self.folder / "spec.json"
        answer.unlink(missing_ok=True)
        data = self.folder / ("learn.json" if step == "train" else "ask.json")
        Spec(
            step, grid.task, cell.model, grid.column, grid.sources.metric, cell.size,
            asdict(grid.how(cell.seed)), str(data), str(model), str(answer),
        ).write(place)  # fmt: skip
        status = self._process(place, log, left)
        if status == 0 and answer.is_file():
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
            return found
        return {"why": _death(status, log)}

    def _process(self, spec: Path, log: IO[bytes], left: float | None) -> int:
        """Run ``python -m nlptk.compare.cell`` to its end, or end it with this process's work."""
        process = subprocess.Popen(
            [sys.executable, "-m", "nlptk.compare.cell", str(spec), WATCH],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,  # which ends with this process, however it ends, and that one with it
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is this process's alone, which then ends that one and its own
        )
        try:
            return process.wait(None if left is None else max(left, 0.0))
        except subprocess.TimeoutExpired:
            raise _Stopped from None
        finally:
            _end(process)

    def _environment(self) -> dict[str, str]:
        # Where nlptk lies, for a process in another folder: last, so that it hides nothing.
        paths = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        paths.append(str(Path(nlptk.__file__).resolve().parents[1]))
        given = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
        if self.grid.threads is not None:
            given |= dict.fromkeys(_THREADS, str(self.grid.threads))
        return {**given, "TOKENIZERS_PARALLELISM": "false", "PYTHONIOENCODING": "utf-8"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that still runs, and those that it started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _death(status: int, log: IO[bytes]) -> str:
    """Why a process ended without an answer."""
    if status < 0:
        return f"killed by signal {-status}{_DEATHS.get(-status, '')}"
    log.flush()
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return f"its process ended with status {status}" + (f": {lines[-1]:.300}" if lines else "")


def _misfit(grid: Grid, answers: Mapping[str, list[Any]]) -> str | None:
    """What is wrong with the form of a model's answers, if anything."""
    try:
        for name, part in grid.parts.items():
            check_answers(grid.task, part, answers[name])
    except DataError as error:
        return str(error)
    return None


def _run_cell(
    work: _Workplace, contestant: Contestant, cell: Cell, folder: RunFolder, left: float | None
) -> dict[str, Any]:
    """Train, read and ask one model."""
    start = time.monotonic()

    def rest() -> float | None:
        return None if left is None else left - (time.monotonic() - start)

    log = folder.log(cell)
    entry: dict[str, Any] = {"status": "done", "why": None}
    try:
        with work.model() as model, log.open("w+b") as output:
            entry |= work.step("train", cell, model, output, rest())
            if entry["why"] is None:
                entry |= work.step("ask", cell, model, output, rest())
        if entry["why"] is None:
            entry["why"] = _misfit(work.grid, entry["answers"])
        if entry["why"] is not None:
            entry["status"] = "failed"
    except _Stopped:
        why = f"stopped after {shown(time.monotonic() - start)}: the budget was spent"
        entry = {"status": "left out", "why": why}
    finally:
        if entry["status"] != "failed":
            log.unlink(missing_ok=True)
    return {**entry, "seconds": time.monotonic() - start}
