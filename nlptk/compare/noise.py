"""Test items as people type them: with typing errors, and in lower case.

Neither changes how many words there are, nor, for segmenters, how many characters, so gold stays gold.
"""

from __future__ import annotations

import random
import re
from typing import Any

from nlptk.compare.contestant import Part, Task
from nlptk.corpora.pieces import align_forms, is_cjk

RATE = 0.1  # of words of letters with an error, and of Chinese characters that change places
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 4  # letters of a word that may have an error


def typos(task: Task, part: Part, seed: int = 1) -> Part:
    """The part with errors in one word of ten: two inner letters swapped, one left out or typed twice.

    Of segmenters letters are swapped only. Of neighbouring Chinese characters one pair of ten is swapped.
    """
    generator = random.Random(seed)
    swaps_only = task == "segmenters"
    return _changed(task, part, lambda text: _mistyped(text, generator, swaps_only))


def lower_case(task: Task, part: Part) -> Part:
    """The part in lower case; a character whose lower case is two characters stays."""
    return _changed(task, part, _lowered)


def _changed(task: Task, part: Part, change: Any) -> Part:
    if task == "taggers":
        return Part([[change(word) for word in words] for words in part.items], part.gold)
    if task == "classifiers":
        return Part([change(text) for text in part.items], part.gold)
    items, gold = [], []
    for text, words in zip(part.items, part.gold, strict=True):
        new = [change(word) for word in words]
        items.append(_replaced(text, words, new))
        gold.append(new)
    return Part(items, gold)


def _replaced(text: str, words: list[str], new: list[str]) -> str:
    """The text with new words, as long as the old ones, in their places."""
    found = align_forms(text.strip(), words)
    if isinstance(found, int):  # a word that the text spells otherwise
        return "".join(new)
    whole, starts, ends = found
    characters = list(whole)
    for start, end, word in zip(starts, ends, new, strict=True):
        characters[start:end] = word
    return "".join(characters)


def _lowered(text: str) -> str:
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _mistyped(text: str, generator: random.Random, swaps_only: bool) -> str:
    def change(match: re.Match[str]) -> str:
        letters = list(match[0])
        if is_cjk(letters[0]):
            at = 0
            while at < len(letters) - 1:
                if generator.random() < RATE:
                    letters[at : at + 2] = letters[at + 1], letters[at]
                    at += 1
                at += 1
            return "".join(letters)
        if len(letters) < _SHORTEST or generator.random() >= RATE:
            return match[0]
        at = generator.randrange(1, len(letters) - 2)
        kind = "swap" if swaps_only else generator.choice(("swap", "drop", "double"))
        letters[at : at + 2] = {
            "swap": [letters[at + 1], letters[at]],
            "drop": [letters[at + 1]],
            "double": [letters[at], letters[at], letters[at + 1]],
        }[kind]
        return "".join(letters)

    return _WORD.sub(change, text)
