"""300 sentences a language with gold tags and entities, for comparisons where no corpus is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

#: Languages, and how they are called.
NAMES = {"en": "English", "zh": "Chinese"}


class Files(TypedDict):
    """The files of a language, in CoNLL-U: 200 sentences, 40 and 60."""

    train: Path
    dev: Path
    test: Path


def files(lang: str) -> Files:
    """The files of "en" or "zh"."""
    train, dev, test = (
        Path(__file__).with_name(f"{lang}-{role}.conllu") for role in ("train", "dev", "test")
    )
    return {"train": train, "dev": dev, "test": test}
