"""What the benchmarks share: arguments, timing in turn, child processes, machine and versions, JSON results.

A script measures contestants in turn (A B C, A B C, ...) on the same input, so that a busy moment of the
machine hits all of them, and reports medians. Nothing here touches the network.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CACHE = ROOT / "build" / "bench"  # trained peers and models; not in git

# A corpus: a path with {} for the split, or a path for each split.
Files = str | Mapping[str, str]
WNUT = {
    "train": "wnut17/wnut17train.conll.gz",
    "dev": "wnut17/emerging.dev.conll.gz",
    "test": "wnut17/emerging.test.annotated.gz",
}
MSRA = "msra-ner/msra.{}.bio.gz"

# Before other code of `python -c`: the nlptk that is installed (or PYTHONPATH's), not the bare sources here.
INSTALLED = "import sys; sys.path[:] = filter(None, sys.path)\n"

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


# ---- arguments and progress --------------------------------------------------------------------------------


def parser(description: str) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="little input, few rounds: to see that it works")
    made.add_argument("--data", type=Path, default=data_dir(), help="folder of the corpora (or NLPTK_DATA)")
    return made


def parse(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The options given; ends with one clear line if the corpora or the nlptk pipeline are not there."""
    given = made.parse_args()
    if not given.data.is_dir():
        made.error(f"there are no corpora at {given.data}; set NLPTK_DATA or give --data")
    if "model" in given:
        import nlptk
        from nlptk.errors import NlptkError

        try:
            nlptk.load(given.model)
        except NlptkError as error:
            made.error(str(error))
    return given


def data_dir() -> Path:
    """Where the corpora are: NLPTK_DATA, else shared/data beside the repository."""
    return Path(os.environ.get("NLPTK_DATA", ROOT.parent / "shared" / "data"))


def split_file(files: Files, split: str) -> str:
    """The path of one split of a corpus, below the folder of the corpora."""
    return files.format(split) if isinstance(files, str) else files[split]


def say(*parts: object) -> None:
    """A line of progress on stderr with the time of day, at once."""
    print(datetime.now().strftime("%H:%M:%S"), *parts, file=sys.stderr, flush=True)


def has_peer(module: str, what: str) -> bool:
    """Whether a peer is installed; one clear line if it is not."""
    if importlib.util.find_spec(module) is not None:
        return True
    say(f"skipped: {what} ({module} is not installed; pip install 'nlptk[bench]')")
    return False


# ---- timing ------------------------------------------------------------------------------------------------


def in_turn(
    contestants: Mapping[str, Callable[[], Any]], rounds: int, warmup: int = 1, pause: float = 0
) -> dict[str, list[float]]:
    """Seconds of each call, the contestants taking turns: A B C, A B C, ...

    `pause`: seconds before each, in which the threads of the one before it, which may spin a while, lie down.
    """
    for _ in range(warmup):
        for run in contestants.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            time.sleep(pause)
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median(values: Iterable[float]) -> float:
    """The middle value."""
    return float(statistics.median(values))


# ---- processes ---------------------------------------------------------------------------------------------


def environment(threads: int) -> dict[str, str]:
    """The environment of a child process whose libraries use this many threads."""
    limits = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return {**os.environ, **limits, "NLPTK_NUM_THREADS": str(threads)}


class Worker:
    """A child process that answers one JSON line for each JSON line: a contestant with a process of its own.

    `script` is started with `arguments`; it must call :func:`serve`.
    """

    def __init__(self, script: str | Path, arguments: Sequence[str], threads: int) -> None:
        self._name = " ".join(arguments)
        self._process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, task: Any) -> Any:
        """The answer to a task. Raises RuntimeError if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the empty answer below says it
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self._name!r} ended with status {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(answer: Callable[[Any], Any]) -> None:
    """The worker's side of :class:`Worker`: until stdin closes. Other prints must go to stderr."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def fresh(code: str) -> dict[str, Any]:
    """Run Python code in a process of its own, as a user would; the JSON object that it prints last, and its
    `wall` seconds.
    """
    # Byte code may be kept, as an installed package's is.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", INSTALLED + code], env=variables, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"a fresh process failed: {done.stderr.strip().splitlines()[-1:]}")
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "wall": wall}


# ---- results -----------------------------------------------------------------------------------------------


def target(what: str, reach: str, measured: float | None, met: bool, shown: str) -> dict[str, Any]:
    """One line of what the project set out to reach. `shown`: the measured value as a reader wants it."""
    return {"what": what, "reach": reach, "measured": measured, "shown": shown, "met": met}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dict[str, Any]:
    """A table of the report; cells are shown as they are."""
    return {"title": title, "columns": list(columns), "rows": [[str(cell) for cell in row] for row in rows]}


def save(
    name: str,
    title: str,
    *,
    tables: Sequence[dict[str, Any]],
    targets: Sequence[dict[str, Any]],
    notes: Sequence[str] = (),
    samples: Any = None,
    packages: Sequence[str] = (),
    quick: bool = False,
) -> Path:
    """Print the tables and write results/NAME.json (quick runs: results/tmp/, which is not in git)."""
    for entry in tables:
        print_table(entry)
    for entry in targets:
        verdict = "reached" if entry["met"] else "MISSED "
        print(f"{verdict}  {entry['what']}: {entry['shown']} ({entry['reach']})")
    result = {
        "name": name,
        "title": title,
        "command": command(),
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "quick": quick,
        "commit": commit(),
        "machine": machine(),
        "versions": versions(packages),
        "notes": list(notes),
        "tables": list(tables),
        "targets": list(targets),
        "samples": samples,
    }
    folder = RESULTS / "tmp" if quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    say(f"wrote {path.relative_to(ROOT)}")
    return path


def earlier(name: str) -> dict[str, Any]:
    """The samples of the last results of that name; empty if there are none."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return {}
    samples: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["samples"]
    return samples


def command() -> str:
    """The command line of this run, without where the corpora are."""
    given = [f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]
    if "--data" in given:
        place = given.index("--data")
        del given[place : place + 2]
    return " ".join(["python", *given])


def print_table(entry: Mapping[str, Any]) -> None:
    """A table as aligned text on stdout."""
    rows = [entry["columns"], *entry["rows"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n{entry['title']}")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(flush=True)


def commit() -> str:
    """The repository's commit, with "+changes" if tracked files differ from it; "unknown" outside git."""
    from nlptk.machine import commit

    return commit(ROOT, ".", ":!benchmarks/results", ":!docs") or "unknown"


def machine() -> dict[str, Any]:
    """What the numbers depend on: processor, cores, memory, system, Python, instruction set, load."""
    from nlptk import _core
    from nlptk.machine import cores, cpu_name, memory_bytes, system

    return {
        "cpu": cpu_name(),
        "cores": cores(),
        "memory_gib": round((memory_bytes() or 0) / 2**30, 1),
        "system": system(),
        "python": platform.python_version(),
        "isa": _core.isa(),
        "load": round(os.getloadavg()[0], 2),
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Installed versions of nlptk, NumPy and these packages."""
    import nlptk
    from nlptk.machine import installed

    names = ["numpy", *packages]
    return {"nlptk": nlptk.__version__} | dict.fromkeys(names, "not installed") | installed(names)
