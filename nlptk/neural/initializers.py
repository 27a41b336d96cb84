"""First weights by name, with the variance that keeps signals as large behind a layer as before it.

For a matrix [out, in], with uniform bounds b or normal deviations s:

    xavier    b = sqrt(6 / (in + out))      s = sqrt(2 / (in + out))     (Glorot and Bengio 2010)
    kaiming   b = sqrt(6 / in)              s = sqrt(2 / in)             (He et al. 2015; for ReLU)
    orthogonal                              rows or columns orthonormal  (Saxe et al. 2014)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from torch import Tensor, nn

from nlptk.errors import ConfigError

#: The schemes by name; each fills a tensor of two or more dimensions.
INITIALIZERS: dict[str, Callable[[Tensor], Tensor]] = {
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "kaiming_uniform": partial(nn.init.kaiming_uniform_, nonlinearity="relu"),
    "kaiming_normal": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "orthogonal": nn.init.orthogonal_,
}


def initialize(module: nn.Module, name: str) -> None:
    """Fill the weights of all linear, convolution and recurrent layers in a module; their biases become 0.

    Each gate of a recurrent layer is a matrix of its own. Embeddings and norms keep what they have.

    Raises:
        ConfigError: there is no scheme of that name.
    """
    if name not in INITIALIZERS:
        raise ConfigError(f"there is no initializer {name!r}; choose one of {', '.join(INITIALIZERS)}")
    for part in module.modules():
        for parameter in _parameters(part):
            if parameter.dim() > 1:
                INITIALIZERS[name](parameter)
            else:
                nn.init.zeros_(parameter)


def _parameters(part: nn.Module) -> Iterator[Tensor]:
    """The matrices and biases of one layer, as views."""
    if isinstance(part, nn.Linear | nn.modules.conv._ConvNd):
        yield from (parameter.data for parameter in part.parameters(recurse=False))
    elif isinstance(part, nn.RNNBase | nn.RNNCellBase):
        hidden: int = part.hidden_size
        for name, parameter in part.named_parameters(recurse=False):
            rows = len(parameter) if "weight_hr" in name else hidden  # of an LSTM with projection
            for first in range(0, len(parameter), rows):
                yield parameter.data[first : first + rows]
