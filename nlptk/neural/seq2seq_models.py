"""What the networks of a translator share: a batch of pairs, the loss, and one step of decoding.

A network reads the source into a memory (`encode`), and gives a vector for each place of the target, from
which scores of the next token are made with the table of target tokens (tied: Press and Wolf 2017). For
training all places are told at once (`decode`); for decoding one after another (`begin`, `advance`).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.neural.smoothing import smoothed_loss

PAD, BOS, EOS = 0, 1, 2
SPECIAL = 3  # ids before those of the tokenizers' tokens


class Source(NamedTuple):
    """Sources of a batch.

    Attributes:
        ids: int64 [batch, keys], each with EOS, padded by PAD.
        lengths: int64 [batch].
        mask: bool [batch, keys], False for padding; None where there is none.
    """

    ids: Tensor
    lengths: Tensor
    mask: Tensor | None


class Pairs(NamedTuple):
    """A training batch.

    Attributes:
        source: of all pairs.
        inputs: int64 [batch, time], BOS and the target, padded by EOS.
        gold: int64 [tokens], the targets with EOS, end to end.
        places: int64 [tokens], where they are in `inputs`, flattened; None where nothing is padded.
    """

    source: Source
    inputs: Tensor
    gold: Tensor
    places: Tensor | None


class Memory(NamedTuple):
    """What is read of the sources: values [batch, keys, dim], their mask as in `Source`, and parts of the
    state that the decoder begins with, each [layers, batch, dim].
    """

    values: Tensor
    mask: Tensor | None
    first: tuple[Tensor, ...] = ()

    def select(self, rows: Tensor) -> Memory:
        """Of rows of the batch."""
        mask = None if self.mask is None else self.mask[rows]
        return Memory(self.values[rows], mask, tuple(part[:, rows] for part in self.first))


def collate_sources(sources: Sequence[Sequence[int]]) -> Source:
    """Lists of ids as a batch."""
    lengths = np.fromiter(map(len, sources), np.int64, len(sources)) + 1
    ids = _padded([[*ids, EOS] for ids in sources], lengths, PAD)
    time = ids.shape[1]
    mask = None if (lengths == time).all() else torch.from_numpy(np.arange(time) < lengths[:, None])
    return Source(ids, torch.from_numpy(lengths), mask)


def collate_pairs(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Pairs:
    """Pairs of lists of ids as a batch."""
    lengths = np.fromiter((len(target) for _, target in pairs), np.int64, len(pairs)) + 1
    inputs = _padded([[BOS, *target] for _, target in pairs], lengths, EOS)
    gold = torch.tensor([token for _, target in pairs for token in (*target, EOS)])
    places = None
    if len(gold) < inputs.numel():
        places = torch.from_numpy(np.flatnonzero(np.arange(inputs.shape[1]) < lengths[:, None]))
    return Pairs(collate_sources([source for source, _ in pairs]), inputs, gold, places)


def _padded(rows: Sequence[Sequence[int]], lengths: np.ndarray[Any, Any], filler: int) -> Tensor:
    made = np.full((len(rows), int(lengths.max())), filler, np.int64)
    made[np.arange(made.shape[1]) < lengths[:, None]] = [token for row in rows for token in row]
    return torch.from_numpy(made)


@dataclass
class Uncached:
    """The state of decoding that keeps tokens only, [rows, time], and reads them all at each step."""

    memory: Memory
    tokens: Tensor


class Seq2SeqModel(nn.Module):
    """The base of all networks.

    Args:
        sizes: of the vocabularies of source and target; one number if they share one, and then its table.
        dim: of the tables of tokens.
        smoothing: of labels.
    """

    def __init__(self, sizes: Sequence[int], dim: int, smoothing: float) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, dim) for size in sizes)
        for table in self.tables:
            nn.init.normal_(table.weight, std=1 / math.sqrt(dim))  # type: ignore[arg-type]
        self.smoothing = smoothing
        self.banned: list[int] = [PAD, BOS]
        """Tokens that decoding never gives."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.output.device

    @property
    def output(self) -> Tensor:
        """Weights of the output layer, [words, dim]: the table of target tokens."""
        return self.tables[-1].weight  # type: ignore[return-value]

    # ---- what a network is --------------------------------------------------------------------------------

    @abstractmethod
    def encode(self, source: Source) -> Memory:
        """Read the sources."""

    @abstractmethod
    def decode(self, memory: Memory, inputs: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """inputs [batch, time] -> a vector of each place, [batch, time, dim].

        `weights`: a list to which attention to the memory is appended, [batch, heads, time, keys] a layer.
        """

    @abstractmethod
    def begin(self, memory: Memory) -> Any:
        """The state before the first token, for `advance`."""

    @abstractmethod
    def advance(self, tokens: Tensor, state: Any, weights: list[Tensor] | None = None) -> tuple[Tensor, Any]:
        """tokens int64 [rows] -> the vector of what comes after them, [rows, dim], and the state then.

        `weights`: as of `decode`, with the time of one token.
        """

    @abstractmethod
    def select(self, state: Any, rows: Tensor) -> Any:
        """The state whose row i is what row rows[i] was."""

    # ---- training -----------------------------------------------------------------------------------------

    def forward(self, batch: Pairs) -> tuple[Tensor, int]:
        """The sum of losses, smoothed in training only, and the number of target tokens."""
        states = self.decode(self.encode(batch.source), batch.inputs).flatten(0, 1)
        if batch.places is not None:
            states = states[batch.places]  # no scores are made of padding
        smoothing = self.smoothing if self.training else 0.0
        return smoothed_loss(states, self.output, batch.gold, smoothing), len(batch.gold)

    # ---- decoding: a nlptk.decoding.StepModel -------------------------------------------------------------

    def start(self, source: Source, cached: bool = True) -> Any:
        """The state of decoding before BOS, a row a source; not `cached` for the slow way to the same."""
        memory = self.encode(source)
        return self.begin(memory) if cached else Uncached(memory, source.ids[:, :0])

    def step(self, tokens: Tensor, state: Any, weights: list[Tensor] | None = None) -> tuple[Tensor, Any]:
        """Log-probabilities of what comes after the last tokens, int64 [rows]: float32 [rows, words]."""
        if isinstance(state, Uncached):
            state = Uncached(state.memory, torch.cat([state.tokens, tokens[:, None]], 1))
            vectors = self.decode(state.memory, state.tokens, weights)[:, -1]
        else:
            vectors, state = self.advance(tokens, state, weights)
        scores = F.linear(vectors, self.output).float()
        scores[:, self.banned] = -torch.inf
        return scores.log_softmax(-1), state

    def reorder(self, state: Any, rows: Tensor) -> Any:
        """The state whose row i goes on from what was row rows[i]."""
        if isinstance(state, Uncached):
            return Uncached(state.memory.select(rows), state.tokens[rows])
        return self.select(state, rows)

    def looks(self, batch: Pairs) -> Tensor:
        """How much each target token looks at each source token, [batch, layers, heads, time, keys]."""
        weights: list[Tensor] = []
        self.decode(self.encode(batch.source), batch.inputs, weights)
        return torch.stack(weights, 1)


class Looked(NamedTuple):
    """The state of a network, and what its last step looked at: float32 [rows, keys], of sources of so many
    keys, int64 [rows].
    """

    state: Any
    shares: Tensor
    lengths: Tensor


class Looking:
    """A network that tells in decoding what it looks at: a :class:`nlptk.decoding.AttentiveModel`.

    That is the mean of the heads of the last layer.
    """

    def __init__(self, model: Seq2SeqModel) -> None:
        self.model, self.device = model, model.device

    def start(self, source: Source, cached: bool = True) -> Looked:
        """As the network's."""
        return Looked(self.model.start(source, cached), torch.zeros_like(source.ids).float(), source.lengths)

    def step(self, tokens: Tensor, state: Looked) -> tuple[Tensor, Looked]:
        """As the network's."""
        weights: list[Tensor] = []
        log_probs, inner = self.model.step(tokens, state.state, weights)
        return log_probs, Looked(inner, weights[-1].mean(1)[:, -1], state.lengths)

    def reorder(self, state: Looked, rows: Tensor) -> Looked:
        """As the network's."""
        return Looked(self.model.reorder(state.state, rows), state.shares[rows], state.lengths[rows])

    def attention(self, state: Looked) -> tuple[Tensor, Tensor]:
        """What the last step looked at."""
        return state.shares, state.lengths
