"""The loss over a vocabulary, with label smoothing, without the matrix of all scores.

With states h [tokens, dim], weights W [words, dim] and scores z = W h, the loss of a token whose word is y is
(Szegedy et al. 2016, section 7; Vaswani et al. 2017, 5.4)

    -sum_v q_v log p_v,    p = softmax(z),    q_v = (1 - e) [v = y] + e / words

and its gradient with respect to z is p - q. Scores of all tokens are the largest matrix of a translator by
far, so they are made for a few hundred tokens at a time, and while these are in the cache their gradient is
multiplied out: nothing of the size [tokens, words] is kept for the way back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_ROWS = 512  # tokens at a time


def smoothed_loss(states: Tensor, weight: Tensor, gold: Tensor, smoothing: float = 0.0) -> Tensor:
    """The sum of the losses of all tokens.

    Under autocast the products are in its type, and all else is in float32.

    Args:
        states: [tokens, dim].
        weight: [words, dim], of the output layer.
        gold: int64 [tokens].
        smoothing: e above.

    Returns:
        A tensor of one number, float32.
    """
    loss: Tensor = _SmoothedLoss.apply(states, weight, gold, smoothing)  # type: ignore[no-untyped-call]
    return loss


class _SmoothedLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, gold: Tensor, smoothing: float) -> Tensor:
        kind = states.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        learns = any(ctx.needs_input_grad[:2])
        with torch.autocast(kind, enabled=False):
            h, w = states.detach().to(dtype), weight.detach().to(dtype)
            even = smoothing / len(w)
            loss = torch.zeros((), device=states.device)
            of_states = torch.empty_like(h) if learns else None
            of_weight = torch.zeros_like(weight, dtype=torch.float32) if learns else None
            for first in range(0, len(h), _ROWS):
                rows = slice(first, first + _ROWS)
                y = gold[rows, None]
                shares = torch.log_softmax(h[rows] @ w.T, -1, dtype=torch.float32)  # [rows, words]
                loss -= (1 - smoothing) * shares.gather(1, y).sum()
                if smoothing:
                    loss -= even * shares.sum()
                if of_states is not None and of_weight is not None:
                    # p - (1 - e) [v = y]; the even part of q is the same in all columns, and comes below.
                    shares.exp_().scatter_add_(1, y, shares.new_full(y.shape, smoothing - 1))
                    slope = shares.to(dtype)
                    of_states[rows] = slope @ w
                    of_weight += slope.T @ h[rows]
            if of_states is not None and of_weight is not None:
                of_states -= (even * weight.detach().sum(0)).to(dtype)
                of_weight -= even * h.sum(0, dtype=torch.float32)
                ctx.save_for_backward(of_states, of_weight)
        ctx.dtypes = states.dtype, weight.dtype
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (slope,), (of_states, of_weight) = slopes, ctx.saved_tensors
        return (of_states * slope).to(ctx.dtypes[0]), (of_weight * slope).to(ctx.dtypes[1]), None, None
