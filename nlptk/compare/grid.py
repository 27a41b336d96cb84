"""What is to be run: all models with all sizes and seeds, and what they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nlptk.compare.contestant import Contestant, How, Part, Task
from nlptk.compare.data import Sources
from nlptk.compare.noise import lower_case, typos
from nlptk.compare.units import Unit, units_of


@dataclass(frozen=True, order=True)
class Cell:
    """One training: so many items, a model, a seed."""

    size: int
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.model}, {self.size:,} to learn from, seed {self.seed}"


@dataclass(frozen=True)
class Grid:
    """What is to be run.

    Attributes:
        sizes, seeds: all combinations of them with the contestants are cells.
        budget: seconds in all; None for no end.
    """

    task: Task
    column: str | None
    sources: Sources
    contestants: Sequence[Contestant]
    sizes: Sequence[int]
    seeds: Sequence[int]
    lang: str
    device: str
    threads: int | None
    options: Mapping[str, str]
    budget: float | None
    _wanted: dict[str, list[frozenset[Unit]]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Name -> what models are asked; noise that changes no test item is left out."""
        test = self.sources.test.part
        parts = {"test": test, "dev": self.sources.dev.part}
        parts |= {f"also: {one.name}": one.part for one in self.sources.also}
        noisy = {"typos": typos(self.task, test), "lower case": lower_case(self.task, test)}
        return parts | {name: part for name, part in noisy.items() if part.items != test.items}

    def wanted(self, name: str) -> list[frozenset[Unit]]:
        """The units of one of the parts, made once."""
        if name not in self._wanted:
            self._wanted[name] = units_of(self.task, self.sources.metric, self.parts[name].gold)
        return self._wanted[name]

    @property
    def networks(self) -> bool:
        """Whether models on torch take part."""
        return any(
            "torch" in one.needs and one.missing(dict(self.options)) is None for one in self.contestants
        )

    def how(self, seed: int) -> How:
        """How to train with a seed."""
        return How(self.lang, seed, self.device, dict(self.options))

    @property
    def cells(self) -> list[tuple[Contestant, Cell]]:
        """All, small sizes and cheap models first."""
        # Networks last: what they cost is that of one pass of many.
        order = sorted(self.contestants, key=lambda one: ("torch" in one.needs, one.cost))
        return [
            (contestant, Cell(size, contestant.name, seed))
            for size in sorted(self.sizes)
            for contestant in order
            for seed in self.seeds
        ]
