"""The process of a cell: ``python -m nlptk.compare.cell SPEC.json`` trains a model, or reads it and asks it.

Training and asking are two processes, so that memory, loading time and size are those of a model file that a
user would load, and a crash is that cell's alone. The answer is a JSON file that is written whole or not at
all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Part, Task, length
from nlptk.compare.data import choose
from nlptk.compare.measure import PeakMemory, disk_bytes, seconds_of, speeds
from nlptk.compare.registry import contestants
from nlptk.errors import NlptkError
from nlptk.store import write_atomic

#: Dev items that pick the best weights: as many as are learnt from, but so many at least. Who has a hundred
#: labelled sentences has no thousands to choose by, and the time would go there.
LEAST_DEV = 300
#: After the specification: the process that started this one holds the other end of its stdin.
WATCH = "--watch-stdin"


@dataclass(frozen=True)
class Spec:
    """What one process does.

    Attributes:
        step: "train" or "ask".
        task, model: the contestant.
        column, metric: see :class:`nlptk.compare.contestant.Data`.
        size: training items.
        how: the fields of :class:`nlptk.compare.contestant.How`.
        data: a file: for "train" {"train": [items, gold], "dev": [items, gold]}, for "ask" {name: items}, of
            which "test" is timed.
        folder: of the model.
        answer: the file to write.
    """

    step: str
    task: Task
    model: str
    column: str | None
    metric: str
    size: int
    how: dict[str, Any]
    data: str
    folder: str
    answer: str

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def run(spec: Spec) -> dict[str, Any]:
    """Train or ask, and tell what it took."""
    contestant, how = contestants(spec.task)[spec.model], How(**spec.how)
    given = json.loads(Path(spec.data).read_text(encoding="utf-8"))
    if spec.step == "train":
        train = choose(Part(*given["train"]), spec.size, how.seed)
        dev = choose(Part(*given["dev"]), max(spec.size, LEAST_DEV), how.seed)
        data = Data(train, dev, spec.column, spec.metric)
        del given
        return _train(contestant, data, Path(spec.folder), how)
    return _ask(contestant, given, Path(spec.folder), how)


def _train(contestant: Contestant, data: Data, folder: Path, how: How) -> dict[str, Any]:
    memory = PeakMemory()
    _import(contestant)
    told, seconds = seconds_of(lambda: contestant.train(data, folder, how))
    return {
        "tokens": data.tokens,
        "train_seconds": seconds if contestant.trained else None,
        "train_memory_bytes": memory.bytes + _of_device(contestant) if contestant.trained else None,
        "told": told,
    }


def _ask(contestant: Contestant, parts: dict[str, list[Any]], folder: Path, how: How) -> dict[str, Any]:
    memory = PeakMemory()
    _import(contestant)
    predict, load_seconds = seconds_of(lambda: contestant.load(folder, how))
    answers, seconds, latency, joules = speeds(predict, parts["test"])
    found = {
        "load_seconds": load_seconds,
        "tokens_per_second": sum(map(length, parts["test"])) / seconds,
        "latency_ms": latency,
        "energy_joules": joules,
        "memory_bytes": memory.bytes + _of_device(contestant),
        "disk_bytes": disk_bytes(folder, *contestant.elsewhere(how)),
    }
    others = {name: predict(items) for name, items in parts.items() if name != "test"}
    return {**found, "answers": {"test": answers, **others}}


def _import(contestant: Contestant) -> None:
    """Import what it stands on, as neither training nor loading is to count that."""
    for module in (*(need.partition(":")[0] for need in contestant.needs), *contestant.imports):
        import_module(module)


def _of_device(contestant: Contestant) -> int:
    if "torch" not in contestant.needs:
        return 0
    from nlptk.neural.devices import peak_memory

    return peak_memory()


def main(arguments: list[str]) -> int:
    """Run the specification in a file; 0 also where the model failed, which the answer then says."""
    spec = Spec(**json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    Path(spec.folder).mkdir(parents=True, exist_ok=True)
    try:
        answer = run(spec)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        what = str(error) if isinstance(error, NlptkError) else f"{type(error).__name__}: {error}"
        answer = {"why": " ".join(what.split())[:500]}
    write_atomic(spec.answer, json.dumps(answer).encode())
    return 0


def end_with_parent() -> None:
    """Kill this process and those it started when stdin ends, as it does when the comparison is killed.

    What reads stdin from then on finds it empty.
    """
    watched = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        while os.read(watched, 1):
            pass
        if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    if WATCH in sys.argv[2:]:
        end_with_parent()
    sys.exit(main(sys.argv[1:]))
