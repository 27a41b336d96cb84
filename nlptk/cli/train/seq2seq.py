"""``nlptk train seq2seq``: translation, from files of sources and targets."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import check_model_folder
from nlptk.cli.progress import Progress
from nlptk.cli.train.options import (
    Json,
    Output,
    Precision,
    Quiet,
    Seed,
    Threads,
    check_resume,
    checkpoint_option,
    device_option,
    given,
    option,
    resume_option,
)
from nlptk.cli.train.run import shown, source
from nlptk.errors import ConfigError, DataError

RECURRENT = "LSTM and GRU"
Texts = list[str]


class Model(str, enum.Enum):
    """What learns."""

    transformer = "transformer"
    gru = "gru"
    lstm = "lstm"


class Units(str, enum.Enum):
    """What texts are cut into."""

    bpe = "bpe"
    char_bpe = "char-bpe"
    char = "char"


class Attention(str, enum.Enum):
    """How a recurrent decoder looks at the source."""

    bahdanau = "bahdanau"
    dot = "dot"
    general = "general"
    concat = "concat"


def _file(help: str) -> Any:
    return option(help, exists=True, dir_okay=False)


def seq2seq(
    output: Output,
    model: Annotated[Model, typer.Option(help="What learns.")] = Model.transformer,
    train: Annotated[Path | None, _file("Pairs: source, tab, target.")] = None,
    train_source: Annotated[Path | None, _file("Sources, one a line; gzip or not.")] = None,
    train_target: Annotated[Path | None, _file("Their targets, line by line.")] = None,
    dev: Annotated[Path | None, _file("Held-out pairs, to choose the best epoch.")] = None,
    dev_source: Annotated[Path | None, _file("Held-out sources.")] = None,
    dev_target: Annotated[Path | None, _file("Their targets.")] = None,
    lower: Annotated[bool, typer.Option("--lower", help="Learn from lower-case text.")] = False,
    source_tokenizer: Annotated[Path | None, _file("A BPE; without it one is learnt.")] = None,
    target_tokenizer: Annotated[Path | None, _file("Likewise, with --separate.")] = None,
    vocab_size: Annotated[int | None, option("Of what is learnt.", min=1)] = None,
    separate: Annotated[bool, typer.Option("--separate", help="A vocabulary for each side.")] = False,
    units: Annotated[Units | None, option("Subwords of bytes or characters, or characters.")] = None,
    target_units: Annotated[Units | None, option("Of targets, with --separate.")] = None,
    bpe_dropout: Annotated[float | None, option("Share of merges left out.", min=0, max=0.99)] = None,
    dim: Annotated[int | None, option("Of tokens' vectors.", min=1)] = None,
    hidden: Annotated[int | None, option("Of feed-forward networks, or recurrent states.", min=1)] = None,
    layers: Annotated[int | None, option("Of encoder and decoder.", min=1)] = None,
    heads: Annotated[int | None, option("Of the Transformer.", min=1)] = None,
    post_norm: Annotated[
        bool, typer.Option("--post-norm", help="Norms where the Transformer's paper has them.")
    ] = False,
    attention: Annotated[Attention | None, option("Bahdanau's, or one of Luong's.", RECURRENT)] = None,
    scheduled_sampling: Annotated[
        float | None,
        option("Share of its own tokens that it reads at the end.", RECURRENT, min=0, max=1),
    ] = None,
    dropout: Annotated[float | None, option("Share dropped.", min=0, max=0.99)] = None,
    label_smoothing: Annotated[float | None, option("Of target tokens.", min=0, max=0.99)] = None,
    max_length: Annotated[int | None, option("Tokens of a text at most.", min=1)] = None,
    batch_tokens: Annotated[int | None, option("Of a training batch's targets.", min=1)] = None,
    learning_rate: Annotated[float | None, option("Its highest value.", min=0)] = None,
    warmup: Annotated[float | None, option("Updates, or a share, in which it rises.", min=0)] = None,
    epochs: Annotated[int | None, option("Over the corpus.", min=1)] = None,
    patience: Annotated[int | None, option("Epochs without a better dev loss to stop at.", min=1)] = None,
    average: Annotated[int | None, option("Average the weights of so many last epochs.", min=0)] = None,
    device: Annotated[str | None, device_option()] = None,
    precision: Annotated[Precision | None, option("Of products.")] = None,
    checkpoint: Annotated[Path | None, checkpoint_option()] = None,
    resume: Annotated[bool, resume_option()] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a translator on pairs of texts: two files line by line, or one of pairs.

    Example: nlptk train seq2seq --train pairs.tsv --dev dev.tsv --epochs 30 -o my-translator
    """
    check_model_folder(output)
    check_resume(checkpoint, resume)
    _check(model, attention=attention, scheduled_sampling=scheduled_sampling, heads=heads)
    files = _files("train", train, train_source, train_target)
    dev_files = _files("dev", dev, dev_source, dev_target)
    if not files:
        raise ConfigError("give --train, or --train-source and --train-target.")
    settings = given(
        source_tokenizer=source_tokenizer, target_tokenizer=target_tokenizer, vocab_size=vocab_size,
        units=units and units.value, target_units=target_units and target_units.value,
        bpe_dropout=bpe_dropout, dim=dim, hidden=hidden, layers=layers, heads=heads,
        attention=attention and attention.value, scheduled_sampling=scheduled_sampling, dropout=dropout,
        label_smoothing=label_smoothing, max_length=max_length, batch_tokens=batch_tokens,
        learning_rate=learning_rate, warmup=warmup, epochs=epochs, patience=patience, average=average,
        device=device, precision=precision and precision.value, seed=seed,
    )  # fmt: skip
    from nlptk.neural.devices import set_threads
    from nlptk.neural.seq2seq import Seq2Seq, check_pairs

    if threads:
        set_threads(threads)
    made = Seq2Seq(model.value, shared=not separate, pre_norm=not post_norm, lowercase=lower, **settings)
    with Progress("train", unit="updates", every=5.0, quiet=quiet) as progress:
        pairs = check_pairs(*_read(files), "training")
        held_out = check_pairs(*_read(dev_files), "dev") if dev_files else (None, None)
        progress.line(f"{len(pairs[0]):,} pairs")
        made.fit(*pairs, *held_out, checkpoint=checkpoint, resume=resume, progress=shown(progress))
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        result |= {"updates": made.log_.steps, "left_out": made.left_out_, "log": made.log_.entries}
        scores = {}
        if held_out[0] is not None and held_out[1] is not None:
            scores = {"loss": -made.score(held_out[0], held_out[1])}
            result["dev"] = scores
        made.save(
            output,
            name=output.resolve().name,
            data={"train": [source(path, pairs=len(pairs[0])) for path in files]},
            scores={"dev": scores},
        )
    if as_json:
        typer.echo(json.dumps(result))
        return
    told = [f"saved {output} after {result['seconds']} s"]
    told += [f"dev {name} {value:.4f}" for name, value in scores.items()]
    if made.left_out_:
        told.append(f"{made.left_out_} pairs left out, as one side was empty or too long")
    typer.echo(", ".join(told))


