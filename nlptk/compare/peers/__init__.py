"""Models of other packages, each used as its documentation says: a file for each, with its CONTESTANTS.

A new one is one file and its name in `NAMES`.
"""

from __future__ import annotations

from importlib import import_module

from nlptk.compare.contestant import Contestant

NAMES = ("spacy", "crfsuite", "nltk", "hmmlearn", "transformers", "hanlp")


def peers() -> tuple[Contestant, ...]:
    """All of them, whether their packages are installed or not."""
    found: list[Contestant] = []
    for name in NAMES:
        found += import_module(f"{__name__}.{name}").CONTESTANTS
    return tuple(found)
