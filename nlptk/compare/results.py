"""What a comparison found, as one JSON-able dict: docs/compare.md says what each entry means."""

from __future__ import annotations

import statistics as plain
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from nlptk.compare.contestant import Contestant, Task
from nlptk.compare.data import choose
from nlptk.compare.folder import RunFolder
from nlptk.compare.grid import Cell, Grid
from nlptk.compare.measure import machine
from nlptk.compare.statistics import (
    Counts,
    approximate_randomization,
    bootstrap,
    difference_interval,
    score,
)
from nlptk.compare.units import (
    Answers,
    by_length,
    disagreements,
    knows,
    units_of,
    vocabulary_of,
)
from nlptk.corpora.labels import to_iob2
from nlptk.scoring import PRF

SCHEMA = 1
_MOST_SENTENCES = 2000  # that the error browser is given
_TASK_NAMES = {"taggers": "Taggers", "classifiers": "Classifiers", "segmenters": "Segmenters"}
_MEASURED = (
    "train_seconds", "train_memory_bytes", "tokens_per_second", "load_seconds", "memory_bytes", "disk_bytes",
)  # fmt: skip

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class _Runs:
    """The cells of one model and size that ended well: an entry for each seed, and its answers to test."""

    grid: Grid
    folder: RunFolder
    name: str
    size: int
    entries: dict[int, Entry]

    @property
    def answers(self) -> Iterator[tuple[int, Answers]]:
        """Each seed, and its answers to test; made anew each time, as those of all runs would fill memory."""
        return ((seed, self.part_answers("test", seed)) for seed in self.entries)

    @cached_property
    def counts(self) -> dict[int, Counts]:
        """By seed, of the test set."""
        return {seed: one.counts() for seed, one in self.answers}

    def part_answers(self, name: str, seed: int) -> Answers:
        """The answers to one of the grid's parts."""
        metric = self.grid.sources.metric
        answers = self.folder.answers(Cell(self.size, self.name, seed))[name]
        found = units_of(self.grid.task, metric, answers)
        return Answers(self.grid.wanted(name), found, metric)

    def answers_of_first(self, name: str) -> list[Any]:
        """The answers of the first seed to a part, as the model gave them."""
        return self.folder.answers(Cell(self.size, self.name, min(self.entries)))[name]

    def mean(self, name: str) -> float | None:
        """Of a number over the seeds; None of what was not measured."""
        values = [entry[name] for entry in self.entries.values() if entry[name] is not None]
        return plain.fmean(values) if values else None


def assemble(
    grid: Grid,
    folder: RunFolder,
    cells: Mapping[Cell, Entry],
    contestants: Sequence[Contestant],
    *,
    warnings: Sequence[str],
    command: str,
    texts: bool,
) -> dict[str, Any]:
    """The results of all cells; `texts`: whether sentences of the test set go in."""
    runs = {one.name: _runs_of(grid, folder, cells, one.name) for one in contestants}
    best = {name: sizes[max(sizes)] for name, sizes in runs.items() if sizes}
    first = {name: _first(one) for name, one in best.items()}
    wrong = [one.wrong for one in first.values()]
    erring = [number for number, rows in enumerate(zip(*wrong, strict=True)) if any(rows)]
    sources = grid.sources
    return {
        "schema": SCHEMA,
        "task": grid.task,
        "column": grid.column,
        "metric": sources.metric,
        "title": _title(grid),
        "command": command,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": folder.run["commit"],
        "machine": machine() | {"threads": grid.threads, "devices": folder.run["devices"]},
        "checkpoints": [{"option": name, **one} for name, one in _given(folder).items()],
        "versions": folder.run["versions"],
        "seeds": sorted({cell.seed for cell in cells}),
        "sizes": sorted({cell.size for cell in cells}),
        "lang": grid.lang,
        "length_unit": "words" if grid.task == "taggers" else "words, or Chinese characters",
        "data": [one.to_dict() for one in sources.all],
        "labels": list(sources.labels),
        "warnings": list(warnings),
        "models": [_model(grid, one, cells, runs[one.name]) for one in contestants],
        "differences": [
            found
            for a, b in combinations(best, 2)
            if (found := _difference(a, b, runs[a], runs[b])) is not None
        ],
        "disagreements": disagreements(first),
        "sentences": _sentences(grid, best, erring[:_MOST_SENTENCES]) if texts else None,
        "erring_sentences": len(erring),
    }


