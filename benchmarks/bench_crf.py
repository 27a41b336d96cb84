"""Training of CRFs against CRFsuite: time to the same objective, to the same quality, memory, scaling.

    python benchmarks/bench_crf.py [--quick] [--rounds 3] [--parts chunk f1 ewt passes scaling]

Contestants take turns, each run in a process of its own (crf_contestants.py), on features that are ready in
Python's lists. CRFsuite's time is that of `train` alone; nlptk's is that of `fit`, which also reads the
lists. Both stop by CRFsuite's rule (the objective falls by less than 1e-5 in ten iterations). "To within
0.1 %" ends nlptk's clock when its objective is that near to where CRFsuite's training ended. Memory is the
peak of a process that makes the features sentence by sentence. Scaling is measured on random sentences.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import earlier, environment, has_peer, median, parse, parser, save, say, table, target

PARTS = ("chunk", "f1", "ewt", "passes", "scaling")
# Groups of searches for one optimum.
SEARCHES: dict[str, dict[str, dict[str, Any]]] = {
    "c2 = 1": {
        "from zero": {"c2": 1.0, "warm_passes": 0},
        "from zero, a history of 20": {"c2": 1.0, "warm_passes": 0, "num_memories": 20},
        "after 2 passes of SGD": {"c2": 1.0, "warm_passes": 2},
        "after 4, the default": {"c2": 1.0},
        "after 4, a history of 20": {"c2": 1.0, "num_memories": 20},
    },
    "c1 = c2 = 0.1": {
        "from zero": {"c1": 0.1, "c2": 0.1, "warm_passes": 0},
        "after 4 passes of SGD, the default": {"c1": 0.1, "c2": 0.1},
    },
}
CHUNK = {"c1": 0.0, "c2": 1.0}
GOAL_F1 = 0.936
CONTESTANTS = Path(__file__).with_name("crf_contestants.py")


def run(contestant: str, task: str, *options: str, threads: int = 1, **settings: Any) -> dict[str, Any]:
    """One run in a fresh process."""
    if contestant == "nlptk":
        settings["threads"] = threads
    command = [
        sys.executable,
        str(CONTESTANTS),
        contestant,
        task,
        "--settings",
        json.dumps(settings),
        *options,
    ]
    done = subprocess.run(command, env=environment(threads), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{contestant} failed on {task}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    found["passes"] = len(found["objective"])
    numbers = f"{found['seconds']:.2f} s, {found['passes']} passes, {found['score']:.4f}"
    say(f"{contestant} {task} {threads}: {numbers}")
    return found


def until(found: dict[str, Any], goal: float) -> tuple[float, int]:
    """Seconds and iterations until the objective had come down to the goal; infinity where it has not."""
    for number, value in enumerate(found["objective"], 1):
        if value <= goal:
            return found["seconds"] - sum(found["times"][number:]), number
    return float("inf"), found["passes"]


def against_crfsuite(task: str, options: Sequence[str], rounds: int, **settings: Any) -> dict[str, Any]:
    """CRFsuite and nlptk with one and two threads in turn; medians."""
    peer_settings = {
        {"all_possible_transitions": "feature.possible_transitions"}.get(name, name): value
        for name, value in settings.items()
    }
    runs: dict[str, list[dict[str, Any]]] = {"CRFsuite": [], "1": [], "2": []}
    for _ in range(rounds):
        runs["CRFsuite"].append(run("crfsuite", task, *options, **peer_settings))
        for count in (1, 2):
            runs[str(count)].append(run("nlptk", task, *options, threads=count, **settings))
    peer = runs["CRFsuite"][0]
    goal = peer["objective"][-1]
    found: dict[str, Any] = {
        "CRFsuite": {
            "seconds": median(one["seconds"] for one in runs["CRFsuite"]),
            "read": median(one["read"] for one in runs["CRFsuite"]),
            "passes": peer["passes"],
            "objective": goal,
            "score": peer["score"],
            "megabytes": run("crfsuite", task, "--stream", *options, **peer_settings)["peak"],
        }
    }
    for threads in ("1", "2"):
        ours = runs[threads]
        found[threads] = {
            "seconds": median(one["seconds"] for one in ours),
            "passes": ours[0]["passes"],
            "objective": ours[0]["objective"][-1],
            "score": ours[0]["score"],
            "near": median(until(one, goal * 1.001)[0] for one in ours),
            "near passes": until(ours[0], goal * 1.001)[1],
        }
    found["2"]["megabytes"] = run("nlptk", task, "--stream", *options, threads=2, **settings)["peak"]
    return found


def best_time_to_f1(options: Sequence[str]) -> list[dict[str, Any]]:
    """For each algorithm, the fewest passes whose model reaches the F1, and the time of that `fit`."""
    rows = []
    trials = {"lbfgs": (1, 2, 4, 8, 16), "l2sgd": (3, 5, 8, 12), "ap": (5, 10, 15, 20)}
    for algorithm, passes in trials.items():
        settings: dict[str, Any] = {"algorithm": algorithm, "all_possible_transitions": True}
        settings |= {"c2": 1.0} if algorithm != "ap" else {}
        best: dict[str, Any] = {"score": 0.0}
        for most in passes:
            tried = run("nlptk", "chunk", *options, threads=2, max_iterations=most, **settings)
            if tried["score"] > best["score"]:
                best = {"passes": most, **tried}
            if tried["score"] >= GOAL_F1:
                break
        again = [
            run("nlptk", "chunk", *options, threads=2, max_iterations=best["passes"], **settings)
            for _ in "ab"
        ]
        seconds = median([best["seconds"], *(one["seconds"] for one in again)])
        rows.append(
            {"algorithm": algorithm, "passes": best["passes"], "seconds": seconds, "score": best["score"]}
        )
    return rows


def passes_of_searches(options: Sequence[str], most: int) -> list[list[object]]:
    """Rows: the iterations of each search until it is within 0.1 % of the best of its group, and in all."""
    rows: list[list[object]] = []
    for group, searches in SEARCHES.items():
        runs = {
            name: run("nlptk", "chunk", *options, threads=2, all_possible_transitions=True,
                      max_iterations=most, **settings)
            for name, settings in searches.items()
        }  # fmt: skip
        best = min(one["objective"][-1] for one in runs.values())
        for name, one in runs.items():
            near = until(one, 1.001 * best)[1] if one["objective"][-1] <= 1.001 * best else f"over {most}"
            rows.append([group, name, near, one["passes"], f"{one['objective'][-1]:.1f}"])
    return rows


def seconds_of_iterations(sentences: int, labels: int, threads: int, rounds: int) -> float:
    """Median seconds of an iteration of L-BFGS on random sentences of 24 tokens with 20 features each."""
    from nlptk import _core

    rng = np.random.default_rng(0)
    units = 24 * sentences
    keys = (rng.zipf(1.3, (units, 20)) % 300_000 + 1).astype(np.uint32)
    offsets = np.arange(0, units + 1, 24, dtype=np.int64)
    gold = rng.integers(0, labels, units).astype(np.int32)
    trainer = _core.CrfTrainer(keys, offsets, gold, labels, threads=threads)
    times: list[float] = []
    last = [0.0]

    def tick(info: dict[str, Any], _: Any) -> bool:
        now = time.perf_counter()
        if last[0]:
            times.append(now - last[0])
        last[0] = now
        return len(times) < rounds

    trainer.lbfgs(0.0, 1.0, rounds + 2, 6, 0.0, 10, 0.0, 20, tick, 0, 1)
    return median(times)


def scaling(quick: bool) -> dict[str, Any]:
    """Seconds an iteration against sentences, labels and threads."""
    rounds = 3 if quick else 12
    sizes = (500, 1000) if quick else (2000, 4000, 8000, 16000, 32000)
    classes = (4, 16) if quick else (4, 8, 16, 32, 64, 128)
    return {
        "sentences": {n: seconds_of_iterations(n, 22, 2, rounds) for n in sizes},
        "labels": {n: seconds_of_iterations(4000, n, 2, rounds) for n in classes},
        "threads": seconds_in_turn(1000 if quick else 32000, 1 if quick else 3, rounds),
    }


def seconds_in_turn(sentences: int, turns: int, rounds: int) -> dict[int, float]:
    """Median seconds of an iteration with 1 and with 2 threads, which take turns."""
    pairs = [[seconds_of_iterations(sentences, 22, n, rounds) for n in (1, 2)] for _ in range(turns)]
    return {n: median([pair[n - 1] for pair in pairs]) for n in (1, 2)}


# ---- report ------------------------------------------------------------------------------------------------


def training_table(title: str, what: str, found: dict[str, Any]) -> dict[str, Any]:
    """CRFsuite and nlptk, a row each."""

    def row(name: str, run: dict[str, Any], *near: object) -> list[object]:
        memory = f"{run['megabytes']:.0f}" if "megabytes" in run else ""
        fixed = (
            f"{run['seconds']:.2f}",
            run["passes"],
            f"{run['objective']:.1f}",
            f"{run['score']:.4f}",
            memory,
        )
        return [name, *fixed, *(near or ("", ""))]

    rows = [row("CRFsuite", found["CRFsuite"])]
    for threads in ("1", "2"):
        ours = found[threads]
        rows.append(row(f"nlptk, threads: {threads}", ours, f"{ours['near']:.2f}", ours["near passes"]))
    columns = ["", "seconds", "passes", "objective", what, "MB", "s to within 0.1 %", "passes"]
    return table(title, columns, rows)


def times_crfsuite(what: str, found: dict[str, Any], threads: str, least: int) -> list[dict[str, Any]]:
    """Targets: how many times faster than CRFsuite, to its objective and in whole."""
    peer, ours = found["CRFsuite"]["seconds"], found[threads]
    made = []
    for until_when, seconds in (("to within 0.1 %", ours["near"]), ("to the end", ours["seconds"])):
        ratio = peer / seconds
        title = f"{what}, threads: {threads}, {until_when} of CRFsuite's objective"
        made.append(target(title, f">= {least} times", ratio, ratio >= least, f"{ratio:.1f} times"))
    return made


def report(found: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tables and targets of what was measured."""
    tables, targets = [], []
    if "chunk" in found:
        chunk = found["chunk"]
        title = "CoNLL-2000, template of CRFsuite's example, L-BFGS, c2 = 1"
        tables.append(training_table(title, "F1", chunk))
        targets += times_crfsuite("CoNLL-2000", chunk, "2", 15) + times_crfsuite("CoNLL-2000", chunk, "1", 8)
        f1 = chunk["2"]["score"]
        targets.append(target("CoNLL-2000, F1", f">= {GOAL_F1}", f1, f1 >= GOAL_F1, f"{f1:.4f}"))
        share = chunk["2"]["megabytes"] / chunk["CRFsuite"]["megabytes"]
        targets.append(
            target("CoNLL-2000, memory", "<= half of CRFsuite's", share, share <= 0.5, f"{share:.2f}")
        )
    if "f1" in found:
        rows = [
            [row["algorithm"], row["passes"], f"{row['seconds']:.2f}", f"{row['score']:.4f}"]
            for row in found["f1"]
        ]
        columns = ["algorithm", "passes", "seconds", "F1"]
        tables.append(table(f"CoNLL-2000, time to F1 {GOAL_F1}, 2 threads", columns, rows))
        reached = [row["seconds"] for row in found["f1"] if row["score"] >= GOAL_F1]
        best = min(reached, default=float("inf"))
        targets.append(target(f"best time to F1 {GOAL_F1}", "<= 3 s", best, best <= 3, f"{best:.2f} s"))
    if "ewt" in found:
        tables.append(training_table("EWT, UPOS, rich template, L-BFGS, c2 = 1", "accuracy", found["ewt"]))
        targets += times_crfsuite("EWT", found["ewt"], "2", 15)
    if "passes" in found:
        columns = ["objective", "L-BFGS", "passes to within 0.1 %", "passes in all", "objective at the end"]
        tables.append(table("CoNLL-2000, where the search begins", columns, found["passes"]))
    if "scaling" in found:
        for what, values in found["scaling"].items():
            rows = [[key, f"{1000 * seconds:.1f}"] for key, seconds in values.items()]
            tables.append(table(f"One iteration against {what}", [what, "ms"], rows))
        one, two = found["scaling"]["threads"].values()
        gain = one / two
        targets.append(target("2 threads against 1", ">= 1.8 times", gain, gain >= 1.8, f"{gain:.2f} times"))
    return tables, targets


def main() -> None:
    """Measure the parts and write results/crf.json."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="the others stay as they were"
    )
    given = parse(options)
    limits = ["--data", str(given.data), *(["--sentences", "300"] if given.quick else [])]
    rounds = 1 if given.quick else given.rounds
    found = {} if given.quick else earlier("crf")
    measure: dict[str, Callable[[], Any]] = {
        "f1": lambda: best_time_to_f1(limits),
        "passes": lambda: passes_of_searches(limits, 20 if given.quick else 200),
        "scaling": lambda: scaling(given.quick),
    }
    if has_peer("pycrfsuite", "CRFsuite"):
        measure["chunk"] = lambda: against_crfsuite(
            "chunk", limits, rounds, all_possible_transitions=True, **CHUNK
        )
        measure["ewt"] = lambda: against_crfsuite("ewt", limits, rounds, **CHUNK)
    notes = [" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]]
    for part in given.parts:
        if part not in measure:
            continue
        found[part] = measure[part]()
        tables, targets = report(found)  # after each part: an interruption costs that part alone
        save("crf", "CRF training", tables=tables, targets=targets, samples=found,
             packages=["python-crfsuite"], notes=notes, quick=given.quick)  # fmt: skip


if __name__ == "__main__":
    main()
