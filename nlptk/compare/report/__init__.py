"""The report of a comparison: a page to look round in, its figures as files, all numbers as CSV.

Everything is made from the results alone (results.json), so that a report can be made again, elsewhere,
without models or corpora.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlptk.compare.report.content import checked
from nlptk.compare.report.figures import FIGURES, write_figures
from nlptk.compare.report.page import to_html
from nlptk.compare.report.table import write_csv
from nlptk.corpora.files import PathLike, atomic_writer
from nlptk.errors import DataError, MissingDependencyError

__all__ = ["to_html", "write_csv", "write_report"]


def write_report(results: dict[str, Any], folder: PathLike) -> list[Path]:
    """Write report.html, results.csv and figures/*.png and *.svg into `folder`, which is made if need be.

    Figures need matplotlib; without it the others are written, and the page says how to get them. Figures
    of an earlier report that this one does not have are removed.

    Returns:
        The files written, the page first.

    Raises:
        DataError: results of another schema, or broken ones; a file cannot be written.
    """
    results = checked(results)
    folder = Path(folder)
    figures = folder / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {str(figures)!r}: {error.strerror}") from error
    try:
        written, missing = write_figures(results, figures)
        note = f"{len(written)} figures as PNG and SVG lie beside this page, in figures/." if written else ""
        if missing:
            note += f" No installed font has {' '.join(missing)}: the PNG have boxes for them."
    except MissingDependencyError:
        written, note = [], (
            "The figures as PNG and SVG need matplotlib: pip install 'nlptk[plot]', then make the report "
            "again (nlptk compare report)."
        )  # fmt: skip
    for name in FIGURES:
        for old in (figures / f"{name}.png", figures / f"{name}.svg"):
            if old not in written:
                old.unlink(missing_ok=True)
    page, table = folder / "report.html", folder / "results.csv"
    with atomic_writer(page) as file:
        file.write(to_html(results, note))
    write_csv(results, table)
    return [page, table, *written]
