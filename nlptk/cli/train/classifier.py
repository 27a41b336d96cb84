"""``nlptk train classifier``: labels of texts."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import check_model_folder
from nlptk.cli.labelled import LabelColumn, LabelledFormat, Separator, TextColumn, read_docs
from nlptk.cli.progress import Progress
from nlptk.cli.train.options import (
    Dev,
    Iterations,
    Json,
    Lang,
    MinFreq,
    Output,
    Quiet,
    Seed,
    Threads,
    Train,
    given,
)
from nlptk.cli.train.run import headlines, shown, source
from nlptk.cli.train.tagger import Precision
from nlptk.errors import ConfigError


class ClassifierModel(str, enum.Enum):
    """What learns."""

    cnn = "cnn"
    bilstm = "bilstm"
    gru = "gru"
    transformer = "transformer"
    bert = "bert"


def classifier(
    train: Train,
    output: Output,
    model: Annotated[ClassifierModel, typer.Option(help="What learns.")] = ClassifierModel.cnn,
    dev: Dev = None,
    lang: Lang = "en",
    format: LabelledFormat = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: Separator = None,
    multilabel: Annotated[
        bool | None,
        typer.Option(
            "--multilabel/--single-label", help="Several labels a text, or one.", show_default=False
        ),
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Rare labels count as much as others.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Of probabilities, with several labels.", show_default=False),
    ] = None,
    max_iterations: Iterations = None,
    min_freq: MinFreq = None,
    vectors: Annotated[
        Path | None, typer.Option(exists=True, help="Word vectors, kept in the model.", show_default=False)
    ] = None,
    pretrained: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of a BERT checkpoint.", show_default=False),
    ] = None,
    hidden: Annotated[int | None, typer.Option(min=1, help="Dimensions.", show_default=False)] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="Layers.", show_default=False)] = None,
    dropout: Annotated[float | None, typer.Option(min=0, help="Share dropped.", show_default=False)] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="Its highest value.", show_default=False)
    ] = None,
    batch_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of a training batch.", show_default=False)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs without a better dev score to stop at.", show_default=False),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:1.", show_default=False)] = None,
    precision: Annotated[Precision | None, typer.Option(help="Of products.", show_default=False)] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for the state of the training.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a classifier of texts on a TSV, CSV or fastText file.

    Example: nlptk train classifier --model cnn --train train.tsv --dev dev.tsv -o my-classifier
    """
    check_model_folder(output)
    if resume and checkpoint is None:
        raise ConfigError("--resume goes on from a --checkpoint; name its folder.")
    import nlptk
    from nlptk.evaluation import evaluate_cats
    from nlptk.neural.devices import set_threads

    if threads:
        set_threads(threads)
    options = given(
        vectors=vectors and str(vectors), pretrained=pretrained and str(pretrained), hidden=hidden,
        layers=layers, dropout=dropout, learning_rate=learning_rate, batch_tokens=batch_tokens,
        patience=patience, device=device, precision=precision and precision.value, epochs=max_iterations,
        min_freq=min_freq, threshold=threshold, class_weight="balanced" if balanced else None, seed=seed,
        multilabel=multilabel,
    )  # fmt: skip
    nlp = nlptk.blank(lang)
    component: Any = nlp.add_pipe("neural_textcat", config={"encoder": model.value, **options})
    file = (format, text_column, label_column, label_separator)
    with Progress("train", unit="updates", every=2.0, quiet=quiet) as progress:
        train_docs = list(read_docs(train, nlp, *file))
        dev_docs = list(read_docs(dev, nlp, *file)) if dev else None
        progress.line(f"{train}: {len(train_docs):,} texts")
        state = {"checkpoint": checkpoint, "resume": resume} if checkpoint else {}
        component.fit(train_docs, dev_docs, progress=shown(progress), **state)
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        nlp.meta["name"] = output.resolve().name
        nlp.meta["data"] = {"train": source(train, sum(map(len, train_docs)))}
        if dev and dev_docs:
            result["dev"] = evaluate_cats(nlp, dev_docs)
            nlp.meta["scores"] = {"dev": headlines(result["dev"])}
            nlp.meta["data"]["dev"] = source(dev, sum(map(len, dev_docs)))
        nlp.to_disk(output)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    scores = [f"dev {name} {value:.4f}" for name, value in headlines(result.get("dev", {})).items()]
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))
