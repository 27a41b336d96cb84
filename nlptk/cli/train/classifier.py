"""``nlptk train classifier``: labels of texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import check_model_folder
from nlptk.cli.labelled import LabelColumn, LabelledFormat, Separator, TextColumn
from nlptk.cli.train.classifier_settings import (
    Analyzer,
    ClassifierModel,
    LinearAlgorithm,
    Loss,
    Weighting,
    settings_of,
)
from nlptk.cli.train.options import (
    NEURAL,
    Dev,
    Iterations,
    Json,
    Lang,
    MinFreq,
    Output,
    Precision,
    Quiet,
    Seed,
    Threads,
    Train,
    check_resume,
    checkpoint_option,
    device_option,
    option,
    resume_option,
)
from nlptk.cli.train.run import LabelledCorpus, train_pipeline
from nlptk.errors import ConfigError

LINEAR = "Linear models and fastText"


def classifier(
    train: Train,
    output: Output,
    model: Annotated[ClassifierModel, typer.Option(help="What learns.")] = ClassifierModel.linear,
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
    algorithm: Annotated[LinearAlgorithm | None, option("Of a linear model.", LINEAR)] = None,
    weighting: Annotated[Weighting | None, option("What an n-gram counts (linear).", LINEAR)] = None,
    analyzer: Annotated[Analyzer | None, option("What n-grams are of (linear).", LINEAR)] = None,
    ngrams: Annotated[int | None, option("Longest n-grams.", LINEAR, min=1)] = None,
    c: Annotated[float | None, option("What errors cost (svm, logistic).", LINEAR, "--C", min=0)] = None,
    alpha: Annotated[float | None, option("Added to counts (naive-bayes).", LINEAR, min=0)] = None,
    dim: Annotated[int | None, option("Of fastText's vectors.", LINEAR, min=1)] = None,
    loss: Annotated[Loss | None, option("Of fastText; ova for several labels a text.", LINEAR)] = None,
    vectors: Annotated[
        Path | None, option("Word vectors, kept in the model (not linear).", NEURAL, exists=True)
    ] = None,
    length_weight: Annotated[
        float | None, option("A text of n words counts as much as n to this power.", NEURAL, min=0, max=10)
    ] = None,
    learning_rate: Annotated[float | None, option("Its highest value (not linear).", NEURAL, min=0)] = None,
    pretrained: Annotated[
        Path | None, option("Folder of a BERT checkpoint.", NEURAL, exists=True, file_okay=False)
    ] = None,
    hidden: Annotated[int | None, option("Dimensions.", NEURAL, min=1)] = None,
    layers: Annotated[int | None, option("Layers.", NEURAL, min=1)] = None,
    dropout: Annotated[float | None, option("Share dropped.", NEURAL, min=0)] = None,
    unknown: Annotated[
        float | None, option("Share of training words taken for unknown (not bert).", NEURAL, min=0, max=1)
    ] = None,
    batch_tokens: Annotated[int | None, option("Of a training batch.", NEURAL, min=1)] = None,
    patience: Annotated[
        int | None, option("Epochs without a better dev score to stop at.", NEURAL, min=1)
    ] = None,
    device: Annotated[str | None, device_option(NEURAL)] = None,
    precision: Annotated[Precision | None, option("Of products.", NEURAL)] = None,
    checkpoint: Annotated[Path | None, checkpoint_option(NEURAL)] = None,
    resume: Annotated[bool, resume_option(NEURAL)] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a classifier of texts on a TSV, CSV or fastText file.

    Example: nlptk train classifier --model linear --train train.tsv --dev dev.tsv -o my-classifier
    """
    check_model_folder(output)
    if checkpoint is not None and not model.neural:
        raise ConfigError(f"--checkpoint is not for --model {model.value}.")
    check_resume(checkpoint, resume)
    config = settings_of(
        model, algorithm=algorithm, weighting=weighting, analyzer=analyzer, ngrams=ngrams, C=c, alpha=alpha,
        dim=dim, loss=loss, vectors=vectors and str(vectors), pretrained=pretrained and str(pretrained),
        hidden=hidden, layers=layers, dropout=dropout, unknown=unknown, length_weight=length_weight,
        learning_rate=learning_rate, batch_tokens=batch_tokens, patience=patience, device=device,
        precision=precision, max_iterations=max_iterations, min_freq=min_freq, threshold=threshold,
        class_weight="balanced" if balanced else None, seed=seed, multilabel=multilabel,
    )  # fmt: skip
    import nlptk

    if threads:
        _set_threads(model, threads)
    nlp = nlptk.blank(lang)
    component: Any = nlp.add_pipe("neural_textcat" if model.neural else "textcat", config=config)
    corpus = LabelledCorpus(nlp, (format, text_column, label_column, label_separator))
    state = {"checkpoint": checkpoint, "resume": resume} if checkpoint else None
    train_pipeline(nlp, component, corpus, train, dev, output, fit=state, as_json=as_json, quiet=quiet)


def _set_threads(model: ClassifierModel, threads: int) -> None:
    if model.neural:
        from nlptk.neural.devices import set_threads

        set_threads(threads)
    else:
        os.environ["NLPTK_NUM_THREADS"] = str(threads)
