"""Pickles and copies of objects that hold C++ kernels, which cannot be pickled themselves."""

from __future__ import annotations

from typing import Any, ClassVar


class RemakesKernels:
    """Pickled and copied without the attributes in `_kernel_names`, which `_make_kernels` sets again."""

    _kernel_names: ClassVar[tuple[str, ...]] = ("_kernel",)

    def _make_kernels(self) -> None:
        """Set the attributes in `_kernel_names` from the others, where there is anything to make them of."""
        raise NotImplementedError(f"{type(self).__name__} must define _make_kernels()")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._kernel_names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_kernels()
