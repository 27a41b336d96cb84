"""What can be said of a word from its characters alone: shape, punctuation, number-likeness."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"[+\-±~−]?(\d+([.,]\d+)*|[.,]\d+)(/\d+)?%?")
_NUMBER_WORDS = frozenset(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
    billion trillion first second third fourth fifth sixth seventh eighth ninth tenth eleventh
    twelfth""".split()  # noqa: SIM905
)
_ORDINAL = re.compile(r"\d+(st|nd|rd|th)")
_HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿萬億两兩廿卅点點")


def word_shape(text: str) -> str:
    """The orthographic shape, as spaCy's `shape_`: X upper, x lower, d digit; runs are cut at four.

    >>> word_shape("Apple2024!")
    'Xxxxxdddd!'
    """
    shape: list[str] = []
    last, run = "", 0
    for char in text:
        if char.isalpha():
            kind = "X" if char.isupper() else "x"
        elif char.isdigit():
            kind = "d"
        else:
            kind = char
        run = run + 1 if kind == last else 1
        last = kind
        if run <= 4:
            shape.append(kind)
    return "".join(shape)


def is_punct(text: str) -> bool:
    """Whether every character is punctuation (Unicode category P*)."""
    return bool(text) and all(unicodedata.category(char)[0] == "P" for char in text)


def like_num(text: str) -> bool:
    """Whether the word looks like a number: digits, fractions, English number words, Chinese numerals."""
    if _NUMBER.fullmatch(text):
        return True
    lower = text.lower()
    if lower in _NUMBER_WORDS or _ORDINAL.fullmatch(lower):
        return True
    numerals = text.removeprefix("第")
    return bool(numerals) and _HAN_NUMERALS.issuperset(numerals)
