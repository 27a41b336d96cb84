"""Where a token stands, told to attention in five ways: `positions("rope", dim=512, heads=8)`.

    name         how                                                              source
    sinusoidal   added to the input: sines and cosines of fixed wavelengths       Vaswani et al. 2017
    learned      added to the input: a vector for each position                   Gehring et al. 2017
    t5           added to scores: a learned number for each distance and head     Raffel et al. 2020
    rope         queries and keys are turned by an angle for each position        Su et al. 2021
    alibi        taken from scores: the distance times a slope for each head      Press et al. 2022

Each is a `Positions`, whose three hooks a Transformer calls: `add` at its input, `rotate` and `bias` in
attention. The hooks that a way does not use do nothing. Positions count from `start`, which a decoder with a
cache moves on.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nlptk.errors import ConfigError, DataError


class Positions(nn.Module):
    """No positions: what all ways have in common."""

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        """[batch, time, dim] with positions start, start + 1, ... added."""
        return x

    def rotate(self, x: Tensor, start: int = 0) -> Tensor:
        """Queries or keys, [batch, heads, time, head_dim], turned as their positions say."""
        return x

    def bias(self, queries: int, keys: int, start: int = 0) -> Tensor | None:
        """What is added to scores, [heads, queries, keys]: queries from position `start`, keys from 0."""
        return None


class Sinusoidal(Positions):
    """x_p + P_p with P[p, 2i] = sin(p / 10000^(2i / dim)), P[p, 2i + 1] the cosine (Vaswani et al. 2017).

    For any fixed distance, P of a position is a linear function of P of the other.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        _check_even(dim, "dim", "sinusoidal")
        self.dim = dim

    def table(self, start: int, stop: int, device: torch.device | None = None) -> Tensor:
        """[stop - start, dim]"""
        angles = _angles(self.dim, 10000.0, start, stop, device)  # [time, dim / 2]
        return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        return x + self.table(start, start + x.shape[1], x.device).to(x.dtype)


class Learned(Positions):
    """x_p + W_p (Gehring et al. 2017; BERT). Positions from `max_length` on raise DataError."""

    def __init__(self, dim: int, max_length: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(max_length, dim) * 0.02)

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        stop = start + x.shape[1]
        if stop > len(self.weight):
            raise DataError(
                f"there are {stop} positions, but the model has learned {len(self.weight)}: "
                "cut the text into windows"
            )
        return x + self.weight[start:stop].to(x.dtype)


class T5Bias(Positions):
    """score + B[head, bucket(key - query)] (Raffel et al. 2020, section 2.1).

    Distances up to a half of the buckets have one each; further ones share them, log-wise up to
    `max_distance`; all beyond that have the last. `bidirectional` keeps half of the buckets for keys after
    the query; without it those have the bucket of distance 0, as a decoder never sees them.
    """

    def __init__(
        self, heads: int, buckets: int = 32, max_distance: int = 128, bidirectional: bool = True
    ) -> None:
        super().__init__()
        sides = 2 if bidirectional else 1
        if buckets < 2 * sides or buckets % sides or max_distance <= buckets // sides // 2:
            raise ConfigError(
                f"T5 positions need an even number of buckets, at least {2 * sides}, and a max_distance "
                f"beyond those of one distance, not {buckets} and {max_distance}"
            )
        self.buckets, self.max_distance, self.bidirectional = buckets, max_distance, bidirectional
        self.weight = nn.Parameter(torch.zeros(buckets, heads))

    def bucket(self, distance: Tensor) -> Tensor:
        """The bucket of key position - query position, both int64 of any shape."""
        buckets, offset = self.buckets, torch.zeros_like(distance)
        if self.bidirectional:
            buckets //= 2
            offset = (distance > 0).long() * buckets
            distance = distance.abs()
        else:
            distance = (-distance).clamp(min=0)
        exact = buckets // 2
        # The share of the way to the last bucket, in logarithms.
        share = (distance.clamp(min=1).float() / exact).log() / math.log(self.max_distance / exact)
        far = exact + (share * (buckets - exact)).long()
        return offset + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))

    def bias(self, queries: int, keys: int, start: int = 0) -> Tensor | None:
        distance = _distance(queries, keys, start, self.weight.device)
        return self.weight[self.bucket(distance)].permute(2, 0, 1)  # [heads, queries, keys]


