"""``nlptk bpe``: learn a BPE tokenizer, and turn lines of text into ids and back, as streams."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.files import STDIN, OnError, check_output, existing_file, existing_files, naming, open_output
from nlptk.cli.progress import Progress
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.corpora.files import LineReader
    from nlptk.tokenize.bpe import BPE

app = typer.Typer(
    help="Learn a BPE tokenizer; encode lines of text to ids and decode them.",
    epilog="Example: nlptk bpe train corpus.txt --vocab-size 32000 --output tokenizer.json",
)


Errors = Annotated[
    OnError, typer.Option(help="Bytes that are not UTF-8: strict stops there, replace reads U+FFFD.")
]
Threads = Annotated[int, typer.Option(min=0, help="0: all cores.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Model = Annotated[
    Path,
    typer.Option("--model", "-m", help="tokenizer.json, .tiktoken, merges.txt, or a folder with such files."),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        help="How text is cut before merging: gpt2, cl100k, o200k, llama3, qwen2, whitespace, "
        "whitespace_split, none, or a regular expression.",
        show_default=False,
    ),
]
Input = Annotated[
    Path | None,
    typer.Argument(
        callback=existing_file,
        metavar="FILE",
        show_default=False,
        help="Gzip or not; - or nothing is standard input.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", dir_okay=False, help="Write this file; it appears when it is whole."),
]


# ---- train ----


@app.command("train")
def train(
    files: Annotated[
        list[Path],
        typer.Argument(
            callback=existing_files,
            metavar="FILES",
            show_default=False,
            help="UTF-8 text, gzip or not; - is standard input.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="NAME.json, NAME.tiktoken, or a folder for vocab.json and merges.txt."
        ),
    ],
    vocab_size: Annotated[int, typer.Option(min=1, help="Tokens in all.")] = 32_000,
    pattern: Pattern = None,
    characters: Annotated[
        bool, typer.Option("--characters", help="Units are characters, not bytes.")
    ] = False,
    end_of_word: Annotated[
        str | None,
        typer.Option(help='Mark of a word\'s end, as "</w>"; with --characters.', show_default=False),
    ] = None,
    unk_token: Annotated[
        str | None, typer.Option(help="Token for unknown characters; with --characters.", show_default=False)
    ] = None,
    limit_alphabet: Annotated[
        int | None,
        typer.Option(min=1, help="Keep only so many characters; with --characters.", show_default=False),
    ] = None,
    special_token: Annotated[
        list[str] | None,
        typer.Option(help="A token that stands in text as it is; may be repeated.", show_default=False),
    ] = None,
    min_frequency: Annotated[int, typer.Option(min=0, help="Do not merge pairs that are rarer.")] = 0,
    errors: Errors = OnError.strict,
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn a vocabulary and merges from text, larger than memory if need be, and save them.

    Example: nlptk bpe train corpus-1.txt.gz corpus-2.txt.gz --vocab-size 32000 --output tokenizer.json
    """
    from nlptk.tokenize.bpe import BPE

    if not characters and (end_of_word or unk_token or limit_alphabet):
        raise ConfigError("--end-of-word, --unk-token and --limit-alphabet go with --characters.")
    _check_layout(output, characters)
    started = time.monotonic()
    with _Stages(quiet) as stages:
        model = BPE.train(
            files,
            vocab_size,
            min_frequency=min_frequency,
            special_tokens=special_token or [],
            byte_level=not characters,
            pattern=pattern,
            end_of_word_suffix=end_of_word,
            unk_token=unk_token,
            limit_alphabet=limit_alphabet,
            errors=errors.value,
            threads=threads,
            progress=stages,
        )
    seconds = time.monotonic() - started
    with naming(output):
        model.save(output)
    result = {
        "output": str(output),
        "tokens": model.vocab_size,
        "merges": len(model.merges),
        "bytes": stages.text_bytes,
        "seconds": round(seconds, 3),
        "megabytes_per_second": round(stages.text_bytes / 1e6 / max(seconds, 1e-9), 2),
    }
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else _summary(result, vocab_size))


