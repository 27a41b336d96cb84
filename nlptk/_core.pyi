"""C++ kernels of nlptk."""

from collections.abc import Callable, Sequence
from typing import Any

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

# pretokenize.cpp: see nlptk/tokenize/pretokenizers.py
PRETOKENIZE_PATTERNS: tuple[str, ...]

def pretokenize(text: str, pattern: str) -> list[tuple[int, int]]:
    """Start and end of each piece, in characters. `pattern` is one of PRETOKENIZE_PATTERNS. TypeError for a text
    that is no str, ValueError for another pattern."""

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
        """Token t may take `candidate_states[candidate_offsets[t]:candidate_offsets[t + 1]]` (increasing, at
        least one); sequence s is the tokens `offsets[s]:offsets[s + 1]`. Returns states [tokens] and scores
        [sequences]."""

# chain.cpp: see nlptk/chain.py, which takes any array-like; these want exactly the dtypes named, contiguous.
# TypeError for another dtype or layout, ValueError for a wrong shape, NaN, +inf, or a finite score over 1e30.
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

# features.cpp: hashed features and the models that read them; see nlptk/templates.py, nlptk/tag/features.py
# and nlptk/crf.py. ValueError for arrays that do not fit together.
def hash_string(text: str) -> int:
    """The 64-bit hash of a text, the same on every machine."""

def lexicon_key(text: str) -> int:
    """The 32-bit key under which a word stands in a `Lexicon`; never 0."""

class Lexicon:
    """Word numbers by key; no strings are kept."""

    def __init__(self, keys: NDArray[np.uint32]) -> None:
        """`keys` of the words, [words]; of equal keys the first counts."""

    def find(self, text: str) -> int:
        """One more than the number of the word, 0 if it is not listed."""

class TokenFeatures:
    """Templates over tokens, compiled."""

    def __init__(
        self,
        atoms: Sequence[tuple[int, int]],
        elements: Sequence[Sequence[tuple[int, int, int]]],
        seeds: Sequence[int],
        class_keys: NDArray[np.uint32],
        class_values: NDArray[np.uint16],
    ) -> None:
        """Fields of `nlptk.templates.CompiledTemplates`; keys [words] and values [words, classes] of word
        classes."""

    @property
    def width(self) -> int:
        """The number of templates."""

    @property
    def columns(self) -> int:
        """How many other columns the atoms look at."""

    def keys(
        self,
        texts: Sequence[str],
        starts: NDArray[np.int32],
        ends: NDArray[np.int32],
        documents: NDArray[np.int64],
        sequences: NDArray[np.int64],
        columns: Sequence[NDArray[np.uint64]],
        threads: int = 0,
    ) -> NDArray[np.uint32]:
        """Feature keys [tokens, width], 0 for none. The arguments are the fields of
        `nlptk.tag.features.TokenBatch`."""

class LinearModel:
    """A trained linear-chain model, read-only."""

    def __init__(
        self,
        labels: int,
        keys: NDArray[np.uint32],
        row_sizes: NDArray[np.uint16],
        pair_labels: NDArray[np.uint16],
        pair_weights: NDArray[np.int16],
        scale: float,
        transitions: NDArray[np.float32],
        start: NDArray[np.float32],
        end: NDArray[np.float32],
    ) -> None:
        """The fields of `nlptk.crf.CrfWeights`."""

    @property
    def labels(self) -> int: ...
    def emissions(self, keys: NDArray[np.uint32]) -> NDArray[np.float32]:
        """Scores [units, labels] of units with feature keys [units, width]."""

    def predict(
        self, keys: NDArray[np.uint32], offsets: NDArray[np.int64], threads: int = 0
    ) -> NDArray[np.int32]:
        """Best labels [units]; sequence s is the units `offsets[s]:offsets[s + 1]`."""

    def tag(
        self,
        features: TokenFeatures,
        texts: Sequence[str],
        starts: NDArray[np.int32],
        ends: NDArray[np.int32],
        documents: NDArray[np.int64],
        sequences: NDArray[np.int64],
        columns: Sequence[NDArray[np.uint64]],
        threads: int = 0,
    ) -> NDArray[np.int32]:
        """`features.keys` and `predict` in one pass: best labels [tokens]."""

