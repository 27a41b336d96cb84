"""Byte-pair encoding as its definition has it, slow and plain: what the kernels are held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise


def train(pieces: Iterable[bytes], merges: int) -> list[tuple[bytes, bytes]]:
    """The first `merges` merges over bytes; of pairs that occur equally often the one whose parts came
    first.
    """
    words = [([bytes([byte]) for byte in piece], count) for piece, count in Counter(pieces).items()]
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order = {bytes([b]): i for i, b in enumerate([*shown, *(b for b in range(256) if b not in set(shown))])}
    found: list[tuple[bytes, bytes]] = []
    while len(found) < merges:
        counts: Counter[tuple[bytes, bytes]] = Counter()
        for word, count in words:
            for pair in pairwise(word):
                counts[pair] += count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], order[pair[0]], order[pair[1]]))
        found.append(best)
        order.setdefault(best[0] + best[1], len(order))
        words = [(merge(word, best), count) for word, count in words]
    return found


def merge(word: Sequence[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """The word with the pair joined wherever it stands, from left to right."""
    out: list[bytes] = []
    place = 0
    while place < len(word):
        size = 2 if tuple(word[place : place + 2]) == pair else 1
        out.append(b"".join(word[place : place + size]))
        place += size
    return out


def encode(units: Sequence[bytes], merges: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """The units after all merges, each the best that there is."""
    rank = {pair: place for place, pair in reversed(list(enumerate(merges)))}
    word = list(units)
    while len(word) > 1:
        place = min(range(len(word) - 1), key=lambda i: rank.get((word[i], word[i + 1]), len(rank)))
        if (word[place], word[place + 1]) not in rank:
            break
        word[place : place + 2] = [word[place] + word[place + 1]]
    return word
