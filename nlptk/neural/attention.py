"""Attention: each query takes a weighted mean of values, the weights from how well keys fit it.

    weights[q, k] = softmax_k(score(query_q, key_k)),   output[q] = sum_k weights[q, k] value_k

    scores          score(q, k)                    source
    scaled dot      q . k / sqrt(dim)              Vaswani et al. 2017
    dot             q . k                          Luong et al. 2015, "global"
    general         q . (W k)                      Luong et al. 2015, "global"; multiplicative
    additive        v . tanh(W q + U k)            Bahdanau et al. 2015

A mask is bool, True where a query may look, and may be broadcast to the scores' shape; masks are joined with
`&`. A query that may look nowhere gets zeros, not NaN.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.positions import Positions

# ---- masks -------------------------------------------------------------------------------------------------


def causal_mask(queries: int, keys: int, device: torch.device | str | None = None) -> Tensor:
    """[queries, keys]: no key after the query. The last query stands at the last key, as with a cache."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def local_mask(
    queries: int, keys: int, before: int, after: int, device: torch.device | str | None = None
) -> Tensor:
    """[queries, keys]: `before` keys before the query, its own, `after` after; aligned as `causal_mask`."""
    ones = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return ones.tril(keys - queries + after).triu(keys - queries - before)


def length_mask(lengths: Tensor, time: int) -> Tensor:
    """[batch, time]: True before the end of each sequence; `lengths` is [batch]."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]


# ---- scores to output --------------------------------------------------------------------------------------


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last dimension where the mask is True, 0 elsewhere: a row of False is all 0."""
    if mask is None:
        return scores.softmax(-1)
    # The lowest finite number, for a row of -inf is NaN; what it leaves in such a row the second fill takes.
    low = torch.finfo(scores.dtype).min
    return scores.masked_fill(~mask, low).softmax(-1).masked_fill(~mask, 0.0)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """softmax(Q K^T / sqrt(d) + bias) V through torch's fused kernel, which never stores the weights.

    Args:
        query: [batch, heads, queries, d].
        key, value: [batch, heads, keys, d].
        mask: bool, broadcast to [batch, heads, queries, keys].
        bias: added to the scores; broadcast likewise.
        causal: with `causal_mask` besides.
        dropout: share of weights that are dropped.

    Returns:
        [batch, heads, queries, d].
    """
    queries, keys = query.shape[-2], key.shape[-2]
    if mask is None and bias is None and (not causal or queries == keys or queries == 1):
        # The one query of a decoder's step may see all keys. torch aligns its causal mask at the first key.
        fused = causal and queries > 1
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=fused)
    mask = _with_causal(mask, causal, queries, keys, query.device)
    empty = None
    if mask is not None:
        empty = ~mask.any(-1, keepdim=True)
        mask = mask | empty  # a row that looks nowhere looks everywhere, and is set to 0 below
    if bias is not None:
        bias = bias.to(query.dtype)
        bias = bias if mask is None else bias.masked_fill(~mask, -torch.inf)
    output = F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask if bias is None else bias, dropout_p=dropout
    )
    return output if empty is None else output.masked_fill(empty, 0.0)


