"""Factories by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nlptk
from nlptk import Doc, registry
from nlptk.component import Component
from nlptk.errors import ConfigError


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    before = dict(registry._registered)
    yield
    registry._registered.clear()
    registry._registered.update(before)


def test_the_decorator_is_the_module_too() -> None:
    import nlptk.component

    assert nlptk.component.Component is Component

    @nlptk.component("test_function", assigns=["doc.x"], requires=["doc.tokens"])
    def function(doc: Doc) -> Doc:
        return doc

    found = registry.get("test_function")
    assert (found.kind, found.target) == ("function", function)
    assert (found.assigns, found.requires) == (("doc.x",), ("doc.tokens",))
    assert function(Doc("a")).text == "a"  # the decorator leaves it a function


def test_a_class_gets_its_config() -> None:
    @nlptk.component("test_class")
    class Thing(Component):
        def __init__(self, size: int = 1) -> None:
            self.size = size

    assert registry.get("test_class").create(None, "x", {"size": 4}).size == 4
    assert registry.name_of(Thing()) == "test_class"
    with pytest.raises(ConfigError, match=r"'test_class' does not take this config.*'sise'"):
        registry.get("test_class").create(None, "x", {"sise": 4})


def test_a_factory_gets_nlp_name_and_config_with_defaults() -> None:
    @nlptk.factory("test_factory", default_config={"a": 1, "b": 2})
    def make(nlp: object, name: str, a: int, b: int) -> object:
        return (nlp, name, a, b)

    assert registry.get("test_factory").create("nlp", "pipe", {"b": 5}) == ("nlp", "pipe", 1, 5)


def test_a_function_takes_no_config() -> None:
    nlptk.component("test_plain")(lambda doc: doc)
    with pytest.raises(ConfigError, match="takes no config"):
        registry.get("test_plain").create(None, "x", {"a": 1})


def test_names() -> None:
    assert registry.has("sentencizer")
    assert not registry.has("nothing")
    assert set(registry.BUILTIN) <= set(registry.names())
    with pytest.raises(ConfigError, match=r"no component 'nothing': known are .*sentencizer"):
        registry.get("nothing")
    assert registry.name_of(registry.get("sentencizer").target()) == "sentencizer"
    assert registry.name_of(object()) is None


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ConfigError, match="built-in"):
        nlptk.component("tagger")(lambda doc: doc)

    def register() -> None:
        @nlptk.component("test_again")
        def same(doc: Doc) -> Doc:
            return doc

    register()
    register()  # the same code, as when a notebook cell runs again
    with pytest.raises(ConfigError, match="registered already"):

        @nlptk.component("test_again")
        def other(doc: Doc) -> Doc:
            return doc

    for name in ("", None):
        with pytest.raises(ConfigError, match="needs a name"):
            nlptk.component(name)(lambda doc: doc)  # type: ignore[arg-type]


def test_error_when_the_decorator_is_used_without_a_name() -> None:
    with pytest.raises(ConfigError, match="needs a name"):

        @nlptk.component
        def bare(doc: Doc) -> Doc:
            return doc