def _given(folder: RunFolder) -> dict[str, Any]:
    """Option -> name and hash of what was given for it."""
    vectors = folder.run["vectors"].get("networks")
    return {**folder.run["checkpoints"], **({} if vectors is None else {"vectors": vectors})}


def _title(grid: Grid) -> str:
    column = f"column {grid.column}" if (grid.column or "").isdigit() else grid.column
    return f"{_TASK_NAMES[grid.task]}{f' of {column}' if column else ''}, {grid.sources.test.name}"


def _runs_of(grid: Grid, folder: RunFolder, cells: Mapping[Cell, Entry], name: str) -> dict[int, _Runs]:
    """Size -> the runs of a model that ended well."""
    found: dict[int, dict[int, Entry]] = {}
    for cell, entry in cells.items():
        if cell.model == name and entry["status"] == "done":
            found.setdefault(cell.size, {})[cell.seed] = entry
    return {size: _Runs(grid, folder, name, size, entries) for size, entries in found.items()}


def _first(runs: _Runs) -> Answers:
    """Those of the first seed."""
    return runs.part_answers("test", min(runs.entries))


def _scored(counts: Sequence[Counts]) -> dict[str, Any]:
    return {"score": plain.fmean(map(score, counts)), "interval": list(bootstrap(counts))}


def _model(
    grid: Grid, one: Contestant, cells: Mapping[Cell, Entry], runs: Mapping[int, _Runs]
) -> dict[str, Any]:
    scored = {size: _scored(list(run.counts.values())) for size, run in runs.items()}
    curve = [
        {"size": size, "tokens": round(run.mean("tokens") or 0), **scored[size]} for size, run in runs.items()
    ]
    best = runs[max(runs)] if runs else None
    return {
        "name": one.name,
        "kind": one.kind,
        "about": one.about,
        "cells": [
            _cell(grid, cell, entry, runs, scored) for cell, entry in cells.items() if cell.model == one.name
        ],
        "curve": curve,
        "best": None if best is None else _best(grid, best, scored[best.size]),
        "robustness": {} if best is None else _robustness(grid, best),
    }


def _cell(
    grid: Grid, cell: Cell, entry: Entry, runs: Mapping[int, _Runs], scored: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "size": cell.size, "seed": cell.seed, "status": entry["status"], "why": entry.get("why"),
        "seconds": entry.get("seconds"),
        "score": None, "interval": None, "train_seconds": entry.get("train_seconds"),
        "train_memory_bytes": entry.get("train_memory_bytes"), "dev_score": None, "told": entry.get("told"),
    }  # fmt: skip
    if entry["status"] == "done":
        run = runs[cell.size]
        alone = len(run.entries) == 1
        found |= scored[cell.size] if alone else _scored([run.counts[cell.seed]])
        found["dev_score"] = score(run.part_answers("dev", cell.seed).counts())
    return found


def _best(grid: Grid, runs: _Runs, scored: Mapping[str, Any]) -> dict[str, Any]:
    sources = grid.sources
    test, counts = sources.test.part, runs.counts
    scores = [score(counts[seed]) for seed in sorted(counts)]
    entries = list(runs.entries.values())
    latencies = [entry["latency_ms"] for entry in entries if entry["latency_ms"]]
    joules = [entry["energy_joules"] for entry in entries if entry["energy_joules"] is not None]
    table: dict[str, PRF] = {}
    for _, one in runs.answers:
        for label, found in one.per_label().items():
            table[label] = table.get(label, PRF()) + found
    return {
        "size": runs.size,
        **scored,
        "seeds": {
            "scores": scores,
            "mean": plain.fmean(scores),
            "std": plain.stdev(scores) if len(scores) > 1 else 0.0,
        },
        **_familiar(grid, runs),
        "per_label": {
            label: {
                "precision": found.precision,
                "recall": found.recall,
                "f1": found.f1,
                "gold": found.gold // len(scores),
            }
            for label, found in sorted(table.items())
        },
        "by_length": by_length(grid.task, test, np.sum(list(counts.values()), 0)),
        **{name: runs.mean(name) for name in _MEASURED},
        "latency_ms": {name: plain.fmean(one[name] for one in latencies) for name in ("p50", "p95")}
        if latencies
        else None,
        "energy_joules": plain.fmean(joules) if joules else None,
    }


