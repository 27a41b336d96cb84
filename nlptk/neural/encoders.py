"""Encoders of sentences: [sentences, time, inputs] and lengths -> [sentences, time, dim]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.attention import length_mask
from nlptk.neural.recurrent import BiRecurrent
from nlptk.neural.transformer import Encoder, TransformerConfig

_RECURRENT = {"bilstm": "lstm", "gru": "gru"}


class TransformerEncoder(nn.Module):
    """A Transformer over projected inputs, without a limit of length: rotary positions, pre-norm."""

    def __init__(self, inputs: int, dim: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.project = nn.Linear(inputs, dim)
        config = TransformerConfig(
            dim=dim, heads=heads, layers=layers, positions="rope", dropout=dropout, pre_norm=True
        )
        self.stack = Encoder(config)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x [sentences, time, inputs], lengths [sentences] -> [sentences, time, dim]."""
        states: Tensor = self.stack(self.project(x), length_mask(lengths, x.shape[1]))
        return states


def drop_dimensions(x: Tensor, dropout: float, training: bool) -> Tensor:
    """x [sentences, time, dim] with whole dimensions of a sentence at 0, and the others made up for it (Gal
    and Ghahramani 2016)."""
    if not training or not dropout:
        return x
    kept = torch.empty_like(x[:, :1]).bernoulli_(1 - dropout)  # [sentences, 1, dim]
    return x * kept.div_(1 - dropout)


def make_encoder(
    name: str, inputs: int, *, hidden: int, layers: int, heads: int, dropout: float
) -> tuple[nn.Module, int]:
    """The encoder of that name ("bilstm", "gru", "transformer"), and the dimensions that it gives.

    Raises ConfigError for sizes that do not go together.
    """
    for size, value in (("hidden", hidden), ("layers", layers), ("heads", heads)):
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{size} must be an integer of at least 1, not {value!r}")
    if name == "transformer":
        return TransformerEncoder(inputs, hidden, layers, heads, dropout), hidden
    return BiRecurrent(_RECURRENT[name], inputs, hidden, layers, dropout), 2 * hidden
