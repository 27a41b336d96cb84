"""Devices by name, and what to train in on them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nlptk.errors import ConfigError
from nlptk.neural.devices import fast_precision, find_device, ready


def test_devices():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ConfigError, match="'tpu-9' is no device"):
        find_device("tpu-9")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="'cuda' was asked for but torch sees no GPU"):
            find_device("cuda")


@pytest.mark.parametrize(
    ("units", "precision"),
    [
        ({"avx512_bf16": True, "amx_tile": False}, "bfloat16"),
        ({"avx512_bf16": False, "amx_tile": True}, "bfloat16"),
        ({"avx512_bf16": False, "amx_tile": False}, "float32"),
    ],
)
def test_processors_train_in_bfloat16_where_they_have_units_for_it(
    units: dict[str, bool], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, there in units.items():
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda there=there: there, raising=False)
    assert fast_precision("cpu") == precision


def test_a_torch_that_does_not_tell_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.delattr(torch.cpu, f"_is_{name}_supported", raising=False)
    assert fast_precision("cpu") == "float32"
    with pytest.raises(ConfigError, match="'tpu-9' is no device"):
        fast_precision("tpu-9")


def test_a_model_is_made_ready_once() -> None:
    made: list[str] = []

    class Counting(torch.nn.Linear):
        def _apply(self, *args: Any, **options: Any) -> Any:
            made.append("moved")
            return super()._apply(*args, **options)

        def train(self, mode: bool = True) -> Any:
            made.append("training" if mode else "evaluating")
            return super().train(mode)

    model = Counting(2, 3, device="meta")
    assert ready(model, torch.device("meta")) is model
    assert not model.training
    ready(model, torch.device("meta"))
    assert made == ["evaluating"]
    model.train()
    ready(model, torch.device("meta"))
    assert made[1:] == ["training", "evaluating"]
    with pytest.raises(NotImplementedError):  # it would be moved, which a model without data cannot be
        ready(model, torch.device("cpu"))
    assert made[3:] == ["moved"]
