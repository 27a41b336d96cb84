"""Recurrent networks: one step of each kind written out, and torch's fused kernels with the same weights.

    from nlptk.neural.recurrent import Recurrent
    encoder = Recurrent("lstm", inputs=100, hidden=200, layers=2, bidirectional=True)
    outputs, state = encoder(x, lengths)

`Recurrent(..., fused=False)` runs the cells of this file, step by step, with the same parameters: slow, to
be read and to be checked against. Sources: Elman (1990); Hochreiter and Schmidhuber (1997) with the forget
gate of Gers et al. (2000); Cho et al. (2014), in the form of cuDNN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nlptk.errors import ConfigError, DataError
from nlptk.neural.attention import length_mask
from nlptk.neural.initializers import initialize

State: TypeAlias = tuple[Tensor, ...]
"""(h,) of an RNN or GRU, (h, c) of an LSTM; each [batch, hidden] in a cell, in a `Recurrent`
[layers * directions, batch, hidden] in torch's order: layer by layer, forward before backward."""
Weights: TypeAlias = Sequence[Tensor]
"""W [gates * hidden, inputs], U [gates * hidden, hidden], b and d [gates * hidden]."""


# ---- cells: x [batch, inputs], state, weights -> the next state, whose first part is the output ------------


def rnn_cell(x: Tensor, state: State, weights: Weights) -> State:
    """h' = tanh(W x + b + U h + d)"""
    (h,), (w, u, b, d) = state, weights
    return (torch.tanh(F.linear(x, w, b) + F.linear(h, u, d)),)


