"""``nlptk lm`` for neural models: train one, say how well it tells a text, let it go on from a prompt."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.files import check_output, existing_files
from nlptk.cli.lm_settings import settings_of
from nlptk.cli.progress import Progress
from nlptk.cli.train.options import Json, Quiet, Seed, Threads, given
from nlptk.cli.train.run import shown
from nlptk.cli.train.tagger import Precision
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.neural.lm import NeuralLM
    from nlptk.perplexity import Perplexity

app = typer.Typer(
    help="Language models: train one, measure its perplexity, let it write.",
    epilog="Example: nlptk lm train text.txt --model lstm --dev held-out.txt -o lm.safetensors",
)


class Model(str, enum.Enum):
    """What learns."""

    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"
    transformer = "transformer"


Files = Annotated[
    list[Path],
    typer.Argument(
        callback=existing_files,
        metavar="FILES",
        show_default=False,
        help="UTF-8 text, gzip or not; - is standard input.",
    ),
]
Path_ = Annotated[
    Path, typer.Argument(metavar="MODEL", exists=True, dir_okay=False, help="Of nlptk lm train.")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:1.", show_default=False)]


def read(files: Sequence[Path]) -> list[str]:
    """The lines of all files."""
    from nlptk.corpora.files import read_lines

    return [line for path in files for line in read_lines(path)]


def told(found: Perplexity) -> dict[str, Any]:
    """A perplexity as JSON."""
    return {
        "perplexity": found.per_token,
        "perplexity_per_word": found.per_word,
        "bits_per_character": found.bits_per_character,
        "log_prob": found.log_prob,
        "tokens": found.tokens,
        "words": found.words,
        "characters": found.characters,
        "unknown": found.unknown,
    }


def line_of(found: Perplexity) -> str:
    """A perplexity for a reader."""
    unknown = f", {found.unknown:,} of them unknown" if found.unknown else ""
    return (
        f"perplexity {found.per_token:.3f} of {found.tokens:,} tokens{unknown}, {found.per_word:.3f} of "
        f"{found.words:,} words, {found.bits_per_character:.4f} bits per character"
    )


@app.command("train")
def train(
    files: Files,
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
    device: Device = None,
    precision: Annotated[Precision | None, typer.Option(help="Of products.", show_default="float32")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for the state of the training.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a language model on the lines of files.

    Example: nlptk lm train text.txt --model lstm --hidden 512 --dev held-out.txt -o lm.safetensors
    """
    if resume and checkpoint is None:
        raise ConfigError("--resume goes on from a --checkpoint; name its folder.")
    settings = settings_of(
        model.value, unit=unit, min_count=min_count, dim=dim, hidden=hidden, layers=layers, heads=heads,
        positions=positions, tie=tie, dropout=dropout, window=window, batch_size=batch_size,
        learning_rate=learning_rate, weight_decay=weight_decay, epochs=epochs, max_steps=max_steps,
        evaluate_every=evaluate_every, patience=patience, device=device, precision=precision, seed=seed,
    )  # fmt: skip
    check_output(output, is_folder=False)
    from nlptk.neural.devices import set_threads
    from nlptk.neural.lm import NeuralLM

    if threads:
        set_threads(threads)
    lines, held_out = read(files), read([dev]) if dev else None
    with Progress("train", unit="updates", every=5.0, quiet=quiet) as progress:
        lm = NeuralLM(**settings)
        lm.fit(lines, held_out, checkpoint=checkpoint, resume=resume, progress=shown(progress))
        lm.save(output)
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        result |= {"updates": lm.log_.steps, "log": lm.log_.entries}
        found = lm.perplexity(held_out, parts=lm.batch_size) if held_out else None
    if as_json:
        typer.echo(json.dumps({**result, **({"dev": told(found)} if found else {})}))
        return
    scores = [f"dev {line_of(found)}"] if found else []
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))


@app.command("perplexity")
def perplexity(
    model: Path_,
    files: Files,
    parts: Annotated[
        int, typer.Option(min=1, help="Of the text, read side by side: faster, each begins anew.")
    ] = 1,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Say how well a model tells a text: per token, per word and in bits per character.

    Example: nlptk lm perplexity lm.safetensors test.txt
    """
    found = _load(model, device).perplexity(read(files), parts=parts)
    typer.echo(json.dumps(told(found)) if as_json else line_of(found))


@app.command("generate")
def generate(
    model: Path_,
    prompt: Annotated[
        list[str] | None, typer.Option("--prompt", "-p", help="To go on from; more than once for several.")
    ] = None,
    max_length: Annotated[int, typer.Option(min=1, help="Tokens to add at most.")] = 200,
    line: Annotated[bool, typer.Option("--line/--no-line", help="End with the line.")] = True,
    beam: Annotated[int | None, typer.Option(min=1, help="Search, do not draw.", show_default=False)] = None,
    temperature: Annotated[float | None, typer.Option(help="Below 1: safer.", show_default="1")] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw from so many.", show_default=False)] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from this share.", show_default=False)] = None,
    min_p: Annotated[
        float | None, typer.Option(help="Nothing below this share of the best.", show_default=False)
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option(help="Above 1: less of what was had.", show_default=False)
    ] = None,
    length_penalty: Annotated[float | None, typer.Option(help="Of --beam.", show_default=False)] = None,
    seed: Seed = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Let a model go on from prompts; without one it begins a line.

    Example: nlptk lm generate lm.safetensors --prompt 'the old ' --top-p 0.9
    """
    drawing = {
        "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
        "repetition_penalty": repetition_penalty,
    }  # fmt: skip
    searching = {"length_penalty": length_penalty}
    for name, value in (searching if beam is None else drawing).items():
        if value is not None:
            which = "without" if beam is None else "with"
            raise ConfigError(f"--{name.replace('_', '-')} has no meaning {which} --beam.")
    options = given(**drawing, **searching, seed=seed)
    prompts = prompt or [""]
    texts = _load(model, device).generate(prompts, max_length=max_length, line=line, beam=beam, **options)
    for begin, text in zip(prompts, texts, strict=True):
        typer.echo(json.dumps({"prompt": begin, "text": text}, ensure_ascii=False) if as_json else text)


def _load(path: Path, device: str | None) -> NeuralLM:
    from nlptk.neural.lm import NeuralLM

    return NeuralLM.load(path).set_params(**given(device=device))
