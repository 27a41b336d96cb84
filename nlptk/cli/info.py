"""``nlptk info``: this installation, or one model: its parts, data, scores and licence."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.tables import pairs

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
    typer.echo(pairs(answer))


def _installation() -> dict[str, Any]:
    import nlptk
    from nlptk import _core
    from nlptk.store import embedded_pipelines

    return {
        "nlptk": nlptk.__version__,
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

    nlp = nlptk.load(name)
    parts = nlp.analyze_pipes()["summary"]
    meta = {
        **nlp.meta,
        "pipeline": [
            {"name": pipe, "factory": nlp.pipe_factories[pipe], "assigns": list(parts[pipe]["assigns"])}
            for pipe in nlp.pipe_names
        ],
    }
    return {key: meta[key] for key in (*ORDER, *(key for key in meta if key not in ORDER)) if key in meta}
