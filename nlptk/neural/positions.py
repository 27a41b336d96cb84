"""Positions: how a model of attention, which sees a set, learns where in a sentence each vector stands.

Three places where a scheme can act, for a query at place i and a key at place j:

    added to the inputs     x_i + p_i               sinusoidal, learned
    turning q and k         (R_i q) . (R_j k)       rope: depends on i - j alone
    added to the scores     q . k + b(j - i)        t5 (learned), alibi (fixed)

A stack makes one scheme by name, adds it to its inputs once, and hands what `relative` gives to every layer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nlptk.errors import ConfigError, DataError


class Relative(NamedTuple):
    """What attention needs of a scheme.

    Attributes:
        turn: cos and sin [queries, dim / 2] of the angles by which queries and new keys are turned.
        bias: [heads, queries, keys], added to the scores.
    """

    turn: tuple[Tensor, Tensor] | None = None
    bias: Tensor | None = None


class Positions(nn.Module):
    """No positions: the base of the others.

    Args:
        dim: of the inputs.
        heads: of the attention.
        max_length: places that there are; only "learned" has a limit.
        causal: whether no query sees a key behind its own place.
    """

    def __init__(self, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> None:
        super().__init__()

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        """Inputs [batch, time, dim], the first at place `start`, with the positions added."""
        return x

    def relative(self, queries: int, start: int = 0, device: torch.device | str = "cpu") -> Relative:
        """Of queries at places start ... start + queries - 1, and keys at all places up to the last."""
        return Relative()


class Sinusoidal(Positions):
    """p[2i] = sin(place / 10000^(2i/dim)), p[2i+1] = cos of the same (Vaswani et al. 2017, section 3.5)."""

    def __init__(self, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> None:
        super().__init__(dim, heads)
        if dim % 2:
            raise ConfigError(f"sinusoidal positions need an even dim, not {dim}")

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        cos, sin = _circles(x.shape[1], start, x.shape[2], x.device)
        return x + torch.stack([sin, cos], -1).flatten(1).to(x.dtype)  # [time, dim]


class Learned(Positions):
    """A vector for each place below `max_length` (Gehring et al. 2017; BERT, GPT-2)."""

    def __init__(self, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> None:
        super().__init__(dim, heads)
        self.table = nn.Embedding(max_length, dim)
        nn.init.normal_(self.table.weight, std=0.02)

    def add(self, x: Tensor, start: int = 0) -> Tensor:
        end = start + x.shape[1]
        if end > self.table.num_embeddings:
            raise DataError(
                f"a sequence of {end} is longer than the {self.table.num_embeddings} places of learned "
                "positions; cut it into windows, or choose 'rope', 'alibi', 't5' or 'sinusoidal'"
            )
        return x + self.table.weight[start:end].to(x.dtype)


class Rope(Positions):
    """Rotary positions (Su et al. 2021, arXiv 2104.09864): each pair of dimensions is turned by its angle.

        (q[2i] + j q[2i+1]) e^(j place / 10000^(2i/d)),   d = dim / heads; so for k; j the imaginary unit

    The product of a query at place a and a key at place b depends on a - b alone.
    """

    def __init__(self, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> None:
        super().__init__(dim, heads)
        self.dim = dim // heads
        if self.dim % 2:
            raise ConfigError(f"rope turns pairs of dimensions: dim / heads must be even, not {self.dim}")

    def relative(self, queries: int, start: int = 0, device: torch.device | str = "cpu") -> Relative:
        return Relative(turn=_circles(queries, start, self.dim, device))


class Alibi(Positions):
    """A penalty that grows with the distance: -slope |i - j| (Press et al. 2022, arXiv 2108.12409).

    The slopes of 2^n heads are a geometric row from 2^(-8/heads); between these, as in the authors' code,
    every other slope of twice as many heads is added. Press et al. look back only; looking both ways, the
    penalty is the same on either side.
    """

    slopes: Tensor

    def __init__(self, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> None:
        super().__init__(dim, heads)
        power = 2 ** int(math.log2(heads))
        slopes = _slopes(power) + _slopes(2 * power)[::2][: heads - power]
        self.register_buffer("slopes", torch.tensor(slopes), persistent=False)

    def relative(self, queries: int, start: int = 0, device: torch.device | str = "cpu") -> Relative:
        distance = _distances(queries, start, device).abs()
        return Relative(bias=-self.slopes.to(device)[:, None, None] * distance)


class T5(Positions):
    """A learned number for each head and bucket of distances (Raffel et al. 2020, arXiv 1910.10683).

    Half of the buckets hold one distance each, the others ever wider ranges up to `max_distance`; all that
    is further shares the last. One table serves all layers.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        max_length: int = 512,
        causal: bool = False,
        buckets: int = 32,
        max_distance: int = 128,
    ) -> None:
        super().__init__(dim, heads)
        self.causal, self.buckets, self.max_distance = causal, buckets, max_distance
        self.table = nn.Embedding(buckets, heads)
        nn.init.normal_(self.table.weight, std=dim**-0.5)

    def relative(self, queries: int, start: int = 0, device: torch.device | str = "cpu") -> Relative:
        numbers = t5_buckets(
            _distances(queries, start, device), self.buckets, self.max_distance, not self.causal
        )
        return Relative(bias=self.table(numbers).permute(2, 0, 1))


def t5_buckets(
    distance: Tensor, buckets: int = 32, max_distance: int = 128, both_ways: bool = True
) -> Tensor:
    """The bucket of each distance, key's place minus query's: int64 [...] -> int64 [...].

    Source: relative_position_bucket of T5's code.
    """
    side = torch.zeros_like(distance)
    if both_ways:
        buckets //= 2
        side += (distance > 0) * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    ratio = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    wide = (exact + (ratio * (buckets - exact)).long()).clamp(max=buckets - 1)
    return side + torch.where(distance < exact, distance, wide)


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Each pair of dimensions of x [..., time, dim] turned by the angles [time, dim / 2] of cos and sin."""
    cos, sin = (part.to(x.dtype) for part in turn)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def _circles(time: int, start: int, dim: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """cos and sin of place / 10000^(2i/dim): [time, dim / 2] each."""
    places = torch.arange(start, start + time, device=device, dtype=torch.float32)
    rates = 10000.0 ** (-torch.arange(0, dim, 2, device=device, dtype=torch.float32) / dim)
    angles = places[:, None] * rates
    return angles.cos(), angles.sin()


def _distances(queries: int, start: int, device: torch.device | str) -> Tensor:
    """Key's place minus query's: int64 [queries, start + queries]."""
    places = torch.arange(start + queries, device=device)
    return places - places[start:, None]


def _slopes(heads: int) -> list[float]:
    return [2.0 ** (-8 * (i + 1) / heads) for i in range(heads)]


#: The schemes by name.
POSITIONS: dict[str, type[Positions]] = {
    "none": Positions,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "t5": T5,
    "rope": Rope,
    "alibi": Alibi,
}


def make_positions(name: str, dim: int, heads: int, max_length: int = 512, causal: bool = False) -> Positions:
    """The scheme of that name; the arguments are those of `Positions`.

    Raises ConfigError for a name that there is not, or sizes that the scheme cannot have.
    """
    if name not in POSITIONS:
        raise ConfigError(f"there are no positions {name!r}; choose one of {', '.join(POSITIONS)}")
    return POSITIONS[name](dim, heads, max_length, causal)
