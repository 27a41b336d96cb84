"""The components of a pipeline and their order: looking at them, adding, removing, disabling.

`nlptk.language.Language` is a `Pipes` that can be called, streamed through and saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nlptk import registry
from nlptk.analysis import analyze
from nlptk.component import Component
from nlptk.doc import Doc
from nlptk.errors import ConfigError


@dataclass
class Pipe:
    """One place in the pipeline."""

    name: str
    factory: registry.Factory
    component: Any
    config: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True

    @property
    def assigns(self) -> tuple[str, ...]:
        """What it sets, such as "doc.pos"."""
        return self.factory.assigns or tuple(getattr(self.component, "assigns", ()))

    @property
    def requires(self) -> tuple[str, ...]:
        """What it needs, such as "doc.tokens"."""
        return self.factory.requires or tuple(getattr(self.component, "requires", ()))

    @property
    def tokenizes(self) -> bool:
        """Whether it makes the first tokens (one that needs tokens too may change those that are there)."""
        return "doc.tokens" in self.assigns and "doc.tokens" not in self.requires


class Step(NamedTuple):
    """One active component, as the calls need it."""

    name: str
    component: Any
    tokenizes: bool  # skipped for a Doc that has tokens
    needs_tokens: bool


class Pipes:
    """An ordered set of named components."""

    def __init__(self) -> None:
        self._pipes: list[Pipe] = []
        self._plan: tuple[Step, ...] = ()

    # ---- looking ------------------------------------------------------------------------------------------

    @property
    def component_names(self) -> list[str]:
        """All components, disabled ones too, in order."""
        return [pipe.name for pipe in self._pipes]

    @property
    def pipe_names(self) -> list[str]:
        """The components that are active, in order."""
        return [pipe.name for pipe in self._pipes if pipe.enabled]

    @property
    def disabled(self) -> list[str]:
        """The components that are disabled."""
        return [pipe.name for pipe in self._pipes if not pipe.enabled]

    @property
    def components(self) -> list[tuple[str, Any]]:
        """(name, component) of all."""
        return [(pipe.name, pipe.component) for pipe in self._pipes]

    @property
    def pipeline(self) -> list[tuple[str, Any]]:
        """(name, component) of those that are active."""
        return [(pipe.name, pipe.component) for pipe in self._pipes if pipe.enabled]

    @property
    def pipe_factories(self) -> dict[str, str]:
        """Component name -> the name of its factory."""
        return {pipe.name: pipe.factory.name for pipe in self._pipes}

    def has_pipe(self, name: str) -> bool:
        """Whether an active component has this name."""
        return name in self.pipe_names

    def get_pipe(self, name: str) -> Any:
        """The component of this name, active or not. Raises ConfigError if there is none."""
        return self._find(name).component

    def analyze_pipes(self, *, pretty: bool = False) -> dict[str, Any]:
        """What the active components assign and require, and what is missing where it is needed.

        Returns {"summary": {name: {"assigns", "requires"}}, "problems": {name: [missing]}, "attrs":
        {attribute: {"assigns": [names], "requires": [names]}}}; ``pretty=True`` prints it as a table too.
        """
        return analyze([(p.name, p.assigns, p.requires) for p in self._pipes if p.enabled], pretty)

    def _find(self, name: str) -> Pipe:
        for pipe in self._pipes:
            if pipe.name == name:
                return pipe
        raise ConfigError(
            f"the pipeline has no component {name!r}: it has {', '.join(self.component_names) or 'none'}"
        )

    # ---- editing ------------------------------------------------------------------------------------------

    def add_pipe(
        self,
        factory: str | Component | Callable[[Doc], Doc],
        name: str | None = None,
        *,
        before: str | int | None = None,
        after: str | int | None = None,
        first: bool = False,
        last: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Add a component, last unless a place is given, and return it.

        `factory`: a registered name, or an instance of a registered component; `before`, `after`: the name or
        index of another; `config`: its settings. Raises ConfigError for a name that is unknown or taken.
        """
        if isinstance(factory, str):
            pipe = self._made(factory, name or factory, config)
        else:
            pipe = self._wrapped(factory, name, config)
        if pipe.name in self.component_names:
            raise ConfigError(
                f"the pipeline has a component {pipe.name!r} already: give this one another name"
            )
        self._pipes.insert(self._place(before, after, first, last), pipe)
        self._changed()
        return pipe.component

    def _made(self, factory_name: str, name: str, config: Mapping[str, Any] | None) -> Pipe:
        factory = registry.get(factory_name)
        settings = dict(config or {})
        component = factory.create(self, name, settings)
        if not callable(component):
            raise ConfigError(
                f"factory {factory_name!r} made {type(component).__name__}, which cannot be called"
            )
        if isinstance(component, Component):
            component.name = name
        return Pipe(name, factory, component, settings)

    def _wrapped(self, component: Any, name: str | None, config: Mapping[str, Any] | None) -> Pipe:
        factory_name = registry.name_of(component)
        if factory_name is None:
            raise ConfigError(
                f"{component!r} is no registered component: decorate it with @nlptk.component "
                "and add it by name"
            )
        if config:
            raise ConfigError("config is for a component added by name: an instance has its settings already")
        name = name or getattr(component, "name", "") or factory_name
        if isinstance(component, Component):
            component.name = name
        return Pipe(name, registry.get(factory_name), component)

    def _place(self, before: str | int | None, after: str | int | None, first: bool, last: bool) -> int:
        if (before is not None) + (after is not None) + bool(first) + bool(last) > 1:
            raise ConfigError("give only one of before, after, first and last")
        if before is not None:
            return self._position(before)
        if after is not None:
            return self._position(after) + 1
        return 0 if first else len(self._pipes)

    def _position(self, where: str | int) -> int:
        if isinstance(where, str):
            return self._pipes.index(self._find(where))
        if not 0 <= where < len(self._pipes):
            raise ConfigError(f"there is no component at place {where}: the pipeline has {len(self._pipes)}")
        return where

    def remove_pipe(self, name: str) -> tuple[str, Any]:
        """Take a component out and return (name, component)."""
        pipe = self._find(name)
        self._pipes.remove(pipe)
        self._changed()
        return name, pipe.component

    def rename_pipe(self, old_name: str, new_name: str) -> None:
        """Give a component another name."""
        pipe = self._find(old_name)
        if new_name != old_name and new_name in self.component_names:
            raise ConfigError(f"the pipeline has a component {new_name!r} already")
        pipe.name = new_name
        if isinstance(pipe.component, Component):
            pipe.component.name = new_name
        self._changed()

    def replace_pipe(self, name: str, factory_name: str, *, config: Mapping[str, Any] | None = None) -> Any:
        """Put a new component in a component's place, under its name, and return it."""
        old = self._find(name)
        new = self._made(factory_name, name, config)
        new.enabled = old.enabled
        self._pipes[self._pipes.index(old)] = new
        self._changed()
        return new.component

    def disable_pipe(self, name: str) -> None:
        """Leave a component out until `enable_pipe`."""
        self._find(name).enabled = False
        self._changed()

    def enable_pipe(self, name: str) -> None:
        """Take a disabled component in again."""
        self._find(name).enabled = True
        self._changed()

    def select_pipes(
        self, *, disable: str | Iterable[str] | None = None, enable: str | Iterable[str] | None = None
    ) -> DisabledPipes:
        """Disable components, or all but those of `enable`, until the end of a ``with`` or `restore()`."""
        if (disable is None) == (enable is None):
            raise ConfigError("select_pipes needs either disable or enable")
        if disable is not None:
            out = self._known(disable)
        else:
            out = set(self.component_names) - self._known(enable or ())
        return DisabledPipes(self, [name for name in self.pipe_names if name in out])

    def _changed(self) -> None:
        self._plan = self._steps()

    def _steps(self, disable: Iterable[str] = ()) -> tuple[Step, ...]:
        left_out = self._known(disable)
        return tuple(
            Step(p.name, p.component, p.tokenizes, "doc.tokens" in p.requires)
            for p in self._pipes
            if p.enabled and p.name not in left_out
        )

    def _known(self, names: Iterable[str]) -> set[str]:
        wanted = {names} if isinstance(names, str) else set(names)
        for name in wanted:
            self._find(name)
        return wanted


class DisabledPipes(list[str]):
    """The names that `Language.select_pipes` has disabled; enables them again on `restore` or leaving
    ``with``.
    """

    def __init__(self, nlp: Pipes, names: Iterable[str]) -> None:
        super().__init__(names)
        self._nlp = nlp
        for name in self:
            nlp.disable_pipe(name)

    def __enter__(self) -> DisabledPipes:
        return self

    def __exit__(self, *args: object) -> None:
        self.restore()

    def restore(self) -> None:
        """Enable them again."""
        for name in self:
            if name in self._nlp.component_names:
                self._nlp.enable_pipe(name)
        self.clear()
