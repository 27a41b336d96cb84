"""``nlptk vectors convert``: from one file format of word vectors to another."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import STDIN, OnErrorOrIgnore
from nlptk.cli.vectors.similar import Errors, Json, Vectors
from nlptk.errors import ConfigError


class Format(enum.Enum):
    """See nlptk/vectors/formats."""

    word2vec = "word2vec"
    glove = "glove"
    word2vec_bin = "word2vec-bin"
    fasttext = "fasttext"
    nlptk = "nlptk"


def convert(
    file: Vectors,
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            show_default=False,
            help="Its ending chooses the format: .txt or .vec (word2vec), .glove, .bin (fastText with "
            "subwords, else word2vec), .safetensors (nlptk); .gz after it compresses.",
        ),
    ],
    source: Annotated[
        Format | None,
        typer.Option("--from", help="Of FILE, if what is inside does not tell.", show_default=False),
    ] = None,
    target: Annotated[
        Format | None, typer.Option("--to", help="Of OUT, whatever its ending.", show_default=False)
    ] = None,
    quantize: Annotated[
        bool,
        typer.Option("--quantize", help="8 bits a number: a quarter of the size; .safetensors keeps it."),
    ] = False,
    digits: Annotated[
        int, typer.Option(min=0, max=9, help="Significant digits in text; 0: as many as read back the same.")
    ] = 0,
    errors: Errors = OnErrorOrIgnore.strict,
    as_json: Json = False,
) -> None:
    """Convert word vectors from one format to another. OUT appears when it is whole.

    Example: nlptk vectors convert cc.en.300.bin english.safetensors --quantize
    """
    from nlptk.vectors import formats
    from nlptk.vectors.keyed_vectors import KeyedVectors

    _check_output(output)
    if target is None:
        formats.format_for(output)  # refuses an ending that it does not know, before any work
    vectors = KeyedVectors.load(file, format=source and source.value, errors=errors.value)
    result: dict[str, Any] = {"output": str(output), "words": len(vectors), "dimensions": vectors.vector_size}
    if quantize:
        result["loss"] = round(vectors.quantization_loss(), 6)
        vectors = vectors.quantize()
    vectors.save(output, format=target and target.value, digits=digits)
    lost = f"; 8 bits lose {result['loss']:.2%} of a vector's length" if quantize else ""
    shown = f"saved {output}: {len(vectors):,} words, {vectors.vector_size} dimensions{lost}"
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else shown)


def _check_output(output: Path) -> None:
    """Refuse, before any work is done, a place that cannot be written to."""
    if output == STDIN:
        raise ConfigError("OUT cannot be standard output, as its ending chooses the format; name a file.")
    if output.is_dir():
        raise ConfigError(f"OUT {output} is a folder; name a file.")
    parent = output.resolve().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError(f"OUT {output} cannot be written: {parent} is not a writable folder.")
