"""Where a model runs, and in which processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from nlptk.errors import ConfigError

M = TypeVar("M", bound=nn.Module)


def find_device(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; "auto": a GPU where there is one, of several processes each its own.

    Raises:
        ConfigError: the name is none that torch knows, or there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"{name!r} is no device; use 'auto', 'cpu', 'cuda' or 'cuda:0'") from None
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ConfigError("device 'cuda' was asked for but torch sees no GPU; use 'cpu' or 'auto'")
        if device.index is None:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        if device.index is not None and device.index >= torch.cuda.device_count():
            raise ConfigError(f"there is no {device}: torch sees {torch.cuda.device_count()} GPUs")
    return device


def ready(model: M, device: torch.device) -> M:
    """The model on a device, in evaluation mode.

    Only where it is not so already: both walk through all modules, which a single sentence would notice.
    """
    if any(one.device != device for one in model.parameters()):
        model.to(device)
    return model.eval() if model.training else model


def describe(name: str) -> str:
    """The device of a name, with the model of a GPU. Raises as `find_device`."""
    device = find_device(name)
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def set_threads(threads: int) -> None:
    """So many threads for torch in this process."""
    torch.set_num_threads(threads)


def fast_precision(device: str) -> str:
    """What to train a large network in: "bfloat16" where the device multiplies in it, else "float32".

    Of processors these are those with AVX-512 BF16 or AMX. Raises as `find_device`.
    """
    found = find_device(device)
    if found.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    # Of torch's own, so perhaps not for ever.
    tests = [getattr(torch.cpu, f"_is_{unit}_supported", None) for unit in ("avx512_bf16", "amx_tile")]
    return "bfloat16" if any(test is not None and test() for test in tests) else "float32"


def peak_memory() -> int:
    """Bytes that tensors of this process took on its GPU at most; 0 without one."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


@dataclass(frozen=True)
class Processes:
    """The processes of a training: this one's number, and how many there are."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and evaluates."""
        return self.rank == 0

    def broadcast(self, value: float, device: torch.device) -> float:
        """The first process's value, in all."""
        return self._exchanged(value, device, None)

    def sum(self, value: float, device: torch.device) -> float:
        """The sum of all processes' values, in all."""
        return self._exchanged(value, device, dist.ReduceOp.SUM)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier()

    def _exchanged(
        self, value: float, device: torch.device, operation: dist.ReduceOp.RedOpType | None
    ) -> float:
        if self.world == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=device)
        if operation is None:
            dist.broadcast(tensor, 0)
        else:
            dist.all_reduce(tensor, operation)
        return float(tensor)


@contextlib.contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """Those that ``torchrun`` started, or the default group that is there already, or this one alone."""
    if dist.is_available() and dist.is_initialized():
        yield Processes(dist.get_rank(), dist.get_world_size())
        return
    if int(os.environ.get("WORLD_SIZE", 1)) <= 1:
        yield Processes()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