def attend_with_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """As `attend`, written out; the weights, before dropout, are [batch, heads, queries, keys]."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [batch, heads, queries, keys]
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    mask = _with_causal(mask, causal, query.shape[-2], key.shape[-2], query.device)
    weights = masked_softmax(scores, mask)
    return F.dropout(weights, dropout) @ value, weights


def _with_causal(
    mask: Tensor | None, causal: bool, queries: int, keys: int, device: torch.device
) -> Tensor | None:
    if not causal:
        return mask
    triangle = causal_mask(queries, keys, device)
    return triangle if mask is None else mask & triangle


class Attended(NamedTuple):
    """What attention gives: the output, and the weights where they were asked for."""

    output: Tensor
    weights: Tensor | None


# ---- one head, of recurrent encoder-decoders ---------------------------------------------------------------


class AdditiveAttention(nn.Module):
    """score(q, k) = v . tanh(W q + U k) (Bahdanau, Cho and Bengio 2015, appendix A.1.2).

    Args:
        query_dim, key_dim: of what is compared.
        hidden: dimensions of the sum.
    """

    def __init__(self, query_dim: int, key_dim: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, hidden, bias=False)
        self.key = nn.Linear(key_dim, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor | None = None, mask: Tensor | None = None
    ) -> Attended:
        """query [batch, queries, query_dim], key [batch, keys, key_dim], value [batch, keys, dim] (the keys
        where None), mask broadcast to [batch, queries, keys] -> output [batch, queries, dim], weights.
        """
        return self.look(query, self.project(key), key if value is None else value, mask)

    def project(self, key: Tensor) -> Tensor:
        """U k of keys, which the steps of a decoder share: [batch, keys, hidden]."""
        return self.key(key)  # type: ignore[no-any-return]

    def look(self, query: Tensor, projected: Tensor, value: Tensor, mask: Tensor | None = None) -> Attended:
        """As `forward`, with keys that `project` gave."""
        both = self.query(query)[:, :, None] + projected[:, None]  # [batch, queries, keys, hidden]
        weights = masked_softmax(self.score(both.tanh())[..., 0], mask)  # [batch, queries, keys]
        return Attended(weights @ value, weights)


class LuongAttention(nn.Module):
    """Multiplicative attention, over all keys or a window of them (Luong, Pham and Manning 2015).

    Global: score(q, k) is q . k ("dot") or q . (W k) ("general", section 3.1).
    Local (section 3.2): only keys within `window` of a centre p_q. "local-m" takes p_q = q, the query's own
    place. "local-p" predicts p_q = S sigmoid(v . tanh(U q)) of S keys, and multiplies the weights by a
    Gaussian around it, exp(-(k - p_q)^2 / (2 sigma^2)) with sigma = window / 2, which has a gradient.

    Args:
        score: "dot" or "general".
        window: keys on each side of the centre; None is global.
        predict: whether the centre is predicted.
    """

    def __init__(
        self,
        query_dim: int,
        key_dim: int,
        score: str = "general",
        *,
        window: int | None = None,
        predict: bool = False,
    ) -> None:
        super().__init__()
        if score not in ("dot", "general"):
            raise ConfigError(f"score must be 'dot' or 'general', not {score!r}")
        if score == "dot" and query_dim != key_dim:
            raise ConfigError(
                f"score 'dot' needs queries and keys of one dimension, not {query_dim} and {key_dim}"
            )
        if window is not None and window < 1:
            raise ConfigError(f"window must be 1 or more keys, not {window}")
        if predict and window is None:
            raise ConfigError("a predicted centre needs a window")
        self.key = nn.Linear(key_dim, query_dim, bias=False) if score == "general" else nn.Identity()
        self.window = window
        self.centre = (
            nn.Sequential(
                nn.Linear(query_dim, query_dim, bias=False), nn.Tanh(), nn.Linear(query_dim, 1, bias=False)
            )
            if predict
            else None
        )

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        start: int = 0,
    ) -> Attended:
        """Shapes as of `AdditiveAttention`; S is the number of keys that the mask keeps.

        `start` is the place of the first query, for "local-m" in a decoder that takes a step at a time.
        """
        return self.look(query, self.project(key), key if value is None else value, mask, start=start)

    def project(self, key: Tensor) -> Tensor:
        """W k of keys, or k: [batch, keys, query_dim]; the steps of a decoder share it."""
        return self.key(key)  # type: ignore[no-any-return]

    def look(
        self, query: Tensor, projected: Tensor, value: Tensor, mask: Tensor | None = None, *, start: int = 0
    ) -> Attended:
        """As `forward`, with keys that `project` gave."""
        scores = query @ projected.transpose(1, 2)  # [batch, queries, keys]
        if self.window is not None:
            place = torch.arange(value.shape[1], device=value.device)
            centre = self._centres(query, scores, mask, start)  # [batch or 1, queries, 1]
            near = (place - centre).abs() <= self.window  # [batch or 1, queries, keys]
            mask = near if mask is None else mask & near
        weights = masked_softmax(scores, mask)
        if self.window is not None and self.centre is not None:
            weights = weights * torch.exp(-2 * ((place - centre) / self.window) ** 2)
        return Attended(weights @ value, weights)

    def _centres(self, query: Tensor, scores: Tensor, mask: Tensor | None, start: int) -> Tensor:
        if self.centre is None:
            return torch.arange(start, start + query.shape[1], device=query.device)[None, :, None]
        kept = torch.ones_like(scores) if mask is None else mask.expand_as(scores)
        share: Tensor = self.centre(query).sigmoid()  # [batch, queries, 1]
        return share.float() * kept.sum(-1, keepdim=True)


# ---- many heads --------------------------------------------------------------------------------------------


class KeyValueCache:
    """Keys and values of the positions decoded so far, so that a step computes those of its own only.

    Space doubles when it is full, so n steps copy O(n) numbers. It is written in place: for decoding without
    gradients.
    """

    def __init__(self) -> None:
        self.length = 0
        self._space: tuple[Tensor, Tensor] | None = None

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add [batch, heads, new, d]; return those of all positions, [batch, heads, length, d]."""
        begin, self.length = self.length, self.length + key.shape[2]
        if self._space is None or self._space[0].shape[2] < self.length:
            self._grow(key, value, begin)
        assert self._space is not None
        for space, new in zip(self._space, (key, value), strict=True):
            space[:, :, begin : self.length] = new
        return self.get()

    def get(self) -> tuple[Tensor, Tensor]:
        """Keys and values, [batch, heads, length, d]."""
        assert self._space is not None
        key, value = (space[:, :, : self.length] for space in self._space)
        return key, value

    def reorder(self, rows: Tensor) -> None:
        """Let row i of the batch go on from what was row rows[i], as beam search does."""
        if self._space is not None:
            key, value = (space.index_select(0, rows) for space in self._space)
            self._space = (key, value)

    def _grow(self, key: Tensor, value: Tensor, used: int) -> None:
        room = max(2 * self.length, 16)
        key_space, value_space = (new.new_empty((*new.shape[:2], room, new.shape[3])) for new in (key, value))
        if self._space is not None:
            key_space[:, :, :used] = self._space[0][:, :, :used]
            value_space[:, :, :used] = self._space[1][:, :, :used]
        self._space = (key_space, value_space)


