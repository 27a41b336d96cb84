"""Batches side by side: a thread for each, instead of all threads for each operator of one batch.

The operators of a small model are short: where all threads share each of them, they wait for one another a
thousand times a second, and for ever longer on a machine that does something else too. A thread that has a
batch of its own waits for nobody, and its activations stay in its core's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from nlptk.neural.batches import Batches

S = TypeVar("S")
T = TypeVar("T")
_SHARES = 4  # batches of a thread, at least
_FEW = 256  # tokens of a batch, below which it is not worth while


def inference_batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """The numbers of the examples of each batch, longest first: of `tokens` tokens at most, and enough of
    them that threads which take them in turn end at about the same time.
    """
    share = sum(lengths) // (_SHARES * torch.get_num_threads())
    return list(Batches(lengths, min(tokens, max(share, _FEW)), shuffle=False).epoch(0))


def infer_each(run: Callable[[S], T], batches: Sequence[S], device: torch.device) -> Iterator[T]:
    """``run(batch)`` of each batch, in order, in inference mode.

    On a CPU as many run at a time as torch has threads (``torch.set_num_threads``), each with one of them.
    """

    def infer(batch: S) -> T:
        with torch.inference_mode():
            return run(batch)

    threads = torch.get_num_threads()
    alone = device.type != "cpu" or min(threads, len(batches)) < 2
    if alone or torch.is_autocast_enabled("cpu"):  # which other threads would not know of
        yield from map(infer, batches)
        return
    pool = ThreadPoolExecutor(min(threads, len(batches)), initializer=lambda: torch.set_num_threads(1))
    try:
        yield from pool.map(infer, batches)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # which MKL has but once for all threads
