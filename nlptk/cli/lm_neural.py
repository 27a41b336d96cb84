"""What ``nlptk lm`` does with neural models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nlptk.cli.train.options import given
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.neural.lm import NeuralLM
    from nlptk.perplexity import Perplexity


def is_neural(path: Path) -> bool:
    """Whether a file is safetensors: 8 bytes of a length, and JSON. N-gram models are folders, or ARPA."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def load(path: Path, device: str | None) -> NeuralLM:
    """A model. Raises ModelError where the file holds none."""
    from nlptk.neural.lm import NeuralLM

    return NeuralLM.load(path).set_params(**given(device=device))


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


def generate(
    path: Path,
    prompts: Sequence[str],
    *,
    beam: int | None,
    drawing: Mapping[str, Any],
    searching: Mapping[str, Any],
    common: Mapping[str, Any],
    device: str | None,
    as_json: bool,
) -> None:
    """Print how the model goes on from each prompt: drawn, or with a beam searched.

    Raises ConfigError for an option of the other way.
    """
    for name in searching if beam is None else drawing:
        which = "without" if beam is None else "with"
        raise ConfigError(f"--{name.replace('_', '-')} has no meaning {which} --beam.")
    texts = load(path, device).generate(prompts, beam=beam, **drawing, **searching, **common)
    for begin, text in zip(prompts, texts, strict=True):
        typer.echo(json.dumps({"prompt": begin, "text": text}, ensure_ascii=False) if as_json else text)
