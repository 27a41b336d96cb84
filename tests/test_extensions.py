"""Custom attributes: doc._, token._, span._."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nlptk import Doc, Span, Token
from nlptk.errors import ConfigError


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    for cls in (Doc, Token, Span):
        for name in list(cls._extensions):
            cls.remove_extension(name)


def test_default_values_are_kept_by_place() -> None:
    Doc.set_extension("title", default="none")
    Token.set_extension("seen", default=False)
    Span.set_extension("score", default=0.0)
    doc = Doc.from_words(["a", "b", "c"])
    doc._.title = "T"
    doc[1]._.seen = True
    doc[0:2]._.score = 0.5
    assert doc._.title == "T"
    assert [t._.seen for t in doc] == [False, True, False]
    assert (doc[0:2]._.score, doc[1:3]._.score) == (0.5, 0.0)
    assert Doc("other")._.title == "none"
    assert doc._.has("title")
    assert doc._.get("title") == "T"
    doc._.set("title", "U")
    assert doc._.title == "U"


def test_each_class_has_its_own() -> None:
    Doc.set_extension("x", default=1)
    assert Doc.has_extension("x")
    assert not Token.has_extension("x")
    assert not Span.has_extension("x")

    class MyDoc(Doc):
        __slots__ = ()

    assert MyDoc("a")._.x == 1


def test_getter_setter_and_method() -> None:
    Doc.set_extension(
        "n", getter=lambda doc: len(doc.text), setter=lambda doc, value: doc.user_data.update(n=value)
    )
    Span.set_extension("holds", method=lambda span, word, times=1: span.text.count(word) >= times)
    doc = Doc.from_words(["a", "b", "a"])
    assert doc._.n == 5
    doc._.n = 9
    assert doc.user_data["n"] == 9
    assert doc[0:3]._.holds("a", times=2)
    Token.set_extension("up", getter=lambda token: token.text.upper())
    assert doc[1]._.up == "B"
    with pytest.raises(ConfigError, match="no setter"):
        doc[1]._.up = "x"


def test_a_mutable_default_is_not_shared() -> None:
    Doc.set_extension("notes", default=[])
    first, second = Doc("a"), Doc("b")
    first._.notes.append(1)
    assert first._.notes == [1]
    assert second._.notes == []


def test_wrong_use_is_named() -> None:
    Doc.set_extension("x", default=1)
    with pytest.raises(ConfigError, match="force=True"):
        Doc.set_extension("x", default=2)
    Doc.set_extension("x", default=2, force=True)
    assert Doc("a")._.x == 2
    with pytest.raises(ConfigError, match="only one of"):
        Doc.set_extension("y", default=1, getter=len)
    with pytest.raises(ConfigError, match="needs a getter"):
        Doc.set_extension("y", setter=setattr)  # type: ignore[arg-type]
    for name in ("two words", "get", "_obj"):
        with pytest.raises(ConfigError, match="not usable"):
            Doc.set_extension(name, default=1)
    with pytest.raises(ConfigError, match="declare it with"):
        Doc("a")._.nothing  # noqa: B018
    with pytest.raises(ConfigError, match="no extension 'nothing'"):
        Doc("a")._.nothing = 1
    assert not hasattr(Doc("a")._, "nothing")
    with pytest.raises(ConfigError, match="no extension 'nothing'"):
        Doc.get_extension("nothing")


def test_get_and_remove() -> None:
    Doc.set_extension("x", default=1)
    assert Doc.get_extension("x") == (1, None, None, None)
    assert Doc.remove_extension("x") == (1, None, None, None)
    assert not Doc.has_extension("x")
    with pytest.raises(ConfigError):
        Doc.remove_extension("x")


def test_values_are_saved_with_the_doc() -> None:
    Token.set_extension("seen", default=False)
    doc = Doc.from_words(["a", "b"])
    doc[1]._.seen = True
    again = Doc.from_bytes(doc.to_bytes())
    assert [t._.seen for t in again] == [False, True]
