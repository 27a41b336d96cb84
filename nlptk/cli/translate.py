"""``nlptk translate``: texts through a trained sequence-to-sequence model, line by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from nlptk.cli.files import STDIN, existing_file, open_output
from nlptk.cli.progress import Progress
from nlptk.cli.sampling import PANEL, MinP, RepetitionPenalty, Seed, Temperature, TopK, TopP
from nlptk.cli.train.options import given
from nlptk.errors import ConfigError

_TEXTS = 1024  # read, sorted by length and translated together


def translate(
    model: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            metavar="MODEL",
            help="Folder of nlptk train seq2seq.",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            callback=existing_file,
            metavar="FILE",
            show_default=False,
            help="UTF-8 text, one source a line, gzip or not; - or nothing is standard input.",
        ),
    ] = None,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Hypotheses kept; 1 is greedy.", show_default=False)
    ] = None,
    length_penalty: Annotated[
        float | None, typer.Option(help="Higher for longer translations.", show_default=False)
    ] = None,
    coverage_penalty: Annotated[
        float | None, typer.Option(help="Of what attention passed over.", show_default=False)
    ] = None,
    n_best: Annotated[int, typer.Option(min=1, help="Translations of each line, best first.")] = 1,
    prefix: Annotated[str, typer.Option(help="What each translation begins with.")] = "",
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw, do not search.", rich_help_panel=PANEL)
    ] = False,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    seed: Seed = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts at once.")] = 64,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Write this file; it appears when it is whole."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=0, help="0: all cores.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of texts and scores a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Translate text, each line by itself; with --n-best N, N lines each: score, tab, translation.

    An empty line gives an empty line, so that line n of the output belongs to line n of the input.

    Example: nlptk translate my-translator letters.txt --beam 5
    """
    from nlptk.corpora.files import read_lines
    from nlptk.neural.seq2seq import Seq2Seq

    drawing = given(
        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty
    )  # fmt: skip
    searching = given(beam=beam, length_penalty=length_penalty, coverage_penalty=coverage_penalty)
    for name in searching if sample else {**drawing, **given(seed=seed)}:
        raise ConfigError(
            f"--{name.replace('_', '-')} has no meaning {'with' if sample else 'without'} --sample."
        )
    decoding = {"sampling": drawing, **given(seed=seed)} if sample else searching
    if threads:
        from nlptk.neural.devices import set_threads

        set_threads(threads)
    translator = Seq2Seq.load(model)
    lines = read_lines(file or STDIN)
    typed = (file or STDIN) == STDIN and sys.stdin.isatty()
    done = 0
    with open_output(output) as out, Progress("translate", unit="lines", quiet=quiet or typed) as progress:
        for texts in _blocks(lines, 1 if typed else _TEXTS):
            found = translator.translate(
                texts, **decoding, n_best=n_best,
                prefixes=[prefix if text.strip() else "" for text in texts] if prefix else None,
                batch_size=batch_size, numbered_from=done + 1,
            )  # fmt: skip
            for choices in found:
                if as_json:
                    rows = [{"text": one.text, "score": one.score} for one in choices]
                    out.write(json.dumps(rows, ensure_ascii=False) + "\n")
                elif n_best == 1:
                    out.write(choices[0].text + "\n")
                else:
                    out.write("".join(f"{one.score:.4f}\t{one.text}\n" for one in choices))
            if output is None:
                sys.stdout.flush()
            done += len(texts)
            progress.update(done)


def _blocks(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    while block := list(islice(lines, size)):
        yield block
