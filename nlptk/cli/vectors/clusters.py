"""``nlptk vectors clusters``: word classes, by Brown clustering of text or from word vectors."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from nlptk.cli.files import OnErrorOrIgnore, check_output, existing_file, existing_files
from nlptk.cli.progress import Progress
from nlptk.cli.vectors.text import Errors, Lower, Tokenizer, cutter
from nlptk.errors import ConfigError


def clusters(
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            dir_okay=False,
            show_default=False,
            help="Words and their classes, .tsv or .tsv.gz.",
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            callback=lambda paths: existing_files(paths or []),
            metavar="[FILES]",
            show_default=False,
            help="Text, a sentence a line, gzip or not; - is standard input. Gives Brown clusters.",
        ),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(
            callback=existing_file, show_default=False, help="Instead of text: vectors, of which k-means."
        ),
    ] = None,
    clusters: Annotated[int, typer.Option("--clusters", min=1, max=10_000, help="Brown clusters.")] = 1000,
    prefixes: Annotated[
        str, typer.Option(help="Bits of a Brown path that make a class, commas between.")
    ] = "4,6,10,20",
    sizes: Annotated[str, typer.Option(help="Classes of each k-means, commas between.")] = "64,256,1000",
    bins: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=10_000,
            show_default=False,
            help="Instead of k-means: cut each of the vectors' main axes into so many bins.",
        ),
    ] = None,
    axes: Annotated[int, typer.Option(min=1, help="With --bins: how many axes.")] = 50,
    paths: Annotated[
        Path | None,
        typer.Option(dir_okay=False, show_default=False, help="Also write Brown's paths: bits, word, count."),
    ] = None,
    min_count: Annotated[int, typer.Option(min=1, help="Rarer words of the text are left out.")] = 10,
    max_vocab: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Keep the most frequent so many words.")
    ] = None,
    tokenizer: Tokenizer = None,
    lower: Lower = False,
    errors: Errors = OnErrorOrIgnore.strict,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of k-means.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="For counting words; 0: all cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Group words by their neighbours in text (Brown), or by their vectors: features for a CRF.

    Example: nlptk vectors clusters corpus.txt -o classes.tsv --clusters 1000 --min-count 10
    """
    from nlptk.vectors.clusters import brown_clusters, kmeans_classes, quantized_classes, write_classes
    from nlptk.vectors.keyed_vectors import KeyedVectors

    if bool(files) == (vectors is not None):
        raise ConfigError("give text files for Brown clusters, or --vectors for k-means.")
    if vectors is not None and paths is not None:
        raise ConfigError("--paths goes with Brown clusters; k-means has no tree.")
    if bins is not None and vectors is None:
        raise ConfigError("--bins goes with --vectors.")
    cut = cutter(tokenizer, lower)
    grains = _numbers("--sizes", sizes) if vectors is not None else _numbers("--prefixes", prefixes)
    for path in filter(None, (output, paths)):
        check_output(path, is_folder=False)
    started = time.monotonic()
    if vectors is not None:
        wv = KeyedVectors.load(vectors, errors=errors.value, threads=threads)
        if bins is not None:
            words, columns = quantized_classes(wv, axes, bins, max_words=max_vocab)
        else:
            words, columns = kmeans_classes(wv, grains, max_words=max_vocab, seed=seed)
    else:
        with Progress("read", unit="bytes", quiet=quiet) as bar:
            found = brown_clusters(
                [str(path) for path in files or []],
                clusters,
                min_count=min_count,
                max_final_vocab=max_vocab,
                tokenizer=cut,
                errors=errors.value,
                threads=threads,
                progress=_Meter(bar),
            )
        words, columns = found.words, found.classes(grains)
        if paths is not None:
            found.save(paths)
    written = write_classes(output, words, columns)
    seconds = round(time.monotonic() - started, 3)
    counts = {name: int(column.max()) + 1 for name, column in columns.items()}
    if as_json:
        typer.echo(
            json.dumps({"words": written, "classes": counts, "seconds": seconds, "output": str(output)})
        )
    elif not quiet:
        shown = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
        print(f"{written:,} words in classes ({shown}) in {seconds:.1f} s; wrote {output}", file=sys.stderr)


class _Meter:
    """Shows which stage the work is in: text is in bytes, clustering in words."""

    def __init__(self, bar: Progress) -> None:
        self._bar, self._stage = bar, "read"

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bar.restart(stage, unit="words" if stage == "cluster" else "bytes")
        self._bar.update(done, total=total)


def _numbers(option: str, text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise ConfigError(f"{option} must be whole numbers with commas between, not {text!r}.")
    return [int(part) for part in parts]
