"""A conditional random field over the labels of a sequence, as the last layer of a network.

A path y through T positions scores (Lafferty, McCallum and Pereira 2001; Lample et al. 2016)

    s(y) = start[y_0] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_(T-1)]

and the loss of the gold path is ``-log p(gold) = log Z - s(gold)`` with ``Z = sum_y exp(s(y))``. The
gradient of log Z is expected counts: for an emission, p(label at the position).

There are two ways to log Z. On a CPU, in float32, our C++ kernel (`nlptk.chain`) finds it together with the
expected counts. Elsewhere, and in float64, the recursion runs in torch and autograd has the gradient.
Decoding is always the kernel's. What each way takes is in docs/neural.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nlptk import chain
from nlptk.errors import ConfigError, DataError

Reduction: TypeAlias = Literal["sum", "mean", "token_mean", "none"]
_REDUCTIONS = ("sum", "mean", "token_mean", "none")
_SHARE = 1 << 20  # pairs of labels that are worth a thread: about as long as it takes to start one
_FORBIDDEN = -1e30  # in place of -inf, whose differences are NaN; the kernel takes no finite score beyond it


class CrfHead(nn.Module):
    """Loss and best paths of batches whose masks may begin anywhere and have holes.

    Positions where the mask is False do not exist: the labels on both sides of them are neighbours. So [CLS],
    the later pieces of a word and padding need only be masked.

    Args:
        labels: their names, or their number.
        scheme: "bio" (IOB2) or "bioes": decoding gives valid paths only. Needs names. None allows all.
        start, end: whether there are scores of a first and of a last label.
        mask_loss: whether Z, too, sums over valid paths only; any other gold path has loss inf then.

    Raises:
        ConfigError: no labels, or names that are not of the scheme.
    """

    start: nn.Parameter | None
    end: nn.Parameter | None
    _mask_transitions: Tensor
    _mask_start: Tensor
    _mask_end: Tensor

    def __init__(
        self,
        labels: int | Sequence[str],
        scheme: chain.Scheme | None = None,
        *,
        start: bool = True,
        end: bool = True,
        mask_loss: bool = False,
    ) -> None:
        super().__init__()
        names = None if isinstance(labels, int) else list(labels)
        self.labels = labels if isinstance(labels, int) else len(labels)
        if self.labels < 1:
            raise ConfigError(f"a CRF head needs at least one label, not {self.labels}")
        if scheme is not None and names is None:
            raise ConfigError(f"scheme {scheme!r} needs the names of the labels, not their number")
        self.transitions = nn.Parameter(torch.zeros(self.labels, self.labels))  # row = from
        self.start = nn.Parameter(torch.zeros(self.labels)) if start else None
        self.end = nn.Parameter(torch.zeros(self.labels)) if end else None
        self.mask_loss = mask_loss
        mask = chain.transition_mask(names or [""] * self.labels, scheme)
        for name, values in mask._asdict().items():  # made from the names: no weights of the model
            self.register_buffer(f"_mask_{name}", torch.from_numpy(values), persistent=False)

    def loss(
        self, emissions: Tensor, gold: Tensor, mask: Tensor | None = None, reduction: Reduction = "sum"
    ) -> Tensor:
        """-log p of the gold labels.

        Args:
            emissions: [batch, time, labels].
            gold: int64 [batch, time]; any number where the mask is False.
            mask: bool [batch, time]; None for all True. A sequence may be empty.
            reduction: "sum" over sequences, "mean" of them, "token_mean" (sum / positions), "none" [batch].

        Raises:
            DataError: shapes that do not go together, gold labels that there are not.
            ValueError: NaN or inf among the emissions, on a CPU; the message names sequence and position.
        """
        mask = self._checked(emissions, mask, gold)
        lengths = mask.sum(1)
        if self._kernel_can(emissions, reduction):
            return self.packed_loss(emissions[mask], gold[mask], lengths, reduction)
        # [batch, time]: the positions that are kept, in order, then the others; a GPU need not wait for it.
        order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
        emissions = emissions.gather(1, order[..., None].expand(-1, -1, self.labels))
        return self._torch_loss(emissions, gold.gather(1, order), lengths, reduction)

    def packed_loss(
        self, emissions: Tensor, gold: Tensor, lengths: Tensor, reduction: Reduction = "sum"
    ) -> Tensor:
        """As `loss`, of sequences one after the other without padding.

        Shapes: emissions [positions, labels], gold int64 [positions], lengths int64 [sequences].
        """
        self._checked_packed(emissions, lengths, gold)
        if not self._kernel_can(emissions, reduction):
            inside = torch.arange(max(lengths.tolist(), default=0), device=lengths.device) < lengths[:, None]
            padded = emissions.new_zeros((*inside.shape, self.labels))  # [sequences, time, labels]
            padded[inside] = emissions
            return self._torch_loss(
                padded, gold.new_zeros(inside.shape).masked_scatter(inside, gold), lengths, reduction
            )
        ends = lengths.cumsum(0)
        some = lengths > 0
        first, last = (torch.zeros_like(gold, dtype=torch.bool) for _ in range(2))
        first[(ends - lengths)[some]] = True
        last[ends[some] - 1] = True
        emissions, scores = emissions.float(), self._scores(self.mask_loss)
        log_z: Tensor = _KernelLogPartition.apply(emissions, *scores, lengths)  # type: ignore[no-untyped-call]
        score = _path_scores(emissions, gold, torch.ones_like(first), first, last, *scores).sum()
        return _reduced(log_z - score, lengths, reduction)

    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor | None = None) -> list[NDArray[np.int32]]:
        """The best labels of each sequence, of the positions that its mask keeps. Arguments as of `loss`."""
        mask = self._checked(emissions, mask, None)
        lengths = mask.sum(1)
        best = self.packed_decode(emissions[mask], lengths)
        return [best[begin:end] for begin, end in pairwise(_offsets(lengths).tolist())]

    @torch.no_grad()
    def packed_decode(self, emissions: Tensor, lengths: Tensor) -> NDArray[np.int32]:
        """The best labels, [positions], of sequences one after the other; arguments as of `packed_loss`."""
        self._checked_packed(emissions, lengths, None)
        transitions, start, end = (scores.float().cpu().numpy() for scores in self._scores(masked=True))
        best, _ = chain.viterbi(
            emissions.float().cpu().numpy(),
            transitions,
            offsets=_offsets(lengths),
            start=start,
            end=end,
            threads=_threads(emissions),
        )
        return best

    # ---- inside ----

    def _kernel_can(self, emissions: Tensor, reduction: Reduction) -> bool:
        """Whether the kernel does: its expected counts are sums over sequences, and float32."""
        if reduction not in _REDUCTIONS:
            raise ConfigError(f"reduction must be one of {', '.join(_REDUCTIONS)}, not {reduction!r}")
        return emissions.device.type == "cpu" and emissions.dtype != torch.float64 and reduction != "none"

    def _scores(self, masked: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Transitions [labels, labels], start [labels], end [labels]; -inf where the scheme forbids."""
        none = self.transitions.new_zeros(self.labels)
        start, end = (none if scores is None else scores for scores in (self.start, self.end))
        if not masked:
            return self.transitions, start, end
        return self.transitions + self._mask_transitions, start + self._mask_start, end + self._mask_end

    def _torch_loss(self, emissions: Tensor, gold: Tensor, lengths: Tensor, reduction: Reduction) -> Tensor:
        """Of sequences that begin at the left: [batch, time, labels], [batch, time], [batch]."""
        batch, time = emissions.shape[:2]
        if not time:
            return _reduced(emissions.sum((1, 2)), lengths, reduction)
        if emissions.dtype != torch.float64:
            emissions = emissions.float()
        place = torch.arange(time, device=emissions.device)
        inside = place < lengths[:, None]  # [batch, time]
        # What lies beyond the ends may be NaN, which even a gradient of 0 would let through.
        emissions = emissions.masked_fill(~inside[..., None], 0.0)
        scores = tuple(given.to(emissions.dtype) for given in self._scores(self.mask_loss))
        parts = _path_scores(
            emissions.flatten(0, 1),
            gold.masked_fill(~inside, 0).flatten(),
            inside.flatten(),
            (inside & (place == 0)).flatten(),
            (place == lengths[:, None] - 1).flatten(),
            *scores,
        )
        log_z = _log_partition(emissions, lengths, *scores)  # [batch]
        return _reduced(log_z - parts.view(batch, time).sum(1), lengths, reduction)

    def _checked(self, emissions: Tensor, mask: Tensor | None, gold: Tensor | None) -> Tensor:
        """The mask; DataError where shapes do not go together."""
        shape = tuple(emissions.shape)
        if len(shape) != 3 or shape[2] != self.labels:
            raise DataError(f"emissions must be [batch, time, {self.labels} labels], not {list(shape)}")
        if mask is None:
            mask = torch.ones(shape[:2], dtype=torch.bool, device=emissions.device)
        for name, given in (("mask", mask), ("gold", gold)):
            if given is not None and tuple(given.shape) != shape[:2]:
                raise DataError(f"{name} must be [batch, time] = {list(shape[:2])}, not {list(given.shape)}")
        return mask.bool()

    def _checked_packed(self, emissions: Tensor, lengths: Tensor, gold: Tensor | None) -> None:
        shape = tuple(emissions.shape)
        if len(shape) != 2 or shape[1] != self.labels:
            raise DataError(f"emissions must be [positions, {self.labels} labels], not {list(shape)}")
        on_cpu = emissions.device.type == "cpu"  # elsewhere a look at numbers would wait for the device
        if on_cpu and int(lengths.sum()) != shape[0]:
            raise DataError(f"lengths add up to {int(lengths.sum())}, but there are {shape[0]} positions")
        if gold is None:
            return
        if tuple(gold.shape) != shape[:1]:
            raise DataError(f"gold must be [positions] = [{shape[0]}], not {list(gold.shape)}")
        if on_cpu and len(gold) and not 0 <= int(gold.min()) <= int(gold.max()) < self.labels:
            raise DataError(
                f"gold labels must be 0 to {self.labels - 1}, not {int(gold.min())} to {int(gold.max())}"
            )


