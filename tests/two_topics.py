"""A made-up language in which each sentence is of one of two topics."""

from __future__ import annotations

import random

RIVER = [
    f"river{ending}"
    for ending in ("ine", "let", "side", "bed", "weed", "bank", "boat", "fish", "bend", "mud")
]
STARS = [
    f"stella{ending}"
    for ending in ("tion", "ris", "men", "naut", "graph", "rium", "nova", "scope", "ry", "x")
]
COMMON = ["so", "and", "the", "of", "it"]


def sentences(count: int, seed: int = 0) -> list[list[str]]:
    """Sentences of eight words, of which some are common to both topics."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        topic = chance.choice((RIVER, STARS))
        made.append([chance.choice(COMMON if chance.random() < 0.25 else topic) for _ in range(8)])
    return made


def text(count: int, seed: int = 0) -> str:
    """The same as lines."""
    return "".join(" ".join(sentence) + "\n" for sentence in sentences(count, seed))
