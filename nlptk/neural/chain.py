"""CRF head (temporary)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlptk import chain


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, offsets: Any
    ) -> Tensor:
        found = chain.forward_backward(
            *(t.detach().numpy() for t in (emissions, transitions)),
            offsets=offsets,
            start=start.detach().numpy(),
            end=end.detach().numpy(),
        )
        ctx.found = found
        return torch.tensor(found.log_partition.sum(), dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        f = ctx.found
        return (
            torch.from_numpy(f.marginals) * g,
            torch.from_numpy(f.transitions).float() * g,
            torch.from_numpy(f.start).float() * g,
            torch.from_numpy(f.end).float() * g,
            None,
        )


class CrfHead(nn.Module):
    def __init__(self, labels: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(labels, labels))
        self.start = nn.Parameter(torch.zeros(labels))
        self.end = nn.Parameter(torch.zeros(labels))

    def loss(self, emissions: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
        offsets = np.concatenate([[0], np.cumsum(lengths.numpy())])
        z = _LogPartition.apply(emissions, self.transitions, self.start, self.end, offsets)
        first = torch.from_numpy(offsets[:-1])
        last = torch.from_numpy(offsets[1:] - 1)
        inner = torch.ones(len(gold), dtype=torch.bool)
        inner[first] = False
        inner = inner.nonzero()[:, 0]
        score = (
            emissions.gather(1, gold[:, None]).sum() + self.transitions[gold[inner - 1], gold[inner]].sum()
        )
        return z - score - self.start[gold[first]].sum() - self.end[gold[last]].sum()
