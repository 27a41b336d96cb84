"""Word vectors by several processes, on one machine or more:

    torchrun --standalone --nproc-per-node 2 -m nlptk.vectors.distributed train corpus.txt -o vectors.txt

Each process trains matrices of its own, which begin alike, on its share of the corpus: chunk k is that of
process k mod n. After each round of chunks the rows of the most frequent words are joined by all-reduce, and
every `--sync-words` words all rows (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed
Memory"). The learning rate falls with the words of all processes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, DataError, MissingDependencyError, NlptkError
from nlptk.vectors.corpus import ERRORS, open_corpus
from nlptk.vectors.formats import format_for
from nlptk.vectors.keyed_vectors import KeyedVectors
from nlptk.vectors.word2vec import MODELS, Progress, Word2Vec, learn

try:
    import torch
    import torch.distributed as dist
except ImportError as error:
    raise MissingDependencyError(
        "training word vectors in several processes needs torch: pip install 'nlptk[neural]'"
    ) from error

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
SYNC_WORDS = 500_000
# The most frequent of so many words are joined after every round, all only now and then: they move most.
_HOT = 4
# A row moves by the mean of its moves in the processes that moved it, times the root of their number, at most
# this: the mean alone learns slowly, the sum overshoots (docs/word2vec.md).
_GAIN = 2.0
_ROWS = 1 << 15  # that are joined at a time


class PeerError(NlptkError):
    """Another process failed; it says itself why."""


def fit(
    learner: Word2Vec,
    files: Sequence[PathLike],
    *,
    errors: str = "strict",
    sync_words: int = SYNC_WORDS,
    progress: Callable[[Progress], None] | None = None,
    before_training: Callable[[int], None] | None = None,
) -> KeyedVectors:
    """Train in the default process group of torch.distributed, all of whose processes must call this alike.

    Args:
        learner: the settings; `threads` is of each process.
        files: plain or gzip, which every process must see; not standard input.
        sync_words: words that each process trains on before all rows are joined.
        progress: called with the words of all processes.
        before_training: called with the number of words of the vocabulary; may raise.

    Returns:
        The vectors, the same in every process.

    Raises:
        ConfigError, DataError: as `Word2Vec.fit`, in the first process where it happened.
        PeerError: in the others.
    """
    group = _Group()
    report = progress or (lambda _: None)

    def open_share() -> _core.TokenCorpus:
        if sync_words < 1:
            raise ConfigError(f"sync_words must be 1 or more, not {sync_words}")
        if any(os.fspath(file) == "-" for file in files):
            raise ConfigError("several processes cannot share standard input: give a file")
        learner._check()
        share = open_corpus(list(files), errors=errors, chunk_bytes=_chunk_bytes(files, group.size))
        return stack.enter_context(share)

    with contextlib.ExitStack() as stack:
        text = group.do(open_share)
        sizes = set(group.gather(text.bytes))
        group.do(lambda: _check_same(sizes))
        vocabulary = _count(group, learner, text, report)
        if before_training is not None:
            group.do(lambda: before_training(len(vocabulary)))
        trainer = group.do(lambda: learner._trainer(text, vocabulary, group.size))
        _train(group, learner, trainer, text, len(vocabulary), vocabulary.tokens, sync_words, report)
        return learner._vectors(trainer, vocabulary)


# ---- steps ----


def _chunk_bytes(files: Sequence[PathLike], processes: int) -> int:
    """Of chunks that are small enough to be shared out fairly."""
    size = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
    return min(max(size // (256 * processes), 1 << 12), 1 << 20)


def _check_same(sizes: set[int]) -> None:
    if len(sizes) > 1:
        raise DataError("the processes see different corpora: give files that all of them share")


def _count(
    group: _Group, learner: Word2Vec, text: _core.TokenCorpus, report: Callable[[Progress], None]
) -> _core.WordVocabulary:
    """The vocabulary, which the process of rank 0 counts, while the others wait, and tells."""

    def count() -> list[Any]:
        if group.rank > 0:
            return [None]
        # The processes beside this one have nothing to do meanwhile: all cores count.
        vocabulary = Word2Vec(**{**learner.get_params(), "threads": 0})._count(text, report)
        return [(vocabulary.words(), vocabulary.counts().tolist(), vocabulary.raw_tokens)]

    told = group.do(count)
    group.guard(lambda: dist.broadcast_object_list(told, 0))
    return _core.WordVocabulary(*told[0])


def _train(
    group: _Group,
    learner: Word2Vec,
    trainer: _core.SgnsTrainer,
    text: _core.TokenCorpus,
    words: int,
    tokens: int,
    sync_words: int,
    report: Callable[[Progress], None],
) -> None:
    """All epochs, in rounds: each process trains on a chunk a thread, then rows are joined."""
    matrices = [(matrix, np.array(matrix)) for matrix in (trainer.inputs, trainer.outputs)]
    chunks = range(text.chunks)[group.rank :: group.size]
    rounds = -(-text.chunks // group.size)
    step = max(group.gather(learner.threads or os.cpu_count() or 1))  # chunks of a round
    until_all = max(round(sync_words * text.chunks / tokens / step), 1)
    done = 0
    for epoch in range(learner.epochs):
        for begin in range(0, rounds, step):
            before = trainer.status[0]
            part = chunks[begin : begin + step]
            group.do(lambda: learn(trainer, epoch, part))  # noqa: B023 (is called at once)
            done += int(group.sum(np.array([trainer.status[0] - before], np.float64))[0])
            everything = (begin // step + 1) % until_all == 0 or begin + step >= rounds
            for matrix, base in matrices:
                rows = len(matrix) if everything else min(words // _HOT, len(matrix))
                _join(group, matrix[:rows], base[:rows])
            # What each would have read had all been as fast: its schedule is a share of the whole.
            trainer.set_tokens(done // group.size)
            report(Progress("train", done, tokens * learner.epochs, epoch + 1, *trainer.status[1:]))


def _join(group: _Group, matrix: Floats, base: Floats) -> None:
    """Make the rows those of all processes; `base` is what they were when they were last joined."""
    for begin in range(0, len(matrix), _ROWS):
        mine, old = matrix[begin : begin + _ROWS], base[begin : begin + _ROWS]
        moves = np.empty((len(mine), mine.shape[1] + 1), np.float32)
        np.subtract(mine, old, out=moves[:, :-1])
        moves[:, -1] = moves[:, :-1].any(axis=1)  # in how many processes
        group.sum(moves)
        movers = np.maximum(moves[:, -1:], 1)
        old += moves[:, :-1] * (np.minimum(np.sqrt(movers), _GAIN) / movers)
        mine[:] = old


class _Group:
    """The processes, as far as they are needed here. What torch raises becomes PeerError."""

    def __init__(self) -> None:
        if not dist.is_initialized():
            raise ConfigError("there is no process group: start with torchrun, or call init_process_group")
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def guard(self, talk: Callable[[], T]) -> T:
        try:
            return talk()
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise PeerError(f"another process is gone, so this one ends too ({reason})") from error

    def sum(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array, which is now the sum of those of all processes."""
        self.guard(lambda: dist.all_reduce(torch.from_numpy(array)))
        return array

    def gather(self, value: int) -> list[int]:
        values = np.zeros(self.size, np.int64)
        values[self.rank] = value
        return list(map(int, self.sum(values)))

    def do(self, work: Callable[[], T]) -> T:
        """What work gives here. If it fails in one process it fails in all, and the first has the reason."""
        failure = None
        try:
            result = work()
        except Exception as error:
            failure = error
        failed = self.gather(int(failure is not None))
        if not any(failed):
            return result
        first = failed.index(1)
        if first == self.rank and failure is not None:
            raise failure
        raise PeerError(f"process {first} failed") from failure


