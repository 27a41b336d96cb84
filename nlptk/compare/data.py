"""The files of a comparison: read, checked against one another, cut to sizes."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from nlptk.compare.contestant import Part, Task
from nlptk.corpora import read_docs
from nlptk.corpora.files import PathLike
from nlptk.corpora.formats import COLUMN_NAMES
from nlptk.corpora.labelled import read_labelled
from nlptk.corpora.labels import is_iob_label
from nlptk.errors import ConfigError, DataError

#: A file, or (items, gold).
Corpus: TypeAlias = PathLike | tuple[Sequence[Any], Sequence[Any]]

_HELD_OUT = 10  # without a dev file each so many-th of the training items is one
_SHOWN = 8  # labels that a message lists
_NOUNS: dict[Task, str] = {"taggers": "sentence", "classifiers": "text", "segmenters": "sentence"}


@dataclass(frozen=True)
class Source:
    """One file, read.

    Attributes:
        role: "train", "dev", "test" or "also".
        name: of the file, without its folder.
        sha256: of the file, or of what was given in its place.
        part: what it holds.
    """

    role: str
    name: str
    sha256: str
    part: Part

    def to_dict(self) -> dict[str, Any]:
        """What results tell of it."""
        return {
            "role": self.role, "name": self.name, "sha256": self.sha256, "sentences": len(self.part),
            "tokens": self.part.tokens,
        }  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """All files of a comparison, and what is to be said about them.

    Attributes:
        metric: "accuracy" or "f1".
        labels: those of the training set, sorted; of entities the types; none of segmenters.
        warnings: one sentence each.
    """

    train: Source
    dev: Source
    test: Source
    also: tuple[Source, ...]
    metric: str
    labels: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def all(self) -> tuple[Source, ...]:
        """In the order of the command line."""
        return (self.train, self.dev, self.test, *self.also)


def read_sources(
    task: Task,
    train: Corpus,
    dev: Corpus | None,
    test: Corpus,
    also: Sequence[Corpus] = (),
    *,
    column: str | None = None,
    lang: str = "en",
) -> Sources:
    """Read the files and see whether they go together.

    Without `dev` every tenth training item is held out for it.

    Raises:
        ConfigError: a column where there is none, or none where one is needed; two further files of one name.
        DataError: a file cannot be read, is empty, has a word without a label, or labels of another kind than
            the training file.
    """
    if (column is None) == (task == "taggers"):
        raise ConfigError("a column is needed for taggers, and for them alone: upos, xpos, ner or a number")

    def read(role: str, corpus: Corpus) -> Source:
        return _read(role, corpus, task, column, lang)

    warnings: list[str] = []
    learn = read("train", train)
    seen = {_key(item) for item in learn.part.items}
    if dev is None:
        learn, held_out = _hold_out(learn)
        warnings.append(
            f"there is no dev file: every tenth training {_NOUNS[task]} ({len(held_out.part):,}) is held out "
            "to pick the best weights by, and no model learns from it"
        )
    else:
        held_out = read("dev", dev)
    asked = read("test", test)
    roles = [f"also {number}" for number in range(1, len(also) + 1)] if len(also) > 1 else ["also"]
    more = tuple(map(read, roles, also))
    twice = [name for name, count in Counter(one.name for one in more).items() if count > 1]
    if twice:
        raise ConfigError(f"two further test files are called {twice[0]!r}; give them names of their own")
    labels = set(_labels(task, learn.part.gold))
    metric = "f1" if task == "segmenters" or (task == "taggers" and _are_entities(column, labels)) else ""
    metric = metric or "accuracy"
    for source in (held_out, asked, *more):
        warnings += _compare_labels(task, metric, learn, source, labels)
    for source in (asked, *more):
        warnings += _overlap(task, seen, source)
    kinds = {_kind(label, metric) for label in labels} - {"O"} if metric == "f1" else labels
    return Sources(learn, held_out, asked, more, metric, tuple(sorted(kinds)), tuple(warnings))


def choose(part: Part, size: int, seed: int) -> Part:
    """`size` items at random, of which those of a smaller size are the first; all: in their own order."""
    if size >= len(part):
        return part
    # random() alone is promised to stay the same across Python versions.
    generator = random.Random(seed)
    rank = [generator.random() for _ in range(len(part))]
    chosen = sorted(range(len(part)), key=rank.__getitem__)[:size]
    return Part([part.items[i] for i in chosen], [part.gold[i] for i in chosen])


def _read(role: str, corpus: Corpus, task: Task, column: str | None, lang: str) -> Source:
    if isinstance(corpus, tuple):
        part = Part(*map(_plain, _pair(role, corpus)))
        _check(role, task, part)
        data = json.dumps([part.items, part.gold], ensure_ascii=True).encode()
        return Source(role.partition(" ")[0], role, hashlib.sha256(data).hexdigest(), part)
    path = Path(corpus)
    part = _READERS[task](path, column, lang)
    if not len(part):
        raise DataError(f"{path} holds no {_NOUNS[task]}; give a file that does")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source(role.partition(" ")[0], path.name, digest, part)


def _pair(role: str, corpus: tuple[Sequence[Any], Sequence[Any]]) -> tuple[Sequence[Any], Sequence[Any]]:
    if len(corpus) != 2:
        raise DataError(f"{role} is neither a file nor a pair of items and labels")
    return corpus


def _plain(values: Sequence[Any]) -> list[Any]:
    return [value if isinstance(value, str) else list(value) for value in values]


def _check(role: str, task: Task, part: Part) -> None:
    """Raise DataError unless what was given from Python is of the task's form."""
    if len(part.items) != len(part.gold) or not part.items:
        raise DataError(f"{role} has {len(part.items)} items and {len(part.gold)} answers; give one for each")
    wanted = {"taggers": (list, list), "classifiers": (str, str), "segmenters": (str, list)}[task]
    for number, (item, gold) in enumerate(zip(part.items, part.gold, strict=True)):
        words = [word for value in (item, gold) if isinstance(value, list) for word in value]
        if (type(item), type(gold)) != wanted or not all(isinstance(word, str) for word in words):
            raise DataError(f"item {number} of {role} is not of the form that {task} take: {item!r:.60}")
        if task == "taggers" and len(item) != len(gold):
            raise DataError(f"item {number} of {role} has {len(item)} words but {len(gold)} labels")
        if task == "segmenters" and "".join(item.split()) != "".join("".join(gold).split()):
            raise DataError(f"item {number} of {role}: the words do not spell the text {item!r:.60}")


