"""``nlptk info``: this installation, or one model: its parts, data, scores and licence."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.render import visible

if TYPE_CHECKING:
    from rich.table import Table

PACKAGES = ("numpy", "safetensors", "scikit-learn", "jieba", "typer", "rich", "torch", "hanlp", "spacy")
ORDER = ("name", "lang", "version", "description", "pipeline", "data", "scores", "license")


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="A pipeline's name or folder; nothing: the installation.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Show versions, instruction set and embedded pipelines, or what is known of one model.

    Example: nlptk info en --json
    """
    answer = _installation() if model is None else _model(model)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    Console(highlight=False).print(_table(answer))


def _installation() -> dict[str, Any]:
    from nlptk import __version__, _core
    from nlptk.store import embedded_pipelines

    return {
        "nlptk": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "instruction_set": _core.isa(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "pipelines": {name: _summary(folder) for name, folder in embedded_pipelines().items()},
    }


def _summary(folder: Path) -> dict[str, Any]:
    """What the list of pipelines says of each; the model itself is not loaded."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return {
        "version": meta.get("version", ""),
        "components": [entry["name"] for entry in meta["pipeline"]],
        "license": meta.get("license", ""),
        "megabytes": round(sum(file.stat().st_size for file in folder.iterdir()) / 1e6, 2),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _model(name: str) -> dict[str, Any]:
    import nlptk

    meta = nlptk.load(name).meta
    return {key: meta[key] for key in (*ORDER, *(key for key in meta if key not in ORDER)) if key in meta}


def _table(answer: Mapping[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in answer.items():
        table.add_row(Text(visible(key)), Text("\n".join(_lines(value))))
    return table


def _lines(value: Any) -> list[str]:
    """A JSON value as lines: a mapping a line a key, nested ones indented, everything else on one line."""
    if isinstance(value, Mapping):
        lines = []
        for key, inner in value.items():
            below = _lines(inner)
            if isinstance(inner, Mapping) and inner:
                lines += [f"{visible(str(key))}:", *(f"  {line}" for line in below)]
            else:
                lines.append(f"{visible(str(key))}: {below[0]}")
        return lines or ["-"]
    if isinstance(value, (list, tuple)):
        return [", ".join(" ".join(_lines(item)) for item in value) or "-"]
    if isinstance(value, float):
        return [f"{value:.4g}"]
    return [visible(str(value)) or "-"]
