"""Language: the pipeline. Call it, stream through it, edit it, save it, load it.

Components are reached by registry name only. The tokenizer is a component like any other, usually the first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload

from nlptk import language_io, language_pipe, registry
from nlptk.analysis import analyze
from nlptk.component import Component, ErrorHandler, checked_doc, raise_error
from nlptk.doc import Doc
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

C = TypeVar("C")

BLANK_TOKENIZERS = {"en": "tokenizer_en", "zh": "char_tokenizer", "xx": "char_tokenizer"}


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


class Language:
    """A pipeline of components for one language.

    >>> import nlptk
    >>> nlp = nlptk.blank("xx")
    >>> [token.text for token in nlp("Hello world")]
    ['Hello', 'world']
    """

    def __init__(self, lang: str = "xx", *, meta: Mapping[str, Any] | None = None) -> None:
        self.meta: dict[str, Any] = {"lang": lang, "name": "pipeline", "version": "0.0.0", **(meta or {})}
        self.default_error_handler: ErrorHandler = raise_error
        self._pipes: list[Pipe] = []
        self._plan: tuple[Step, ...] = ()

    # ---- running ------------------------------------------------------------------------------------------

    @property
    def lang(self) -> str:
        """The language's code, such as "en"."""
        return str(self.meta["lang"])

    def make_doc(self, text: str) -> Doc:
        """A Doc of this text with no tokens yet. Raises ConfigError if it is not a str."""
        if not isinstance(text, str):
            raise ConfigError(
                f"nlp takes a str or a Doc, not {type(text).__name__}: "
                "decode bytes first, and use nlp.pipe for many texts"
            )
        return Doc(text)

    def __call__(self, text: str | Doc, *, disable: Sequence[str] = ()) -> Doc:
        """Annotate one text, or a Doc in place. `disable` names components to leave out this once.

        An error goes to `default_error_handler`; if that returns, the Doc goes on to the next component.
        """
        doc = text if isinstance(text, Doc) else self.make_doc(text)
        for name, component, tokenizes, needs_tokens in self._steps(disable) if disable else self._plan:
            if tokenizes and doc.is_tokenized:
                continue
            try:
                if needs_tokens and not doc.is_tokenized:
                    raise language_pipe.no_tokens(name)
                result = component(doc)
                doc = result if isinstance(result, Doc) else checked_doc(name, result)
            except Exception as error:
                self.default_error_handler(name, component, [doc], error)
        return doc

    @overload
    def pipe(
        self,
        texts: Iterable[str | Doc],
        *,
        as_tuples: Literal[False] = ...,
        batch_size: int = ...,
        n_process: int = ...,
        disable: Sequence[str] = ...,
        error_handler: ErrorHandler | None = ...,
    ) -> Iterator[Doc]: ...

    @overload
    def pipe(
        self,
        texts: Iterable[tuple[str | Doc, C]],
        *,
        as_tuples: Literal[True],
        batch_size: int = ...,
        n_process: int = ...,
        disable: Sequence[str] = ...,
        error_handler: ErrorHandler | None = ...,
    ) -> Iterator[tuple[Doc, C]]: ...

    def pipe(
        self,
        texts: Iterable[Any],
        *,
        as_tuples: bool = False,
        batch_size: int = 256,
        n_process: int = 1,
        disable: Sequence[str] = (),
        error_handler: ErrorHandler | None = None,
    ) -> Iterator[Any]:
        """Annotate a stream of texts or Docs lazily and in order; close the iterator to stop early.

        Parameters: `as_tuples`: take (text, context) and give (Doc, context); `batch_size`: Docs for each
        call of a component; `n_process`: worker processes (-1: one for each CPU), started by "spawn", so a
        script needs ``if __name__ == "__main__":``; `disable`: components to leave out; `error_handler`:
        called as ``handler(proc_name, proc, docs, error)`` with the one Doc that failed, which is then left
        out of the output if the handler returns (default: `default_error_handler`, which raises).
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, not {batch_size}")
        if n_process == -1:
            n_process = os.cpu_count() or 1
        if n_process < 1:
            raise ConfigError(f"n_process must be at least 1, or -1 for one for each CPU, not {n_process}")
        if isinstance(texts, (str, bytes, Doc)):
            raise ConfigError("nlp.pipe takes many texts: for one, call nlp(text)")
        handler = error_handler or self.default_error_handler
        plan = self._steps(disable)
        if n_process == 1:
            return language_pipe.stream(self, plan, texts, as_tuples, batch_size, handler)
        return language_pipe.stream_processes(self, plan, texts, as_tuples, batch_size, handler, n_process)

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Set `default_error_handler`: ``handler(proc_name, proc, docs, error)``."""
        self.default_error_handler = error_handler

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

    # ---- saving -------------------------------------------------------------------------------------------

    def to_disk(self, path: str | os.PathLike[str]) -> None:
        """Save the pipeline as a folder, at once or not at all (see `nlptk.store.save_model`)."""
        language_io.to_disk(self, path)

    @classmethod
    def from_disk(
        cls, path: str | os.PathLike[str], *, disable: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> Self:
        """The pipeline that `to_disk` saved; `disable` loads components inactive, `exclude` leaves them out.

        Raises ModelError naming file and cause if anything is missing, truncated, altered or unknown.
        """
        return language_io.from_disk(cls, path, disable, exclude)

    def to_bytes(self) -> bytes:
        """The pipeline as one safetensors container. Raises ConfigError if a config is not JSON-able."""
        return language_io.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes, *, disable: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """The pipeline that `to_bytes` gave. Raises ModelError if the data is truncated or altered."""
        return language_io.from_bytes(cls, data, disable, exclude)


class DisabledPipes(list[str]):
    """The names that `Language.select_pipes` has disabled; enables them again on `restore` or leaving
    ``with``.
    """

    def __init__(self, nlp: Language, names: Iterable[str]) -> None:
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


def blank(lang: str) -> Language:
    """A pipeline with only a tokenizer: "en" (rules), "zh" (a token for each Han character) or "xx" (any
    language).
    """
    if lang not in BLANK_TOKENIZERS:
        raise ConfigError(f"there is no language {lang!r}: use one of {', '.join(BLANK_TOKENIZERS)}")
    nlp = Language(lang)
    nlp.add_pipe(BLANK_TOKENIZERS[lang], name="tokenizer")
    return nlp


def load(
    name: str | os.PathLike[str], *, disable: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Language:
    """Load a pipeline: the name of an embedded one ("en", "zh") or the path of a folder that `to_disk` wrote.

    Raises ModelError, naming file and cause, if there is none or it is damaged.
    """
    embedded = language_io.embedded_pipelines()
    path = embedded.get(name, Path(name)) if isinstance(name, str) else Path(name)
    if not path.is_dir():
        language_io.no_model(path, embedded)
    return Language.from_disk(path, disable=disable, exclude=exclude)
