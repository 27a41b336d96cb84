"""Attention: each query takes a mean of the values, weighted by how well it fits their keys.

    weights = softmax(score(q, k))          context = weights v

    score(q, k) = q . k / sqrt(dim)                 scaled dot product   (Vaswani et al. 2017)
                  v . tanh(Wq q + Wk k)             additive             (Bahdanau et al. 2015)
                  q . k     or     q . W k          dot, general         (Luong et al. 2015)

Masks are bool, true where a query may look, and broadcast to [batch, queries, keys]; `&` joins them. A query
that may look nowhere gets zeros.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.linear import Linear
from nlptk.neural.positions import Relative, turned

# ---- masks -------------------------------------------------------------------------------------------------


def padding_mask(lengths: Tensor, time: int) -> Tensor:
    """Keys before each sentence's end: lengths [batch] -> bool [batch, 1, time]."""
    return (torch.arange(time, device=lengths.device) < lengths[:, None])[:, None]


def causal_mask(queries: int, keys: int, device: torch.device | str = "cpu") -> Tensor:
    """Keys up to the query's own place; the last query stands at the last key: bool [queries, keys]."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def window_mask(queries: int, keys: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """Keys at most `width` places off, on either side; the last query stands at the last key.

    bool [queries, keys].
    """
    seen = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return seen.tril(keys - queries + width).triu(keys - queries - width)


# ---- functions ---------------------------------------------------------------------------------------------


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Scaled dot-product attention through torch's fused kernels, which never hold all weights in memory.

    Args:
        q: [..., queries, dim].
        k, v: [..., keys, dim].
        mask: bool, true where to look, broadcast to [..., queries, keys].
        bias: added to the scores, broadcast likewise.
        causal: only up to the query's own place, as `causal_mask`.
        dropout: of the weights.

    Returns:
        [..., queries, dim]; zeros for a query that may look nowhere.
    """
    # The kernels' own causal mask has the first query at the first key: the same for as many of both.
    own = causal and mask is None and bias is None and q.shape[-2] == k.shape[-2]
    mask, blind = _opened(_joined(mask, None if own or not causal else _causal(q, k)))
    if bias is not None:
        bias = bias.to(q.dtype)
        mask = bias if mask is None else bias.masked_fill(~mask, -torch.inf)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=own)
    return mixed if blind is None else mixed.masked_fill(blind, 0.0)


