"""Sentences laid end to end, without padding, and how attention runs over them in groups of equal length.

Linear layers and norms look at one token at a time, so they need not know where a sentence ends: they run on
one [tokens, dim] matrix. Only attention does. Sentences of equal length lie side by side, so that a group of
them is a view [sentences, length, dim] of that matrix: nothing is copied, and nothing is padded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlptk.errors import DataError

Int64Array = NDArray[np.int64]


@dataclass(frozen=True)
class Packed:
    """Sentences end to end.

    Attributes:
        ids: int64 [tokens], of all sentences.
        lengths: int64 [sentences], each 1 or more; they stay on the host, so that no GPU is waited for.
        type_ids: int64 [tokens], 0 for the first text and 1 for its pair; None for zeros.
    """

    ids: Tensor
    lengths: Int64Array
    type_ids: Tensor | None = None

    def __post_init__(self) -> None:
        if self.ids.ndim != 1 or int(self.lengths.sum()) != len(self.ids):
            raise DataError(
                f"lengths of {int(self.lengths.sum())} tokens do not fit ids of shape {list(self.ids.shape)}"
            )
        if self.type_ids is not None and self.type_ids.shape != self.ids.shape:
            raise DataError(f"{len(self.ids)} ids need as many type ids, not {list(self.type_ids.shape)}")
        if len(self.lengths) and self.lengths.min() < 1:
            raise DataError(f"sentence {int(self.lengths.argmin())} has no tokens: leave empty ones out")

    @classmethod
    def of(
        cls,
        sentences: Sequence[Sequence[int]],
        type_ids: Sequence[Sequence[int]] | None = None,
        device: torch.device | str = "cpu",
    ) -> Packed:
        """Lists of ids, with the special tokens in them. Raises DataError for an empty sentence."""
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        types = None if type_ids is None else _flat(type_ids, int(lengths.sum()), device)
        return cls(_flat(sentences, int(lengths.sum()), device), lengths, types)

    @classmethod
    def of_padded(cls, ids: Tensor, mask: Tensor, type_ids: Tensor | None = None) -> Packed:
        """A padded batch: ids [sentences, longest], mask of the same shape, 1 (or True) for a token.

        Raises DataError where padding stands before a token: positions would be others.
        """
        if ids.ndim != 2 or mask.shape != ids.shape:
            raise DataError(
                f"ids and mask must both be [sentences, longest], not {list(ids.shape)}, {list(mask.shape)}"
            )
        real = mask.bool()
        if bool((real[:, 1:] & ~real[:, :-1]).any()):
            raise DataError("the mask has padding before a token: pad at the right")
        lengths = real.sum(1).cpu().numpy()
        return cls(ids[real], lengths, None if type_ids is None else type_ids[real])

    def __len__(self) -> int:
        return len(self.lengths)

    def to(self, device: torch.device | str) -> Packed:
        """The same on a device."""
        types = None if self.type_ids is None else self.type_ids.to(device)
        return Packed(self.ids.to(device), self.lengths, types)

    def split(self, states: Tensor) -> tuple[Tensor, ...]:
        """Views of what belongs to each sentence: of [tokens, ...], each [its tokens, ...]."""
        return torch.split(states, self.lengths.tolist())

    def pad(self, states: Tensor) -> Tensor:
        """[tokens, ...] as [sentences, longest, ...], zeros behind the end of each."""
        return torch.nn.utils.rnn.pad_sequence(list(self.split(states)), batch_first=True)

    def firsts(self) -> Tensor:
        """int64 [sentences]: where each sentence begins."""
        return torch.from_numpy(np.cumsum(self.lengths) - self.lengths).to(self.ids.device)

    def mean(self, states: Tensor) -> Tensor:
        """The mean over each sentence, of [tokens, dim]: [sentences, dim]."""
        lengths = torch.from_numpy(self.lengths).to(states.device)
        sentence = torch.repeat_interleave(torch.arange(len(self), device=states.device), lengths)
        sums = states.new_zeros(len(self), states.shape[1]).index_add_(0, sentence, states)
        return sums / lengths[:, None]


def _flat(lists: Sequence[Sequence[int]], total: int, device: torch.device | str) -> Tensor:
    flat = np.fromiter(chain.from_iterable(lists), np.int64)
    if len(flat) != total:
        raise DataError(f"{total} ids need as many type ids, not {len(flat)}")
    return torch.from_numpy(flat).to(device)


@dataclass(frozen=True)
class Group:
    """Sentences that attention looks at together.

    Attributes:
        tokens: their tokens in the packed matrix.
        count: how many sentences.
        length: tokens of the longest of them.
        lengths: of each sentence.
        gather: int64 [count, length], for each place of the padded form its token within the group (for
            padding, one of its own sentence's); None where all are of equal length.
        scatter: int64 [tokens], for each token its place in the padded form, flattened; None likewise.
        mask: bool [count, 1, 1, length], True for tokens; None likewise.
    """

    tokens: slice
    count: int
    length: int
    lengths: Int64Array
    gather: Tensor | None = None
    scatter: Tensor | None = None
    mask: Tensor | None = None


class Layout:
    """The order in which sentences are worked on, longest first, and their groups.

    Args:
        lengths: [sentences].
        waste: padding of a group at most, as a share of its tokens: 0 for groups of equal length only.
        device: where the index tensors are to be.

    Attributes:
        positions: int64 [tokens], each token's place in its sentence, in that order.
        order, back: int64 [tokens]: packed tokens to that order, and back again; None where it is the same.
        sentences: int64 [sentences], the order.
        groups: of all sentences.
    """

    def __init__(self, lengths: Int64Array, waste: float, device: torch.device) -> None:
        self.sentences = np.argsort(-lengths, kind="stable")
        ordered = lengths[self.sentences]
        total = int(ordered.sum())
        ends = np.cumsum(ordered)
        positions = np.arange(total) - np.repeat(ends - ordered, ordered)
        self.positions = torch.from_numpy(positions).to(device)
        self.order: Tensor | None = None
        self.back: Tensor | None = None
        if (np.diff(lengths) > 0).any():
            begins = np.cumsum(lengths) - lengths
            order = np.repeat(begins[self.sentences], ordered) + positions
            back = np.empty_like(order)
            back[order] = np.arange(total)
            self.order = torch.from_numpy(order).to(device)
            self.back = torch.from_numpy(back).to(device)
        self.groups = [_group(ordered, ends, a, b, device) for a, b in _runs(ordered, waste)]


def _runs(ordered: Int64Array, waste: float) -> Iterator[tuple[int, int]]:
    """Sentences [a, b) of each group: as many as keep its padding within `waste`."""
    first = 0
    while first < len(ordered):
        if waste:
            tokens = np.cumsum(ordered[first:])
            padded = ordered[first] * np.arange(1, len(tokens) + 1)
            # Padding grows with every sentence, so the share within bounds is a run from the first.
            fits = int(np.searchsorted(padded - (1 + waste) * tokens > 0, True))
        else:
            fits = int(np.searchsorted(-ordered[first:], -ordered[first], side="right"))
        yield first, first + fits
        first += fits


def _group(ordered: Int64Array, ends: Int64Array, a: int, b: int, device: torch.device) -> Group:
    lengths = ordered[a:b]
    count, length = b - a, int(lengths[0])
    start = int(ends[a] - ordered[a])
    tokens = slice(start, int(ends[b - 1]))
    if lengths[-1] == length:
        return Group(tokens, count, length, lengths)
    begins = ends[a:b] - lengths - start
    place = np.arange(length)
    gather = begins[:, None] + np.minimum(place, lengths[:, None] - 1)
    real = place < lengths[:, None]
    return Group(
        tokens,
        count,
        length,
        lengths,
        torch.from_numpy(gather).to(device),
        torch.from_numpy(np.flatnonzero(real)).to(device),
        torch.from_numpy(real).to(device)[:, None, None, :],
    )


def check_ids(ids: Tensor, vocab_size: int) -> None:
    """Raise DataError for an id that the vocabulary has not; not on a GPU, where it would wait."""
    if ids.device.type == "cpu" and len(ids):
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= vocab_size:
            raise DataError(
                f"id {low if low < 0 else high} is outside the model's vocabulary of {vocab_size}: "
                "use the tokenizer of the checkpoint"
            )
