"""How weights begin, chosen by name: `initialize(module, "xavier_uniform")`.

A matrix [fan_out, fan_in] should neither blow up nor put out what passes through it:

    name                variance of a weight      for
    xavier_*            2 / (fan_in + fan_out)    tanh, sigmoid, attention (Glorot and Bengio 2010)
    kaiming_*           2 / fan_in                ReLU and its kin (He et al. 2015)
    lecun_*             1 / fan_in                a linear layer, whose output keeps the input's variance
    orthogonal          rows at right angles      recurrence: states neither fade nor grow (Saxe et al. 2014)
    normal              0.02^2                    BERT and GPT-2; "truncated_normal" cuts it at 2 sigma
    zeros, ones         0                         layers that begin as nothing, or scales

`*_uniform` draws from [-a, a] with a = sqrt(3 variance), `*_normal` from a Gaussian. In a convolution fan_in
is input channels times width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from nlptk.errors import ConfigError

_STD = 0.02


def initialize(
    module: nn.Module, name: str, *, gain: float = 1.0, generator: torch.Generator | None = None
) -> nn.Module:
    """Set all weights of a module and what is in it; return the module.

    Matrices and kernels get `gain` times what the name says: each gate of a recurrent network for itself,
    since it is a matrix of its own. Biases become 0, the scales of norms 1, rows of embeddings for padding 0.
    Other vectors stay as they are.

    Args:
        name: one of INITIALIZERS.
        generator: the source of randomness; torch's own where None.

    Raises:
        ConfigError: another name.
    """
    if name not in INITIALIZERS:
        raise ConfigError(f"there is no initializer {name!r}; choose one of {', '.join(INITIALIZERS)}")
    fill = INITIALIZERS[name]
    with torch.no_grad():
        for part in module.modules():
            norm = "norm" in type(part).__name__.lower()
            for key, weight in part.named_parameters(recurse=False):
                if "bias" in key:
                    weight.zero_()
                elif norm:
                    weight.fill_(1.0)
                elif weight.dim() >= 2:
                    for matrix in _matrices(part, key, weight):
                        fill(matrix, generator)
                        matrix.mul_(gain)
            if isinstance(part, nn.Embedding) and part.padding_idx is not None:
                part.weight[part.padding_idx].zero_()
    return module


def _matrices(part: nn.Module, key: str, weight: Tensor) -> Iterator[Tensor]:
    """The weight itself, or the gates that torch's recurrent networks and cells keep one above the other."""
    gates = 1
    if isinstance(part, nn.RNNBase | nn.RNNCellBase) and "weight_hr" not in key:  # the projection has none
        gates = weight.shape[0] // part.hidden_size
    yield from weight.chunk(gates)


def _fans(weight: Tensor) -> tuple[int, int]:
    """Inputs that add up to an output, and outputs that an input goes to."""
    area = math.prod(weight.shape[2:])
    return weight.shape[1] * area, weight.shape[0] * area


Fill = Callable[[Tensor, "torch.Generator | None"], object]


def _normal(variance: Callable[[int, int], float]) -> Fill:
    return lambda weight, generator: weight.normal_(
        0.0, math.sqrt(variance(*_fans(weight))), generator=generator
    )


def _uniform(variance: Callable[[int, int], float]) -> Fill:
    def fill(weight: Tensor, generator: torch.Generator | None) -> None:
        edge = math.sqrt(3.0 * variance(*_fans(weight)))
        weight.uniform_(-edge, edge, generator=generator)

    return fill


def _xavier(fan_in: int, fan_out: int) -> float:
    return 2.0 / (fan_in + fan_out)


def _kaiming(fan_in: int, fan_out: int) -> float:
    return 2.0 / fan_in


def _lecun(fan_in: int, fan_out: int) -> float:
    return 1.0 / fan_in


INITIALIZERS: dict[str, Fill] = {
    "xavier_uniform": _uniform(_xavier),
    "xavier_normal": _normal(_xavier),
    "kaiming_uniform": _uniform(_kaiming),
    "kaiming_normal": _normal(_kaiming),
    "lecun_uniform": _uniform(_lecun),
    "lecun_normal": _normal(_lecun),
    "orthogonal": lambda weight, generator: nn.init.orthogonal_(weight, generator=generator),
    "normal": lambda weight, generator: weight.normal_(0.0, _STD, generator=generator),
    "truncated_normal": lambda weight, generator: nn.init.trunc_normal_(
        weight, std=_STD, a=-2 * _STD, b=2 * _STD, generator=generator
    ),
    "zeros": lambda weight, generator: weight.zero_(),
    "ones": lambda weight, generator: weight.fill_(1.0),
}
