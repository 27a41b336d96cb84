"""Encoders of texts: [texts, time, inputs] and lengths -> one vector for each text.

Sources: Kim 2014 (CNN); Yang et al. 2016, "Hierarchical Attention Networks", 2.2 (attention as pooling).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nlptk.errors import ConfigError
from nlptk.neural.attention import length_mask, masked_softmax
from nlptk.neural.encoders import drop_dimensions, make_encoder

FILTERS = 100  # of each width (Kim 2014)


class Pooled(NamedTuple):
    """vectors: [texts, dim]; shares: [texts, time], how much each word counts, or None where that is not
    defined."""

    vectors: Tensor
    shares: Tensor | None


class WordCnn(nn.Module):
    """Filters slide over the words; each keeps its strongest answer:

        y_w[i] = relu(W_w [x_i ... x_(i + w - 1)] + b)     for each width w
        text   = max_i y_w[i],  widths side by side

    A text shorter than a width is seen with zeros behind its end.
    """

    def __init__(self, inputs: int, filters: int, widths: Sequence[int]) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise ConfigError(f"widths must be numbers of words, 1 or more, not {list(widths)}")
        self.filters = nn.ModuleList(nn.Conv1d(inputs, filters, width) for width in widths)
        self.widths = tuple(widths)

    def forward(self, x: Tensor, lengths: Tensor) -> Pooled:
        """x [texts, time, inputs], lengths [texts] -> [texts, widths * filters]."""
        inside = length_mask(lengths, x.shape[1])
        x = (x * inside[:, :, None]).transpose(1, 2)  # [texts, inputs, time]
        x = F.pad(x, (0, max(self.widths) - 1))
        found = []
        for width, filters in zip(self.widths, self.filters, strict=True):
            y = filters(x)  # [texts, filters, places]
            # Of a text with fewer words than the width, the first place alone.
            last = (lengths - width).clamp(min=0)
            seen = torch.arange(y.shape[2], device=y.device) <= last[:, None]
            found.append(y.masked_fill(~seen[:, None], -torch.inf).amax(2))
        return Pooled(torch.cat(found, 1).relu(), None)


class AttentionPooling(nn.Module):
    """The mean of states h, weighted by what a learnt query u asks for:

    shares = softmax_i(u . tanh(W h_i + b)),   text = sum_i shares_i h_i
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.project, self.query = nn.Linear(dim, hidden), nn.Linear(hidden, 1, bias=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Pooled:
        """states [texts, time, dim] -> [texts, dim] and the shares [texts, time], 0 behind the end."""
        scores = self.query(self.project(states).tanh())[:, :, 0]  # [texts, time]
        shares = masked_softmax(scores, length_mask(lengths, states.shape[1]))
        return Pooled((shares[:, None] @ states)[:, 0], shares)


class AttendedEncoder(nn.Module):
    """A recurrent network or a Transformer, whose states are pooled by attention."""

    def __init__(self, encoder: nn.Module, dim: int, dropout: float) -> None:
        super().__init__()
        self.encoder, self.pooling, self.dropout = encoder, AttentionPooling(dim, dim // 2), dropout

    def forward(self, x: Tensor, lengths: Tensor) -> Pooled:
        """x [texts, time, inputs], lengths [texts] -> [texts, dim]."""
        states = drop_dimensions(self.encoder(x, lengths), self.dropout, self.training)
        pooled: Pooled = self.pooling(states, lengths)
        return pooled


def make_text_encoder(
    name: str,
    inputs: int,
    *,
    hidden: int,
    layers: int,
    heads: int,
    dropout: float,
    widths: Sequence[int],
) -> tuple[nn.Module, int]:
    """The encoder of that name ("cnn", or one of `make_encoder`), and the dimensions that it gives.

    Raises ConfigError for sizes that do not go together.
    """
    if name == "cnn":
        return WordCnn(inputs, FILTERS, widths), FILTERS * len(widths)
    encoder, dim = make_encoder(name, inputs, hidden=hidden, layers=layers, heads=heads, dropout=dropout)
    return AttendedEncoder(encoder, dim, dropout), dim