# ---- the command ----


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torchrun ... -m nlptk.vectors.distributed",
        description="Train word vectors in several processes; the options are those of nlptk vectors train.",
    )
    train = parser.add_subparsers(dest="command", required=True).add_parser(
        "train", help="train word vectors"
    )
    add = train.add_argument
    add(
        "files",
        nargs="+",
        metavar="FILES",
        help="text, a sentence a line, gzip or not, which all processes see",
    )
    add("-o", "--output", required=True, help="the vectors; the ending chooses the format")
    add("--model", choices=MODELS, default=MODELS[0])
    for name, default in _WHOLE_OPTIONS.items():
        add(f"--{name}", type=int, default=default)
    add("--alpha", type=float, help="by default that of the model")
    add("--min-alpha", type=float, default=1e-4)
    add("--sample", type=float, default=1e-3)
    add("--hs", action="store_true", help="hierarchical softmax, beside --negative")
    add("--subwords", action="store_true", help="fastText's model")
    add("--errors", choices=ERRORS, default="strict", help="of bytes that are not UTF-8")
    add("--sync-words", type=int, default=SYNC_WORDS, help="words of each process before all rows are joined")
    add("--json", action="store_true", help="print what was done as JSON")
    add("-q", "--quiet", action="store_true", help="no progress")
    return parser


