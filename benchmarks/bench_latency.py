"""How long one sentence takes, and how long the start: `nlp(sentence)`, `import nlptk`, `nlptk.load("en")`.

    python benchmarks/bench_latency.py [--quick] [--model en] [--calls 2000] [--processes 9]

Sentences are of 15 words, our own. nlptk and spaCy (with its CNN tagger of spacy_tagger.py) answer in turn,
each in a process of its own, on one core. The start is measured in fresh processes, also in turn, whose
files the system has read before.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Worker, fresh, has_peer, median, parse, parser, save, say, serve, table, target
from spacy_tagger import trained_tagger

from nlptk.compare.measure import percentile

REACH_P50_MS = 0.3
REACH_IMPORT_MS = 100.0
REACH_LOAD_MS = 200.0
REACH_LOAD_MB = 80.0
CALLS_A_TURN = 100

SENTENCES = (
    "The engineers from Oslo tested the new bridge twice before anyone was allowed to cross.",
    "My neighbour bought an old piano last week, although nobody in her house can play.",
    "When the rain stopped, we walked along the river until the lights of Prague appeared.",
    "Dr. Amara Okafor will explain in June why the second experiment failed and what follows.",
    "He didn't answer the phone because he was repairing his bicycle behind the garden shed.",
    "Three small companies in Nagoya make most of the lenses that our telescopes need today.",
    "Please send the signed contract to our office in Toronto before noon on 12 May.",
    "The museum opens at ten, but the line outside usually begins to form around eight.",
    "Nobody expected that the youngest player on the team would win the final so easily.",
    "She has lived in Lima, Quito and Bogota, yet she still misses her village's bakery.",
)

_START = "import time; start = time.perf_counter(); "
_END = """
seconds = time.perf_counter() - start
import json
lines = open("/proc/self/status").read().splitlines()
memory = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
print(json.dumps({"seconds": seconds, "mb": memory * 1024 / 1e6}))
"""


# ---- in the contestants' processes -------------------------------------------------------------------------


def serve_calls(load: Callable[[], Callable[[str], Any]]) -> None:
    """Answer a number of calls with the seconds of each."""
    nlp = load()
    clock = time.perf_counter

    def run(calls: int) -> list[float]:
        seconds = []
        for i in range(calls):
            sentence = SENTENCES[i % len(SENTENCES)]
            start = clock()
            nlp(sentence)
            seconds.append(clock() - start)
        return seconds

    serve(run)


def run_worker(kind: str, model: str) -> None:
    """A contestant's process."""
    if kind == "nlptk":
        import nlptk

        serve_calls(lambda: nlptk.load(model))
    else:
        import spacy

        serve_calls(lambda: spacy.load(Path(model)))


# ---- the parent --------------------------------------------------------------------------------------------


