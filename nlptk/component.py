"""Component: what a pipeline is made of. It takes Docs and fills columns, one batch at a time.

The module can be called: importing it makes it the attribute ``nlptk.component``, which must stay the
decorator.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from nlptk import registry
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self

    from nlptk.doc import Doc

ErrorHandler = Callable[[str, Any, list[Any], Exception], Any]


def raise_error(proc_name: str, proc: Any, docs: list[Any], error: Exception) -> NoReturn:
    """The default error handler: raise the error. Its signature is that of every error handler.

    `proc_name`: the component's name; `proc`: the component; `docs`: the Docs (or inputs) that failed.
    """
    raise error


class Component:
    """Base of all components: a subclass writes `annotate`, and `to_state`/`from_state` if it has state.

    `assigns` and `requires` name what it sets and needs: "doc.tokens", "doc.sents", "doc.pos", "doc.cats",
    ... The constructor takes settings only, all of them JSON-able.
    """

    name: str = ""
    assigns: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Annotate one batch in place. A failed batch is annotated again Doc by Doc, so it may run twice."""
        raise NotImplementedError(f"{type(self).__name__} must define annotate(docs)")

    def __call__(self, doc: Doc) -> Doc:
        """Annotate one Doc and return it."""
        self.annotate([doc])
        return doc

    def pipe(
        self, docs: Iterable[Doc], batch_size: int = 256, error_handler: ErrorHandler | None = None
    ) -> Iterator[Doc]:
        """Annotate a stream in batches, in order. A Doc that fails goes alone to `error_handler` and is left
        out.
        """
        handler = error_handler or raise_error
        stream = iter(docs)
        while batch := list(islice(stream, batch_size)):
            done, _ = annotate_batch(self.name or type(self).__name__, self, batch, handler)
            yield from done

    def to_state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """(JSON-able config, arrays): all that `from_state` needs.

        By default the constructor's settings, read from attributes of the same names (as scikit-learn does).
        """
        settings = [
            name
            for name, parameter in inspect.signature(type(self)).parameters.items()
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        for name in settings:
            if not hasattr(self, name):
                raise ConfigError(
                    f"{type(self).__name__} does not keep its setting {name!r} as an attribute: "
                    "it must, or define to_state and from_state"
                )
        return {name: getattr(self, name) for name in settings}, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Self:
        """The component that `to_state` described; by default ``cls(**config)``."""
        return cls(**config)


def annotate_batch(
    name: str, component: Any, docs: list[Doc], handler: ErrorHandler
) -> tuple[list[Doc], list[int] | None]:
    """Run a component over a batch: (the Docs that came through, their places in `docs` or None if all did).

    If a Component fails on the batch, each Doc is tried by itself, and only those that fail reach the
    handler.
    """
    if isinstance(component, Component):
        try:
            component.annotate(docs)
            return docs, None
        except Exception as error:
            if len(docs) == 1:
                handler(name, component, docs, error)
                return [], []
    done: list[Doc] = []
    kept: list[int] = []
    for i, doc in enumerate(docs):
        try:
            done.append(checked_doc(name, component(doc)))
            kept.append(i)
        except Exception as error:
            handler(name, component, [doc], error)
    return done, kept if len(kept) < len(docs) else None


def checked_doc(name: str, result: Any) -> Doc:
    """What a component returned, if it is a Doc. Raises ConfigError otherwise."""
    from nlptk.doc import Doc  # imports NumPy, which a tokenizer without a pipeline can do without

    if not isinstance(result, Doc):
        raise ConfigError(f"component {name!r} returned {type(result).__name__}: it must return the Doc")
    return result


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return registry.component(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
