"""All numbers of the results as one long table: a row for each number, with what it is of."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from nlptk.compare.report.content import checked
from nlptk.corpora.files import PathLike, atomic_writer

COLUMNS = (
    "part", "model", "other", "size", "seed", "item", "measure", "value", "low", "high", "status", "why",
)  # fmt: skip
_BEST = ("train_seconds", "train_memory_bytes", "tokens_per_second", "load_seconds", "memory_bytes",
         "disk_bytes", "energy_joules")  # fmt: skip
Row = dict[str, Any]


def write_csv(results: dict[str, Any], path: PathLike) -> None:
    """Write the table: UTF-8, a header, empty cells for what a number does not have.

    `part` says what a row is of: "cells" (each training), "curve" (over seeds), "best" (at a model's greatest
    size), "per label", "by length", "robustness", "differences" (of `model` and `other`: score, interval and
    p) or "disagreements" (units that `model` has right and `other` wrong).

    Raises:
        DataError: results of another schema; the file cannot be written.
    """
    with atomic_writer(path) as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_rows(checked(results)))


def _rows(results: dict[str, Any]) -> Iterator[Row]:
    for model in results["models"]:
        for row in _of_model(model):
            yield {"model": model["name"], **row}
    for pair in results.get("differences") or ():
        of: Row = {"part": "differences", "model": pair["a"], "other": pair["b"], "size": pair["size"]}
        yield {**of, "measure": "score", "value": pair["difference"], **_interval(pair)}
        yield {**of, "measure": "p", "value": pair["p"]}
    for pair in results.get("disagreements") or ():
        yield {
            "part": "disagreements", "model": pair["right"], "other": pair["wrong"], "measure": "units",
            "value": pair["units"],
        }  # fmt: skip


def _of_model(model: Row) -> Iterator[Row]:
    for cell in model["cells"]:
        of = {name: cell[name] for name in ("size", "seed", "status", "why")} | {"part": "cells"}
        yield {**of, "measure": "score", "value": cell["score"], **_interval(cell)}
        for measure in ("dev_score", "seconds", "train_seconds", "train_memory_bytes"):
            if cell.get(measure) is not None:
                yield {**of, "measure": measure, "value": cell[measure]}
    for point in model.get("curve") or ():
        yield {
            "part": "curve", "size": point["size"], "measure": "score", "value": point["score"],
            **_interval(point),
        }  # fmt: skip
    best = model.get("best")
    if best:
        yield from ({"size": best["size"], **row} for row in _of_best(best))
    for what, found in (model.get("robustness") or {}).items():
        yield {"part": "robustness", "item": what, "measure": "score", "value": found["score"],
               **_interval(found)}  # fmt: skip


def _of_best(best: Row) -> Iterator[Row]:
    of = {"part": "best"}
    yield {**of, "measure": "score", "value": best["score"], **_interval(best)}
    seeds = best.get("seeds") or {}
    for measure in ("mean", "std"):
        if seeds.get(measure) is not None:
            yield {**of, "item": "seeds", "measure": measure, "value": seeds[measure]}
    for words in ("known", "unknown"):
        for measure, value in (best.get(words) or {}).items():
            yield {**of, "item": words, "measure": measure, "value": value}
    for measure in _BEST:
        if best.get(measure) is not None:
            yield {**of, "measure": measure, "value": best[measure]}
    for quantile, value in (best.get("latency_ms") or {}).items():
        yield {**of, "item": quantile, "measure": "latency_ms", "value": value}
    for label, scores in (best.get("per_label") or {}).items():
        for measure, value in scores.items():
            yield {"part": "per label", "item": label, "measure": measure, "value": value}
    for bin_ in best.get("by_length") or ():
        item = f"{bin_['from']}-{'' if bin_['to'] is None else bin_['to']}"
        for measure in ("score", "sentences"):
            yield {"part": "by length", "item": item, "measure": measure, "value": bin_[measure]}


def _interval(of: Row) -> Row:
    low, high = of.get("interval") or (None, None)
    return {"low": low, "high": high}
