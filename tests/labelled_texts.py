"""Short texts of three topics, each with words of its own."""

from __future__ import annotations

import random

TOPICS = {
    "water": ["otter", "river", "swims"],
    "sky": ["star", "moon", "shines"],
    "food": ["bread", "oven", "bakes"],
}


def texts_of(n: int, seed: int = 5) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    y = [chance.choice(list(TOPICS)) for _ in range(n)]
    return [" ".join(["the", *chance.choices(TOPICS[label], k=3), "and"]) for label in y], y