def measure_calls(model: str, folder: Path | None, calls: int) -> dict[str, list[float]]:
    """Seconds of each call, by contestant, in turns of a hundred calls."""
    contestants = {"nlptk": model} if folder is None else {"nlptk": model, "spaCy": str(folder)}
    workers = {kind: Worker(__file__, ["--serve", kind, path], 1) for kind, path in contestants.items()}
    seconds: dict[str, list[float]] = {kind: [] for kind in workers}
    for worker in workers.values():
        worker.ask(CALLS_A_TURN)  # warm-up
    for _ in range(max(1, calls // CALLS_A_TURN)):
        for kind, worker in workers.items():
            seconds[kind] += worker.ask(CALLS_A_TURN)
    for worker in workers.values():
        worker.close()
    return seconds


def measure_starts(model: str, folder: Path | None, processes: int) -> dict[str, list[dict[str, Any]]]:
    """Seconds and resident megabytes (10^6 bytes) of fresh processes, by what they do."""
    tasks = {
        "nothing": "",
        "import numpy": "import numpy",
        "import nlptk": "import nlptk",
        "nlptk.load": f"import nlptk; nlp = nlptk.load({model!r})",
        "nlptk.load and a sentence": f"import nlptk; nlp = nlptk.load({model!r}); nlp({SENTENCES[0]!r})",
    }
    if folder is not None:
        tasks["import spacy"] = "import spacy"
        tasks["spacy.load"] = f"import spacy; nlp = spacy.load({str(folder)!r})"
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in tasks}
    for number in range(processes + 1):
        for name, code in tasks.items():
            answer = fresh(_START + code + _END)
            if number > 0:  # the first round reads the files in
                runs[name].append(answer)
        say(f"fresh processes: round {number} of {processes}")
    return runs


def call_rows(seconds: dict[str, list[float]]) -> list[list[str]]:
    """One row a contestant: p50, p90, p99 in milliseconds."""
    return [
        [kind, f"{len(values):,}", *(f"{percentile(values, p) * 1e3:.3f} ms" for p in (0.5, 0.9, 0.99))]
        for kind, values in seconds.items()
    ]


def start_rows(runs: dict[str, list[dict[str, Any]]]) -> list[list[str]]:
    """One row a task: medians of its time, of the whole process and of its memory."""
    rows = []
    for name, answers in runs.items():
        inside, wall = (median(a[key] for a in answers) * 1e3 for key in ("seconds", "wall"))
        memory = median(a["mb"] for a in answers)
        rows.append([name, f"{inside:,.1f} ms", f"{wall:,.0f} ms", f"{memory:.1f} MB"])
    return rows


def targets_of(
    seconds: dict[str, list[float]], runs: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What was to be reached."""
    p50, p99 = (percentile(seconds["nlptk"], share) * 1e3 for share in (0.5, 0.99))
    shown = f"{p50:.3f} ms (p99 {p99:.3f} ms)"
    if "spaCy" in seconds:
        shown += "; spaCy {:.2f} ms (p99 {:.2f} ms)".format(
            *(percentile(seconds["spaCy"], share) * 1e3 for share in (0.5, 0.99))
        )
    imported, loaded = (
        median(a["seconds"] for a in runs[key]) * 1e3 for key in ("import nlptk", "nlptk.load")
    )
    memory = median(a["mb"] for a in runs["nlptk.load and a sentence"])
    start = f"{imported:.1f} ms"
    if "import spacy" in runs:
        start += f"; spaCy {median(a['seconds'] for a in runs['import spacy']):.2f} s"
    return [
        target("`nlp(sentence)`, 15 words, embedded `en`: p50", f"<= {REACH_P50_MS} ms", p50,
               p50 <= REACH_P50_MS, shown),
        target("`import nlptk`, fresh process", f"< {REACH_IMPORT_MS:.0f} ms", imported,
               imported < REACH_IMPORT_MS, start),
        target("`nlptk.load(\"en\")` with all it imports, fresh process", f"< {REACH_LOAD_MS:.0f} ms", loaded,
               loaded < REACH_LOAD_MS, f"{loaded:.0f} ms"),
        target("memory of that process after a sentence, Python itself included", f"< {REACH_LOAD_MB:.0f} MB",
               memory, memory < REACH_LOAD_MB, f"{memory:.1f} MB"),
    ]  # fmt: skip


def main() -> None:
    """Measure and write results/latency.json."""
    options = parser(__doc__ or "")
    options.add_argument("--model", default="en", help="nlptk pipeline: name or folder")
    options.add_argument("--calls", type=int, default=None, help="calls of each contestant (2000)")
    options.add_argument("--processes", type=int, default=None, help="fresh processes of each kind (9)")
    given = parse(options)
    calls = given.calls or (200 if given.quick else 2000)
    processes = given.processes or (2 if given.quick else 9)
    installed = has_peer("spacy", "spaCy's tagger and its start")
    folder = trained_tagger(given.data, quick=given.quick) if installed else None
    say(f"{calls:,} calls each, in turn")
    seconds = measure_calls(given.model, folder, calls)
    runs = measure_starts(given.model, folder, processes)
    save(
        "latency",
        "One sentence, and the start",
        tables=[
            table(
                "`nlp(sentence)` of 15 words, one core",
                ["", "calls", "p50", "p90", "p99"],
                call_rows(seconds),
            ),
            table(
                f"Fresh processes, medians of {processes}",
                ["what it does", "time of that", "whole process", "resident memory"],
                start_rows(runs),
            ),
        ],
        targets=targets_of(seconds, runs),
        notes=[
            "nlptk finds tokens, sentences, UPOS, XPOS and entities in each call; spaCy tokens and UPOS.",
            "MB are 10^6 bytes of resident memory, the interpreter's own included.",
        ],
        samples={"calls": seconds, "starts": runs},
        packages=["spacy", "thinc"],
        quick=given.quick,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        run_worker(*sys.argv[2:])
    else:
        main()
