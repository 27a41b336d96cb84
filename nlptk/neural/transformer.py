"""The Transformer (Vaswani et al. 2017): blocks of attention and a feed-forward network, and stacks of them.

A block adds to x what attention and then the feed-forward network make of it. Where the norm stands:

    post-norm   x = norm(x + sublayer(x))     Vaswani et al. 2017; BERT
    pre-norm    x = x + sublayer(norm(x))     GPT-2; needs no warm-up (Xiong et al. 2020); a norm at the end

    encoder = Encoder(TransformerConfig(dim=256, heads=4, layers=4, positions="rope"))
    states = encoder(x, key_mask)                       # [batch, time, dim] -> [batch, time, dim]

Inputs are vectors; `Encoder` and `Decoder` add positions themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError, DataError
from nlptk.neural import positions as position_ways
from nlptk.neural.attention import KeyValueCache, MultiHeadAttention
from nlptk.neural.dropout import Dropout
from nlptk.neural.positions import POSITIONS, Positions


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The settings of a stack.

    Args:
        dim: of states; `heads` must divide it.
        layers: blocks.
        hidden: of the feed-forward networks, 4 dim where None.
        positions: a name of `nlptk.neural.positions`.
        max_length: of positions that are learned.
        dropout: of the input, of attention weights, of hidden states, and of what each sublayer adds.
        inner_dropout: of attention weights and hidden states, where it is another than `dropout`.
        norm: "layer" or "rms".
        pre_norm: see the module.
        activation: "relu", "gelu" or "swiglu".

    Raises:
        ConfigError: names that there are not, or numbers that do not go together.
    """

    dim: int
    heads: int
    layers: int
    hidden: int | None = None
    positions: str = "sinusoidal"
    max_length: int = 512
    dropout: float = 0.1
    inner_dropout: float | None = None
    norm: str = "layer"
    pre_norm: bool = True
    activation: str = "gelu"

    def __post_init__(self) -> None:
        _check_name("norm", self.norm, NORMS)
        _check_name("activation", self.activation, ACTIVATIONS)
        _check_name("positions", self.positions, POSITIONS)
        if self.layers < 1:
            raise ConfigError(f"layers must be 1 or more, not {self.layers}")


def _check_name(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ConfigError(f"{what} must be one of {', '.join(known)}, not {name!r}")


# ---- norms and feed-forward networks -----------------------------------------------------------------------


class RmsNorm(nn.Module):
    """weight * x / sqrt(mean(x^2) + eps): no mean is taken off (Zhang and Sennrich 2019)."""

    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x  # squares of bf16 lose too much
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight).to(x.dtype)


NORMS: dict[str, Callable[[int], nn.Module]] = {"layer": nn.LayerNorm, "rms": RmsNorm}


class FeedForward(nn.Module):
    """Two layers that see each position alone.

        relu, gelu    W2 f(W1 x + b1) + b2              Vaswani et al. 2017; Hendrycks and Gimpel 2016
        swiglu        W2 (silu(W1 x) * (V x))           Shazeer 2020; no biases, as in Llama

    `swiglu` has a third matrix: for as many weights as the others, `hidden` must be two thirds of theirs.
    """

    def __init__(self, dim: int, hidden: int, activation: str = "gelu", dropout: float = 0.0) -> None:
        super().__init__()
        _check_name("activation", activation, ACTIVATIONS)
        gated = activation == "swiglu"
        self.function = ACTIVATIONS[activation]
        self.inner = nn.Linear(dim, hidden, bias=not gated)
        self.gate = nn.Linear(dim, hidden, bias=False) if gated else None
        self.outer = nn.Linear(hidden, dim, bias=not gated)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.function(self.inner(x))  # [batch, time, hidden]
        if self.gate is not None:
            inner = inner * self.gate(x)
        output: Tensor = self.outer(self.dropout(inner))
        return output


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "swiglu": F.silu}

# ---- blocks ------------------------------------------------------------------------------------------------


class LayerCache(NamedTuple):
    """What a decoder block keeps between steps: keys and values of its own positions, and of the memory."""

    own: KeyValueCache
    cross: KeyValueCache