def _read_tagged(path: Path, column: str | None, lang: str) -> Part:
    assert column is not None
    name = COLUMN_NAMES.get(column, column)
    items, gold = [], []
    for number, doc in enumerate(read_docs(path, column=column, lang=lang), 1):
        words, labels = list(doc.words), doc.column(name)
        if "" in labels:
            raise DataError(
                f"{path}: word {words[labels.index('')]!r} of sentence {number} has no {column!r} label"
            )
        items.append(words)
        gold.append(labels)
    return Part(items, gold)


def _read_labelled(path: Path, column: str | None, lang: str) -> Part:
    found = read_labelled(path)
    return Part(found.texts, found.single(path))


def _read_segmented(path: Path, column: str | None, lang: str) -> Part:
    items, gold = [], []
    for doc in read_docs(path, lang=lang):
        if not doc.is_tokenized:
            raise DataError(f"{path} is read as plain text, which marks no words; name it .seg or .conllu")
        items.append(doc.text)
        gold.append([word for word in doc.words if not word.isspace()])
    return Part(items, gold)


_READERS = {"taggers": _read_tagged, "classifiers": _read_labelled, "segmenters": _read_segmented}


def _hold_out(source: Source) -> tuple[Source, Source]:
    """Training set and dev set of one file."""
    numbers = range(len(source.part))
    if len(numbers) < 2:
        raise DataError(f"{source.name} holds one item alone, so none can be held out; give a dev file")
    step = min(_HELD_OUT, len(numbers))
    parts = []
    for held_out in (False, True):
        kept = [i for i in numbers if ((i + 1) % step == 0) is held_out]
        parts.append(Part([source.part.items[i] for i in kept], [source.part.gold[i] for i in kept]))
    rest, dev = parts
    return (
        Source("train", source.name, source.sha256, rest),
        Source("dev", source.name, source.sha256, dev),
    )


def _labels(task: Task, gold: Iterable[Any]) -> Counter[str]:
    """How often each label stands; of segmenters there are none."""
    if task == "segmenters":
        return Counter()
    return Counter(gold) if task == "classifiers" else Counter(label for labels in gold for label in labels)


def _are_entities(column: str | None, labels: set[str]) -> bool:
    return COLUMN_NAMES.get(column or "", column) == "ent" or (
        labels > {"O"} and all(map(is_iob_label, labels))
    )


def _kind(label: str, metric: str) -> str:
    """The label; of entities the type, as files may differ in scheme."""
    return label[2:] if metric == "f1" and label[1:2] == "-" else label


def _compare_labels(task: Task, metric: str, train: Source, other: Source, labels: set[str]) -> list[str]:
    """Warnings where a file has labels that the training file has not, and where the test file lacks labels.

    Raises DataError if most of a file's labels are such.
    """
    kinds = {_kind(label, metric) for label in labels}
    found: Counter[str] = Counter()
    for label, count in _labels(task, other.part.gold).items():
        found[_kind(label, metric)] += count
    if metric == "f1":
        del found["O"]
    new = {label: count for label, count in found.items() if label not in kinds}
    lacking = kinds - set(found) - {"O"} if other.role == "test" else set()
    warnings = []
    if lacking:
        warnings.append(
            f"{other.name} (test) lacks labels that {train.name} (train) has: {_listed(lacking)}; no score "
            "says anything of them"
        )
    if not new:
        return warnings
    where = f"{other.name} ({other.role}) has labels that {train.name} (train) has not: {_listed(new)}"
    if sum(new.values()) > sum(found.values()) / 2:
        raise DataError(f"{where}; they are most of it, so the two are labelled in different ways")
    warnings.append(
        f"{where}; no model can give them ({sum(new.values()):,} of {sum(found.values()):,} labels)"
    )
    return warnings


def _listed(labels: Collection[str]) -> str:
    more = len(labels) - _SHOWN
    return ", ".join(sorted(labels)[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _key(item: Any) -> Any:
    return item if isinstance(item, str) else tuple(item)


def _overlap(task: Task, seen: set[Any], other: Source) -> list[str]:
    """A warning where items stand in the training file too."""
    count = sum(_key(item) in seen for item in other.part.items)
    if not count:
        return []
    noun, total = _NOUNS[task], len(other.part)
    verb = f"{noun} stands" if count == 1 else f"{noun}s stand"
    return [f"{count:,} {other.role} {verb} in train too (of {total:,}): a score on them may be of memory"]
