"""One training: corpora read, a component trained, the pipeline scored and saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from nlptk.cli.progress import Progress
from nlptk.errors import DataError

if TYPE_CHECKING:
    from nlptk.doc import Doc
    from nlptk.language import Language

Unit = Literal["sentence", "paragraph", "document"]


@dataclass(frozen=True)
class Corpus:
    """How the corpora of one training are read and scored."""

    format: str | None
    column: str | None
    unit: Unit
    lang: str

    def read(self, path: Path, progress: Progress) -> list[Doc]:
        from nlptk.corpora import read_docs

        docs = list(read_docs(path, self.format, self.column, self.unit, lang=self.lang))
        if not docs:
            raise DataError(f"{path} holds no sentence; give an annotated corpus.")
        progress.line(f"{path}: {sum(map(len, docs)):,} tokens")
        return docs

    def score(self, nlp: Language, docs: Sequence[Doc]) -> dict[str, Any]:
        from nlptk.evaluation import evaluate

        return evaluate(nlp, docs, raw=self.column is None)


@dataclass(frozen=True)
class LabelledCorpus:
    """The same of files of labelled texts; `columns`: format, columns and separator of `read_docs`."""

    nlp: Language
    columns: tuple[str | None, str | None, str | None, str | None]

    def read(self, path: Path, progress: Progress) -> list[Doc]:
        from nlptk.cli.labelled import read_docs

        docs = list(read_docs(path, self.nlp, *self.columns))
        progress.line(f"{path}: {len(docs):,} texts")
        return docs

    def score(self, nlp: Language, docs: Sequence[Doc]) -> dict[str, Any]:
        from nlptk.evaluation import evaluate_cats

        return evaluate_cats(nlp, docs)


def train_pipeline(
    nlp: Language,
    component: Any,
    corpus: Corpus | LabelledCorpus,
    train: Path,
    dev: Path | None,
    output: Path,
    streamed: dict[str, Any] | None = None,
    fit: dict[str, Any] | None = None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train, score and save.

    With `streamed`, options of ``fit_stream``, the corpus is not in memory; `fit`: further ones of ``fit``.
    """
    with Progress("train", unit="iterations", every=2.0, quiet=quiet) as progress:
        train_docs = corpus.read(train, progress) if streamed is None else None
        dev_docs = corpus.read(dev, progress) if dev else None
        if train_docs is None:
            assert isinstance(corpus, Corpus)
            tokens = _fit_stream(component, corpus, train, streamed or {}, progress)
        else:
            component.fit(train_docs, dev_docs, progress=shown(progress), **(fit or {}))
            tokens = sum(map(len, train_docs))
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        nlp.meta["name"] = output.resolve().name
        nlp.meta["data"] = {"train": source(train, tokens=tokens)}
        if dev and dev_docs:
            result["dev"] = corpus.score(nlp, dev_docs)
            nlp.meta["scores"] = {"dev": headlines(result["dev"])}
            nlp.meta["data"]["dev"] = source(dev, tokens=sum(map(len, dev_docs)))
        nlp.to_disk(output)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    scores = [f"dev {name} {value:.4f}" for name, value in headlines(result.get("dev", {})).items()]
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))


def _fit_stream(
    component: Any, corpus: Corpus, train: Path, options: dict[str, Any], progress: Progress
) -> int:
    """Train without the corpus in memory; returns its tokens."""
    from nlptk.tag.crf_stream import CorpusFiles

    show, tokens = shown(progress), 0

    def report(info: dict[str, Any]) -> None:
        nonlocal tokens
        tokens = info["tokens"]
        show(info)

    files = CorpusFiles([train], corpus.column or "pos", corpus.format, corpus.lang)
    component.fit_stream(files, progress=report, **options)
    return tokens


def headlines(scores: dict[str, Any]) -> dict[str, float]:
    """The scores that one compares models by."""
    return {
        name: value
        for name, value in scores.items()
        if name in ("accuracy", "f1_micro", "f1_macro") or name.endswith(("_acc", "_f1"))
    }


def shown(progress: Progress) -> Callable[[dict[str, Any]], None]:
    """A callback for ``fit`` that shows each iteration."""

    def show(info: dict[str, Any]) -> None:
        notes = [
            f"{name.replace('_', ' ')} {value:.5g}"
            for name, value in info.items()
            if name not in ("iteration", "of") and isinstance(value, (int, float))
        ]
        done, total = info["iteration"], info.get("of")
        if total and "training" in info:  # one of several, of `total` iterations each
            done, total = done + (info["training"] - 1) * total, info["trainings"] * total
        progress.update(
            done,
            total=total,
            note=", ".join([f"iteration {info['iteration']}", *notes]),
        )

    return show


def source(path: Path, **counts: int) -> dict[str, Any]:
    """What a model's meta says of a corpus: enough to find out whether another file is the same."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": path.name, "sha256": digest.hexdigest(), **counts}
