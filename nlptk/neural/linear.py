"""A linear layer whose weights oneDNN lays out once for the CPU, for inference.

torch's own matrix product reads the weights as they lie, through MKL. oneDNN's, with the weights in blocks of
its choice and the activation applied while a block of the result is in the cache, is about a quarter faster
on an AVX-512 processor (docs/bert.md). It is reached by the operators that torch.compile's inductor uses,
which are no promised interface: where they are not there, or do not fit, the layer is torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError

# Name in config.json -> the function, and what oneDNN calls it (post-op, algorithm).
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[str, str]]] = {
    "gelu": (F.gelu, ("gelu", "none")),
    "gelu_new": (lambda x: F.gelu(x, approximate="tanh"), ("gelu", "tanh")),
    "gelu_pytorch_tanh": (lambda x: F.gelu(x, approximate="tanh"), ("gelu", "tanh")),
    "relu": (F.relu, ("relu", "")),
}
_ROWS = 1024  # that the layout is chosen for; others are right too


class Linear(nn.Linear):
    """``activation(x W^T + b)``: [tokens, in] -> [tokens, out].

    The blocked copy of the weights is made at the first inference and again when they have changed; it takes
    their memory once more. `activation`: "" or a key of ACTIVATIONS.
    """

    def __init__(self, inputs: int, outputs: int, activation: str = "") -> None:
        super().__init__(inputs, outputs)
        if activation and activation not in ACTIVATIONS:
            raise ConfigError(f"hidden_act {activation!r} is not known: there are {', '.join(ACTIVATIONS)}")
        self._function: Callable[[Tensor], Tensor] | None = None
        self._post = ("none", "")
        if activation:
            self._function, self._post = ACTIVATIONS[activation]
        self._blocked: tuple[tuple[int, int], Any] | None = None

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:  # else a checkpoint's weights come
            super().reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        blocked = self._blocks(x)
        if blocked is not None:
            post, algorithm = self._post
            made: Tensor = torch.ops.mkldnn._linear_pointwise(x, blocked, self.bias, post, [], algorithm)
            return made
        made = F.linear(x, self.weight, self.bias)
        return made if self._function is None else self._function(made)

    def train(self, mode: bool = True) -> Linear:
        if mode:  # which needs the memory; evaluation may begin again and again
            self._blocked = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_blocked": None}  # copies and pickles make their own

    def _blocks(self, x: Tensor) -> Any | None:
        """The weights in blocks; None where torch's own product is to be used."""
        weight = self.weight
        if (
            not _AVAILABLE
            or torch.is_grad_enabled()
            or x.dtype is not torch.float32
            or x.device.type != "cpu"
            or weight.dtype is not torch.float32
            or weight.is_inference()  # has no version: a change would not be seen
            or torch.is_autocast_enabled("cpu")
            or torch.compiler.is_compiling()
        ):
            return None
        now = (weight.data_ptr(), weight._version)
        if self._blocked is None or self._blocked[0] != now:
            self._blocked = (now, torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS))
        return self._blocked[1]


def _works() -> bool:
    """Whether this torch has the operators, and they give what the layer is to give."""
    try:
        with torch.no_grad():
            x, weight, bias = torch.linspace(-1, 1, 96).view(4, 24), torch.eye(16, 24), torch.ones(16)
            blocked = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
            made = torch.ops.mkldnn._linear_pointwise(x, blocked, bias, "gelu", [], "none")
            return torch.allclose(made, F.gelu(F.linear(x, weight, bias)), atol=1e-5)
    except (AttributeError, RuntimeError, NotImplementedError, TypeError):
        return False


_AVAILABLE: bool = torch.backends.mkldnn.is_available() and _works()  # type: ignore[no-untyped-call]
