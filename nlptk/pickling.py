"""Pickling and copying of objects that hold objects of the kernels."""

from __future__ import annotations

from typing import Any, ClassVar


class HoldsKernels:
    """Pickled and deep-copied without its kernels, which cannot be, and then given new ones.

    A subclass names the attributes that hold kernels in ``_KERNELS`` and makes them in ``_make_kernels``.
    """

    _KERNELS: ClassVar[tuple[str, ...]] = ()

    def _make_kernels(self) -> None:
        """Set the attributes in ``_KERNELS`` from the others; there may be none to set before training."""
        raise NotImplementedError(f"{type(self).__name__} must define _make_kernels")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._KERNELS}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        vars(self).update(attributes)
        self._make_kernels()
