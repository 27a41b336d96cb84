"""Component factories by name. A model file names factories only; nothing in it names code to import.

Built-in factories are "module:attribute" strings, imported when first used; others register themselves with
`@nlptk.component` (a function Doc -> Doc, or a class) or `@nlptk.factory` (a function that makes a
component).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

from nlptk.errors import ConfigError

T = TypeVar("T", bound=Callable[..., Any])

BUILTIN: dict[str, str] = {
    "segmenter": "nlptk.tokenize.segmenter:Segmenter",
    "tokenizer_en": "nlptk.tokenize.rules:RuleTokenizer",
    "bpe": "nlptk.tokenize.bpe_component:BPEComponent",
    "wordpiece": "nlptk.tokenize.wordpiece_component:WordPieceComponent",
    "hanlp_tokenizer": "nlptk.hanlp:HanlpTokenizer",
    "hanlp_tagger": "nlptk.hanlp:HanlpTagger",
    "hanlp_ner": "nlptk.hanlp:HanlpNer",
    "jieba": "nlptk.tokenize.jieba:JiebaTokenizer",
    "char_tokenizer": "nlptk.tokenize.basic:CharTokenizer",
    "sentencizer": "nlptk.tokenize.basic:Sentencizer",
    "tagger": "nlptk.tag.component:Tagger",
    "neural_tagger": "nlptk.neural.tagger_component:NeuralTaggerComponent",
    "word_vectors": "nlptk.vectors.component:WordVectorsComponent",
    "textcat": "nlptk.classify.textcat:LinearTextCategorizer",
    "neural_textcat": "nlptk.neural.classifier_component:NeuralTextCategorizer",
    "sentence_vectors": "nlptk.neural.sentences:SentenceVectors",
    "tag_mapper": "nlptk.tag.mapper:TagMapper",
}


@dataclass(frozen=True)
class Factory:
    """How a component is made. `kind`: "class", "function" (Doc -> Doc), "factory" (nlp, name, **config)."""

    name: str
    kind: str
    target: Callable[..., Any]
    assigns: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    default_config: Mapping[str, Any] = field(default_factory=dict)

    def create(self, nlp: Any, name: str, config: Mapping[str, Any]) -> Any:
        """A new component. Raises ConfigError for a setting that it does not take."""
        settings = {**self.default_config, **config}
        if self.kind == "function":
            if settings:
                raise ConfigError(f"component {self.name!r} is a function, so it takes no config")
            return self.target
        before: tuple[Any, ...] = (nlp, name) if self.kind == "factory" else ()
        try:
            inspect.signature(self.target).bind(*before, **settings)
        except TypeError as error:
            raise ConfigError(f"component {self.name!r} does not take this config: {error}") from None
        return self.target(*before, **settings)


_registered: dict[str, Factory] = {}


def register(factory: Factory) -> None:
    """Add a factory. The same code may register again (a reloaded module or cell); another may not."""
    if factory.name in BUILTIN:
        raise ConfigError(f"{factory.name!r} is a built-in component: choose another name")
    old = _registered.get(factory.name)
    if old is not None and _code_name(old.target) != _code_name(factory.target):
        raise ConfigError(f"a component {factory.name!r} is registered already: choose another name")
    _registered[factory.name] = factory


def _code_name(target: Callable[..., Any]) -> tuple[str, str]:
    return target.__module__, target.__qualname__


def component(name: str, *, assigns: Iterable[str] = (), requires: Iterable[str] = ()) -> Callable[[T], T]:
    """Decorator: register a function ``doc -> doc``, or a class made with ``cls(**config)``, as a component.

    `assigns` and `requires` are attributes such as "doc.tokens", "doc.sents", "doc.pos" (see
    `analyze_pipes`).
    """

    _check_name(name)

    def decorate(target: T) -> T:
        kind = "class" if inspect.isclass(target) else "function"
        register(Factory(name, kind, target, tuple(assigns), tuple(requires)))
        return target

    return decorate


def factory(
    name: str,
    *,
    default_config: Mapping[str, Any] | None = None,
    assigns: Iterable[str] = (),
    requires: Iterable[str] = (),
) -> Callable[[T], T]:
    """Decorator: register ``make(nlp, name, **config) -> component``; `default_config` fills what is left
    out.
    """

    _check_name(name)

    def decorate(target: T) -> T:
        settings = dict(default_config or {})
        register(Factory(name, "factory", target, tuple(assigns), tuple(requires), settings))
        return target

    return decorate


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise ConfigError('a component needs a name: @nlptk.component("my_component")')


def has(name: str) -> bool:
    """Whether a factory of that name is known."""
    return name in _registered or name in BUILTIN


def get(name: str) -> Factory:
    """The factory of that name; imports a built-in's module. Raises ConfigError if it is not known."""
    found = _registered.get(name)
    if found is not None:
        return found
    if name not in BUILTIN:
        raise ConfigError(
            f"there is no component {name!r}: known are {', '.join(names())}; a component of your own "
            "is registered by importing the module that defines it"
        )
    module, _, attribute = BUILTIN[name].partition(":")
    return Factory(name, "class", getattr(import_module(module), attribute))


def names() -> list[str]:
    """The names of all factories known."""
    return sorted({*BUILTIN, *_registered})


def name_of(component: Any) -> str | None:
    """The factory name under which an instance's class (or a function itself) is registered, if any."""
    target = component if inspect.isfunction(component) else type(component)
    for name, found in _registered.items():
        if found.target is target:
            return name
    code = f"{target.__module__}:{target.__qualname__}"
    return next((name for name, builtin in BUILTIN.items() if builtin == code), None)