class Sublayer(nn.Module):
    """x and what a function makes of it, with the norm before the function or after the sum."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm = NORMS[config.norm](config.dim)
        self.pre_norm = config.pre_norm
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        if self.pre_norm:
            return x + self.dropout(function(self.norm(x)))  # type: ignore[no-any-return]
        return self.norm(x + self.dropout(function(x)))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Self-attention, attention to a memory where `cross`, and a feed-forward network."""

    def __init__(self, config: TransformerConfig, cross: bool = False) -> None:
        super().__init__()
        dim, heads = config.dim, config.heads
        dropout = config.dropout if config.inner_dropout is None else config.inner_dropout
        self.attention = MultiHeadAttention(dim, heads, dropout=dropout)
        self.attention_sum = Sublayer(config)
        self.cross = MultiHeadAttention(dim, heads, dropout=dropout) if cross else None
        self.cross_sum = Sublayer(config) if cross else None
        self.feed_forward = FeedForward(dim, config.hidden or 4 * dim, config.activation, dropout)
        self.feed_forward_sum = Sublayer(config)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        causal: bool = False,
        positions: Positions | None = None,
        bias: Tensor | None = None,
        cache: LayerCache | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """x [batch, time, dim] -> [batch, time, dim]; the rest as in `MultiHeadAttention.forward`.

        `memory_mask` is bool [batch, keys of the memory], False for padding; `weights`: a list to which those
        of the attention to the memory, or where there is none to itself, are appended, [batch, heads, time,
        keys].
        """
        own = weights if self.cross is None else None

        def look_within(y: Tensor) -> Tensor:
            found = self.attention(
                y,
                key_mask=key_mask,
                mask=mask,
                causal=causal,
                positions=positions,
                bias=bias,
                cache=cache and cache.own,
                need_weights=own is not None,
            )
            if own is not None:
                own.append(found.weights)
            return found.output  # type: ignore[no-any-return]

        x = self.attention_sum(x, look_within)
        if self.cross is not None and self.cross_sum is not None:
            cross = self.cross
            if memory is None:
                raise DataError("this block attends to a memory: give the encoder's states")

            def look(y: Tensor) -> Tensor:
                found = cross(
                    y,
                    memory,
                    key_mask=memory_mask,
                    cache=cache and cache.cross,
                    need_weights=weights is not None,
                )
                if weights is not None:
                    weights.append(found.weights)
                return found.output  # type: ignore[no-any-return]

            x = self.cross_sum(x, look)
        x = self.feed_forward_sum(x, self.feed_forward)
        return x


# ---- stacks ------------------------------------------------------------------------------------------------


class _Stack(nn.Module):
    """Blocks, the positions that they share, and the norm at the end of pre-norm ones."""

    def __init__(self, config: TransformerConfig, *, cross: bool, bidirectional: bool) -> None:
        super().__init__()
        self.positions = position_ways.positions(
            config.positions,
            dim=config.dim,
            heads=config.heads,
            max_length=config.max_length,
            bidirectional=bidirectional,
        )
        self.blocks = nn.ModuleList(Block(config, cross) for _ in range(config.layers))
        self.norm = NORMS[config.norm](config.dim) if config.pre_norm else nn.Identity()
        self.dropout = Dropout(config.dropout)


class Encoder(_Stack):
    """[batch, time, dim] -> [batch, time, dim]: each position sees all that the masks keep."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config, cross=False, bidirectional=True)

    def forward(self, x: Tensor, key_mask: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """key_mask is bool [batch, time], False for padding; mask, e.g. `local_mask`, goes with it."""
        time = x.shape[1]
        x = self.dropout(self.positions.add(x))
        bias = self.positions.bias(time, time)  # [heads, time, time], one for all blocks
        for block in self.blocks:
            x = block(x, key_mask=key_mask, mask=mask, positions=self.positions, bias=bias)
        return self.norm(x)  # type: ignore[no-any-return]


class Decoder(_Stack):
    """[batch, time, dim] -> [batch, time, dim]: no position sees a later one; all see the memory.

    With a cache, x holds the positions after those of the calls before, and the result is that of one call
    over all of them:

        cache = decoder.cache()
        for x in steps:                                  # each [batch, 1, dim]
            states = decoder(x, memory, cache=cache)     # [batch, 1, dim]

    `cross` says whether there is a memory; without one this is a language model.
    """

    def __init__(self, config: TransformerConfig, cross: bool = True) -> None:
        super().__init__(config, cross=cross, bidirectional=False)

    def cache(self, memory: Tensor | None = None) -> list[LayerCache]:
        """An empty cache, of one batch of sequences; of a memory that is given it has keys and values."""
        made = [LayerCache(KeyValueCache(), KeyValueCache()) for _ in self.blocks]
        if memory is not None:
            for block, cache in zip(self.blocks, made, strict=True):
                cache.cross.append(*block.cross.project(memory))  # type: ignore[union-attr, operator]
        return made

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: list[LayerCache] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """memory [batch, keys, dim]; memory_mask bool [batch, keys], key_mask bool [batch, time so far].

        `weights`: a list to which each block's attention to the memory is appended, or without one to itself.
        """
        start = cache[0].own.length if cache else 0
        time = x.shape[1]
        x = self.dropout(self.positions.add(x, start))
        bias = self.positions.bias(time, start + time, start)  # [heads, time, start + time]
        for number, block in enumerate(self.blocks):
            x = block(
                x,
                memory,
                key_mask=key_mask,
                memory_mask=memory_mask,
                causal=True,
                positions=self.positions,
                bias=bias,
                cache=cache[number] if cache else None,
                weights=weights,
            )
        return self.norm(x)  # type: ignore[no-any-return]
