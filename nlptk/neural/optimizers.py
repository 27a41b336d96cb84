"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from nlptk.errors import ConfigError

#: Kingma and Ba 2015 (adam), Loshchilov and Hutter 2019 (adamw), Duchi et al. 2011 (adagrad), Tieleman and
#: Hinton 2012 (rmsprop), Polyak 1964 (momentum), Nesterov 1983.
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "adam": partial(torch.optim.Adam, fused=True),
    "sgd": partial(torch.optim.SGD, fused=True),
    "momentum": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True, fused=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
SCHEDULES = ("constant", "linear", "cosine", "inverse_sqrt")


def make_optimizer(
    name: str,
    model: nn.Module,
    learning_rate: float,
    weight_decay: float = 0.0,
    scales: Mapping[str, float] | None = None,
    beta2: float = 0.999,
) -> Optimizer:
    """The optimizer of that name over the parameters of a model that learn.

    Biases and the scales of norms, all parameters of fewer than two dimensions, do not decay.

    Args:
        scales: prefix of parameters' names to factor of their learning rate; the longest prefix counts. Each
            group keeps its factor as ``group["scale"]``.
        beta2: of Adam and AdamW, how slowly the mean of squares moves; others have none.

    Raises:
        ConfigError: there is no such optimizer, or no parameter has the prefix.
    """
    if name not in OPTIMIZERS:
        raise ConfigError(f"there is no optimizer {name!r}; choose one of {', '.join(OPTIMIZERS)}")
    prefixes = sorted(scales or {}, key=len, reverse=True)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    unused = set(prefixes)
    for full_name, parameter in model.named_parameters():
        prefix = next((prefix for prefix in prefixes if full_name.startswith(prefix)), None)
        unused.discard(prefix or "")
        if parameter.requires_grad:
            scale = 1.0 if prefix is None or scales is None else scales[prefix]
            groups.setdefault((scale, parameter.dim() >= 2), []).append(parameter)
    if unused:
        raise ConfigError(f"the model has no parameter that begins with {min(unused)!r}")
    made: list[dict[str, Any]] = [
        {
            "params": parameters,
            "lr": learning_rate * scale,
            "weight_decay": weight_decay if decays else 0.0,
            "scale": scale,
        }
        for (scale, decays), parameters in groups.items()
    ]
    if not made:
        raise ConfigError("no parameter of the model learns: all have requires_grad=False")
    moving = {"betas": (0.9, beta2)} if name in ("adam", "adamw") else {}
    return OPTIMIZERS[name](made, lr=learning_rate, **moving)


@dataclass(frozen=True)
class Schedule:
    """The learning rate's factor at each step, counted from 0.

    It rises from 1 / `warmup` to 1 in `warmup` steps. Then "constant" stays, "linear" and "cosine"
    (Loshchilov and Hutter 2017) fall to 0 at step `total`, and "inverse_sqrt" falls with the root of the
    steps as in Vaswani et al. 2017.

    Raises:
        ConfigError: there is no such schedule.
    """

    name: str
    warmup: int
    total: int

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise ConfigError(f"there is no schedule {self.name!r}; choose one of {', '.join(SCHEDULES)}")

    def __call__(self, step: int) -> float:
        """The factor of the update with that number."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.name == "inverse_sqrt":
            return math.sqrt(max(self.warmup, 1) / (step + 1))
        done = min((step - self.warmup) / max(self.total - self.warmup, 1), 1.0)
        if self.name == "linear":
            return 1.0 - done
        return 0.5 * (1.0 + math.cos(math.pi * done)) if self.name == "cosine" else 1.0
