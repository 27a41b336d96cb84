"""``nlptk vectors phrases``: find the phrases of a corpus, and write it with each joined to one word."""

from __future__ import annotations

import contextlib
import enum
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import STDIN, OnError, TextFiles, check_output, open_output
from nlptk.cli.progress import Progress
from nlptk.errors import ConfigError


class Scoring(enum.Enum):
    """How a pair of words is scored."""

    default = "default"
    npmi = "npmi"


def phrases(
    files: TextFiles,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", dir_okay=False, help="The text with phrases joined; else standard output."
        ),
    ] = None,
    min_count: Annotated[float, typer.Option(help="A phrase occurs so often at least.")] = 5,
    threshold: Annotated[
        list[float] | None,
        typer.Option(help="A phrase's score is above it (10; npmi: 0.5); may be given for each pass."),
    ] = None,
    scoring: Annotated[
        Scoring, typer.Option(help="Mikolov's score, or normalised mutual information.")
    ] = Scoring.default,
    delimiter: Annotated[str, typer.Option(help="Between the words of a phrase.")] = "_",
    connector_words: Annotated[
        str,
        typer.Option(
            help='Words that may stand within a phrase, commas between; "en": English articles and the like.'
        ),
    ] = "",
    passes: Annotated[int, typer.Option(min=1, help="Two passes find phrases of up to four words.")] = 1,
    max_vocab_size: Annotated[
        int, typer.Option(min=1, help="Words and pairs kept in memory; then the rarest are forgotten.")
    ] = 40_000_000,
    model: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Join the phrases of this file, found before; learn none."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Keep the phrases found, as JSON, for --model.")
    ] = None,
    errors: Annotated[
        OnError, typer.Option(help="Bytes that are not UTF-8: strict stops there, replace reads U+FFFD.")
    ] = OnError.strict,
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON; needs --output or --save.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Find phrases ("new york") in text and write the text with each as one word ("new_york").

    Example: nlptk vectors phrases corpus.txt -o phrases.txt --connector-words en --passes 2
    """
    from nlptk.vectors.phrases import ENGLISH_CONNECTOR_WORDS, Phrases

    for path in filter(None, (output, save)):
        if path != STDIN:
            check_output(path, is_folder=False)
    if as_json and output in (None, STDIN) and save is None:
        raise ConfigError("--json goes with --output or --save: standard output holds the text.")
    if as_json and output == STDIN:
        raise ConfigError("--json and --output - exclude each other: both write to standard output.")
    started = time.monotonic()
    with _spooled(files, learning=model is None) as paths:
        if model is not None:
            found = Phrases.load(model)
        else:
            words = ENGLISH_CONNECTOR_WORDS if connector_words == "en" else connector_words.split(",")
            thresholds = threshold or [0.5 if scoring is Scoring.npmi else 10.0]
            found = Phrases(
                min_count=min_count,
                threshold=thresholds if len(thresholds) > 1 else thresholds[0],
                scoring=scoring.value,
                delimiter=delimiter,
                connector_words=sorted(filter(None, words)),
                passes=passes,
                max_vocab_size=max_vocab_size,
                threads=threads,
            )
            with Progress("count", unit="MB", quiet=quiet) as progress:
                found.fit(paths, errors=errors.value, progress=_meter(progress))
        found.threads = threads
        if save is not None:
            found.save(save)
        if output is not None or save is None:
            _join(found, paths, output, errors, quiet)
    result = {
        "phrases": len(found.phrases),
        "output": str(output) if output else None,
        "saved": str(save) if save else None,
        "seconds": round(time.monotonic() - started, 3),
    }
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    elif not quiet:
        where = " and ".join(str(path) for path in (output, save) if path not in (None, STDIN))
        summary = f"{result['phrases']:,} phrases in {result['seconds']:.2f} s"
        print(f"{summary}; wrote {where}" if where else summary, file=sys.stderr)


def _meter(progress: Progress) -> Any:
    def tell(number: int, done: int, total: int | None) -> None:
        progress.update(done / 1e6, total=None if total is None else total / 1e6, note=f"pass {number}")

    return tell


@contextlib.contextmanager
def _spooled(files: list[Path], learning: bool) -> Iterator[list[Path]]:
    """The files, where standard input, which is read again after learning, is a file for a time."""
    if STDIN not in files or not learning:
        yield files
        return
    if files.count(STDIN) > 1:
        raise ConfigError("- stands for standard input and can be given once.")
    with tempfile.TemporaryDirectory(prefix="nlptk-") as folder:
        copy = Path(folder) / "stdin"
        with open(copy, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [copy if path == STDIN else path for path in files]


def _join(found: Any, paths: list[Path], output: Path | None, errors: OnError, quiet: bool) -> None:
    from nlptk.corpora.files import open_text

    with open_output(output) as out, Progress("join", unit="MB", quiet=quiet) as progress:
        done = 0
        for path in paths:
            with open_text(path) as reader:
                for text in found.join_lines(reader, errors.value):
                    out.write(text)
                    progress.update((done + reader.text_bytes) / 1e6)
                done += reader.text_bytes
