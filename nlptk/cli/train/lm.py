"""``nlptk train lm``: a neural language model from the lines of files."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import TextFiles, check_output
from nlptk.cli.lm_neural import line_of, told
from nlptk.cli.progress import Progress
from nlptk.cli.train.lm_settings import settings_of
from nlptk.cli.train.options import (
    Json,
    Precision,
    Quiet,
    Seed,
    Threads,
    check_resume,
    checkpoint_option,
    device_option,
    resume_option,
)
from nlptk.cli.train.run import shown


class Model(str, enum.Enum):
    """What learns."""

    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"
    transformer = "transformer"


def lm(
    files: TextFiles,
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the model.")],
    model: Annotated[Model, typer.Option(help="What learns.")] = Model.lstm,
    unit: Annotated[
        str | None,
        typer.Option(help="characters, words, or the file of a BPE.", show_default="characters"),
    ] = None,
    dev: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Text to choose the best weights on.")
    ] = None,
    min_count: Annotated[
        int | None, typer.Option(min=1, help="Rarer tokens are unknown.", show_default=False)
    ] = None,
    dim: Annotated[int | None, typer.Option(min=1, help="Of vectors.", show_default="256")] = None,
    hidden: Annotated[int | None, typer.Option(min=1, help="Of a layer.", show_default=False)] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="Of the model.", show_default=False)] = None,
    heads: Annotated[int | None, typer.Option(min=1, help="Of attention.", show_default="4")] = None,
    positions: Annotated[
        str | None, typer.Option(help="Of the Transformer: rope, alibi, t5, ...", show_default="rope")
    ] = None,
    tie: Annotated[
        bool | None,
        typer.Option("--tie/--no-tie", help="One vector at input and output.", show_default="tie"),
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(min=0, max=0.99, help="Share that is dropped.", show_default=False)
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=1, help="Tokens that gradients go back.", show_default="128")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Windows of an update.", show_default="32")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its highest.", show_default=False)] = None,
    weight_decay: Annotated[
        float | None, typer.Option(min=0, help="Of matrices.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Over the text.", show_default="5")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Updates at most.", show_default=False)] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(min=1, help="Updates between looks at --dev.", show_default=False)
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Looks without a better one.", show_default=False)
    ] = None,
    device: Annotated[str | None, device_option()] = None,
    precision: Annotated[Precision | None, typer.Option(help="Of products.", show_default="float32")] = None,
    checkpoint: Annotated[Path | None, checkpoint_option()] = None,
    resume: Annotated[bool, resume_option()] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a neural language model on the lines of files.

    Example: nlptk train lm text.txt --model lstm --hidden 512 --dev held-out.txt -o lm.safetensors
    """
    check_resume(checkpoint, resume)
    settings = settings_of(
        model.value, unit=unit, min_count=min_count, dim=dim, hidden=hidden, layers=layers, heads=heads,
        positions=positions, tie=tie, dropout=dropout, window=window, batch_size=batch_size,
        learning_rate=learning_rate, weight_decay=weight_decay, epochs=epochs, max_steps=max_steps,
        evaluate_every=evaluate_every, patience=patience, device=device, precision=precision, seed=seed,
    )  # fmt: skip
    check_output(output, is_folder=False)
    from nlptk.corpora.files import read_lines
    from nlptk.neural.devices import set_threads
    from nlptk.neural.lm import NeuralLM

    if threads:
        set_threads(threads)
    lines = [line for path in files for line in read_lines(path)]
    held_out = list(read_lines(dev)) if dev else None
    with Progress("train", unit="updates", every=5.0, quiet=quiet) as progress:
        made = NeuralLM(**settings)
        made.fit(lines, held_out, checkpoint=checkpoint, resume=resume, progress=shown(progress))
        made.save(output)
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        result |= {"updates": made.log_.steps, "log": made.log_.entries}
        found = made.perplexity(held_out, parts=made.batch_size) if held_out else None
    if as_json:
        typer.echo(json.dumps({**result, **({"dev": told(found)} if found else {})}))
        return
    scores = [f"dev {line_of(found)}"] if found else []
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))
