"""Encoders of sentences of vectors: [sentences, time, inputs] and lengths -> [sentences, time, dim]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nlptk.neural.transformer import TransformerEncoder

_KINDS: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


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
        dims = [dim, *[2 * hidden] * (layers - 1)]
        self.forwards = nn.ModuleList(_KINDS[kind](size, hidden, batch_first=True) for size in dims)
        self.backwards = nn.ModuleList(_KINDS[kind](size, hidden, batch_first=True) for size in dims)
        self.dropout = nn.Dropout(dropout)
        for name, parameter in self.named_parameters():
            if (
                "weight_hh" in name
            ):  # each gate a rotation (Saxe et al. 2014), so that states neither fade nor grow
                for gate in parameter.data.chunk(len(parameter) // hidden):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x [sentences, time, dim] and lengths [sentences] -> [sentences, time, 2 hidden]."""
        place = torch.arange(x.shape[1], device=x.device)
        turned = lengths[:, None] - 1 - place  # [sentences, time]
        turned = torch.where(turned >= 0, turned, place)[..., None]
        for number, (forth, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if number:
                x = self.dropout(x)
            ahead = forth(x)[0]  # [sentences, time, hidden]
            behind = back(x.gather(1, turned.expand(-1, -1, x.shape[2])))[0]
            x = torch.cat([ahead, behind.gather(1, turned.expand_as(behind))], -1)
        return x


class SelfAttentive(nn.Module):
    """A Transformer over a projection of the inputs; rotary positions, so that no sentence is too long.

    Args:
        dim: of the inputs.
        hidden: of the projection and of the output; an MLP has four times as many inside.
        heads: their number; hidden / heads is even.
    """

    def __init__(self, dim: int, hidden: int, layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.project = nn.Linear(dim, hidden)
        self.encoder = TransformerEncoder(hidden, layers, heads, 4 * hidden, dropout=dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x [sentences, time, dim] and lengths [sentences] -> [sentences, time, hidden]."""
        return self.encoder(self.project(x), lengths)  # type: ignore[no-any-return]
