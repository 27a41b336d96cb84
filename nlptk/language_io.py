"""A pipeline to and from disk and bytes: the state of each component, by way of `nlptk.store`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from nlptk import registry, store
from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError, NlptkError
from nlptk.pipes import Pipe

if TYPE_CHECKING:
    from nlptk.language import Language

L = TypeVar("L", bound="Language")


def no_model(path: Path, embedded: Collection[str]) -> NoReturn:
    """Raise the ModelError for a name or path that is no model."""
    names = ", ".join(embedded) or "none"
    raise ModelError(
        f"there is no model at {str(path)!r}: give a folder that to_disk wrote or an embedded name ({names})"
    )


def describe(nlp: Language) -> tuple[dict[str, Any], dict[str, store.State]]:
    """(meta, name -> (config, arrays)) for `store.save_model`."""
    entries: list[dict[str, Any]] = []
    components: dict[str, store.State] = {}
    labels: dict[str, list[str]] = {}
    for pipe in nlp._pipes:
        entry: dict[str, Any] = {"name": pipe.name, "factory": pipe.factory.name}
        if not pipe.enabled:
            entry["disabled"] = True
        if pipe.factory.kind != "function" and hasattr(pipe.component, "to_state"):
            components[pipe.name] = pipe.component.to_state()
            if pipe.factory.kind == "factory":  # a factory function needs its own settings to make it again
                entry["settings"] = pipe.config
        else:
            components[pipe.name] = (pipe.config, {})
        entries.append(entry)
        found = getattr(pipe.component, "labels", None)
        if isinstance(found, (list, tuple)):
            labels[pipe.name] = list(found)
    meta = {**nlp.meta, "pipeline": entries}
    if labels:
        meta["labels"] = {**meta.get("labels", {}), **labels}
    return meta, components


def rebuild(
    cls: type[L],
    meta: dict[str, Any],
    components: dict[str, store.State],
    disable: Collection[str],
    exclude: Collection[str],
    where: str,
) -> L:
    """The pipeline of what `store.load_model` read."""
    entries = meta.pop("pipeline")
    known = {entry["name"] for entry in entries}
    for name in (*_names(disable), *_names(exclude)):
        if name not in known:
            raise ConfigError(f"{where} has no component {name!r}: it has {', '.join(known)}")
    if not isinstance(meta.get("lang"), str):
        raise ModelError(f"{where}: {store.META} names no lang")
    nlp = cls(meta["lang"], meta=meta)
    for entry in entries:
        if entry["name"] not in components:
            continue
        config, arrays = components[entry["name"]]
        if not registry.has(entry["factory"]):
            raise ModelError(
                f"{where}: component {entry['name']!r} needs the factory {entry['factory']!r}: "
                "first import the module that registers it, or load with exclude"
            )
        factory = registry.get(entry["factory"])
        try:
            component, settings = _restore(nlp, factory, entry, config, arrays)
        except (NlptkError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"{where}: component {entry['name']!r} cannot be restored: {type(error).__name__}: {error}"
            ) from error
        if isinstance(component, Component):
            component.name = entry["name"]
        enabled = not entry.get("disabled") and entry["name"] not in _names(disable)
        nlp._pipes.append(Pipe(entry["name"], factory, component, settings, enabled))
    nlp._changed()
    return nlp


def _names(names: Collection[str]) -> Collection[str]:
    return (names,) if isinstance(names, str) else names


def _restore(
    nlp: Language,
    factory: registry.Factory,
    entry: dict[str, Any],
    config: dict[str, Any],
    arrays: store.Arrays,
) -> tuple[Any, dict[str, Any]]:
    """(component, the settings that it was added with)."""
    from_state: Callable[..., Any] | None = getattr(factory.target, "from_state", None)
    if factory.kind == "class" and from_state is not None:
        return from_state(config, arrays), {}
    if "settings" not in entry:
        return factory.create(nlp, entry["name"], config), config
    settings = entry["settings"]
    component = factory.create(nlp, entry["name"], settings)
    return type(component).from_state(config, arrays), settings


def to_disk(nlp: Language, path: str | os.PathLike[str]) -> None:
    """See `Language.to_disk`."""
    store.save_model(path, *describe(nlp))


def from_disk(
    cls: type[L], path: str | os.PathLike[str], disable: Collection[str], exclude: Collection[str]
) -> L:
    """See `Language.from_disk`."""
    meta, components = store.load_model(path, _names(exclude))
    return rebuild(cls, meta, components, disable, exclude, str(path))


def to_bytes(nlp: Language) -> bytes:
    """See `Language.to_bytes`: the files of the folder, each as an array of bytes."""
    files = store.model_files(*describe(nlp))
    arrays = {name: np.frombuffer(data, np.uint8) for name, data in files.items()}
    return store.pack_sealed(arrays, "the pipeline")


def from_bytes(cls: type[L], data: bytes, disable: Collection[str], exclude: Collection[str]) -> L:
    """See `Language.from_bytes`."""
    where = "the bytes of a pipeline"
    files = store.unpack_sealed(data, where)

    def read(name: str) -> store.Bytes:
        if name not in files:
            raise ModelError(f"{where}: {name} is missing")
        return files[name].data

    meta, components = store.parse_model(read, where, _names(exclude))
    return rebuild(cls, meta, components, disable, exclude, where)
