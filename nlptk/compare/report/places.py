"""Places for labels beside points, so that none lies over another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]  # left, bottom, right, top


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    room: Box,
    radius: float = 7.0,
    step: float = 4.0,
) -> list[tuple[float, float] | None]:
    """For each point the centre of its label, or None where no place is left for it.

    One after the other takes the nearest place in `room` at which it is clear of all points and of the labels
    before it; to the right is nearest. Units are the caller's, `radius` is that of a point's mark.
    """
    across = np.arange(room[0], room[2], step)
    up = np.arange(room[1], room[3], step)
    grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    lowest, highest = np.array(room[:2]), np.array(room[2:])
    taken = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    found: list[tuple[float, float] | None] = []
    for (x, y), (width, height) in zip(points, sizes, strict=True):
        half = np.array([width, height]) / 2
        beside = np.array([x + radius + half[0] + 1, y])
        centres = np.concatenate([beside[None], grid])
        low, high = centres - half, centres + half
        free = np.all(low >= lowest, axis=1) & np.all(high <= highest, axis=1)
        for left, bottom, right, top in taken:
            free &= (high[:, 0] <= left) | (low[:, 0] >= right) | (high[:, 1] <= bottom) | (low[:, 1] >= top)
        if not free.any():
            found.append(None)
            continue
        # From the point to the nearest edge of the label.
        gap = np.maximum(np.abs(centres - (x, y)) - half, 0)
        far = np.where(free, np.hypot(gap[:, 0], gap[:, 1]) + 0.2 * np.abs(centres[:, 1] - y), np.inf)
        best = int(np.where(free[0], 0, far.argmin()))
        centre = centres[best]
        taken.append((*(centre - half), *(centre + half)))
        found.append((float(centre[0]), float(centre[1])))
    return found


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """`places` on a line, moved as little as it takes to be `gap` apart; less where the room is too small."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    out = [0.0] * len(places)
    now = low - gap
    for i in order:
        now = out[i] = max(places[i], now + gap)
    now = high + gap
    for i in reversed(order):
        now = out[i] = min(out[i], now - gap)
    return out