_WHOLE_OPTIONS = {
    "dim": 100,
    "window": 5,
    "negative": 5,
    "min-count": 5,
    "max-vocab": None,
    "epochs": 5,
    "min-n": 3,
    "max-n": 6,
    "bucket": 2_000_000,
    "seed": 1,
    "threads": None,
}


def _learner(options: argparse.Namespace) -> Word2Vec:
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # processes that share this machine's cores
    threads = max((os.cpu_count() or 1) // here, 1) if options.threads is None else options.threads
    return Word2Vec(
        options.dim,
        model=options.model,
        window=options.window,
        min_count=options.min_count,
        max_final_vocab=options.max_vocab,
        negative=options.negative,
        hs=options.hs,
        sample=options.sample,
        alpha=options.alpha,
        min_alpha=options.min_alpha,
        epochs=options.epochs,
        min_n=options.min_n,
        max_n=options.max_n if options.subwords else 0,
        bucket=options.bucket,
        seed=options.seed,
        threads=threads,
    )


def _run(options: argparse.Namespace) -> None:
    started = time.monotonic()
    rank = dist.get_rank()
    learner = _learner(options)
    last = started

    def check_output(_: int) -> None:
        format_for(options.output, options.subwords)
        folder = os.path.dirname(os.path.realpath(options.output))
        if rank == 0 and not os.access(folder, os.W_OK):
            raise ConfigError(f"--output {options.output} cannot be written: {folder} is no writable folder")

    def show(at: Progress) -> None:
        nonlocal last
        if rank > 0 or options.quiet or at.stage != "train" or time.monotonic() - last < 5:
            return
        last = time.monotonic()
        rate = at.done / (last - started)
        part = f"epoch {at.epoch}: {at.done / (at.total or 1):.0%}, {rate:,.0f} words/s"
        print(f"{part}, loss {at.loss:.3f}, alpha {at.alpha:.4f}", file=sys.stderr, flush=True)

    wv = fit(
        learner,
        options.files,
        errors=options.errors,
        sync_words=options.sync_words,
        progress=show,
        before_training=check_output,
    )
    _Group().do(lambda: wv.save(options.output) if rank == 0 else None)
    seconds = time.monotonic() - started
    if rank == 0 and options.json:
        result = {"words": len(wv), "processes": dist.get_world_size(), "output": options.output}
        print(json.dumps({**result, "seconds": round(seconds, 3)}))
    elif rank == 0 and not options.quiet:
        print(f"{len(wv):,} vectors in {seconds:.1f} s; wrote {options.output}", file=sys.stderr)


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(143)  # so that copies are removed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in this process, one of those that torchrun started; return the exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    options = _parser().parse_args(arguments)
    if "RANK" not in os.environ:
        print("nlptk: error: start this with torchrun --nproc-per-node N -m ...", file=sys.stderr)
        return 2
    # gloo tells when a process is gone; a long count by one is no reason to give up.
    dist.init_process_group("gloo", timeout=datetime.timedelta(days=7))
    try:
        _run(options)
        return 0
    except PeerError as error:
        if error.__cause__ is not None and isinstance(error.__cause__, RuntimeError):
            sys.stderr.write(f"nlptk: error: {error}\n")
        return 1
    except NlptkError as error:
        sys.stderr.write(f"nlptk: error: {' '.join(str(error).split())}\n")
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        return 130
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main())