def _check_layout(output: Path, characters: bool) -> None:
    """Refuse, before any work is done, a file that cannot be written or could not hold the model."""
    if output.suffix == ".tiktoken" and characters:
        raise ConfigError(f"--output {output} cannot hold a model of characters; give a .json file.")
    if output.suffix == ".txt" and not characters:
        raise ConfigError(f"--output {output} would hold merges without bytes; give a .json file.")
    check_output(output, is_folder=output.suffix not in (".json", ".tiktoken", ".txt"))


def _summary(result: dict[str, Any], asked: int) -> str:
    fewer = f" of {asked:,} (the text has no more pairs)" if result["tokens"] < asked else ""
    return (
        f"saved {result['output']}: {result['tokens']:,} tokens{fewer}, {result['merges']:,} merges; "
        f"{result['bytes'] / 1e6:,.1f} MB in {result['seconds']:.2f} s "
        f"({result['megabytes_per_second']:.1f} MB/s)"
    )


class _Stages:
    """The progress of training: MB of text while counting, then tokens while merging."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.text_bytes = 0
        self._stage = ""
        self._shown = ExitStack()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage = stage
            self._shown.close()
            unit = "MB" if stage == "count" else "tokens"
            self._progress = self._shown.enter_context(Progress(stage, unit=unit, quiet=self.quiet))
        scale = 1e6 if stage == "count" else 1
        if stage == "count":
            self.text_bytes = done
        self._progress.update(done / scale, total=None if total is None else total / scale)

    def __enter__(self) -> _Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.close()


# ---- encode ----


@app.command("encode")
def encode(
    model: Model,
    file: Input = None,
    output: Output = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Write tokens, not ids.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object a line: ids, tokens and offsets in characters.")
    ] = False,
    add_special_tokens: Annotated[
        bool, typer.Option("--add-special-tokens", help="With the ids that the model puts around a text.")
    ] = False,
    pattern: Pattern = None,
    dropout: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Probability of leaving out a merge.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**62, help="Of --dropout.")] = 0,
    errors: Errors = OnError.strict,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Encode text: each line to a line of ids, which `nlptk bpe decode` turns back into the same bytes.

    Example: nlptk bpe encode --model tokenizer.json corpus.txt.gz --output corpus.ids
    """
    from nlptk.corpora.files import open_text
    from nlptk.tokenize.bpe import BPE

    if tokens and as_json:
        raise ConfigError("--tokens and --json exclude each other: --json gives the tokens too.")
    settings: dict[str, Any] = {"pattern": pattern, "dropout": dropout, "threads": threads}
    bpe = BPE.load(model, **{name: value for name, value in settings.items() if value is not None})
    rows = (_json_rows if as_json else _rows)(bpe, tokens, add_special_tokens)

    def pieces(reader: LineReader) -> Iterator[str]:
        number = seed  # so that a line's dropout does not depend on where batches end
        for text in reader.texts(errors.value):
            lines = text.split("\n")
            # Where the last line lacks its line end, so does the output: decoding gives the same bytes.
            end = "" if lines[-1] and not as_json else "\n"
            if not lines[-1]:
                lines.pop()
            yield "\n".join(rows(lines, number)) + end
            number += len(lines)

    _stream("encode", open_text(file or STDIN), pieces, output, quiet)


Rows = Callable[[list[str], int], list[str]]


def _rows(bpe: BPE, tokens: bool, frame: bool) -> Rows:
    """Lines and a seed to ids, or tokens, with spaces between."""
    named = {number: token if tokens else str(number) for token, number in bpe.vocab.items()}
    # A list is looked up in half the time, and str() of each id would take as long as encoding.
    most = max(named, default=0) + 1
    names = named if most > 4 * len(named) else [named.get(number, "") for number in range(most)]

    def rows(lines: list[str], seed: int) -> list[str]:
        all_ids = bpe.encode_batch(lines, frame, seed=seed)
        return [" ".join([names[number] for number in ids]) for ids in all_ids]

    return rows


