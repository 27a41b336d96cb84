"""``nlptk info``: this installation, or one model: its parts, data, scores and licence."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.tables import pairs
from nlptk.errors import ModelError
from nlptk.machine import cores, installed

PACKAGES = ("numpy", "safetensors", "scikit-learn", "jieba", "typer", "rich", "torch", "hanlp", "spacy")
ORDER = ("name", "lang", "version", "description", "pipeline", "data", "scores", "license")


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="A pipeline's name, or what nlptk trained: a folder or a file; nothing: the installation.",
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
        "cores": cores(),
        "packages": installed(PACKAGES),
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


def _model(name: str) -> dict[str, Any]:
    import nlptk
    from nlptk.store import embedded_pipelines, load_model, read_meta

    path = Path(name)
    if name not in embedded_pipelines() and path.is_file():
        return _file(path)
    # A translator or n-grams are a model that is no pipeline.
    if name not in embedded_pipelines() and path.is_dir() and "lang" not in read_meta(path):
        meta, states = load_model(path)
        known = _ordered(meta, meta["pipeline"])
        return {**known, **{name: _described(*state) for name, state in states.items()}}
    nlp = nlptk.load(name)
    parts = nlp.analyze_pipes()["summary"]
    return _ordered(
        nlp.meta,
        [
            {"name": pipe, "factory": nlp.pipe_factories[pipe], "assigns": list(parts[pipe]["assigns"])}
            for pipe in nlp.pipe_names
        ],
    )


def _ordered(meta: Mapping[str, Any], pipeline: list[dict[str, Any]]) -> dict[str, Any]:
    meta = {**meta, "pipeline": pipeline}
    return {key: meta[key] for key in (*ORDER, *(key for key in meta if key not in ORDER)) if key in meta}


def _described(config: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Size of a model without a pipeline, and the settings that are not left to it."""
    numbers = sum(array.size for array in arrays.values())
    return {"numbers": numbers, **{key: value for key, value in config.items() if value is not None}}


def _file(path: Path) -> dict[str, Any]:
    """What a safetensors file holds: vectors, or a neural language model."""
    from nlptk.store import load_json, unpack

    try:
        arrays = unpack(path.read_bytes(), str(path))
    except OSError as error:
        raise ModelError(f"cannot read {str(path)!r}: {error.strerror}") from error
    config = arrays.pop("config", None)
    settings = {} if config is None else load_json(config.tobytes(), str(path))
    return {
        "name": path.name,
        "megabytes": round(path.stat().st_size / 1e6, 2),
        **_described(settings, arrays),
        "arrays": {name: f"{array.dtype} {list(array.shape)}" for name, array in arrays.items()},
    }
