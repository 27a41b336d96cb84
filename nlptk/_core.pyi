"""C++ kernels of nlptk."""

import numpy as np
from numpy.typing import NDArray

UNICODE_VERSION: str

def isa() -> str: ...

# unicode.cpp: one value for each code point of a text; TypeError for anything but str
def char_classes(text: str) -> NDArray[np.uint8]:
    """`enum class Class` of csrc/core/unicode.hpp, [len(text)]."""

def char_flags(text: str) -> NDArray[np.uint8]:
    """`enum Flag` of csrc/core/unicode.hpp, or-ed, [len(text)]."""

def lower(text: str) -> str:
    """Simple lower case: one character for each, so offsets stay valid."""