def _json_rows(bpe: BPE, tokens: bool, frame: bool) -> Rows:
    """Lines and a seed to JSON objects."""
    names = {number: token for token, number in bpe.vocab.items()}
    before, after = (bpe.begin_ids, bpe.end_ids) if frame else ([], [])
    nowhere = [(0, 0)]  # as tokenizers says of tokens that stand for no text

    def rows(lines: list[str], seed: int) -> list[str]:
        all_ids, starts, ends, bounds = (part.tolist() for part in bpe.encode_arrays(lines, seed=seed))
        out = []
        for a, b in itertools.pairwise(bounds):
            ids = [*before, *all_ids[a:b], *after]
            spans = zip(starts[a:b], ends[a:b], strict=True)
            offsets = [*nowhere * len(before), *spans, *nowhere * len(after)]
            row = {"ids": ids, "tokens": [names[number] for number in ids], "offsets": offsets}
            out.append(json.dumps(row, ensure_ascii=False))
        return out

    return rows


# ---- decode ----


@app.command("decode")
def decode(
    model: Model,
    file: Input = None,
    output: Output = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object a line, whatever the text holds.")
    ] = False,
    skip_special_tokens: Annotated[
        bool, typer.Option("--skip-special-tokens", help="Leave out special tokens.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Decode ids: each line of ids, with spaces between, to a line of text.

    Bytes that are not UTF-8 become U+FFFD. Line ends among the ids are written as they are.

    Example: nlptk bpe decode --model tokenizer.json corpus.ids --output corpus.txt
    """
    import numpy as np

    from nlptk.corpora.files import error_at, open_text
    from nlptk.tokenize.bpe import BPE

    bpe = BPE.load(model)

    def text_of(line: bytes) -> str:
        ids = np.fromstring(line, np.int64, sep=" ") if _checked(line) else np.zeros(0, np.int64)
        text = bpe.decode(ids, skip_special_tokens)
        return json.dumps({"text": text}, ensure_ascii=False) if as_json else text

    def pieces(reader: LineReader) -> Iterator[str]:
        number = 0
        for block in reader.blocks(1 << 20, wait=False):
            lines = block.split(b"\n")
            end = "" if lines[-1] and not as_json else "\n"
            if not lines[-1]:
                lines.pop()
            texts: list[str] = []
            for line in lines:
                number += 1
                try:
                    texts.append(text_of(line))
                except ValueError as error:
                    yield "".join(f"{text}\n" for text in texts)
                    raise error_at(reader.name, number, str(error).removeprefix("bpe: ")) from error
            yield "\n".join(texts) + end

    _stream("decode", open_text(file or STDIN), pieces, output, quiet)


def _checked(line: bytes) -> bool:
    """Whether a line of ids holds any. ValueError if it holds anything else."""
    if line.translate(None, b"0123456789 \t\r\v\f"):
        word = next((word for word in line.split() if not word.isdigit()), line)
        raise ValueError(
            f"{word[:40].decode('utf-8', 'replace')!r} is no id; ids are numbers with spaces between"
        )
    return bool(line.strip())


# ---- both ----


def _stream(
    title: str,
    reader: LineReader,
    pieces: Callable[[LineReader], Iterator[str]],
    output: Path | None,
    quiet: bool,
) -> None:
    """Write the pieces that are made of what is read, each as soon as it is there."""
    to_stdout = output is None or output == STDIN
    # On a terminal the results themselves are the progress.
    hidden = quiet or (to_stdout and sys.stdout.isatty()) or (reader.disk_size is None and sys.stdin.isatty())
    with (
        reader,
        open_output(output) as out,
        Progress(title, total=reader.disk_size, quiet=hidden) as progress,
    ):
        for piece in pieces(reader):
            out.write(piece)
            if to_stdout:
                sys.stdout.flush()
            rate = reader.text_bytes / 1e6 / max(progress.elapsed, 1e-9)
            progress.update(reader.disk_bytes, note=f"{reader.line:,} lines, {rate:.1f} MB/s")
