"""Recurrent encoder-decoders with attention.

    bahdanau             context of the state before; cell reads [token; context]   Bahdanau et al. 2015
    dot, general, concat cell reads [token; h~ before]; context of the state after  Luong et al. 2015

With s the decoder's state and c the context, what scores are made from is tanh(W [s; c; token]) there and
h~ = tanh(W [c; s]) here; that h~ is read with the next token is Luong's "input feeding" (3.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.attention import AdditiveAttention, LuongAttention
from nlptk.neural.dropout import Dropout
from nlptk.neural.initializers import initialize
from nlptk.neural.recurrent import BiRecurrent, Recurrent, State
from nlptk.neural.seq2seq_models import Memory, Seq2SeqModel, Source

ATTENTIONS = ("bahdanau", "dot", "general", "concat")
DECAYS = ("linear", "exponential", "sigmoid")


def teacher_forcing(done: float, sampled: float, decay: str = "linear") -> float:
    """The probability that a token of the target is read and not the model's own (Bengio et al. 2015, 2.4).

    It falls from 1 to 1 - `sampled` as `done`, the share of the training, goes from 0 to 1: along a line, as
    a power, or along the inverse of a sigmoid.
    """
    if decay == "exponential":
        return float((1 - sampled) ** done)
    if decay == "sigmoid":
        return 1 - sampled / (1 + math.exp(6 - 12 * done))
    return 1 - sampled * done


@dataclass
class RecurrentState:
    """Between steps: the network's state, each part [layers, rows, hidden]; h~ of the step before, [rows,
    dim]; the memory and its keys, and which source each row is of.
    """

    state: State
    before: Tensor
    memory: Memory
    keys: Tensor
    sources: Tensor


class RecurrentSeq2Seq(Seq2SeqModel):
    """A recurrent network in two directions that reads, and one with attention that writes.

    Args:
        sizes, dim, smoothing: see :class:`nlptk.neural.seq2seq_models.Seq2SeqModel`.
        kind: "lstm", "gru" or "rnn".
        hidden: of the decoder, and of both of the encoder's directions together.
        layers: of each.
        attention: one of ATTENTIONS.
        input_feeding: with Luong's, whether the cell reads h~ of the step before.
        sampled: share of the model's own tokens that it reads at the end of training; see `teacher_forcing`.
    """

    updates: Tensor

    def __init__(
        self,
        sizes: Sequence[int],
        dim: int,
        smoothing: float,
        *,
        kind: str,
        hidden: int,
        layers: int = 1,
        attention: str = "bahdanau",
        input_feeding: bool = True,
        dropout: float = 0.0,
        sampled: float = 0.0,
        decay: str = "linear",
    ) -> None:
        super().__init__(sizes, dim, smoothing)
        if attention not in ATTENTIONS:
            raise ConfigError(f"there is no attention {attention!r}; choose one of {', '.join(ATTENTIONS)}")
        if hidden % 2:
            raise ConfigError(f"hidden must be even, for half of it is each direction's, not {hidden}")
        if not 0 <= sampled <= 1:
            raise ConfigError(f"scheduled_sampling must be from 0 to 1, not {sampled!r}")
        if decay not in DECAYS:
            raise ConfigError(f"there is no sampling_decay {decay!r}; choose one of {', '.join(DECAYS)}")
        self.first_context = attention == "bahdanau"
        self.feeding = input_feeding and not self.first_context
        self.encoder = BiRecurrent(kind, dim, hidden // 2, layers, dropout)
        extra = hidden if self.first_context else dim if self.feeding else 0
        self.decoder = Recurrent(kind, dim + extra, hidden, layers=layers, dropout=dropout)
        self.bridge = nn.Linear(hidden, layers * self.decoder.parts * hidden)
        self.look: AdditiveAttention | LuongAttention = (
            LuongAttention(hidden, hidden, attention)
            if attention in ("dot", "general")
            else AdditiveAttention(hidden, hidden, hidden)
        )
        self.readout = nn.Linear(2 * hidden + (dim if self.first_context else 0), dim)
        self.dropout = Dropout(dropout)
        self.sampled, self.decay = sampled, decay
        self.total = 1  # updates of the training, for the share that is done
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        initialize(self.decoder, "orthogonal")
        for part in (self.bridge, self.look, self.readout):
            initialize(part, "xavier_uniform")

    def encode(self, source: Source) -> Memory:
        x = self.dropout(self.tables[0](source.ids))
        values = self.encoder(x, source.lengths)  # [batch, keys, hidden]
        # What each direction read last: at the end, and at the beginning.
        rows = torch.arange(len(values), device=values.device)
        forth, back = values[rows, source.lengths - 1], values[:, 0]
        half = values.shape[-1] // 2
        last = torch.cat([forth[:, :half], back[:, half:]], -1)  # [batch, hidden]
        parts = self.bridge(last).tanh().unflatten(1, (self.decoder.parts, self.decoder.layers, -1))
        first = tuple(part.transpose(0, 1).contiguous() for part in parts.unbind(1))
        return Memory(self.dropout(values), source.mask, first)

    def decode(self, memory: Memory, inputs: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        if self.training and self.sampled:
            self.updates += 1
        embedded = self.dropout(self.tables[-1](inputs))  # [batch, time, dim]
        keys = self.look.project(memory.values)
        if not (self.feeding or self.first_context or (self.training and self.sampled)):
            outputs, _ = self.decoder(embedded, state=memory.first)
            made, shares = self._contextual(outputs, memory, keys)
            found = [shares]
        else:
            vectors: list[Tensor] = []
            found = []
            state, before = memory.first, embedded.new_zeros(len(inputs), embedded.shape[-1])
            for place in range(inputs.shape[1]):
                x = embedded[:, place]
                if place and self.training and self.sampled:
                    x = self._sampled(x, vectors[-1])
                vector, shares, state = self._move(x, state, before, memory, keys)
                before = vector
                vectors.append(vector)
                found.append(shares)
            made = torch.stack(vectors, 1)
        if weights is not None:
            weights.append(torch.cat(found, 1)[:, None])  # [batch, 1, time, keys]
        return self.dropout(made)  # type: ignore[no-any-return]

    def begin(self, memory: Memory) -> RecurrentState:
        batch = len(memory.values)
        before = memory.values.new_zeros(batch, self.output.shape[1])
        rows = torch.arange(batch, device=before.device)
        return RecurrentState(memory.first, before, memory, self.look.project(memory.values), rows)

    def advance(
        self, tokens: Tensor, state: RecurrentState, weights: list[Tensor] | None = None
    ) -> tuple[Tensor, RecurrentState]:
        x = self.tables[-1](tokens)
        vector, shares, after = self._move(x, state.state, state.before, state.memory, state.keys)
        if weights is not None:
            weights.append(shares[:, None])  # [rows, 1, 1, keys]
        return vector, RecurrentState(after, vector, state.memory, state.keys, state.sources)

    def select(self, state: RecurrentState, rows: Tensor) -> RecurrentState:
        sources, memory, keys = state.sources[rows], state.memory, state.keys
        if not torch.equal(sources, state.sources):
            memory, keys = memory.select(rows), keys[rows]
        parts = tuple(part[:, rows] for part in state.state)
        return RecurrentState(parts, state.before[rows], memory, keys, sources)

    def _move(
        self, x: Tensor, state: State, before: Tensor, memory: Memory, keys: Tensor
    ) -> tuple[Tensor, Tensor, State]:
        """x [batch, dim], the token read -> the vector [batch, dim], shares [batch, 1, keys], the state."""
        if not self.first_context:
            read = torch.cat([x, before], -1) if self.feeding else x
            output, state = self.decoder(read[:, None], state=state)
            made, shares = self._contextual(output, memory, keys)
            return made[:, 0], shares, state
        context, looked = self.look.look(state[0][-1][:, None], keys, memory.values, _mask(memory))
        assert looked is not None
        output, state = self.decoder(torch.cat([x[:, None], context], -1), state=state)
        made = self.readout(torch.cat([output, context, x[:, None]], -1)).tanh()
        return made[:, 0], looked, state

    def _contextual(self, output: Tensor, memory: Memory, keys: Tensor) -> tuple[Tensor, Tensor]:
        """h~ of outputs [batch, time, hidden], [batch, time, dim], and shares [batch, time, keys]."""
        context, shares = self.look.look(output, keys, memory.values, _mask(memory))
        assert shares is not None
        return self.readout(torch.cat([context, output], -1)).tanh(), shares

    def _sampled(self, x: Tensor, vector: Tensor) -> Tensor:
        """x [batch, dim] with the model's own tokens in place of some."""
        done = min(float(self.updates) / self.total, 1.0)
        forced = teacher_forcing(done, self.sampled, self.decay)
        with torch.no_grad():
            own = F.linear(vector, self.output).argmax(-1)
        chosen = torch.rand(len(x), 1, device=x.device) < forced
        return torch.where(chosen, x, self.dropout(self.tables[-1](own)))


def _mask(memory: Memory) -> Tensor | None:
    return None if memory.mask is None else memory.mask[:, None]
