"""``nlptk annotate``: text in, one line a text; tokens, tags and entities out, as they become ready."""

from __future__ import annotations

import enum
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.cli.files import STDIN, existing_file, open_output
from nlptk.cli.progress import Progress
from nlptk.render import html_parts, to_jsonl, to_table

if TYPE_CHECKING:
    from nlptk.doc import Doc

BATCH_SIZE = 256  # texts
FLUSH_SECONDS = 0.2


class Format(str, enum.Enum):
    """What ``annotate`` writes."""

    conllu = "conllu"
    jsonl = "jsonl"
    table = "table"
    html = "html"


def annotate(
    file: Annotated[
        Path | None,
        typer.Argument(
            callback=existing_file,
            metavar="FILE",
            show_default=False,
            help="UTF-8 text, gzip or not; - or nothing is standard input.",
        ),
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A pipeline's name (en, zh) or folder.")] = "en",
    format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="What to write; else as --output ends; else table on a terminal, conllu elsewhere.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Write this file; it appears when it is whole."),
    ] = None,
    n_process: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Texts at once: {BATCH_SIZE}, but 1 on a terminal. With 1 each line is answered at once.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Segment and tag text, each line a text of its own, and write the result as it becomes ready.

    An empty line is a paragraph break: jsonl answers it with an empty document, so that line n of the output
    belongs to line n of the input; the other formats leave it out.

    Example: nlptk annotate --model en --output page.html letters.txt
    """
    import nlptk

    file = file or STDIN
    format = format or _default_format(output)
    nlp = nlptk.load(model)
    typed = file == STDIN and sys.stdin.isatty()
    batch_size = batch_size or (1 if typed else BATCH_SIZE)
    texts = _Texts(file, keep_empty=format is Format.jsonl)
    docs = nlp.pipe(texts, as_tuples=True, batch_size=batch_size, n_process=n_process)
    # On a terminal the results themselves are the progress.
    hidden = quiet or typed or (output is None and sys.stdout.isatty())
    with open_output(output) as out, Progress("annotate", total=texts.size, quiet=hidden) as progress:
        flushed = time.monotonic()
        for piece in _pieces(_watched(docs, texts, progress), format, title=texts.title):
            out.write(piece)
            now = time.monotonic()
            # Who asks for one text at a time waits for each answer.
            if output is None and (batch_size == 1 or now - flushed > FLUSH_SECONDS):
                sys.stdout.flush()
                flushed = now


def _default_format(output: Path | None) -> Format:
    if output is None:
        return Format.table if sys.stdout.isatty() else Format.conllu
    endings = {".htm": Format.html, ".json": Format.jsonl, ".txt": Format.table}
    endings.update({f".{format.value}": format for format in Format})
    return endings.get(output.suffix.lower(), Format.conllu)


class _Texts:
    """The lines of the input and their numbers; counts the bytes that are read."""

    def __init__(self, path: Path, keep_empty: bool) -> None:
        self.path, self.keep_empty = path, keep_empty
        self.title = "nlptk" if path == STDIN else path.name
        self.position = 0
        plain = path != STDIN and path.is_file() and path.suffix != ".gz"
        self.size = os.path.getsize(path) if plain else None

    def __iter__(self) -> Iterator[tuple[str, int]]:
        from nlptk.corpora.files import read_lines

        for number, line in enumerate(read_lines(self.path), start=1):
            self.position += len(line.encode("utf-8")) + 1
            if self.keep_empty or (line and not line.isspace()):
                yield line, number


def _watched(docs: Iterable[tuple[Doc, int]], texts: _Texts, progress: Progress) -> Iterator[Doc]:
    """The Docs, each with the number of its line as id, counted for the progress display."""
    words = 0
    for count, (doc, number) in enumerate(docs, start=1):
        doc.user_data["id"] = number
        words += len(doc)
        if count % 64 == 0:
            rate = words / max(progress.elapsed, 1e-9)
            progress.update(texts.position, note=f"{count:,} texts, {rate:,.0f} words/s")
        yield doc


def _pieces(docs: Iterator[Doc], format: Format, title: str) -> Iterator[str]:
    """The output, a piece a Doc."""
    if format is Format.html:
        yield from html_parts(docs, title=title)
    elif format is Format.jsonl:
        yield from (to_jsonl(doc) + "\n" for doc in docs)
    elif format is Format.table:
        yield from (to_table(doc) + "\n\n" for doc in docs)
    else:
        from nlptk.corpora import doc_to_conllu

        yield from ("".join(map(str, doc_to_conllu(doc))) for doc in docs)
