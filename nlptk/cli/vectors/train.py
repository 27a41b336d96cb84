"""``nlptk vectors train``: word vectors from a corpus."""

from __future__ import annotations

import enum
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.cli.files import OnErrorOrIgnore, TextFiles, check_output
from nlptk.cli.progress import Progress
from nlptk.cli.vectors.text import Errors, Lower, Tokenizer, cutter
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.vectors import word2vec


class Model(enum.Enum):
    """What predicts what."""

    skipgram = "skipgram"
    cbow = "cbow"


def train(
    files: TextFiles,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            dir_okay=False,
            show_default=False,
            help="The vectors: .txt, .vec, .bin, .glove or .safetensors; .bin with subwords is fastText's.",
        ),
    ],
    model: Annotated[
        Model, typer.Option(help="skipgram: a word predicts its neighbours; cbow: they predict it.")
    ] = Model.skipgram,
    dim: Annotated[int, typer.Option(min=1, help="Numbers of a vector.")] = 100,
    window: Annotated[int, typer.Option(min=1, help="Neighbours on each side at most.")] = 5,
    negative: Annotated[int, typer.Option(min=0, help="Noise words for each word predicted; 0: none.")] = 5,
    hs: Annotated[bool, typer.Option("--hs", help="Hierarchical softmax, beside --negative.")] = False,
    sample: Annotated[
        float, typer.Option(min=0, max=1, help="More frequent words are skipped at times; 0: none.")
    ] = 1e-3,
    min_count: Annotated[int, typer.Option(min=1, help="Rarer words are left out.")] = 5,
    max_vocab: Annotated[
        int | None, typer.Option(min=2, show_default=False, help="Keep the most frequent so many words.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Times that the corpus is read.")] = 5,
    alpha: Annotated[
        float | None,
        typer.Option(show_default=False, help="The learning rate at the start: 0.04, cbow 0.12."),
    ] = None,
    min_alpha: Annotated[float, typer.Option(min=0, help="The learning rate at the end.")] = 1e-4,
    subwords: Annotated[
        bool, typer.Option("--subwords", help="fastText's model: unseen words get vectors by their parts.")
    ] = False,
    min_n: Annotated[int, typer.Option(min=1, help="Characters of the shortest subword.")] = 3,
    max_n: Annotated[int, typer.Option(min=1, help="Characters of the longest subword.")] = 6,
    bucket: Annotated[int, typer.Option(min=1, help="Subwords share so many vectors.")] = 2_000_000,
    tokenizer: Tokenizer = None,
    lower: Lower = False,
    errors: Errors = OnErrorOrIgnore.strict,
    checkpoint: Annotated[
        Path | None,
        typer.Option(file_okay=False, show_default=False, help="Keep the training's state in this folder."),
    ] = None,
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="How often, beside epochs' ends.")] = 10,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from --checkpoint.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="One thread and a seed give the same bytes.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Train word vectors (word2vec, fastText) on text.

    Example: nlptk vectors train corpus.txt -o vectors.txt --model skipgram --dim 100 --epochs 5
    """
    from nlptk.vectors.formats import format_for
    from nlptk.vectors.word2vec import Word2Vec

    if resume and checkpoint is None:
        raise ConfigError("--resume goes on from --checkpoint: give its folder.")
    cut = cutter(tokenizer, lower)
    check_output(output, is_folder=False)
    kind = format_for(output, subwords)
    learner = Word2Vec(
        dim,
        model=model.value,
        window=window,
        min_count=min_count,
        max_final_vocab=max_vocab,
        negative=negative,
        hs=hs,
        sample=sample,
        alpha=alpha,
        min_alpha=min_alpha,
        epochs=epochs,
        min_n=min_n,
        max_n=max_n if subwords else 0,
        bucket=bucket,
        seed=seed,
        threads=threads,
    )
    started = time.monotonic()

    def check_space(words: int) -> None:
        rows = words + (bucket if learner.max_n and kind in ("fasttext", "nlptk") else 0)
        size = rows * (dim * (4 if kind in ("fasttext", "nlptk", "word2vec-bin") else 10) + 12)
        _check_space(output, size)
        if checkpoint is not None:
            _check_space(checkpoint / "x", 8 * dim * (words + (bucket if learner.max_n else 0)))

    with Progress("train", unit="words", quiet=quiet) as bar:
        learner.fit(
            [str(path) for path in files],
            tokenizer=cut,
            errors=errors.value,
            progress=_meter(bar),
            checkpoint=checkpoint,
            checkpoint_seconds=60 * checkpoint_minutes,
            resume=resume,
            before_training=check_space,
        )
    learner.wv.save(output, threads=threads)
    result = {
        "words": len(learner.wv),
        "corpus_words": learner.corpus_count_,
        "loss": round(learner.loss_, 4),
        "words_per_second": round(learner.words_per_second_),
        "seconds": round(time.monotonic() - started, 3),
        "output": str(output),
    }
    if as_json:
        typer.echo(json.dumps(result))
    elif not quiet:
        print(
            f"{result['words']:,} vectors from {result['corpus_words']:,} words in "
            f"{result['seconds']:.1f} s; wrote {output}",
            file=sys.stderr,
        )


def _meter(bar: Progress) -> Callable[[word2vec.Progress], None]:
    """Shows what stage the training is in; counting and copying are in bytes, training in words."""
    stage = ""

    def tell(at: word2vec.Progress) -> None:
        nonlocal stage
        if at.stage != stage:
            stage = at.stage
            bar.restart(stage, unit="words" if stage == "train" else "bytes")
        note = f"epoch {at.epoch}, loss {at.loss:.3f}, alpha {at.alpha:.4f}" if stage == "train" else ""
        bar.update(at.done, total=at.total, note=note)

    return tell


def _check_space(path: Path, size: int) -> None:
    """Refuse, before an hour is spent, a disk that cannot take the result."""
    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ConfigError(
            f"the vectors need about {size / 1e6:,.0f} MB, and {folder} has {free / 1e6:,.0f} MB free; "
            "make space, or write elsewhere"
        )
