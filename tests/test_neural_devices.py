"""Devices by name, and what to train in on them."""

from __future__ import annotations

import pytest
import torch

from nlptk.errors import ConfigError
from nlptk.neural.devices import fast_precision, find_device


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
