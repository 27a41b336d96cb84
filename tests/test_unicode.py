"""The C++ character tables against Python's own, for every code point that both Unicode versions know."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import _core

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import gen_unicode

EVERYTHING = "".join(map(chr, range(0x110000)))
# Unicode seldom changes a property of an old character (10 became numeric between 15.0 and 15.1).
CHANGED = 0 if unicodedata.unidata_version == _core.UNICODE_VERSION else 24


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """[0x110000, 3]: class, flags, distance to lower case, from this Python."""
    return np.array([gen_unicode.record_of(code) for code in range(0x110000)])


@pytest.fixture(scope="module")
def comparable(expected: np.ndarray) -> np.ndarray:
    """Code points assigned both in this Python and in the tables."""
    unassigned = gen_unicode.CLASSES.index("unassigned")
    return (expected[:, 0] != unassigned) & (_core.char_classes(EVERYTHING) != unassigned)


def test_enough_is_compared(comparable: np.ndarray) -> None:
    assert comparable.sum() > 280_000


def test_classes(expected: np.ndarray, comparable: np.ndarray) -> None:
    wrong = (_core.char_classes(EVERYTHING) != expected[:, 0]) & comparable
    assert wrong.sum() <= CHANGED, np.flatnonzero(wrong)[:20]


def test_flags(expected: np.ndarray, comparable: np.ndarray) -> None:
    wrong = (_core.char_flags(EVERYTHING) != expected[:, 1]) & comparable
    assert wrong.sum() <= CHANGED, np.flatnonzero(wrong)[:20]


def test_space_is_exactly_isspace() -> None:
    space = _core.char_classes(EVERYTHING) == gen_unicode.CLASSES.index("space")
    assert [chr(c) for c in np.flatnonzero(space)] == [c for c in EVERYTHING if c.isspace()]


def test_lower(expected: np.ndarray, comparable: np.ndarray) -> None:
    lowered = np.array([ord(c) for c in _core.lower(EVERYTHING)])
    wrong = (lowered != expected[:, 2] + np.arange(0x110000)) & comparable
    assert not wrong.any(), np.flatnonzero(wrong)[:20]


@pytest.mark.parametrize(
    ("char", "name"),
    [
        *[("a", "lower"), ("É", "upper"), ("ǅ", "title"), ("ª", "letter"), ("中", "han")],
        *[("々", "han"), ("〇", "han"), ("𠀀", "han"), ("﨑", "han"), ("の", "hiragana")],
        *[("ー", "katakana"), ("ｱ", "katakana"), ("한", "hangul"), ("٣", "digit"), ("½", "number")],
        *[("—", "punctuation"), ("。", "punctuation"), ("€", "symbol"), ("😀", "symbol"), ("\u0301", "mark")],
        *[
            ("\0", "control"),
            ("\u200d", "format"),
            ("\ud800", "surrogate"),
            ("\ue000", "private_use"),
            ("\U0010ffff", "unassigned"),
        ],
        *[("\u3000", "space"), ("\x1c", "space"), ("\u200b", "format")],
    ],
)
def test_class_of_one(char: str, name: str) -> None:
    assert gen_unicode.CLASSES[_core.char_classes(char)[0]] == name


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_keeps_its_length(text: str) -> None:
    assert len(_core.lower(text)) == len(_core.char_classes(text)) == len(_core.char_flags(text)) == len(text)


def test_not_a_text() -> None:
    for function in (_core.lower, _core.char_classes, _core.char_flags):
        with pytest.raises(TypeError, match="a text must be str, not bytes"):
            function(b"abc")