class Rope(Positions):
    """Pair i of a query's or key's dimensions, at position p, is turned by p * base^(-2i / head_dim).

    As complex numbers this is x_i e^(i p theta_i) (Su et al. 2021): the product of a query and a key then
    depends on the difference of their positions only. Pairs are (i, i + head_dim / 2), as in GPT-NeoX and
    Llama; with `interleaved` they are (2i, 2i + 1), as in the paper.
    """

    def __init__(self, head_dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        super().__init__()
        _check_even(head_dim, "the dimension of a head", "rope")
        self.head_dim, self.base, self.interleaved = head_dim, base, interleaved

    def rotate(self, x: Tensor, start: int = 0) -> Tensor:
        stop = start + x.shape[-2]
        angles = _angles(self.head_dim, self.base, start, stop, x.device)  # [time, head_dim / 2]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        left, right = (x[..., ::2], x[..., 1::2]) if self.interleaved else x.chunk(2, -1)
        turned = (left * cos - right * sin, left * sin + right * cos)
        return torch.stack(turned, -1).flatten(-2) if self.interleaved else torch.cat(turned, -1)


class Alibi(Positions):
    """score - slope[head] * |query - key| (Press et al. 2022). Nothing is learned, and no length is too long.

    Slopes are 2^(-8 / heads), 2^(-16 / heads), ... for a power of two; between two powers, those of the lower
    one and every other one of the higher, as in the authors' code. |.| is for encoders; under a causal mask
    it changes nothing.
    """

    slopes: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        lower = 1 << (heads.bit_length() - 1)
        slopes = _slopes(lower) + _slopes(2 * lower)[::2][: heads - lower]
        self.register_buffer("slopes", torch.tensor(slopes), persistent=False)

    def bias(self, queries: int, keys: int, start: int = 0) -> Tensor | None:
        distance = _distance(queries, keys, start, self.slopes.device).abs()
        return -self.slopes[:, None, None] * distance  # [heads, queries, keys]


POSITIONS = ("none", "sinusoidal", "learned", "t5", "rope", "alibi")


def positions(
    name: str, *, dim: int, heads: int, max_length: int = 512, bidirectional: bool = True
) -> Positions:
    """The way of that name.

    Args:
        name: one of POSITIONS.
        dim: of the model; `heads` must divide it.
        max_length: of "learned".
        bidirectional: of "t5"; False for a decoder.

    Raises:
        ConfigError: another name, or numbers that do not go together.
    """
    if heads < 1 or dim % heads:
        raise ConfigError(f"heads must divide dim, but {heads} does not divide {dim}")
    if name == "none":
        return Positions()
    if name == "sinusoidal":
        return Sinusoidal(dim)
    if name == "learned":
        return Learned(dim, max_length)
    if name == "t5":
        return T5Bias(heads, bidirectional=bidirectional)
    if name == "rope":
        return Rope(dim // heads)
    if name == "alibi":
        return Alibi(heads)
    raise ConfigError(f"there are no positions {name!r}; choose one of {', '.join(POSITIONS)}")


def _angles(dim: int, base: float, start: int, stop: int, device: torch.device | None) -> Tensor:
    """position * base^(-2i / dim), [stop - start, dim / 2].

    In float32 whatever the model's type, so no buffer, which `model.bfloat16()` would round: bf16 has three
    digits, and an angle many turns.
    """
    rates = base ** (torch.arange(0, -dim, -2, device=device, dtype=torch.float32) / dim)
    return torch.arange(start, stop, device=device, dtype=torch.float32)[:, None] * rates


def _distance(queries: int, keys: int, start: int, device: torch.device) -> Tensor:
    """Key position - query position, [queries, keys]"""
    return torch.arange(keys, device=device) - torch.arange(start, start + queries, device=device)[:, None]


def _slopes(heads: int) -> list[float]:
    return [2.0 ** (-8 * (head + 1) / heads) for head in range(heads)]


def _check_even(dim: int, what: str, name: str) -> None:
    if dim < 2 or dim % 2:
        raise ConfigError(f"{name} positions need an even number, 2 or more, as {what}, not {dim}")
