"""Small data for tests of comparisons, and cells that run in this process."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nlptk.compare import cell, comparing, registry
from nlptk.compare.contestant import Contestant, Task

NOUNS, VERBS = (
    ["dog", "cat", "bird", "child", "river", "house", "garden"],
    ["sees", "likes", "finds", "helps", "takes"],
)


def tagged(size: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Sentences and tags."""
    generator = random.Random(seed)
    words, tags = [], []
    for _ in range(size):
        sentence = ["The", generator.choice(NOUNS), generator.choice(VERBS), "a", generator.choice(NOUNS)]
        labels = ["DET", "NOUN", "VERB", "DET", "NOUN"]
        if generator.random() < 0.5:
            sentence.insert(1, "small")
            labels.insert(1, "ADJ")
        words.append(sentence)
        tags.append(labels)
    return words, tags


def labelled(size: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts and labels, which differ in a word."""
    generator = random.Random(seed)
    labels = [generator.choice(["good", "bad"]) for _ in range(size)]
    words = {"good": ["lovely", "fine", "superb"], "bad": ["dull", "poor", "awful"]}
    return [f"a {generator.choice(words[one])} {generator.choice(NOUNS)}" for one in labels], labels


def segmented(size: int, seed: int) -> tuple[list[str], list[list[str]]]:
    """Texts and their words."""
    generator = random.Random(seed)
    known = ["我们", "喜欢", "北京", "的", "春天", "他", "不", "知道", "为什么", "天气"]
    rows = [[generator.choice(known) for _ in range(generator.randint(3, 6))] for _ in range(size)]
    return ["".join(row) for row in rows], rows


MAKERS = {"taggers": tagged, "classifiers": labelled, "segmenters": segmented}


def toy(task: str) -> dict[str, object]:
    """Arguments of `compare` for a task."""
    made = {
        name: MAKERS[task](size, seed)
        for seed, (name, size) in enumerate({"train": 30, "dev": 8, "test": 12}.items())
    }
    lang = "zh" if task == "segmenters" else "en"
    return {**made, "lang": lang, "threads": 1, **({"column": "upos"} if task == "taggers" else {})}


def write_columns(path: Path, size: int, seed: int) -> Path:
    """The same sentences as a file of two columns."""
    blocks = [
        "\n".join(f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True))
        for words, tags in zip(*tagged(size, seed), strict=True)
    ]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells run here: what they find is the same, and a process takes a second to start."""
    from nlptk.compare import cell, running

    monkeypatch.setattr(running._Workplace, "_process", lambda self, spec, log, left: cell.main([str(spec)]))


@pytest.fixture(name="add")
def adding(monkeypatch: pytest.MonkeyPatch) -> Callable[[Contestant], None]:
    """Add a contestant, in place of one of its name."""
    own: dict[str, Contestant] = {}

    def all_of(task: Task) -> dict[str, Contestant]:
        return known(task) | own

    known = registry.contestants
    for module in (registry, cell, comparing):
        monkeypatch.setattr(module, "contestants", all_of)
    return lambda one: own.update({one.name: one})


def always(name: str, label: str, **changes: object) -> Contestant:
    """A model that gives every word the same label."""
    made = Contestant(
        name, "classical", ("taggers",), "one label", lambda data, folder, how: {},
        lambda folder, how: lambda items: [[label] * len(words) for words in items],
    )  # fmt: skip
    return replace(made, **changes)


def script(tmp_path: Path, text: str) -> str:
    """A program in place of Python."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
