"""Which options of ``nlptk train lm`` a neural model takes, and what its settings call them."""

from __future__ import annotations

import enum
from typing import Any

from nlptk.cli.train.options import given
from nlptk.errors import ConfigError

#: Names of ``--model`` that are neural.
NEURAL = ("rnn", "lstm", "gru", "transformer")
_ALL = (
    "min_count",
    "dim",
    "hidden",
    "layers",
    "dropout",
    "window",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "epochs",
    "max_steps",
    "evaluate_every",
    "patience",
    "device",
    "precision",
    "seed",
    "unit",
    "tie",
)
_TRANSFORMER = ("heads", "positions")


def settings_of(model: str, **options: Any) -> dict[str, Any]:
    """The settings of :class:`nlptk.neural.lm.NeuralLM`; None stands for an option not given.

    Raises ConfigError for one that the model does not take.
    """
    takes = _ALL + _TRANSFORMER * (model == "transformer")
    asked = given(**options)
    for name in asked:
        if name not in takes:
            raise ConfigError(f"--{name.replace('_', '-')} is not for --model {model}.")
    found = {name: value.value if isinstance(value, enum.Enum) else value for name, value in asked.items()}
    return {"model": model, **found}
