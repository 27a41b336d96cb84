"""Random sentences of items with features of every kind, and labels that mostly follow from them."""

from __future__ import annotations

import random
from typing import Any

Sentence = list[dict[str, Any]]


def random_sentences(
    seed: int, count: int, labels: str = "ABC", longest: int = 7
) -> tuple[list[Sentence], list[list[str]]]:
    """`count` sentences of 0 to `longest` items, some without a feature, and their labels."""
    rng = random.Random(seed)
    X: list[Sentence] = []
    y: list[list[str]] = []
    for _ in range(count):
        tags = [rng.choice(labels) for _ in range(rng.randint(0, longest))]
        X.append([_item(rng, tag, labels) for tag in tags])
        y.append(tags)
    return X, y


def _item(rng: random.Random, tag: str, labels: str) -> dict[str, Any]:
    if rng.random() < 0.05:
        return {}
    hint = tag if rng.random() < 0.8 else rng.choice(labels)
    return {
        "word": rng.choice("xyz") + hint,
        "bias": 1.0,
        "title": rng.random() < 0.5,
        "length": round(rng.random() * 3, 2),
        "近": {"左": ["词" + rng.choice("12"), "é"], "right": {"seen": rng.randint(0, 2)}},
        "set": {rng.choice("pq"), "r"},
    }