def attend_with_weights(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """`attend` step by step: also gives the weights [..., queries, keys], without the dropout."""
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [..., queries, keys]
    if bias is not None:
        scores = scores + bias
    if causal:
        mask = _joined(mask, _causal(q, k))
    weights = masked_softmax(scores, mask)
    return F.dropout(weights, dropout).to(v.dtype) @ v, weights


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Shares of the keys [..., keys] where the mask is true, 0 elsewhere; zeros where it is nowhere true."""
    mask, blind = _opened(mask)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = scores.softmax(-1)
    return weights if blind is None else weights.masked_fill(blind, 0.0)


def _causal(q: Tensor, k: Tensor) -> Tensor:
    return causal_mask(q.shape[-2], k.shape[-2], q.device)


def _joined(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a & b


def _opened(mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """The mask with blind rows open, and which these are [..., 1].

    A softmax over nothing is NaN, and so would be its gradient, even if the NaN is replaced afterwards.
    """
    if mask is None:
        return None, None
    blind = ~mask.any(-1, keepdim=True)
    return mask | blind, blind


# ---- attention with one head -------------------------------------------------------------------------------


class AdditiveAttention(nn.Module):
    """score = v . tanh(Wq q + Wk k) (Bahdanau, Cho and Bengio 2015, arXiv 1409.0473, appendix A.1.2).

    Args:
        queries, keys: dimensions of a query and of a key.
        hidden: dimensions in which they are compared.
    """

    def __init__(self, queries: int, keys: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(queries, hidden, bias=False)
        self.key = nn.Linear(keys, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, q: Tensor, k: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """q [batch, queries, dq], k [batch, keys, dk] -> context [batch, queries, dk], weights.

        The keys are the values. Holds [batch, queries, keys, hidden] numbers.
        """
        both = torch.tanh(self.query(q)[:, :, None] + self.key(k)[:, None])
        weights = masked_softmax(self.score(both)[..., 0], mask)  # [batch, queries, keys]
        return weights.to(k.dtype) @ k, weights


class LuongAttention(nn.Module):
    """Global attention (Luong, Pham and Manning 2015, arXiv 1508.04025, section 3.1).

    Args:
        queries, keys: dimensions of a query and of a key; equal for "dot".
        score: "dot": q . k; "general": q . W k.
    """

    def __init__(self, queries: int, keys: int, score: str = "general") -> None:
        super().__init__()
        if score not in ("dot", "general"):
            raise ConfigError(f"there is no score {score!r}; choose 'dot' or 'general'")
        if score == "dot" and queries != keys:
            raise ConfigError(f"score 'dot' needs queries and keys of one size, not {queries} and {keys}")
        self.key = nn.Linear(keys, queries, bias=False) if score == "general" else nn.Identity()

    def forward(self, q: Tensor, k: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """q [batch, queries, dq], k [batch, keys, dk] -> context [batch, queries, dk], weights."""
        weights = masked_softmax(q @ self.key(k).transpose(1, 2), mask)  # [batch, queries, keys]
        return weights.to(k.dtype) @ k, weights


class LocalAttention(LuongAttention):
    """Attention to the keys within `width` of a centre (Luong et al. 2015, section 3.2).

    Monotonic (local-m), the centre of query t is t. Predictive (local-p), it is learnt, and keys weigh the
    less the further off they are:

        centre = keys sigmoid(v . tanh(Wp q))
        weights = softmax(score) exp(-(place - centre)^2 / (2 (width / 2)^2))

    Args:
        queries, keys, score: as for `LuongAttention`.
        width: places on either side of the centre.
        predictive: whether the centre is learnt.
    """

    def __init__(
        self, queries: int, keys: int, score: str = "general", *, width: int = 10, predictive: bool = False
    ) -> None:
        super().__init__(queries, keys, score)
        if width < 1:
            raise ConfigError(f"width must be at least 1, not {width}")
        self.width = width
        self.centre: nn.Module | None = None
        if predictive:
            self.centre = nn.Sequential(
                nn.Linear(queries, queries, bias=False), nn.Tanh(), nn.Linear(queries, 1, bias=False)
            )

    def forward(
        self, q: Tensor, k: Tensor, mask: Tensor | None = None, start: int = 0
    ) -> tuple[Tensor, Tensor]:
        """As `LuongAttention`; the first query stands at place `start`.

        Predictive, a sentence's length is the number of keys that the mask leaves to a query.
        """
        places = torch.arange(k.shape[1], device=k.device)
        if self.centre is None:
            centres = torch.arange(start, start + q.shape[1], device=q.device)[:, None]  # [queries, 1]
        else:
            length = k.shape[1] if mask is None else mask.sum(-1, keepdim=True)
            centres = length * self.centre(q).float().sigmoid()  # [batch, queries, 1]
        near = (places - centres).abs() <= self.width  # [(batch,) queries, keys]
        weights = masked_softmax(q @ self.key(k).transpose(1, 2), _joined(mask, near))
        if self.centre is not None:
            weights = weights * torch.exp(-2 * ((places - centres) / self.width) ** 2)
        return weights.to(k.dtype) @ k, weights


# ---- attention with many heads -----------------------------------------------------------------------------


class KeyValueCache:
    """The keys and values of all that one attention has read, so that decoding projects each token once.

    Room doubles when it is full: a step writes one token and copies none, but for those of a doubling. For
    inference: the gradient does not go through it.
    """

    def __init__(self) -> None:
        self.length = 0
        self._room: Tensor | None = None  # [2, batch, heads, room, dim]

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Those of new tokens [batch, heads, new, dim] -> those of all [batch, heads, length, dim]."""
        batch, heads, new, dim = k.shape
        end = self.length + new
        if self._room is None or end > self._room.shape[3]:
            room = k.new_empty(2, batch, heads, max(end, 2 * self.length), dim)
            if self._room is not None:
                room[:, :, :, : self.length] = self._room[:, :, :, : self.length]
            self._room = room
        self._room[0, :, :, self.length : end] = k.detach()
        self._room[1, :, :, self.length : end] = v.detach()
        self.length = end
        return self.all()

    def all(self) -> tuple[Tensor, Tensor]:
        """Keys and values [batch, heads, length, dim]. Raises ConfigError for an empty cache."""
        if self._room is None:
            raise ConfigError("the cache is empty; append keys and values first")
        return self._room[0, :, :, : self.length], self._room[1, :, :, : self.length]

    def reorder(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order, as a beam search does: int64 [rows]."""
        if self._room is not None:
            self._room = self._room.index_select(1, rows)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own dim / heads dimensions (Vaswani et al. 2017, 3.2.2).

        head_h = attention(Wq_h x, Wk_h m, Wv_h m)         out = Wo [head_1 ... head_n]

    with m the vectors that are looked at: x itself (self-attention) or a memory (cross-attention).

    Args:
        dim: of x and of the output.
        heads: their number, which divides dim.
        memory_dim: of the memory; dim where it is None.
        dropout: of the weights in training.
    """

    def __init__(self, dim: int, heads: int, *, memory_dim: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ConfigError(f"heads must divide dim, but dim is {dim} and heads {heads}")
        self.heads, self.dropout = heads, dropout
        memory_dim = dim if memory_dim is None else memory_dim
        self.query = Linear(dim, dim)
        self.key = Linear(memory_dim, dim)
        self.value = Linear(memory_dim, dim)
        self.out = Linear(dim, dim)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        relative: Relative | None = None,
        cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            x: [batch, queries, dim].
            memory: [batch, keys, memory_dim]; x where it is None.
            mask: bool, broadcast to [batch, queries, keys], with the keys of the cache.
            causal: whether a query sees only keys up to its own place.
            relative: positions of queries and keys, from `Positions.relative`.
            cache: for self-attention, x comes behind what is in it; for cross-attention, it is filled with
                the memory's keys and values at the first call, and later calls take these.

        Returns:
            [batch, queries, dim], and the weights [batch, heads, queries, keys] if they are asked for.
        """
        relative = relative or Relative()
        q = self._split(self.query(x))  # [batch, heads, queries, dim / heads]
        if relative.turn is not None:
            q = turned(q, relative.turn)
        if memory is not None and cache is not None and cache.length:
            k, v = cache.all()
        else:
            read = x if memory is None else memory
            k, v = self._split(self.key(read)), self._split(self.value(read))
            if relative.turn is not None:
                k = turned(k, relative.turn)
            if cache is not None:
                k, v = cache.append(k, v)
        mask = None if mask is None else mask.unsqueeze(-3)  # the same for all heads
        dropout = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            mixed, weights = attend_with_weights(
                q, k, v, mask=mask, bias=relative.bias, causal=causal, dropout=dropout
            )
        else:
            mixed = attend(q, k, v, mask=mask, bias=relative.bias, causal=causal, dropout=dropout)
        return self.out(mixed.transpose(1, 2).flatten(2)), weights

    def _split(self, x: Tensor) -> Tensor:
        """[batch, time, dim] -> [batch, heads, time, dim / heads]"""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
