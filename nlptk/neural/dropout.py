"""Dropout whose random numbers are cheap on a CPU.

torch draws a number of 32 bits or more for each element with a serial generator, which takes much of the
time of a small Transformer's training. Here an element has a byte of NumPy's SFC64, which is seeded by torch:
what is drawn still depends on `torch.manual_seed` alone.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """As torch's; on a CPU the share that is dropped is rounded to 1/256, and what is left made up for it."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        edge = round(256 * self.p)
        if x.device.type != "cpu" or not 0 < edge < 256 or torch.compiler.is_compiling():
            return F.dropout(x, self.p)
        seed = int(torch.randint(2**62, ()))
        drawn = np.random.Generator(np.random.SFC64(seed)).bytes(x.numel())
        kept = torch.from_numpy(np.frombuffer(drawn, np.uint8) >= edge).view(x.shape)
        return x * kept.to(x.dtype).mul_(256 / (256 - edge))