class _KernelLogPartition(torch.autograd.Function):
    """The sum of log Z over packed sequences, on a CPU; its gradient is what the kernel counts."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        scores = [given.detach().float().numpy() for given in (emissions, transitions, start, end)]
        settings: dict[str, Any] = {"offsets": _offsets(lengths), "start": scores[2], "end": scores[3]}
        settings["threads"] = _threads(emissions)
        found = chain.forward_backward(*scores[:2], **settings)
        ctx.counts = [torch.from_numpy(count).float() for count in found[1:]]
        return torch.tensor(found.log_partition.sum(), dtype=torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (*(count * gradients[0] for count in ctx.counts), None)


def _log_partition(
    emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """log Z of each sequence, [batch], by the recursion in log space; autograd has its gradient.

        alpha_t[j] = emissions[t, j] + logsumexp_i(alpha_(t-1)[i] + transitions[i, j])

    The same recursion runs from the end, with transitions turned round. Both run at once as one batch and
    meet in the middle, so there are half as many steps, each waiting for the one before.
    """
    batch, time, labels = emissions.shape
    half = (time + 1) // 2
    emissions, transitions, start, end = (
        scores.clamp(min=_FORBIDDEN) for scores in (emissions, transitions, start, end)
    )
    place = torch.arange(half, device=emissions.device)
    rows = torch.stack([place.expand(batch, half), (lengths[:, None] - 1 - place).clamp(min=0)])
    index = rows[..., None].expand(2, batch, half, labels)
    steps = emissions.expand(2, -1, -1, -1).gather(2, index).unbind(2)  # half times [2, batch, labels]
    taken = torch.stack([(lengths + 1) // 2, lengths // 2])  # [2, batch]: positions from either side
    running = (place < taken[..., None])[..., None].unbind(2)  # half times [2, batch, 1]
    moves = torch.stack([transitions, transitions.T])[:, None]  # [2, 1, labels, labels]
    alpha = torch.stack([start, end])[:, None] + steps[0]  # [2, batch, labels]
    for t in range(1, half):
        # [2, batch, labels, 1] + [2, 1, labels, labels], summed over the label that one comes from
        moved = torch.logsumexp(alpha[..., None] + moves, 2) + steps[t]
        alpha = torch.where(running[t], moved, alpha)
    met = (alpha[0][:, :, None] + transitions + alpha[1][:, None, :]).flatten(1)  # [batch, labels * labels]
    alone = torch.logsumexp(alpha[0] + end, 1)  # of one position, which has no other side
    log_z = torch.where(lengths > 1, torch.logsumexp(met, 1), alone)
    log_z = log_z.masked_fill(log_z < 0.5 * _FORBIDDEN, -torch.inf)
    return log_z.masked_fill(lengths == 0, 0.0)


def _path_scores(
    emissions: Tensor,
    gold: Tensor,
    inside: Tensor,
    first: Tensor,
    last: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
) -> Tensor:
    """What each position adds to s(gold), [positions]; sequences begin at `first` and end at `last`."""
    score = emissions.gather(1, gold[:, None])[:, 0]
    score = score + torch.where(first, start[gold], 0.0) + torch.where(last, end[gold], 0.0)
    # The label before; that of another sequence, which the first position sees, is not looked at.
    step = transitions[gold.roll(1), gold]
    return torch.where(inside, score + torch.where(first, 0.0, step), 0.0)


def _reduced(loss: Tensor, lengths: Tensor, reduction: Reduction) -> Tensor:
    """`loss` is [] or [batch]."""
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    return total / (max(len(lengths), 1) if reduction == "mean" else lengths.sum().clamp(min=1))


def _threads(emissions: Tensor) -> int:
    """Of the kernel: torch's, or fewer where there is little to do."""
    positions, labels = emissions.shape
    return min(torch.get_num_threads(), 1 + positions * labels**2 // _SHARE)


def _offsets(lengths: Tensor) -> NDArray[np.int64]:
    """[sequences + 1]"""
    return np.concatenate([[0], np.cumsum(lengths.cpu().numpy())]).astype(np.int64)