class MultiHeadAttention(nn.Module):
    """heads_i = attend(Q W_i, K W_i', V W_i''); output = concat(heads) W_o (Vaswani et al. 2017, 3.2.2).

    Args:
        dim: of queries and output; each head has dim / heads.
        memory_dim: of what keys and values are made from; `dim` where None.
        dropout: of weights, in training.
    """

    def __init__(
        self, dim: int, heads: int, *, memory_dim: int | None = None, dropout: float = 0.0, bias: bool = True
    ) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ConfigError(f"heads must divide dim, but {heads} does not divide {dim}")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(dim, dim, bias=bias)
        self.key = nn.Linear(memory_dim or dim, dim, bias=bias)
        self.value = nn.Linear(memory_dim or dim, dim, bias=bias)
        self.output = nn.Linear(dim, dim, bias=bias)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        positions: Positions | None = None,
        bias: Tensor | None = None,
        cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> Attended:
        """Let x look at itself, or at `memory`.

        Args:
            x: [batch, time, dim].
            memory: [batch, keys, memory_dim] for cross-attention.
            key_mask: bool [batch, keys], False for padding.
            mask: bool, broadcast to [batch, heads, time, keys].
            causal: no position sees a later one.
            positions: whose `rotate` and, where `bias` is None, `bias` apply; self-attention only.
            bias: added to scores, broadcast to [batch, heads, time, keys].
            cache: for self-attention, x holds the positions after those of the cache, and keys are all; for
                cross-attention, the keys and values of `memory`, which is looked at the first time only.
            need_weights: whether to return weights, [batch, heads, time, keys].

        Returns:
            Output [batch, time, dim], and the weights or None.
        """
        start = cache.length if cache is not None and memory is None else 0
        query = self._split(self.query(x))  # [batch, heads, time, d]
        if memory is not None and cache is not None and cache.length:
            key, value = cache.get()
        else:
            key, value = self.project(x if memory is None else memory)
            if positions is not None and memory is None:
                key = positions.rotate(key, start)
            if cache is not None:
                key, value = cache.append(key, value)  # [batch, heads, keys, d]
        if positions is not None and memory is None:
            query = positions.rotate(query, start)
            bias = positions.bias(x.shape[1], key.shape[2], start) if bias is None else bias
        if key_mask is not None:
            keys = key_mask[:, None, None, :]  # [batch, 1, 1, keys]
            mask = keys if mask is None else mask & keys
        dropout = self.dropout if self.training else 0.0
        if need_weights:
            output, weights = attend_with_weights(
                query, key, value, mask=mask, bias=bias, causal=causal, dropout=dropout
            )
        else:
            weights = None
            output = attend(query, key, value, mask=mask, bias=bias, causal=causal, dropout=dropout)
        return Attended(self.output(output.transpose(1, 2).flatten(2)), weights)

    def project(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of [batch, keys, memory_dim], each [batch, heads, keys, dim / heads]."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def _split(self, x: Tensor) -> Tensor:
        """[batch, time, dim] -> [batch, heads, time, dim / heads]"""
        return x.view(*x.shape[:2], self.heads, x.shape[2] // self.heads).transpose(1, 2)
