"""How a model is trained: what the trainer of `train.py` is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from nlptk.errors import ConfigError


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained.

    Attributes:
        optimizer: "adamw", "adam", "sgd", "momentum", "nesterov", "adagrad" or "rmsprop".
        learning_rate: its highest value.
        weight_decay: of weights of two or more dimensions.
        beta2: of Adam and AdamW; 0.98 in Vaswani et al. 2017.
        schedule: "constant", "linear", "cosine" or "inverse_sqrt": :class:`nlptk.neural.optimizers.Schedule`.
        warmup: updates in which the rate rises; below 1 a share of all.
        epochs: over the source.
        max_steps: updates at most; None for no other end than the epochs'.
        accumulate: batches of one update.
        max_grad_norm: gradients longer than this are cut to it; 0 for none.
        evaluate_every: updates between evaluations; None for once an epoch.
        patience: evaluations without a better score after which training ends; None for never.
        average: epochs whose last weights are averaged, the last so many; 0 to keep those of the best score.
        seed: of dropout; a source has its own.
        device: "auto", "cpu", "cuda", "cuda:1".
        precision: "float32", or "bfloat16" for autocast.
        compile: whether torch.compile compiles the model first.
        halve_on_oom: where memory runs out, go on once with batches in two halves.
        scales: prefixes of parameters' names to factors of their learning rate.
    """

    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    beta2: float = 0.999
    schedule: str = "linear"
    warmup: float = 0.0
    epochs: int = 10
    max_steps: int | None = None
    accumulate: int = 1
    max_grad_norm: float = 1.0
    evaluate_every: int | None = None
    patience: int | None = None
    average: int = 0
    seed: int = 1
    device: str = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    halve_on_oom: bool = False
    scales: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, defaults: Mapping[str, Any], params: Mapping[str, Any]) -> TrainSettings:
        """Those among an estimator's settings; of one that is None the default."""
        given = {**defaults, **{name: value for name, value in params.items() if value is not None}}
        return cls(**{f.name: given[f.name] for f in fields(cls) if f.name in given})

    def __post_init__(self) -> None:
        for name in ("epochs", "accumulate"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(f"{name} must be an integer of at least 1, not {getattr(self, name)!r}")
        for name in ("max_steps", "evaluate_every", "patience"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ConfigError(f"{name} must be an integer of at least 1 or None, not {value!r}")
        for name in ("weight_decay", "warmup", "max_grad_norm"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be a number of at least 0, not {getattr(self, name)!r}")
        if not isinstance(self.average, int) or not 0 <= self.average <= self.epochs:
            raise ConfigError(
                f"average must be an integer from 0 to {self.epochs}, the epochs, not {self.average!r}"
            )
        if self.average and (self.patience is not None or self.max_steps is not None):
            raise ConfigError("average counts back from the last epoch: leave patience and max_steps out")
        if not 0 <= self.beta2 < 1:
            raise ConfigError(f"beta2 must be at least 0 and below 1, not {self.beta2!r}")
        if not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"learning_rate must be a number above 0, not {self.learning_rate!r}")
        if self.precision not in ("float32", "bfloat16"):
            raise ConfigError(f"precision must be 'float32' or 'bfloat16', not {self.precision!r}")
