"""Seeded split of a corpus into training, development and test part."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from typing import TypeVar

from nlptk.errors import ConfigError

Item = TypeVar("Item")


def train_dev_test_split(
    items: Sequence[Item],
    dev: float | int = 0.1,
    test: float | int = 0.1,
    *,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> tuple[list[Item], list[Item], list[Item]]:
    """Split at random into (train, dev, test), each in the order of `items`.

    Args:
        items: Docs, sentences, anything.
        dev, test: size of the part; a float is a share of the items (rounded), an int a number of them.
        seed: the same seed gives the same split on every Python version and platform.
        groups: one key an item; items with the same key (a document's sentences) stay together. A part then
            takes whole groups until it has reached its size.

    Raises:
        ConfigError: a size is negative, the parts leave no item for training, or `groups` has another length.
    """
    total = len(items)
    if groups is not None and len(groups) != total:
        raise ConfigError(f"{len(groups)} groups for {total} items; give one key for each item")
    wanted = [_count(size, total, name) for size, name in ((test, "test"), (dev, "dev"))]
    if sum(wanted) >= total > 0:
        raise ConfigError(f"dev and test take {sum(wanted)} of {total} items; leave some for training")
    keys: Sequence[Hashable] = range(total) if groups is None else groups
    order = list(dict.fromkeys(keys))
    # random() alone is promised to stay the same across Python versions; shuffle() is not.
    generator = random.Random(seed)
    rank = {key: generator.random() for key in order}
    members: dict[Hashable, list[int]] = {key: [] for key in order}
    for i, key in enumerate(keys):
        members[key].append(i)
    parts: list[list[int]] = [[], [], []]
    part = 0
    for key in sorted(order, key=rank.__getitem__):
        while part < 2 and len(parts[part]) >= wanted[part]:
            part += 1
        parts[part].extend(members[key])
    chosen = [[items[i] for i in sorted(indices)] for indices in parts]
    return chosen[2], chosen[1], chosen[0]


def _count(size: float | int, total: int, name: str) -> int:
    if not size >= 0 or (isinstance(size, float) and size >= 1):
        raise ConfigError(f"{name}={size!r} is not a share from 0 to 1 (float) or a number of items (int)")
    return round(size * total) if isinstance(size, float) else int(size)
