"""How long a cell will take, about, so that a budget can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlptk.compare.cell import LEAST_DEV
from nlptk.compare.contestant import Contestant
from nlptk.compare.grid import Cell, Grid

_START, _START_TORCH = 1.5, 8.0  # seconds of both processes besides training, as a first guess
_SCORING, _ASKING = 0.3, 0.3  # of what a token costs in training: in the dev set; asked, in all measurements


def estimate(
    grid: Grid, contestant: Contestant, cell: Cell, found: Mapping[Cell, Mapping[str, Any]]
) -> float:
    """Seconds that a cell will take, about: by what the model took for fewer sentences, else by its cost."""
    before = [
        (one.size, entry)
        for one, entry in found.items()
        if one.model == cell.model and one.size <= cell.size and entry.get("status") == "done"
    ]
    if before:
        size, entry = max(before, key=lambda pair: pair[0])
        training = entry["train_seconds"] or 0.0
        more = _effort(grid, contestant, cell.size) / _effort(grid, contestant, size)
        return float(entry["seconds"] - training + training * more)  # asking takes as long for every size
    start = _START_TORCH if "torch" in contestant.needs else _START
    asked = sum(part.tokens for part in grid.parts.values())
    return start + contestant.cost * (_effort(grid, contestant, cell.size) + _ASKING * asked) / 1000


def _effort(grid: Grid, contestant: Contestant, size: int) -> float:
    """Tokens that are learnt from, all passes together, and with less weight those of the dev set."""
    train, dev = grid.sources.train.part, grid.sources.dev.part
    learnt = train.tokens * size / len(train)
    scored = dev.tokens * min(max(size, LEAST_DEV) / len(dev), 1)
    return contestant.epochs(round(learnt)) * (learnt + _SCORING * scored)
