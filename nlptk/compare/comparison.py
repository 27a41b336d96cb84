"""What a comparison gives: the results as a dict, as tables, and as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nlptk.compare.durations import shown
from nlptk.corpora.files import PathLike
from nlptk.errors import DataError, MissingDependencyError
from nlptk.store import write_atomic

RESULTS = "results.json"
_NUMBERS = (
    "size", "score", "low", "high", "known", "unknown", "train_seconds", "train_memory_bytes",
    "tokens_per_second", "p50_ms", "p95_ms", "load_seconds", "memory_bytes", "disk_bytes", "energy_joules",
)  # fmt: skip
_MEGA = 1e6


class Comparison:
    """The results of :func:`nlptk.compare`.

    Attributes:
        results: all of them, JSON-able; docs/compare.md says what each entry means.
    """

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results

    @classmethod
    def load(cls, folder: PathLike) -> Comparison:
        """That of a folder which a run wrote. Raises DataError where there is none."""
        path = Path(folder) / RESULTS
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(
                f"{folder} holds no results of a comparison: {error.strerror} ({RESULTS})"
            ) from None
        except ValueError as error:
            raise DataError(f"{path} is no JSON: {error}") from None
        if not isinstance(found, dict) or "models" not in found:
            raise DataError(f"{path} is not what a comparison writes")
        return cls(found)

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order asked for."""
        return [one["name"] for one in self.results["models"]]

    @property
    def best(self) -> str | None:
        """The model of the best score, each at the greatest size that it has; None where none ended well."""
        done = [one for one in self.results["models"] if one["best"] is not None]
        best = max(done, key=lambda one: one["best"]["score"], default=None)
        return None if best is None else str(best["name"])

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.models)}: {self.results['title']}>"

    def without_texts(self) -> Comparison:
        """The same without the sentences of the test set."""
        return Comparison({**self.results, "sentences": None})

    # ---- tables --------------------------------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """One row for each model, of plain numbers; None where something was not measured."""
        return [_row(one) for one in self.results["models"]]

    def summary(self) -> tuple[list[str], list[list[str]]]:
        """Titles and cells of the table that a person reads, a row for each model, best first.

        What no model has, as texts have no known words, is left out.
        """
        metric = self.results["metric"]
        titles = [
            "model", f"{metric}, %", "95 % interval", "known", "unknown", "learnt from", "training",
            "tokens/s", "ms, p50", "ms, p95", "memory", "on disk",
        ]  # fmt: skip
        done = sorted((row for row in self.rows() if row["score"] is not None), key=lambda row: -row["score"])
        cells = [_cells(row) for row in done]
        kept = [i for i in range(len(titles)) if not cells or any(row[i] for row in cells)]
        return [titles[i] for i in kept], [[row[i] for i in kept] for row in cells]

    def differences(self) -> tuple[list[str], list[list[str]]]:
        """Titles and cells of the differences between models."""
        cells = [
            [
                f"{one['a']} - {one['b']}",
                f"{one['size']:,}",
                f"{100 * one['difference']:+.2f}",
                " to ".join(f"{100 * bound:+.2f}" for bound in one["interval"]),
                f"{one['p']:.4f}",
            ]
            for one in self.results["differences"]
        ]
        return ["difference", "learnt from", "points", "95 % interval", "p"], cells

    def problems(self) -> list[str]:
        """Warnings, and cells that failed, were skipped or left out, one sentence each."""
        found = list(self.results["warnings"])
        for model in self.results["models"]:
            why: dict[tuple[str, str], list[int]] = {}
            for cell in model["cells"]:
                if cell["status"] != "done":
                    why.setdefault((cell["status"], cell["why"] or ""), []).append(cell["size"])
            found += [
                f"{model['name']} {status}"
                + (
                    ""
                    if status == "skipped"
                    else f" at {', '.join(f'{size:,}' for size in sorted(set(sizes)))}"
                )
                + f": {reason}"
                for (status, reason), sizes in why.items()
            ]
        return found

    def to_markdown(self) -> str:
        """The tables as Markdown: models, then differences where there are two models or more."""
        parts = [f"### {self.results['title']}", _markdown(*self.summary())]
        titles, cells = self.differences()
        if cells:
            parts.append(_markdown(titles, cells))
        if problems := self.problems():
            parts.append("\n".join(f"- {line}" for line in problems))
        return "\n\n".join(parts) + "\n"

    def to_pandas(self) -> Any:
        """`rows` as a DataFrame, indexed by model. Raises MissingDependencyError without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise MissingDependencyError("to_pandas needs pandas: pip install pandas") from error
        return pandas.DataFrame(self.rows()).set_index("model")

    # ---- files ---------------------------------------------------------------------------------------------

    def to_json(self, path: PathLike | None = None) -> str:
        """All results as JSON; written to `path` too, where one is given."""
        text = json.dumps(self.results, ensure_ascii=False, indent=1) + "\n"
        if path is not None:
            _write(path, text)
        return text

    def to_csv(self, path: PathLike) -> None:
        """All numbers as one long table, a row for each: see :func:`nlptk.compare.report.write_csv`."""
        from nlptk.compare.report import write_csv

        write_csv(self.results, path)

    def to_html(self, path: PathLike) -> None:
        """The report as one page that needs no network."""
        from nlptk.compare.report import to_html

        _write(path, to_html(self.results))

    def write(self, folder: PathLike) -> None:
        """results.json, and the report: report.html, results.csv, figures. Raises DataError if it cannot."""
        from nlptk.compare.report import write_report

        self.to_json(Path(folder) / RESULTS)
        write_report(self.results, folder)


def _row(model: Mapping[str, Any]) -> dict[str, Any]:
    best = model["best"]
    row: dict[str, Any] = {"model": model["name"], "kind": model["kind"], **dict.fromkeys(_NUMBERS)}
    if best is None:
        return row
    row |= {name: best[name] for name in _NUMBERS if name in best and name not in ("known", "unknown")}
    row["low"], row["high"] = best["interval"]
    for name in ("known", "unknown"):
        row[name] = best[name]["score"] if best[name] else None
    if best["latency_ms"]:
        row["p50_ms"], row["p95_ms"] = best["latency_ms"]["p50"], best["latency_ms"]["p95"]
    return row


def _cells(row: Mapping[str, Any]) -> list[str]:
    def percent(value: float | None) -> str:
        return "" if value is None else f"{100 * value:.2f}"

    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    return [
        row["model"],
        percent(row["score"]),
        f"{percent(row['low'])} to {percent(row['high'])}",
        percent(row["known"]),
        percent(row["unknown"]),
        f"{row['size']:,}",
        "" if row["train_seconds"] is None else shown(row["train_seconds"]),
        number(row["tokens_per_second"], ",.0f"),
        number(row["p50_ms"], ".2f"),
        number(row["p95_ms"], ".2f"),
        f"{row['memory_bytes'] / _MEGA:,.0f} MB",
        f"{row['disk_bytes'] / _MEGA:,.1f} MB",
    ]


def _markdown(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    rows = [titles, ["---", *["---:"] * (len(titles) - 1)], *cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _write(path: PathLike, text: str) -> None:
    try:
        write_atomic(path, text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise DataError(f"cannot write {str(path)!r}: {error.strerror}") from error
