"""``nlptk train tagger``: an HMM, a CRF, two of them, or a neural network."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.columns import HELP as COLUMN_HELP
from nlptk.cli.columns import column_of, name_of
from nlptk.cli.files import check_model_folder
from nlptk.cli.train.options import (
    C1,
    C2,
    NEURAL,
    Algo,
    CorpusFormat,
    Dev,
    Documents,
    Iterations,
    Json,
    Lang,
    MinFreq,
    Output,
    Precision,
    Quiet,
    Seed,
    Template,
    Threads,
    Train,
    check_resume,
    checkpoint_option,
    device_option,
    gazetteers,
    given,
    option,
    resume_option,
    template_of,
)
from nlptk.cli.train.run import Corpus, train_pipeline
from nlptk.errors import ConfigError


class TaggerModel(str, enum.Enum):
    """What learns."""

    hmm = "hmm"
    crf = "crf"
    stacked = "stacked"
    bilstm = "bilstm"
    bilstm_crf = "bilstm-crf"
    gru = "gru"
    gru_crf = "gru-crf"
    transformer = "transformer"
    transformer_crf = "transformer-crf"
    bert = "bert"
    bert_crf = "bert-crf"

    @property
    def neural(self) -> bool:
        """Whether torch is needed."""
        return self not in (TaggerModel.hmm, TaggerModel.crf, TaggerModel.stacked)


def _number(help: str, low: float) -> Any:
    return option(help, NEURAL, min=low)


def tagger(
    train: Train,
    output: Output,
    column: Annotated[str, typer.Option(help=f"What to learn: {COLUMN_HELP}")] = "upos",
    model: Annotated[TaggerModel, typer.Option(help="What learns.")] = TaggerModel.crf,
    dev: Dev = None,
    lang: Lang = "en",
    corpus_format: CorpusFormat = None,
    template: Template = None,
    algorithm: Algo = None,
    c1: C1 = None,
    c2: C2 = None,
    max_iterations: Iterations = None,
    min_freq: MinFreq = None,
    clusters: Annotated[
        str | None,
        typer.Option(help="Word classes: a file, or a pipeline that has some.", show_default=False),
    ] = None,
    gazetteer: Annotated[
        list[str] | None,
        typer.Option(
            help="Names, as NAME=FILE: a name a line, or name, tab, class; FILE may be jieba.",
            show_default=False,
        ),
    ] = None,
    order: Annotated[
        int | None, typer.Option(min=2, max=3, help="Bigram or trigram HMM: 2 or 3.", show_default=False)
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Of a stacked CRF: how many CRFs give the labels it learns from.", show_default=False
        ),
    ] = None,
    documents: Documents = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="For a corpus that does not fit memory (crf).")
    ] = False,
    hash_bits: Annotated[
        int | None,
        typer.Option(
            min=10, max=28, help="With --stream: 2 to this power are the features kept.", show_default=False
        ),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(exists=True, help="Word vectors, kept in the model.", rich_help_panel=NEURAL),
    ] = None,
    pair_vectors: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Vectors of pairs of words, written together, as of two characters.",
            rich_help_panel=NEURAL,
        ),
    ] = None,
    segment_vectors: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Vectors of words: each character has those of the word that jieba sees it in.",
            rich_help_panel=NEURAL,
        ),
    ] = None,
    character_vectors: Annotated[
        Path | None,
        typer.Option(exists=True, help="Vectors that characters begin with.", rich_help_panel=NEURAL),
    ] = None,
    pretrained: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of a BERT checkpoint.", rich_help_panel=NEURAL
        ),
    ] = None,
    hidden: Annotated[int | None, _number("Dimensions of the encoder.", 1)] = None,
    layers: Annotated[int | None, _number("Layers of the encoder.", 1)] = None,
    dropout: Annotated[float | None, _number("Of inputs and states.", 0)] = None,
    learning_rate: Annotated[float | None, _number("Its highest value.", 0)] = None,
    batch_tokens: Annotated[int | None, _number("Of a training batch.", 1)] = None,
    patience: Annotated[int | None, _number("Epochs without a better dev score to stop at.", 1)] = None,
    device: Annotated[str | None, device_option(NEURAL)] = None,
    precision: Annotated[Precision | None, option("Of products.", NEURAL)] = None,
    checkpoint: Annotated[Path | None, checkpoint_option(NEURAL)] = None,
    resume: Annotated[bool, resume_option(NEURAL)] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a tagger on a column of an annotated corpus: tags, or entities in IOB.

    Example: nlptk train tagger --model crf --train train.conllu --dev dev.conllu --column upos -o my-tagger
    """
    import nlptk

    check_model_folder(output)
    target = column_of(column)
    _check(
        model, stream=stream, documents=documents, hash_bits=hash_bits, resume=resume, checkpoint=checkpoint
    )
    streamed = given(passes=max_iterations, hash_bits=hash_bits) if stream else None
    classical = given(
        templates=template_of(template), algorithm=algorithm and algorithm.value, c1=c1, c2=c2,
        clusters=clusters, order=order, folds=folds,
    )  # fmt: skip
    network = given(
        vectors=vectors and str(vectors), pair_vectors=pair_vectors and str(pair_vectors),
        segment_vectors=segment_vectors and str(segment_vectors),
        character_vectors=character_vectors and str(character_vectors),
        pretrained=pretrained and str(pretrained), hidden=hidden, layers=layers, dropout=dropout,
        learning_rate=learning_rate, batch_tokens=batch_tokens, patience=patience,
        device=device, precision=precision and precision.value,
    )  # fmt: skip
    _refuse(classical if model.neural else network, model)
    nlp = nlptk.blank(lang)  # for raw text; training itself is on the corpus's tokens
    if nlp.pipe_factories["tokenizer"] == "tokenizer_en":
        nlp.replace_pipe("tokenizer", "tokenizer_en", config={"sentences": True})
    else:
        nlp.add_pipe("sentencizer")
    name = f"{name_of(target)}_tagger"
    shared = given(min_freq=min_freq, seed=seed, gazetteers=gazetteers(gazetteer))
    if model.neural:
        if threads:
            from nlptk.neural.devices import set_threads

            set_threads(threads)
        options = network | shared | given(epochs=max_iterations)
        config = {"column": target, "encoder": model.value, **options}
        component = nlp.add_pipe("neural_tagger", name=name, config=config)
    else:
        options = classical | shared | given(max_iterations=max_iterations, threads=threads)
        options = _defaults(model, target, lang, clusters is not None) | options
        component = nlp.add_pipe(
            "tagger", name=name, config={"column": target, "model": model.value, **options}
        )
    corpus = Corpus(corpus_format, target, "document" if documents else "sentence", lang)
    state = {"checkpoint": checkpoint, "resume": resume} if checkpoint else None
    train_pipeline(nlp, component, corpus, train, dev, output, streamed, state, as_json=as_json, quiet=quiet)


