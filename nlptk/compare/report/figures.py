"""The figures of a report as PNG and SVG, drawn with matplotlib in the page's light colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nlptk.compare.report.content import finished, significant
from nlptk.compare.report.palette import MARKS, colour_of
from nlptk.compare.report.places import place_labels, spread
from nlptk.draw.figures import plain, write_figure
from nlptk.render import clip

Results = dict[str, Any]
_INK, _SOFT, _LINE = "#1c1b1a", "#6a6660", "#e4e1da"
_MOST_LABELS = 40
_NAME = 24  # columns of a name, of which the rest is cut off


def write_figures(results: Results, folder: Path) -> tuple[list[Path], list[str]]:
    """Write those of `FIGURES` that there are numbers for, each as PNG and as SVG.

    Returns:
        The files, and the characters that no installed font has.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        DataError: a file cannot be written.
    """
    written: list[Path] = []
    missing: set[str] = set()
    text = _text(results)
    for name, (has, size, draw) in FIGURES.items():
        if not has(results):
            continue
        paths = {form: folder / f"{name}.{form}" for form in ("png", "svg")}
        missing.update(write_figure(paths, text, size(results), partial(draw, results=results)))
        written += paths.values()
    return written, sorted(missing)


def _text(results: Results) -> str:
    models = finished(results)
    names = [model["name"] for model in models]
    labels = [label for model in models for label in model["best"].get("per_label") or ()]
    conditions = [what for model in models for what in model.get("robustness") or ()]
    return "".join({*names, *labels, *conditions, str(results.get("title") or "")})


def _name(text: str) -> str:
    return plain(clip(text, _NAME))


def _score_axis(results: Results) -> str:
    return f"{'F1' if results['metric'] == 'f1' else results['metric']}, %"


def _bare(axes: Any, title: str) -> None:
    axes.set_title(plain(clip(title, 80)), loc="left", fontsize=11, color=_INK, pad=12)
    axes.grid(True, color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_SOFT, length=0, which="both", labelsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _headed(results: Results, what: str) -> str:
    title = str(results.get("title") or "")
    return f"{what} · {title}" if title else what


def frontier(axes: Any, results: Results) -> None:
    """Score against tokens a second, with the line of models that none is both faster and better than."""
    models = [model for model in finished(results) if model["best"].get("tokens_per_second")]
    _bare(axes, _headed(results, "Accuracy against speed"))
    axes.set_xscale("log")
    points = np.array([(m["best"]["tokens_per_second"], 100 * m["best"]["score"]) for m in models])
    best: list[tuple[float, float]] = []
    for x, y in sorted(points.tolist(), key=lambda at: (-at[0], -at[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    axes.step(*zip(*best[::-1], strict=True), where="pre", color=_SOFT, linewidth=1, linestyle=":")
    for model, (x, y) in zip(models, points, strict=True):
        colour = colour_of(results, model["name"])
        low, high = (100 * end for end in model["best"]["interval"])
        axes.plot([x, x], [low, high], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot(x, y, MARKS.get(model["kind"], "o"), color=colour, markersize=8)
    axes.set_xlabel("tokens a second, in batches (faster is to the right)", color=_SOFT)
    axes.set_ylabel(_score_axis(results), color=_SOFT)
    axes.margins(0.15, 0.12)
    _label_points(axes, points, [_name(model["name"]) for model in models])


def _label_points(axes: Any, points: Any, names: Sequence[str]) -> None:
    figure = axes.figure
    behind = {"facecolor": "w", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
    texts = [
        axes.text(0, 0, name, fontsize=9, color=_INK, ha="center", va="center", bbox=behind) for name in names
    ]
    for text in texts:
        text.set_in_layout(False)
    figure.draw_without_rendering()
    sizes = [(box.width + 6, box.height + 4) for box in (text.get_window_extent() for text in texts)]
    at = [(float(x), float(y)) for x, y in axes.transData.transform(points)]
    room = axes.get_window_extent()
    places = place_labels(at, sizes, (room.x0, room.y0, room.x1, room.y1))
    back = axes.transAxes.inverted()
    for text, point, size, place in zip(texts, at, sizes, places, strict=True):
        if place is None:
            text.remove()
            continue
        text.set_transform(axes.transAxes)
        text.set_position(back.transform(place))
        gap = np.maximum(np.abs(np.subtract(place, point)) - np.divide(size, 2), 0)
        if np.hypot(*gap) > 14:
            ends = back.transform([point, place])
            axes.plot(*ends.T, color=_SOFT, linewidth=0.6, zorder=1, transform=axes.transAxes)


def learning_curves(axes: Any, results: Results) -> None:
    """Score against the number of training sentences, with intervals."""
    unit = "texts" if results["task"] == "classifiers" else "sentences"
    lines = [
        (
            model,
            [point["size"] for point in model["curve"]],
            [100 * point["score"] for point in model["curve"]],
            [tuple(100 * end for end in point["interval"]) for point in model["curve"]],
        )
        for model in finished(results)
        if model.get("curve")
    ]
    _bare(axes, _headed(results, "Learning curves"))
    axes.set_xscale("log")
    sizes = sorted({size for _, xs, _, _ in lines for size in xs})
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"training {unit}", color=_SOFT)
    _lines(axes, results, lines)


def by_length(axes: Any, results: Results) -> None:
    """Score against the length of sentences."""
    models = [model for model in finished(results) if model["best"].get("by_length")]
    bins = models[0]["best"]["by_length"]
    _bare(axes, _headed(results, "By length"))
    names = [f"{b['from']}+" if b["to"] is None else f"{b['from']}-{b['to']}" for b in bins]
    axes.set_xticks(range(len(bins)), names)
    axes.set_xlabel("tokens of a sentence", color=_SOFT)
    lines = []
    for model in models:
        scored = [
            (k, 100 * b["score"]) for k, b in enumerate(model["best"]["by_length"]) if b["score"] is not None
        ]
        lines.append((model, [k for k, _ in scored], [y for _, y in scored], None))
    _lines(axes, results, [line for line in lines if line[1]])


def _lines(axes: Any, results: Results, lines: Sequence[tuple[Any, list[Any], list[float], Any]]) -> None:
    for model, xs, ys, bands in lines:
        colour = colour_of(results, model["name"])
        if bands and len(xs) > 1:
            axes.fill_between(xs, *zip(*bands, strict=True), color=colour, alpha=0.12, linewidth=0)
        elif bands:
            axes.plot([xs[0], xs[0]], bands[0], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot(xs, ys, MARKS.get(model["kind"], "o"), linestyle="-", color=colour, markersize=5)
    axes.set_ylabel(_score_axis(results), color=_SOFT)
    axes.margins(0.05, 0.08)
    low, high = axes.get_ylim()
    gap = 0.048 * (high - low)
    places = spread([ys[-1] for _, _, ys, _ in lines], gap, low, high)
    for (model, xs, ys, _), place in zip(lines, places, strict=True):
        axes.annotate(
            _name(model["name"]), (xs[-1], ys[-1]), (1.03, place), textcoords=("axes fraction", "data"),
            va="center", fontsize=9, color=_INK, annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": colour_of(results, model["name"]), "linewidth": 0.7,
                "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 3,
            },
        )  # fmt: skip


def per_label(axes: Any, results: Results) -> None:
    """F1 of each label: a bar for the best model, marks for the others; the commonest labels first."""
    models = [model for model in finished(results) if model["best"].get("per_label")]
    table = models[0]["best"]["per_label"]
    labels = _labels(results)
    rows = np.arange(len(labels))
    _bare(axes, _headed(results, f"F1 of each label (bars: {models[0]['name']})"))
    scores = [100 * (table[label]["f1"] or 0) for label in labels]
    axes.barh(rows, scores, color=colour_of(results, models[0]["name"]), alpha=0.35, height=0.7)
    for model in models:
        found = [(model["best"]["per_label"].get(label) or {}).get("f1") for label in labels]
        axes.plot(
            [np.nan if f1 is None else 100 * f1 for f1 in found], rows, MARKS.get(model["kind"], "o"),
            color=colour_of(results, model["name"]), markersize=5, label=_name(model["name"]),
        )  # fmt: skip
    axes.set_yticks(rows, [_name(label) for label in labels])
    axes.invert_yaxis()
    axes.set_xlabel("F1, %", color=_SOFT)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)


def _labels(results: Results) -> list[str]:
    (table, *_) = (m["best"]["per_label"] for m in finished(results) if m["best"].get("per_label"))
    return sorted(table, key=lambda label: -(table[label].get("gold") or 0))[:_MOST_LABELS]


def robustness(axes: Any, results: Results) -> None:
    """Scores under each condition, beside the score on the test file."""
    models = [model for model in finished(results) if model.get("robustness")]
    conditions = _conditions(results)
    _bare(axes, _headed(results, "Robustness"))
    step = 0.8 / len(models)
    for k, model in enumerate(models):
        scores = [
            model["best"]["score"],
            *((model["robustness"].get(c) or {}).get("score") for c in conditions[1:]),
        ]
        rows = np.arange(len(conditions)) + step * (k - (len(models) - 1) / 2)
        axes.plot(
            [np.nan if score is None else 100 * score for score in scores], rows,
            MARKS.get(model["kind"], "o"),
            color=colour_of(results, model["name"]), markersize=6, label=_name(model["name"]),
        )  # fmt: skip
    axes.set_yticks(range(len(conditions)), [_name(c) for c in conditions])
    axes.invert_yaxis()
    axes.set_xlabel(_score_axis(results), color=_SOFT)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)


def _conditions(results: Results) -> list[str]:
    return ["test", *dict.fromkeys(c for model in finished(results) for c in model.get("robustness") or ())]


def differences(axes: Any, results: Results) -> None:
    """Score of the row's model less the column's, in points; without colour where it is not significant."""
    names = [model["name"] for model in finished(results)]
    matrix = np.full((len(names), len(names)), np.nan)
    sizes = np.zeros(matrix.shape, int)
    coloured = np.zeros(matrix.shape, bool)
    for pair, clear in zip(results["differences"], significant(results), strict=True):
        if pair["a"] in names and pair["b"] in names and pair["difference"] is not None:
            i, j = names.index(pair["a"]), names.index(pair["b"])
            matrix[i, j], matrix[j, i] = 100 * pair["difference"], -100 * pair["difference"]
            coloured[i, j] = coloured[j, i] = clear
            sizes[i, j] = sizes[j, i] = pair["size"]
    _bare(axes, _headed(results, "Differences in points, row less column"))
    axes.grid(False)
    largest = float(np.nanmax(np.abs(matrix), initial=0)) or 1.0
    axes.imshow(np.where(coloured, matrix, np.nan), cmap="PuOr", vmin=-2 * largest, vmax=2 * largest)
    for (i, j), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = _INK if coloured[i, j] else _SOFT
            less = f"\nof {sizes[i, j]:,}" if sizes[i, j] < max(results["sizes"]) else ""  # both have no more
            axes.text(j, i, f"{value:+.2f}{less}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(
        range(len(names)), [_name(n) for n in names], rotation=45, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(names)), [_name(n) for n in names])
    axes.set_xlabel("no colour: not significant at 0.05 with Holm's correction", color=_SOFT, fontsize=9)


def _any(part: Callable[[dict[str, Any]], Any]) -> Callable[[Results], bool]:
    return lambda results: any(part(model) for model in finished(results))


def _square(results: Results) -> tuple[float, float]:
    count = len(finished(results))
    return 2.8 + 0.6 * count, 2.6 + 0.5 * count


def _high(rows: Callable[[Results], float], width: float = 8.0) -> Callable[[Results], tuple[float, float]]:
    return lambda results: (width, 1.6 + rows(results))


Draw = Callable[..., None]
Figure = tuple[Callable[[Results], bool], Callable[[Results], tuple[float, float]], Draw]

# Of each: whether there are numbers for it, its size in inches, and what draws it.
FIGURES: dict[str, Figure] = {
    "frontier": (_any(lambda m: m["best"].get("tokens_per_second")), _high(lambda _: 3.6), frontier),
    "learning_curves": (_any(lambda m: m.get("curve")), _high(lambda _: 3.6), learning_curves),
    "per_label": (
        _any(lambda m: m["best"].get("per_label")),
        _high(lambda r: max(1.5, 0.24 * len(_labels(r)))), per_label,
    ),
    "by_length": (_any(lambda m: m["best"].get("by_length")), _high(lambda _: 3.6), by_length),
    "robustness": (
        _any(lambda m: m.get("robustness")),
        _high(lambda r: len(_conditions(r)) * max(0.4, 0.14 * len(finished(r)))), robustness,
    ),
    "differences": (lambda r: bool(r.get("differences")) and len(finished(r)) > 1, _square, differences),
}  # fmt: skip
