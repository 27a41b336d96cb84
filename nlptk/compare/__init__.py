"""Classical models against neural ones, on the same data, by the same scorer: `nlptk.compare(...)`.

The module can be called: importing it makes it the attribute ``nlptk.compare``, which must stay the function.
See :func:`compare`, and docs/compare.md.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlptk.compare.comparing import compare as compare
    from nlptk.compare.comparison import Comparison as Comparison

_EXPORTS = {"compare": "comparing", "Comparison": "comparison"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Comparison:
        from nlptk.compare.comparing import compare

        return compare(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