def _check(
    model: TaggerModel,
    *,
    stream: bool,
    documents: bool,
    hash_bits: int | None,
    resume: bool,
    checkpoint: Path | None,
) -> None:
    """Raise ConfigError for options that do not go together."""
    if stream and model is not TaggerModel.crf:
        raise ConfigError("--stream is for --model crf.")
    if stream and documents:
        raise ConfigError("--stream reads sentences, not --documents.")
    if hash_bits is not None and not stream:
        raise ConfigError("--hash-bits is for --stream.")
    if checkpoint is not None and not model.neural:
        raise ConfigError("--checkpoint is for neural networks.")
    check_resume(checkpoint, resume)


def _refuse(options: dict[str, Any], model: TaggerModel) -> None:
    """Raise ConfigError for an option of the other kind of models."""
    for name in options:
        shown = {"gazetteers": "gazetteer", "templates": "template"}.get(name, name).replace("_", "-")
        raise ConfigError(f"--{shown} is not for --model {model.value}.")


def _defaults(model: TaggerModel, column: str, lang: str, clusters: bool) -> dict[str, Any]:
    """What suits column and language, where the user does not say it."""
    if model is TaggerModel.hmm:
        return {"scheme": "bio"} if column == "ent" else {}
    ready = "zh" if lang == "zh" else "ner" if column == "ent" else "pos"
    return {"templates": ready + ("-clusters" if clusters else "")}