def _check(model: Model, **options: Any) -> None:
    """Raise ConfigError for options that the model does not take."""
    for name, value in options.items():
        recurrent = name != "heads"
        if value is not None and recurrent == (model is Model.transformer):
            raise ConfigError(f"--{name.replace('_', '-')} is not for --model {model.value}.")


def _files(which: str, pairs: Path | None, sources: Path | None, targets: Path | None) -> list[Path]:
    """The file of pairs, or the two; none where none is given. Raises ConfigError for a part of them."""
    if pairs is not None and sources is None and targets is None:
        return [pairs]
    if pairs is None and (sources is None) == (targets is None):
        return [path for path in (sources, targets) if path is not None]
    raise ConfigError(f"give --{which} alone, or --{which}-source with --{which}-target.")


def _read(files: list[Path]) -> tuple[Texts, Texts]:
    """Sources and targets. Raises DataError naming file and line for a line without a tab."""
    from nlptk.corpora.files import error_at, read_lines

    if len(files) == 2:
        return list(read_lines(files[0])), list(read_lines(files[1]))
    pairs = []
    for number, line in enumerate(read_lines(files[0]), start=1):
        parts = line.split("\t")
        if len(parts) < 2:
            raise error_at(str(files[0]), number, "has no tab; a line is a source, a tab and its target")
        pairs.append(parts[:2])
    if not pairs:
        raise DataError(f"{files[0]} holds no pair; give a source, a tab and a target a line")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
