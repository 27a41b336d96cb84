"""A long text as batches of windows, epoch by epoch: what the trainer takes as its source.

    Streams   the text in so many streams side by side; each batch goes on where the one before ended, so that
              a recurrent network carries its state: truncated back-propagation through time
    Shuffled  windows in random order, each on its own

Where windows are cut is drawn anew for each epoch, from the seed and its number alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nlptk.errors import DataError
from nlptk.neural.lm_units import Ids
from nlptk.state import check_integer


class Window(NamedTuple):
    """row: of the batch; start: of its inputs in the text; fresh: whether nothing is carried over to it."""

    row: int
    start: int
    fresh: bool


class WindowBatch(NamedTuple):
    """rows: int64 [batch]; inputs, targets: int64 [batch, time]; fresh: bool [batch]."""

    rows: Tensor
    inputs: Tensor
    targets: Tensor
    fresh: Tensor


class _Cut:
    def __init__(self, ids: Ids, batch: int, window: int, seed: int = 1) -> None:
        check_integer("batch_size", batch, 1)
        check_integer("window", window, 1)
        self.ids, self.window, self.seed = ids, window, seed
        windows = (len(ids) - 1) // window
        if windows < 1:
            raise DataError(
                f"the text has {len(ids) - 1} tokens, fewer than a window of {window}: use a smaller window"
            )
        self.batch = min(batch, windows)

    def collate(self, examples: Sequence[Window]) -> WindowBatch:
        """Windows of the text as tensors."""
        rows, starts, fresh = (torch.tensor(column) for column in zip(*examples, strict=True))
        cut = self.ids[starts.numpy()[:, None] + np.arange(self.window + 1)]  # [batch, time + 1]
        both = torch.from_numpy(cut.astype(np.int64))
        return WindowBatch(rows, both[:, :-1], both[:, 1:], fresh)


class Streams(_Cut):
    """Batches of a text that follow one another.

    Args:
        ids: int32 [tokens + 1].
        batch: streams, fewer where the text is short.
        window: tokens of a batch of each stream.
        seed: of where the first window begins.

    Raises:
        ConfigError: batch or window below 1.
        DataError: the text is shorter than a window.
    """

    def __init__(self, ids: Ids, batch: int, window: int, seed: int = 1) -> None:
        super().__init__(ids, batch, window, seed)
        self.length = (len(ids) - 1) // self.batch  # tokens of a stream

    def __len__(self) -> int:
        """Batches of each epoch."""
        return self.length // self.window

    def epoch(self, number: int) -> Iterator[list[Window]]:
        """The batches of an epoch, counted from 0."""
        random = np.random.default_rng([self.seed, number])
        first = int(random.integers(self.length % self.window + 1))
        for step in range(len(self)):
            at = first + step * self.window
            yield [Window(row, row * self.length + at, step == 0) for row in range(self.batch)]


class Shuffled(_Cut):
    """Batches of windows in random order; arguments as of `Streams`."""

    def __len__(self) -> int:
        """Batches of each epoch."""
        return -(-((len(self.ids) - 1) // self.window) // self.batch)

    def epoch(self, number: int) -> Iterator[list[Window]]:
        """The batches of an epoch, counted from 0."""
        random = np.random.default_rng([self.seed, number])
        windows, rest = divmod(len(self.ids) - 1, self.window)
        first = int(random.integers(rest + 1))
        starts = (first + self.window * random.permutation(windows)).tolist()
        for at in range(0, windows, self.batch):
            yield [Window(row, start, True) for row, start in enumerate(starts[at : at + self.batch])]
