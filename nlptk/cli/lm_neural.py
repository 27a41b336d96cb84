"""``nlptk lm`` for neural models: say how well one tells a text, let it go on from a prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.files import existing_files
from nlptk.cli.train.options import Json, Seed, given
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.neural.lm import NeuralLM
    from nlptk.perplexity import Perplexity

app = typer.Typer(
    help="Language models: measure perplexity, let one write.",
    epilog="Example: nlptk lm perplexity lm.safetensors test.txt",
)


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
    Path, typer.Argument(metavar="MODEL", exists=True, dir_okay=False, help="Of nlptk train lm.")
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
