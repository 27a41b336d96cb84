"""C++ kernels of nlptk."""

from collections.abc import Sequence

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

# trigram.cpp: the second-order decoder of nlptk/tag/hmm.py
class TrigramModel:
    """Second-order Viterbi. The last state is the boundary, which stands before and after each sequence."""

    def __init__(self, transitions: NDArray[np.float32], contexts: NDArray[np.int32]) -> None:
        """`transitions` is [classes, states, states] (class two back, state one back, state here); `contexts`
        gives the class of each state. ValueError for shapes that do not fit, NaN or +inf."""

    def viterbi(
        self,
        candidate_offsets: NDArray[np.int64],
        candidate_states: NDArray[np.int32],
        candidate_scores: NDArray[np.float32],
        offsets: NDArray[np.int64],
        threads: int = 0,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Token t may take `candidate_states[candidate_offsets[t]:candidate_offsets[t + 1]]` (increasing, at least
        one); sequence s is the tokens `offsets[s]:offsets[s + 1]`. Returns states [tokens] and scores [sequences]."""

# chain.cpp: see nlptk/chain.py, which takes any array-like; these want exactly the dtypes named, C-contiguous.
# TypeError for another dtype or layout; ValueError for a wrong shape, NaN, +inf, or a finite score beyond 1e30.
def viterbi(
    emissions: NDArray[np.float32],
    offsets: NDArray[np.int64],
    transitions: NDArray[np.float32],
    start: NDArray[np.float32] | None = None,
    end: NDArray[np.float32] | None = None,
    threads: int = 0,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]: ...
def viterbi_nbest(
    emissions: NDArray[np.float32],
    offsets: NDArray[np.int64],
    transitions: NDArray[np.float32],
    start: NDArray[np.float32] | None = None,
    end: NDArray[np.float32] | None = None,
    n: int = 1,
    threads: int = 0,
) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]: ...
def log_partition(
    emissions: NDArray[np.float32],
    offsets: NDArray[np.int64],
    transitions: NDArray[np.float32],
    start: NDArray[np.float32] | None = None,
    end: NDArray[np.float32] | None = None,
    threads: int = 0,
) -> NDArray[np.float64]: ...
def forward_backward(
    emissions: NDArray[np.float32],
    offsets: NDArray[np.int64],
    transitions: NDArray[np.float32],
    start: NDArray[np.float32] | None = None,
    end: NDArray[np.float32] | None = None,
    threads: int = 0,
) -> tuple[
    NDArray[np.float64], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]: ...
def max_add_peak(seconds: float = 0.05) -> float:
    """Max-add pairs a second that one core does in registers: the peak that Viterbi is measured against."""

# rule_tokenizer.cpp: see nlptk/tokenize/rules.py. TypeError for anything but str
def rule_tokenize(
    texts: Sequence[str], sentences: bool = False, threads: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8] | None, NDArray[np.int64]]:
    """Starts, ends and sentence flags (None unless asked for) of the tokens of all texts, one after the
    other, and the first token of each text, [texts + 1]."""

def rule_words(text: str) -> list[str]:
    """The tokens of one text."""
