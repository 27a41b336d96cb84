"""The Transformer (Vaswani et al. 2017, arXiv 1706.03762): attention and MLP in turn, each beside a residual.

A sublayer f (attention, MLP) with its norm stands in one of two ways:

    post-norm   x = norm(x + f(x))      Vaswani et al. 2017; needs a warm-up of the learning rate
    pre-norm    x = x + f(norm(x))      Xiong et al. 2020 (arXiv 2002.04745); one more norm behind the last

    MLP(x) = W2 act(W1 x)               gelu, relu
             W2 (silu(Wg x) * W1 x)     swiglu (Shazeer 2020, arXiv 2002.05202)

    layer_norm   (x - mean) / sqrt(variance) * g + b           (Ba et al. 2016)
    rms_norm     x / sqrt(mean of x^2) * g                     (Zhang and Sennrich 2019)
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.attention import KeyValueCache, MultiHeadAttention, padding_mask, window_mask
from nlptk.neural.initializers import initialize
from nlptk.neural.linear import Linear
from nlptk.neural.positions import Relative, make_positions

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "layer_norm": lambda dim: nn.LayerNorm(dim, 1e-5),
    "rms_norm": lambda dim: nn.RMSNorm(dim, 1e-6),
}
ACTIVATIONS = ("gelu", "relu", "swiglu")


class FeedForward(nn.Module):
    """The MLP of a layer: [..., dim] -> [..., inner] -> [..., dim]."""

    def __init__(self, dim: int, inner: int, activation: str = "gelu", dropout: float = 0.0) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ConfigError(
                f"there is no activation {activation!r}; choose one of {', '.join(ACTIVATIONS)}"
            )
        gated = activation == "swiglu"
        self.gate = Linear(dim, inner) if gated else None
        self.up = Linear(dim, inner, "" if gated else activation)
        self.down = Linear(inner, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        up = self.up(x)
        if self.gate is not None:
            up = F.silu(self.gate(x)) * up
        return self.down(self.dropout(up))  # type: ignore[no-any-return]


class LayerCache:
    """What decoding keeps of one layer: the keys and values of its tokens, and of the memory."""

    def __init__(self) -> None:
        self.tokens, self.memory = KeyValueCache(), KeyValueCache()


class TransformerLayer(nn.Module):
    """One layer: self-attention, cross-attention if there is a memory, MLP.

    Args:
        cross: whether there is a cross-attention.
        pre_norm: whether the norms stand before the sublayers, rather than behind the sums.
        Others: as in `_Stack`.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        inner: int,
        *,
        cross: bool = False,
        dropout: float = 0.1,
        activation: str = "gelu",
        norm: str = "layer_norm",
        pre_norm: bool = True,
    ) -> None:
        super().__init__()
        self.pre_norm = pre_norm
        self.attention = MultiHeadAttention(dim, heads, dropout=dropout)
        self.attention_norm = make_norm(norm, dim)
        self.cross = MultiHeadAttention(dim, heads, dropout=dropout) if cross else None
        self.cross_norm = make_norm(norm, dim) if cross else None
        self.mlp = FeedForward(dim, inner, activation, dropout)
        self.mlp_norm = make_norm(norm, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        causal: bool = False,
        relative: Relative | None = None,
        cache: LayerCache | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """x [batch, time, dim] and memory [batch, keys, dim] -> [batch, time, dim].

        The weights of the self-attention, then of the cross-attention, are appended to `weights`.
        """

        need = weights is not None
        tokens, read = (None, None) if cache is None else (cache.tokens, cache.memory)

        def attention(y: Tensor) -> Tensor:
            found = self.attention(
                y, mask=mask, causal=causal, relative=relative, cache=tokens, need_weights=need
            )
            return _kept(found, weights)

        def cross(y: Tensor) -> Tensor:
            assert self.cross is not None
            found = self.cross(y, memory, mask=memory_mask, cache=read, need_weights=need)
            return _kept(found, weights)

        x = self._residual(x, attention, self.attention_norm)
        if self.cross is not None and self.cross_norm is not None:
            x = self._residual(x, cross, self.cross_norm)
        return self._residual(x, self.mlp, self.mlp_norm)

    def _residual(self, x: Tensor, f: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        if self.pre_norm:
            return x + self.dropout(f(norm(x)))  # type: ignore[no-any-return]
        return norm(x + self.dropout(f(x)))  # type: ignore[no-any-return]


def _kept(found: tuple[Tensor, Tensor | None], weights: list[Tensor] | None) -> Tensor:
    """What an attention gave; its weights go to the list."""
    if weights is not None and found[1] is not None:
        weights.append(found[1])
    return found[0]


def make_norm(name: str, dim: int) -> nn.Module:
    """The norm of that name. Raises ConfigError for one that there is not."""
    if name not in NORMS:
        raise ConfigError(f"there is no norm {name!r}; choose one of {', '.join(NORMS)}")
    return NORMS[name](dim)


class _Stack(nn.Module):
    """Layers behind one another, with one scheme of positions for all; its classes differ in what is seen.

    Args:
        dim: of inputs and outputs.
        layers: their number.
        heads: of each attention; they divide dim.
        inner: dimensions inside each MLP.
        dropout: of the inputs, the attention's weights, inside each MLP and of what each sublayer gives.
        activation: "gelu", "relu" or "swiglu".
        norm: "layer_norm" or "rms_norm".
        pre_norm: whether the norms stand before the sublayers, rather than behind the sums.
        positions: a name in `positions.POSITIONS`.
        max_length: places of learned positions; the others have no limit.
        window: places to either side that a token sees; None for all.

    Raises:
        ConfigError: a setting is not usable.
    """

    causal = False  # whether a token sees only itself and what came before
    cross = False  # whether there is a memory to look at

    def __init__(
        self,
        dim: int,
        layers: int,
        heads: int,
        inner: int,
        *,
        dropout: float = 0.1,
        activation: str = "gelu",
        norm: str = "layer_norm",
        pre_norm: bool = True,
        positions: str = "rope",
        max_length: int = 512,
        window: int | None = None,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ConfigError(f"layers must be at least 1, not {layers}")
        if window is not None and window < 0:
            raise ConfigError(f"window must be None or at least 0, not {window}")
        self.window = window
        self.layers = nn.ModuleList(
            TransformerLayer(
                dim,
                heads,
                inner,
                cross=self.cross,
                dropout=dropout,
                activation=activation,
                norm=norm,
                pre_norm=pre_norm,
            )
            for _ in range(layers)
        )
        self.positions = make_positions(positions, dim, heads, max_length, self.causal)
        self.norm = make_norm(norm, dim) if pre_norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        initialize(self, "xavier_uniform")

    def new_cache(self) -> list[LayerCache]:
        """An empty cache, for the decoding of one batch."""
        return [LayerCache() for _ in self.layers]

    def _run(
        self,
        x: Tensor,
        seen: Tensor | None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: list[LayerCache] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        start = cache[0].tokens.length if cache else 0
        time = x.shape[1]
        mask = _mask(seen, start + time)
        if self.window is not None:
            near = window_mask(time, start + time, self.window, x.device)
            mask = near if mask is None else mask & near
        relative = self.positions.relative(time, start, x.device)
        x = self.dropout(self.positions.add(x, start))
        for number, layer in enumerate(self.layers):
            x = layer(
                x,
                memory,
                mask=mask,
                memory_mask=memory_mask,
                causal=self.causal,
                relative=relative,
                cache=cache[number] if cache else None,
                weights=weights,
            )
        return self.norm(x)  # type: ignore[no-any-return]


def _mask(seen: Tensor | None, time: int) -> Tensor | None:
    """Lengths [batch] or a bool mask of the tokens [batch, time] -> [batch, 1, time]."""
    if seen is None:
        return None
    if seen.dim() == 1:
        return padding_mask(seen, time)
    if seen.shape[1] != time:
        raise ConfigError(f"the mask is of {seen.shape[1]} tokens, but there are {time}")
    return seen.bool()[:, None]


class TransformerEncoder(_Stack):
    """Each vector with what its whole sentence tells of it; arguments as in `_Stack`."""

    def forward(
        self, x: Tensor, seen: Tensor | None = None, *, weights: list[Tensor] | None = None
    ) -> Tensor:
        """Encode.

        Args:
            x: [batch, time, dim].
            seen: the lengths, int64 [batch], or which tokens there are, bool [batch, time]; all if None.
            weights: a list to which those of each layer [batch, heads, time, time] are appended.

        Returns:
            [batch, time, dim]; what stands at padding means nothing.
        """
        return self._run(x, seen, weights=weights)


class CausalTransformer(_Stack):
    """Each vector with what came before it, as in a language model (GPT); arguments as in `_Stack`."""

    causal = True

    def forward(
        self,
        x: Tensor,
        seen: Tensor | None = None,
        *,
        cache: list[LayerCache] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """As `TransformerEncoder`; with a cache, x comes behind what is in it, and `seen` counts that too."""
        return self._run(x, seen, cache=cache, weights=weights)


class TransformerDecoder(_Stack):
    """Each vector with what came before it and with a memory, as in translation; arguments as in `_Stack`."""

    causal = True
    cross = True

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        seen: Tensor | None = None,
        memory_seen: Tensor | None = None,
        *,
        cache: list[LayerCache] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Decode.

        Args:
            x: [batch, time, dim]; with a cache, what comes behind what is in it.
            memory: [batch, keys, dim], what the encoder gave; with a cache, read at the first call alone.
            seen: of the tokens, those in the cache too, as for `TransformerEncoder`.
            memory_seen: of the memory.
            weights: a list to which those of self-attention [batch, heads, time, tokens] and of
                cross-attention [batch, heads, time, keys] are appended, layer by layer.

        Returns:
            [batch, time, dim].
        """
        return self._run(x, seen, memory, _mask(memory_seen, memory.shape[1]), cache, weights)
