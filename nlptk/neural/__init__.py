"""Neural models on torch: layers, BERT, one trainer, and the components on them.

Raises MissingDependencyError on import where torch is not installed.
"""

from __future__ import annotations

from nlptk.errors import MissingDependencyError

try:
    import torch as torch
except ImportError as error:
    raise MissingDependencyError("neural models need torch: pip install 'nlptk[neural]'") from error