def lstm_cell(x: Tensor, state: State, weights: Weights) -> State:
    """The cell c keeps what the forget gate lets it, and adds what the input gate lets in.

        i, f, o = sigmoid(W_* x + b_* + U_* h + d_*)      input, forget and output gate
        g       = tanh(W_g x + b_g + U_g h + d_g)         what could be added
        c' = f * c + i * g
        h' = o * tanh(c')

    The rows of the weights are those of i, f, g, o.
    """
    (h, c), (w, u, b, d) = state, weights
    i, f, g, o = (F.linear(x, w, b) + F.linear(h, u, d)).chunk(4, -1)  # each [batch, hidden]
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_cell(x: Tensor, state: State, weights: Weights) -> State:
    """The update gate z mixes the state with a new one, for which the reset gate r may hide the old.

        r, z = sigmoid(W_* x + b_* + U_* h + d_*)
        n    = tanh(W_n x + b_n + r * (U_n h + d_n))
        h'   = (1 - z) * n + z * h

    The rows of the weights are those of r, z, n.
    """
    (h,), (w, u, b, d) = state, weights
    of_x, of_h = F.linear(x, w, b), F.linear(h, u, d)  # [batch, 3 * hidden]
    (r, z, n), (hr, hz, hn) = of_x.chunk(3, -1), of_h.chunk(3, -1)
    z = torch.sigmoid(z + hz)
    return ((1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * h,)


Cell: TypeAlias = Callable[[Tensor, State, Weights], State]
KINDS: dict[str, tuple[Cell, type[nn.RNNBase]]] = {
    "rnn": (rnn_cell, nn.RNN),
    "lstm": (lstm_cell, nn.LSTM),
    "gru": (gru_cell, nn.GRU),
}


# ---- networks ----------------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """Layers of one kind of cell over padded sequences, in one or both directions.

    Args:
        kind: "rnn", "lstm" or "gru".
        inputs: dimensions of x.
        hidden: dimensions of a state; the output has as many for each direction.
        layers: each reads the outputs of the one before.
        bidirectional: whether a second network reads from the end; outputs stand side by side.
        dropout: share of the outputs that are dropped between layers, in training.
        fused: whether torch's kernels run, or the cells of this file.

    Raises:
        ConfigError: another kind, or sizes below 1.
    """

    def __init__(
        self,
        kind: str,
        inputs: int,
        hidden: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"there is no recurrent network {kind!r}; choose one of {', '.join(KINDS)}")
        for name, size in (("inputs", inputs), ("hidden", hidden), ("layers", layers)):
            if size < 1:
                raise ConfigError(f"{name} must be 1 or more, not {size}")
        self.cell = KINDS[kind][0]
        made: Any = KINDS[kind][1]
        self.fused, self.layers, self.dropout = fused, layers, dropout
        self.directions = 2 if bidirectional else 1
        self.parts = 2 if kind == "lstm" else 1  # of a state
        between = dropout if layers > 1 else 0.0  # torch warns of a dropout that nothing comes after
        self.net = made(
            inputs, hidden, layers, bidirectional=bidirectional, dropout=between, batch_first=True
        )
        self.dim = hidden * self.directions

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Outputs of the last layer, and the state after each sequence's last position.

        Args:
            x: [batch, time, inputs].
            lengths: int64 [batch], each from 1 to time; None where all are `time`. What lies beyond changes
                nothing, and has output 0.
            state: to begin with, zeros where None.

        Returns:
            [batch, time, directions * hidden], and parts of [layers * directions, batch, hidden].

        Raises:
            DataError: lengths that are not between 1 and time.
        """
        batch, time = x.shape[:2]
        if lengths is not None:
            # A GPU waits here; packing needs the lengths on the CPU anyway.
            lengths = lengths.cpu()
            if len(lengths) != batch or (batch and not 1 <= int(lengths.min()) <= int(lengths.max()) <= time):
                raise DataError(f"lengths must be {batch} numbers from 1 to {time}, not {lengths.tolist()}")
        return (self._fused if self.fused else self._explicit)(x, lengths, state)

    def _fused(self, x: Tensor, lengths: Tensor | None, state: State | None) -> tuple[Tensor, State]:
        given = None if state is None else state if self.parts == 2 else state[0]
        if lengths is None:
            outputs, last = self.net(x, given)
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            outputs, last = self.net(packed, given)
            outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
        return outputs, last if self.parts == 2 else (last,)

    def _explicit(self, x: Tensor, lengths: Tensor | None, state: State | None) -> tuple[Tensor, State]:
        batch, time = x.shape[:2]
        if lengths is None:
            inside = x.new_ones(batch, time, dtype=torch.bool)
        else:
            inside = length_mask(lengths, time).to(x.device)  # [batch, time]
        if state is None:
            count = self.layers * self.directions
            state = (x.new_zeros(count, batch, self.net.hidden_size),) * self.parts
        last: list[State] = []
        for layer in range(self.layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in range(self.directions):
                before = tuple(part[len(last)] for part in state)  # [batch, hidden]
                read, after = self._run(x, inside, before, layer, backward=bool(direction))
                outputs.append(read)
                last.append(after)
            x = torch.cat(outputs, -1)  # [batch, time, directions * hidden]
        return x, tuple(torch.stack(part) for part in zip(*last, strict=True))

    def _run(
        self, x: Tensor, inside: Tensor, state: State, layer: int, backward: bool
    ) -> tuple[Tensor, State]:
        """One direction of one layer: [batch, time, inputs] -> [batch, time, hidden] and the last state."""
        weights: Weights = self.net.all_weights[layer * self.directions + backward]
        outputs: list[Tensor] = []
        steps = range(x.shape[1])
        for t in reversed(steps) if backward else steps:
            running = inside[:, t, None]  # [batch, 1]; beyond its end a sequence keeps its state
            moved = self.cell(x[:, t], state, weights)
            state = tuple(torch.where(running, new, old) for new, old in zip(moved, state, strict=True))
            outputs.append(torch.where(running, moved[0], 0.0))
        return torch.stack(outputs[::-1] if backward else outputs, 1), state


class BiRecurrent(nn.Module):
    """A recurrent network in both directions, each layer over both directions of the one before.

    The backward direction runs forward over sentences that are turned round, so that what stands beyond a
    sentence's end is behind it in both: no packed sequences, whose steps torch takes one by one on a CPU, at
    two thirds of the speed (docs/neural_tagger.md).

    Args:
        kind: "lstm", "gru" or "rnn".
        dim: of the inputs.
        hidden: of each direction; the output has both side by side.
    """

    def __init__(self, kind: str, dim: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        made: Any = KINDS[kind][1]
        dims = [dim, *[2 * hidden] * (layers - 1)]
        self.forwards = nn.ModuleList(made(size, hidden, batch_first=True) for size in dims)
        self.backwards = nn.ModuleList(made(size, hidden, batch_first=True) for size in dims)
        self.dropout = nn.Dropout(dropout)
        initialize(self, "orthogonal")  # Saxe et al. 2014: what goes round neither fades nor grows

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x [batch, time, dim] and lengths [batch] -> [batch, time, 2 hidden]."""
        for number, (forth, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if number:
                x = self.dropout(x)
            behind = turned_round(back(turned_round(x, lengths))[0], lengths)  # [batch, time, hidden]
            x = torch.cat([forth(x)[0], behind], -1)
        return x


def turned_round(x: Tensor, lengths: Tensor) -> Tensor:
    """[batch, time, dim] with the first `lengths` positions of each sequence in reverse."""
    time = x.shape[1]
    place = torch.arange(time, device=x.device)
    other = torch.where(length_mask(lengths, time), lengths[:, None] - 1 - place, place)  # [batch, time]
    return x.gather(1, other[..., None].expand_as(x))