def _familiar(grid: Grid, runs: _Runs) -> dict[str, Any]:
    """Scores on units of known words, and on those with an unknown one; of texts there are none."""
    test = grid.sources.test.part
    known: list[tuple[float, int]] = []
    unknown: list[tuple[float, int]] = []
    for seed, answers in runs.answers:
        train = choose(grid.sources.train.part, runs.size, seed)
        judge = knows(grid.task, test, vocabulary_of(grid.task, train))
        if judge is None:
            return {"known": None, "unknown": None}
        for kept, rows in ((True, known), (False, unknown)):
            counts = answers.counts(lambda number, unit, kept=kept, judge=judge: judge(number, unit) is kept)  # type: ignore[misc]
            rows.append((score(counts), int(counts[:, -1].sum())))
    return {name: _mean_of(rows) for name, rows in (("known", known), ("unknown", unknown))}


def _mean_of(rows: Sequence[tuple[float, int]]) -> dict[str, Any] | None:
    """Of (score, units) with a row for each seed; None where there are no units."""
    rows = [row for row in rows if row[1]]
    if not rows:
        return None
    return {"score": plain.fmean(row[0] for row in rows), "units": round(plain.fmean(row[1] for row in rows))}


def _robustness(grid: Grid, runs: _Runs) -> dict[str, Any]:
    """Scores on changed test items and on further files."""
    return {
        name: _scored([runs.part_answers(name, seed).counts() for seed in runs.entries])
        for name in grid.parts
        if name not in ("test", "dev")
    }


def _difference(
    a: str, b: str, of_a: Mapping[int, _Runs], of_b: Mapping[int, _Runs]
) -> dict[str, Any] | None:
    """At the greatest size that both have, over the seeds that both have there; None without one."""
    shared = [
        (size, sorted(of_a[size].counts.keys() & of_b[size].counts.keys()))
        for size in of_a.keys() & of_b.keys()
    ]
    size, seeds = max(((size, seeds) for size, seeds in shared if seeds), default=(None, []))
    if size is None:
        return None
    left, right = ([one[size].counts[seed] for seed in seeds] for one in (of_a, of_b))
    return {
        "a": a,
        "b": b,
        "size": size,
        "difference": plain.fmean(map(score, left)) - plain.fmean(map(score, right)),
        "interval": list(difference_interval(left, right)),
        "p": approximate_randomization(np.sum(left, 0), np.sum(right, 0)),
    }


def _words(task: Task, item: Any, gold: Any) -> list[str]:
    """What the labels of an item belong to; of segmenters the words of gold."""
    return gold if task == "segmenters" else [item] if task == "classifiers" else item


def _sentences(grid: Grid, best: Mapping[str, _Runs], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Test items and the models' answers to them, of each model as it was trained with its first seed."""
    test, entities = grid.sources.test.part, grid.task == "taggers" and grid.sources.metric == "f1"

    def labels(answer: Any) -> list[str]:
        return to_iob2(answer) if entities else [answer] if isinstance(answer, str) else answer

    given = {name: runs.answers_of_first("test") for name, runs in best.items()}
    return [
        {
            "words": _words(grid.task, test.items[i], test.gold[i]),
            "gold": labels(test.gold[i]),
            "tags": {name: labels(rows[i]) for name, rows in given.items()},
            "text": test.items[i] if isinstance(test.items[i], str) else None,
        }
        for i in numbers
    ]
