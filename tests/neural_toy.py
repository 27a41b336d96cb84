"""A small task for the trainer: which class a row of numbers is of. Shared by tests and their processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from nlptk.neural.batches import Batches
from nlptk.neural.train import TrainingLog, TrainSettings, train

_random = torch.Generator().manual_seed(1)
X = torch.randn(120, 6, generator=_random)
Y = (X @ torch.randn(6, 3, generator=_random)).argmax(1)
LENGTHS = [1 + i % 7 for i in range(len(X))]


class Classifier(nn.Module):
    """Dropout makes its training depend on random numbers."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.layers = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 3))

    def forward(self, batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, int]:
        x, gold = batch
        return F.cross_entropy(self.layers(x), gold, reduction="sum"), len(gold)


def collate(examples: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    return X[list(examples)], Y[list(examples)]


def accuracy(model: Classifier) -> float:
    return float((model.layers(X).argmax(1) == Y).double().mean())


def source(tokens: int = 40) -> Batches:
    return Batches(LENGTHS, tokens, seed=3)


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [value.detach().clone() for value in model.state_dict().values()]


def run(
    settings: TrainSettings, model: Classifier | None = None, **options: Any
) -> tuple[Classifier, TrainingLog]:
    model = model or Classifier()
    log = train(model, options.pop("source", source()), collate, settings, **options)
    return model, log


def child(
    settings: TrainSettings, options: dict[str, Any], output: Path, environment: dict[str, str]
) -> None:
    """Train in a process of its own and write the weights."""
    os.environ.update(environment)
    torch.set_num_threads(1)
    dropout = options.pop("dropout", 0.3)
    model, _ = run(settings, Classifier(dropout), **options)
    torch.save(weights(model), output)