# segment.cpp: see nlptk/tokenize/segmenter.py
def inner_splits(text: str, starts: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Keys of the word ends at those of the token starts that lie inside a run of letters or digits."""

class SegmentFeatures:
    """Templates over the places of a text where a token may begin, compiled."""

    def __init__(
        self,
        atoms: Sequence[Sequence[tuple[int, int]]],
        elements: Sequence[Sequence[tuple[int, int, int]]],
        seeds: Sequence[int],
        lexicons: Sequence[Lexicon],
        splits: Sequence[int],
    ) -> None:
        """Fields of `nlptk.templates.CompiledTemplates`; word lists; keys that `inner_splits` gave."""

    @property
    def width(self) -> int:
        """The number of templates."""

    def keys(
        self, texts: Sequence[str], threads: int = 0
    ) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """Feature keys [places, width] and character offsets [places] of all texts, one after the other; the
        first place of each text, [texts + 1], and of each paragraph, [paragraphs + 1]."""

    def segment(
        self, model: LinearModel, texts: Sequence[str], threads: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
        """Starts, ends and sentence flags of the tokens of all texts, one after the other; the first token of
        each text, [texts + 1]."""

# crf.cpp: see nlptk/crf.py
class CrfTrainer:
    """A training set, indexed. Parameters are the features' rows, transitions [labels, labels], start and
    end."""

    def __init__(
        self,
        keys: NDArray[np.uint32],
        offsets: NDArray[np.int64],
        gold: NDArray[np.int32],
        labels: int,
        min_freq: int = 1,
        dense_freq: int = 0,
        threads: int = 0,
    ) -> None:
        """Units' feature keys [units, width] (0 for none) and labels [units]; sequence s is the units
        `offsets[s]:offsets[s + 1]`."""

    @property
    def keys(self) -> NDArray[np.uint32]:
        """[features], the most frequent first."""

    @property
    def row_starts(self) -> NDArray[np.uint32]:
        """[features + 1] first parameter of each feature."""

    @property
    def row_labels(self) -> NDArray[np.uint16]:
        """[row parameters] label of each; `labels` and over are padding."""

    @property
    def parameters(self) -> int:
        """How many there are in all."""

    def objective(self, parameters: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """-log p(gold | units) over all sequences and its gradient [parameters]."""

    def lbfgs(
        self,
        c1: float,
        c2: float,
        max_iterations: int,
        memory: int,
        epsilon: float,
        period: int,
        delta: float,
        max_linesearch: int,
        callback: Callable[[dict[str, Any], NDArray[np.float32]], bool],
    ) -> NDArray[np.float32]:
        """Trained parameters. `callback` sees each iteration; False from it ends the training."""

    def averaged_perceptron(
        self,
        max_iterations: int,
        epsilon: float,
        seed: int,
        callback: Callable[[dict[str, Any], NDArray[np.float32]], bool],
    ) -> NDArray[np.float32]:
        """As `lbfgs`, with a callback after each pass."""

    def sgd(
        self,
        c2: float,
        max_iterations: int,
        seed: int,
        callback: Callable[[dict[str, Any], NDArray[np.float32]], bool],
    ) -> NDArray[np.float32]:
        """As `lbfgs`, with a callback after each pass."""

# wordpiece.cpp: the kernel of nlptk/tokenize/wordpiece.py; TypeError for anything but str
class WordPieceTokenizer:
    def __init__(
        self,
        tokens: Sequence[str],
        ids: Sequence[int],
        unk_token: str,
        prefix: str,
        max_chars: int,
        clean_text: bool,
        chinese_chars: bool,
        strip_accents: bool,
        lowercase: bool,
        added: Sequence[tuple[str, int, bool, bool, bool, bool]],
        before: Sequence[int],
        after: Sequence[int],
    ) -> None:
        """`added`: content, id, single_word, lstrip, rstrip, normalized; `before`, `after`: the special
        tokens round one text. ValueError for an id out of range, an empty added token, no `unk_token` among
        the tokens.
        """

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]: ...
    def encode_batch(
        self, texts: Sequence[str], add_special_tokens: bool = True, threads: int = 0
    ) -> list[list[int]]: ...
    def pieces(self, text: str) -> tuple[list[int], list[tuple[int, int]], list[int]]:
        """ids, (start, end) and number of the word, [pieces]."""

    def words(
        self, text: str
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Starts and ends of the words [words], first piece of each [words + 1], ids [pieces]."""
