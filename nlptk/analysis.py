"""What the components of a pipeline assign and require, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def analyze(
    pipes: Sequence[tuple[str, Sequence[str], Sequence[str]]], pretty: bool = False
) -> dict[str, Any]:
    """See `Language.analyze_pipes`; `pipes` are (name, assigns, requires) in order."""
    problems: dict[str, list[str]] = {}
    attrs: dict[str, dict[str, list[str]]] = {}
    assigned: set[str] = set()
    for name, assigns, requires in pipes:
        problems[name] = [attribute for attribute in requires if attribute not in assigned]
        assigned.update(assigns)
        for kind, attributes in (("assigns", assigns), ("requires", requires)):
            for attribute in attributes:
                attrs.setdefault(attribute, {"assigns": [], "requires": []})[kind].append(name)
    result = {
        "summary": {name: {"assigns": list(a), "requires": list(r)} for name, a, r in pipes},
        "problems": problems,
        "attrs": attrs,
    }
    if pretty:
        print(format_analysis(result))
    return result


def format_analysis(analysis: dict[str, Any]) -> str:
    """The analysis as a table, with a line for each component that misses something."""
    rows = [("#", "component", "assigns", "requires")]
    for i, (name, item) in enumerate(analysis["summary"].items()):
        rows.append((str(i), name, ", ".join(item["assigns"]), ", ".join(item["requires"])))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    problems = [
        f"{name} requires {', '.join(missing)}, which nothing before it assigns"
        for name, missing in analysis["problems"].items()
        if missing
    ]
    return "\n".join([*lines, "", *(problems or ["nothing is missing"])])
