"""SST-2 as benchmarks take it."""

from __future__ import annotations

from pathlib import Path

Split = tuple[list[str], list[str]]


def read(data: Path, split: str, most: int | None = None) -> Split:
    """Texts and labels of a split, or of its first texts."""
    from nlptk.corpora import read_labelled

    found = read_labelled(data / "sst2" / f"{split}.tsv.gz")
    return found.texts[:most], [label for (label,) in found.labels[:most]]
