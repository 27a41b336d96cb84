"""What a process costs: memory, time, energy, size on disk; and the machine that it ran on."""

from __future__ import annotations

import contextlib
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nlptk
from nlptk.machine import commit, cores, cpu_name, installed, memory_bytes, system

_WARM_UP, _SINGLES = 10, 300  # items before single ones are timed, and of these at most
_RUNS, _LONGEST = 3, 30.0  # timed runs over a file, as long as they take no more seconds in all
_ENERGY = Path("/sys/class/powercap")
_PACKAGES = (
    "numpy", "scikit-learn", "torch", "jieba", "spacy", "python-crfsuite", "nltk", "hmmlearn", "transformers",
    "hanlp",
)  # fmt: skip


class PeakMemory:
    """The most memory that this process takes from here on, above what it has now.

    On Linux the kernel's own peak of this program, which is set back first: ``ru_maxrss`` would be at least
    that of the process which started this one. Elsewhere ``ru_maxrss``, above what it was.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = _status("VmRSS")
        if self._before is None:
            self._before = _max_rss()

    @property
    def bytes(self) -> int:
        """So far."""
        peak = _status("VmHWM")
        return max((_max_rss() if peak is None else peak) - (self._before or 0), 0)


def _status(name: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else int(found) * 1024


def _max_rss() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def disk_bytes(*places: Path) -> int:
    """The size of files, and of all files below folders."""
    return sum(
        path.stat().st_size for place in places for path in (place, *place.rglob("*")) if path.is_file()
    )


def seconds_of(run: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and how long it took."""
    start = time.perf_counter()
    found = run()
    return found, time.perf_counter() - start


def speeds(
    predict: Callable[[list[Any]], list[Any]], items: list[Any]
) -> tuple[list[Any], float, dict[str, float] | None, float | None]:
    """Answers to all items; the median of three batch runs in seconds; milliseconds of single items; joules.

    The joules are those of the processor in one batch run, None where it does not tell.
    """
    predict(items[:_WARM_UP])
    answers: list[Any] = []
    times: list[float] = []
    joules: list[float] = []
    while len(times) < _RUNS and (not times or sum(times) + times[0] <= _LONGEST):
        before = _energy()
        answers, seconds = seconds_of(lambda: predict(items))
        after = _energy()
        times.append(seconds)
        if before is not None and after is not None and after >= before:  # else the counter began anew
            joules.append(after - before)
    single = _single_times(predict, [item for item in items if item])
    latency = {"p50": percentile(single, 0.5), "p95": percentile(single, 0.95)} if single else None
    return answers, statistics.median(times), latency, statistics.median(joules) if joules else None


def _single_times(predict: Callable[[list[Any]], list[Any]], items: list[Any]) -> list[float]:
    """Milliseconds of single items, spread over all; in any order, as time may be up before the last."""
    step = max(-(-len(items) // _SINGLES), 1)
    chosen = items[::step]
    random.Random(0).shuffle(chosen)
    for item in items[:_WARM_UP]:
        predict([item])
    times: list[float] = []
    for item in chosen:
        times.append(1000 * seconds_of(lambda item=item: predict([item]))[1])  # type: ignore[misc]
        if sum(times) > 1000 * _LONGEST:
            break
    return times


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def _energy() -> float | None:
    """Joules of the processor since some time, where the kernel lets a user read them (RAPL)."""
    total = None
    for path in _ENERGY.glob("intel-rapl:?/energy_uj"):
        try:
            total = (total or 0.0) + int(path.read_text(encoding="ascii")) / 1e6
        except (OSError, ValueError):
            return None
    return total


def machine() -> dict[str, Any]:
    """What numbers depend on: processor, cores, memory, system."""
    return {"cpu": cpu_name(), "cores": cores(), "memory_bytes": memory_bytes(), "system": system()}


def versions() -> dict[str, str]:
    """Of Python, nlptk and what it or its peers stand on, where installed."""
    return {"python": platform.python_version(), "nlptk": nlptk.__version__} | installed(_PACKAGES)


def own_commit() -> str | None:
    """The commit that nlptk runs from; None outside a checkout."""
    return commit(Path(nlptk.__file__).parents[1], "nlptk", "csrc")
