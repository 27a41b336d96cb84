"""C++ kernels of nlptk."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

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
    """Start and end of each piece, in characters. `pattern` is one of PRETOKENIZE_PATTERNS. TypeError for a
    text that is no str, ValueError for another pattern."""

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

def word_ids(
    numbers: dict[str, int], sentences: Any, unknown: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
    """The numbers of all words in a row, `unknown` for those that are not in the dictionary, and where
    sentences begin; None unless `sentences` is made of lists or tuples of strings only."""

# baum_welch.cpp: the E-step of nlptk/tag/baum_welch.py
def hmm_expected_counts(
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emission: NDArray[np.float64],
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    threads: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Log-likelihoods [sequences] and the expected numbers of starts [states], steps [states, states] and
    words [words, states] (`emission` is [states, words]). Sequence s is `words[offsets[s]:offsets[s + 1]]`;
    the word number past the last is missing. ValueError for what is no probability or does not fit."""

def hmm_viterbi(
    start: NDArray[np.float32],
    transitions: NDArray[np.float32],
    emission: NDArray[np.float32],
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    threads: int = 0,
) -> NDArray[np.int32]:
    """The best path of each sequence, all in a row, from log scores: start [states], transitions
    [states, states] and emission [rows, states], of which token t has row `words[t]`. Ties go as in
    `viterbi`. Raises ValueError for wrong shapes, NaN and +inf."""

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
        gazetteers: Sequence[
            tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint8], int, bool]
        ] = ...,
    ) -> None:
        """Fields of `nlptk.templates.CompiledTemplates`; keys [words] and values [words, classes] of word
        classes; of each gazetteer keys [names], classes [names], bits of prefixes [a power of two],
        characters of the longest name and whether case is ignored."""

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

def pack_linear_rows(
    labels: int,
    keys: NDArray[np.uint32],
    row_sizes: NDArray[np.uint16],
    pair_labels: NDArray[np.uint16],
    pair_weights: NDArray[np.int16],
) -> tuple[NDArray[np.uint32], NDArray[np.int16]]:
    """Rows [rows, 2] and blocks [blocks, 8] of the arguments of `nlptk.crf.CrfWeights.from_pairs`."""

class LinearModel:
    """A trained linear-chain model, read-only."""

    def __init__(
        self,
        labels: int,
        rows: NDArray[np.uint32],
        blocks: NDArray[np.int16],
        scale: float,
        transitions: NDArray[np.float32],
        start: NDArray[np.float32],
        end: NDArray[np.float32],
    ) -> None:
        """The fields of `nlptk.crf.CrfWeights`. Rows and blocks are used where they lie."""

    @property
    def labels(self) -> int: ...
    def emissions(self, keys: NDArray[np.uint32]) -> NDArray[np.float32]:
        """Scores [units, labels] of units with feature keys [units, width]."""

    def predict(
        self, keys: NDArray[np.uint32], offsets: NDArray[np.int64], threads: int = 0
    ) -> NDArray[np.int32]:
        """Best labels [units]; sequence s is the units `offsets[s]:offsets[s + 1]`."""

# tagger.cpp: see nlptk/tag/crf.py
class TokenTagger:
    """Token features and a model; what it remembers of words makes it quicker and changes nothing."""

    def __init__(self, features: TokenFeatures, model: LinearModel) -> None: ...
    def tag(
        self,
        texts: Sequence[str],
        starts: NDArray[np.int32],
        ends: NDArray[np.int32],
        documents: NDArray[np.int64],
        sequences: NDArray[np.int64],
        columns: Sequence[NDArray[np.uint64]],
        threads: int = 0,
    ) -> NDArray[np.int32]:
        """`TokenFeatures.keys` and `LinearModel.predict` in one pass: best labels [tokens]."""

    def emissions(
        self,
        texts: Sequence[str],
        starts: NDArray[np.int32],
        ends: NDArray[np.int32],
        documents: NDArray[np.int64],
        sequences: NDArray[np.int64],
        columns: Sequence[NDArray[np.uint64]],
        threads: int = 0,
    ) -> NDArray[np.float32]:
        """`TokenFeatures.keys` and `LinearModel.emissions` in one pass: scores [tokens, labels]."""

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
        lexicons: Sequence[NDArray[np.uint32]],
        splits: Sequence[int],
    ) -> None:
        """Fields of `nlptk.templates.CompiledTemplates`; keys of the words of each list; keys that
        `inner_splits` gave."""

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

# attributes.cpp: see nlptk/tag/crf_model.py
class AttributeTable:
    """Names of features, numbered from 0 in the order in which they came."""

    def __init__(self) -> None: ...
    @staticmethod
    def from_arrays(bytes: NDArray[np.uint8], offsets: NDArray[np.int64]) -> AttributeTable:
        """Name i is `bytes[offsets[i]:offsets[i + 1]]`. ValueError for a name that is there twice."""

    def __len__(self) -> int: ...
    def encode(
        self, sentences: Iterable[Any], grow: bool = False, what: str = "X", first: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32] | None]:
        """Sentences of items, each a dict or a list of strings: offsets [sentences + 1] into the units,
        starts [units + 1] into ids and values (None where all are 1). Names that the table has not are added
        if `grow`, else left out. ValueError for what is no feature; `what` and `first` (the number of the
        first sentence) are for its message."""

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """What `from_arrays` takes."""

    def select(self, ids: NDArray[np.uint32]) -> AttributeTable:
        """These names alone, numbered in this order. ValueError for an id out of range or there twice."""

class AttributeWeights:
    """Weights of pairs of attribute and label, read-only."""

    def __init__(
        self,
        row_starts: NDArray[np.uint32],
        row_labels: NDArray[np.uint16],
        weights: NDArray[np.float32],
        labels: int,
    ) -> None:
        """Attribute a has `weights[row_starts[a]:row_starts[a + 1]]`. ValueError for arrays that do not fit
        together, a label out of range, and NaN or infinity."""

    def emissions(
        self,
        starts: NDArray[np.int64],
        ids: NDArray[np.uint32],
        values: NDArray[np.float32] | None,
        threads: int = 0,
    ) -> NDArray[np.float32]:
        """Scores [units, labels] of units with the attributes `ids[starts[u]:starts[u + 1]]`."""

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

    @staticmethod
    def from_features(
        starts: NDArray[np.int64],
        ids: NDArray[np.uint32],
        values: NDArray[np.float32] | None,
        offsets: NDArray[np.int64],
        gold: NDArray[np.int32],
        labels: int,
        *,
        min_freq: float = 0.0,
        all_states: bool = False,
        all_transitions: bool = False,
        boundaries: bool = True,
        threads: int = 0,
    ) -> CrfTrainer:
        """As CRFsuite counts: unit u has the features `ids[starts[u]:starts[u + 1]]` with `values` (None: 1).

        Weights are for pairs of feature and label whose values sum to `min_freq` in training, with
        `all_states` for all; for pairs of labels likewise. Without `boundaries` start and end stay 0."""

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
        warm_passes: int = 4,
        seed: int = 1,
    ) -> NDArray[np.float32]:
        """Trained parameters. The search begins where `warm_passes` passes of SGD end. `callback`
        sees each iteration; False from it ends the training."""

    def averaged_perceptron(
        self,
        max_iterations: int,
        epsilon: float,
        seed: int,
        callback: Callable[[dict[str, Any], NDArray[np.float32]], bool],
    ) -> NDArray[np.float32]:
        """As `lbfgs`, with a callback after each pass."""

    def passive_aggressive(
        self,
        type: int,
        c: float,
        error_sensitive: bool,
        averaging: bool,
        max_iterations: int,
        epsilon: float,
        seed: int,
        callback: Callable[[dict[str, Any], NDArray[np.float32]], bool],
    ) -> NDArray[np.float32]:
        """As `lbfgs`, with a callback after each pass."""

    def arow(
        self,
        variance: float,
        gamma: float,
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

# crf_stream.cpp: the kernel of nlptk/tag/crf_stream.py
class CrfStream:
    """Weights of 2**bits features, trained by SGD chunk by chunk."""

    def __init__(
        self,
        bits: int,
        *,
        min_freq: int = 1,
        dense_freq: int = 20,
        c2: float = 0.1,
        rate: float = 0.1,
        passes: int = 5,
        seed: int = 1,
    ) -> None: ...
    def grow(self, labels: int) -> None:
        """So many labels from now on; fewer than there are change nothing."""

    def learn(self, keys: NDArray[np.uint32], offsets: NDArray[np.int64], gold: NDArray[np.int32]) -> float:
        """Step over a chunk's sequences, shuffled; keys are [units, width], gold [units]. Returns the sum of
        -log p as met."""

    def end_pass(self) -> None: ...
    def model(
        self, prune: float = 0.0
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16], NDArray[np.float32]]:
        """`keys`, `row_starts`, `row_labels` and parameters, as :class:`CrfTrainer` has them."""

    @property
    def labels(self) -> int: ...
    @property
    def sequences(self) -> int:
        """Those of the first pass, without empty ones."""

    @property
    def replaced(self) -> int:
        """How many features had to give way to others."""

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

# jieba.cpp: see nlptk/tokenize/jieba.py
def hash_bytes(data: bytes | memoryview) -> int:
    """A 64-bit hash that tells damage and changed files, not attackers."""

def jieba_compile(words: Sequence[str], counts: Sequence[int], tags: Sequence[str], total: int) -> bytes:
    """A dictionary as `Jieba` reads it; of equal words the last counts. ValueError for what cannot be one."""

def jieba_compile_idf(words: Sequence[str], values: Sequence[float], median: float) -> bytes:
    """An idf table as `Jieba.set_idf` reads it."""

def jieba_is_block(word: str) -> bool:
    """Whether jieba's block rule leaves the word in one piece."""

class Jieba:
    """Modes: 0 accurate, 1 full, 2 search. Counts are jieba's FREQ. Safe to use from several threads."""

    def __init__(self, dictionary: bytes | memoryview, hmm: bytes | memoryview) -> None: ...
    def cut(self, text: str, mode: int, hmm: bool) -> list[str]:
        """The words of a text."""

    def spans(self, text: str, mode: int, hmm: bool) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Starts and ends of the words of a text, in characters."""

    def tokens(
        self, texts: Sequence[str], hmm: bool, threads: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Starts and ends of all texts' tokens as a Doc wants them, one after the other; the first token of
        each text, [texts + 1]."""

    def add(self, word: str, count: int) -> None:
        """Set a word's count and add it to the total; 0 deletes. ValueError if that cannot be."""

    def set_tag(self, word: str, tag: str) -> None:
        """Set a word's tag."""

    def keep_whole(self, word: str, keep: bool) -> None:
        """Find the word before a text is cut, or no longer."""

    def set_total(self, total: int) -> None:
        """Set the sum of all counts."""

    def count(self, text: str) -> int | None:
        """A word's count, 0 for the beginning of a word, None otherwise."""

    @property
    def total(self) -> int:
        """The sum of all counts."""

    def entries(self) -> list[tuple[str, int, str]]:
        """Word, count and tag ("" for none) of all words."""

    def set_tagger(self, tables: bytes | memoryview) -> None:
        """Tables from jieba_models.tagger()."""

    @property
    def has_tagger(self) -> bool:
        """Whether set_tagger was called."""

    @property
    def tag_names(self) -> list[str]:
        """Names of the tag numbers."""

    def posseg(self, text: str, hmm: bool, pair: type[tuple[str, str]]) -> list[Any]:
        """A `pair` (word, tag) for each word of a text."""

    def tagged_tokens(
        self, texts: Sequence[str], hmm: bool, threads: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """As `tokens`, with tag numbers before the last."""

    def set_idf(self, tables: bytes | memoryview) -> None:
        """Tables from jieba_models.idf()."""

    @property
    def has_idf(self) -> bool:
        """Whether set_idf was called."""

    def set_stop_words(self, words: Iterable[str]) -> None:
        """Words that are no keywords, in lower case."""

    def keywords(
        self,
        text: str,
        textrank: bool,
        hmm: bool,
        tags: Sequence[str],
        most: int,
        weights: bool,
        pair: type[tuple[str, str]] | None,
    ) -> list[Any]:
        """The best `most`: words, or a `pair` (word, tag) for each; (keyword, weight) if `weights`."""

# linear_svm.cpp: the kernel of nlptk/linear_svm.py
def fit_linear_svm(
    offsets: NDArray[np.int32],
    columns: NDArray[np.int32],
    values: NDArray[np.float64],
    width: int,
    labels: NDArray[np.int8],
    costs: NDArray[np.float64],
    squared: bool,
    bias: float,
    tolerance: float,
    most_passes: int,
    seed: int,
    threads: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Weights [problems, width + 1] and passes [problems] of problems over the same rows.

    `labels`, 1 or -1, and `costs` are [problems, rows]; the last weight is that of `bias`.
    """

# ngram_counts.cpp: the kernel of nlptk/vectors/counts.py
class NgramTerms:
    """Terms by number, or a set of stop words. ValueError for one that stands there twice."""

    def __init__(self, terms: Sequence[str]) -> None: ...
    def __len__(self) -> int: ...

class NgramCounter:
    """Counts n-grams: learns their terms, or counts those of a vocabulary, or hashes into buckets.

    `unit` is scikit-learn's "word", "char" or "char_wb", or "chunk", what stands between white space;
    `min_chars` is of a word or chunk; `signs`: hashing gives half of the terms the sign -1.
    """

    def __init__(
        self,
        unit: str,
        min_n: int,
        max_n: int,
        min_chars: int,
        lower: bool,
        stop_words: NgramTerms,
        vocabulary: NgramTerms | None = None,
        buckets: int = 0,
        signs: bool = True,
        threads: int = 0,
    ) -> None: ...
    def add(self, texts: Sequence[str]) -> None: ...
    def add_words(self, documents: Sequence[Iterable[str]]) -> None: ...
    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The documents that hold each term learned, and how often it stands in all; in order of terms."""

    def vocabulary(self, columns: NDArray[np.int32] | None = None) -> dict[str, int]:
        """The column of each term learned; `columns` has -1 for those left out, None: all stay."""

    def matrix_f8(
        self, columns: NDArray[np.int32] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int64]]:
        """Values, columns and offsets of rows; columns are sorted in each row."""

    def matrix_f4(
        self, columns: NDArray[np.int32] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]: ...
    def matrix_i8(
        self, columns: NDArray[np.int32] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]: ...

# phrases.cpp: see nlptk/vectors/phrases.py. Words are str; a lone surrogate is itself.
class PhraseRules:
    """How words become phrases; `connectors` may stand within one."""

    def __init__(
        self, delimiter: str, connectors: Sequence[str], npmi: bool, threshold: float, min_count: float
    ) -> None: ...

class PhraseTable:
    """The phrases of one pass: (UTF-8 of the phrase, bytes of its first word, of its last word, score)."""

    def __init__(self, rules: PhraseRules, phrases: Sequence[tuple[bytes, int, int, float]]) -> None:
        """ValueError for a phrase that is shorter than its words."""

    def __len__(self) -> int: ...
    @property
    def phrases(self) -> list[tuple[bytes, int, int, float]]: ...
    def find(self, sentence: Sequence[str]) -> list[tuple[int, int, float]]:
        """(begin, end, score) of each phrase in a sentence, by places of words."""

class PhraseCounter:
    """Counts words and pairs of words in what the passes `before` make of sentences."""

    def __init__(
        self, rules: PhraseRules, before: Sequence[PhraseTable], max_types: int, threads: int = 0
    ) -> None: ...
    @property
    def types(self) -> int:
        """Words and pairs that are kept."""

    @property
    def words(self) -> int:
        """Words of the text."""

    @property
    def forgotten(self) -> int:
        """What was seen at most so often may be forgotten, since there were more types than `max_types`."""

    def add_lines(self, data: bytes | memoryview) -> int:
        """Count the words between white space of each line, in threads, and return -1; or count nothing and
        return the place of the first byte that is not UTF-8.
        """

    def add_sentences(self, sentences: Iterable[Sequence[str]]) -> None:
        """TypeError for a word that is no str."""

    def take(self) -> PhraseTable:
        """The phrases found; the counter is empty afterwards."""

def join_phrases(passes: Sequence[PhraseTable], data: bytes | memoryview, threads: int = 0) -> bytes | int:
    """The lines of a text with one space between words and phrases joined; or the place of the first byte
    that is not UTF-8.
    """

# bpe.cpp: the kernels of nlptk/tokenize/bpe.py
class BpeCounter:
    """Counts the pieces of a training text; `pattern` is one of PRETOKENIZE_PATTERNS."""

    def __init__(self, pattern: str, prefix_space: bool = False, threads: int = 0) -> None: ...
    @property
    def pieces(self) -> int:
        """How many distinct pieces were counted; those of several threads count more than once."""

    def add_lines(self, data: bytes | memoryview) -> int:
        """Count the pieces of each line, in threads, and return -1; or count nothing and return the place of
        the first byte that is not UTF-8.
        """

    def add_texts(self, texts: Iterable[str]) -> None:
        """Count the pieces of texts that need not be lines. TypeError for what is no str."""

    def add_pieces(self, pieces: Iterable[str]) -> None:
        """Count texts that are one piece each."""

    def train(
        self, vocab_size: int, options: dict[str, Any], progress: Callable[[int], None] | None = None
    ) -> tuple[list[bytes], int, NDArray[np.uint32]]:
        """Tokens by id, how many of the first are special, and merges [merges, 3]: left, right and merged id.

        The counter is empty afterwards. `options`: the members of BpeTrainOptions by name; `progress` gets
        the number of tokens now and then. ValueError if there is nothing to learn from or vocab_size is below
        the alphabet.
        """

class BpeEncoder:
    """A model. `special` rows: text, id, special, single_word, lstrip, rstrip, normalized, searched (or
    only decoded). `look`: which special tokens are looked for, 0 none, 1 those of the text given, 2 those of
    the normalized text, 3 all. Safe to use from several threads.
    """

    def __init__(
        self,
        tokens: Sequence[bytes],
        ids: Sequence[int],
        merges: NDArray[np.uint32],
        pattern: str,
        special: Sequence[tuple[bytes, int, bool, bool, bool, bool, bool, bool]],
        options: dict[str, Any],
    ) -> None:
        """`merges` [merges, 3] name tokens by place. ValueError where tokens and merges do not fit
        together.
        """

    @property
    def linear(self) -> bool:
        """Whether the merges allow encoding in linear time."""

    def encode(self, text: str, look: int = 3, dropout: float = 0.0, seed: int = 0) -> list[int]: ...
    def encode_batch(
        self,
        texts: Sequence[str],
        look: int = 3,
        dropout: float = 0.0,
        seed: int = 0,
        threads: int = 0,
    ) -> list[list[int]]: ...
    def encode_offsets(
        self,
        texts: Sequence[str],
        look: int = 3,
        dropout: float = 0.0,
        seed: int = 0,
        threads: int = 0,
    ) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Ids, starts and ends in characters [tokens of all texts], first token of each text [texts + 1]."""

    def find_special(self, text: str, normalized: bool = False) -> list[tuple[int, int, int]]:
        """Start, end and id of each special token in a text, of those that `normalized` says."""

    def decode(self, ids: NDArray[np.uint32], skip_special: bool = True) -> bytes:
        """The bytes of these ids. ValueError for an id that is no token's."""

def merges_of_ranks(tokens: Sequence[bytes]) -> NDArray[np.uint32]:
    """Merges [merges, 3] that do what tiktoken does with tokens of these ranks, the places in `tokens`."""

# vectors.cpp: see nlptk/vectors. Word i of `words` is the UTF-8 words[offsets[i]:offsets[i + 1]].
def write_vector_rows(
    write: Callable[[memoryview], Any],
    words: bytes,
    offsets: NDArray[np.int64],
    matrix: NDArray[np.float32],
    digits: int = 0,
    threads: int = 0,
) -> None:
    """Calls `write` with lines "word number ..." of some megabytes at a time. Each row of `matrix` must be in
    one piece. ValueError for NaN and infinities."""

def parse_vector_text(
    data: Any, begin: int, rows: int | None, dim: int | None, threads: int = 0
) -> tuple[Any, Any]:
    """(matrix, words' places in `data` [rows, 2]) of lines from `begin`; or (line from 0, what is wrong).
    Without `dim` the first line has it."""

def parse_vector_binary(data: Any, begin: int, rows: int, dim: int) -> tuple[Any, Any]:
    """The same of word2vec's binary rows."""

def subword_ids(
    words: bytes, offsets: NDArray[np.int64], min_n: int, max_n: int, buckets: int, threads: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The buckets of the n-grams of all words, and where each word's begin: [words + 1]."""

def subword_rows(
    words: bytes,
    offsets: NDArray[np.int64],
    min_n: int,
    max_n: int,
    buckets: NDArray[Any],
    scales: NDArray[np.float32] | None,
    own: NDArray[np.float32] | None,
    invert: bool = False,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Means of rows of n-grams and words' `own`, or with `invert` `own` from the means: [words, dim]."""

def quantize_rows(
    matrix: NDArray[np.float32], threads: int = 0
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], float]:
    """Codes, scales, inverse, slack and mean loss: see csrc/core/vectors/nearest.hpp. ValueError for NaN and
    infinities, naming the row."""

def describe_codes(
    codes: NDArray[np.int8], threads: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Inverse and slack of rows that are the codes themselves."""

CoarseRows = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

def coarse_rows(matrix: NDArray[Any], threads: int = 0) -> CoarseRows:
    """Groups of 4-bit rows, inverse, slack and sizes: see csrc/core/vectors/nearest.hpp."""

def nearest_rows(
    codes: NDArray[np.int8],
    inverse: NDArray[np.float32],
    slack: NDArray[np.float32],
    exact: NDArray[np.float32] | None,
    coarse: CoarseRows | None,
    terms: NDArray[np.float32],
    positives: int,
    multiply: bool,
    begin: int,
    end: int,
    top: int,
    threads: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows and scores [queries, min(top, end - begin)] for `terms` [queries, terms, dim]."""

# fasttext.cpp: the kernels of nlptk/classify/fasttext.py
class FastTextSettings(TypedDict, total=False):
    """`struct FastTextSettings` of csrc/core/fasttext/trainer.hpp; only the stub has this class."""

    dim: int
    loss: str
    word_ngrams: int
    min_n: int
    max_n: int
    bucket: int
    min_count: int
    rate: float
    epochs: int
    shuffle: bool
    seed: int
    threads: int

class FastTextModel:
    """Tables of weights, and what finds a text's rows in them. ValueError for parts that do not match.

    Documents are strings, which are cut at ASCII white space and NUL, or sequences of strings. Rows of
    `inputs` are of words, then of buckets.
    """

    def __init__(
        self,
        words: Sequence[str],
        buckets: NDArray[np.uint32],
        inputs: NDArray[np.float32],
        outputs: NDArray[np.float32],
        label_counts: Sequence[int],
        documents: int,
        settings: FastTextSettings,
    ) -> None: ...
    def words(self) -> list[str]: ...
    def buckets(self) -> NDArray[np.uint32]:
        """The hashed n-grams that have rows, rising."""

    @property
    def inputs(self) -> NDArray[np.float32]:
        """[words + buckets, dim], a view."""

    @property
    def outputs(self) -> NDArray[np.float32]:
        """[labels, dim], with "hs" [labels - 1, dim], a view."""

    def probabilities(
        self, documents: Sequence[str] | Sequence[Sequence[str]], threads: int = 0
    ) -> NDArray[np.float32]:
        """[documents, labels]; of a document that has nothing known the shares of the labels."""

class FastTextTrainer:
    """Counts and numbers a training set, and trains a model on it. ValueError for settings that cannot be.

    Document i has labels[offsets[i]:offsets[i + 1]]. Words of `extra` have rows whether they occur or not.
    """

    def __init__(
        self,
        documents: Sequence[str] | Sequence[Sequence[str]],
        labels: NDArray[np.uint32],
        offsets: NDArray[np.int64],
        label_count: int,
        extra: Sequence[str],
        settings: FastTextSettings,
    ) -> None: ...
    def run(self, epoch: int) -> float:
        """Train on all documents once; the mean loss. ValueError if weights are no longer finite."""

    @property
    def model(self) -> FastTextModel: ...

# sgns.cpp: the kernels of nlptk/vectors/word2vec.py
class TokenCorpus:
    """Words of files on disk, in chunks of bytes; a line belongs to the chunk that it begins in.

    `names` are what messages call the files. Words stand between white space and lines end at LF, or with
    `spooled` they end at U+001F and U+001E. `errors` is "strict", "replace" or "ignore". ValueError for a
    file that cannot be read.
    """

    def __init__(
        self,
        paths: Sequence[str],
        names: Sequence[str],
        spooled: bool = False,
        errors: str = "strict",
        chunk_bytes: int = 1 << 20,
    ) -> None: ...
    @property
    def bytes(self) -> int: ...
    @property
    def chunks(self) -> int: ...
    def lines(self, chunk: int) -> list[list[str]]:
        """The words of each line of a chunk. ValueError for bytes that are not UTF-8 (names the line)."""

class WordVocabulary:
    """Words by falling count, then by their bytes."""

    def __init__(self, words: Sequence[str], counts: Sequence[int], raw_tokens: int = 0) -> None:
        """ValueError if a word is given twice, or counts rise."""

    @staticmethod
    def count(
        corpus: TokenCorpus,
        min_count: int,
        max_size: int = 0,
        prune_at: int = 20_000_000,
        threads: int = 0,
        report: Callable[[int], None] | None = None,
    ) -> WordVocabulary:
        """Count all of a corpus; `report` gets the chunks that are done. ValueError as TokenCorpus.lines."""

    def __len__(self) -> int: ...
    def words(self) -> list[str]: ...
    def counts(self) -> NDArray[np.uint64]: ...
    @property
    def tokens(self) -> int:
        """Words of the corpus that are of the vocabulary."""

    @property
    def raw_tokens(self) -> int:
        """All words of the corpus."""

    @property
    def raw_words(self) -> int:
        """All different ones."""

    @property
    def pruned_below(self) -> int:
        """Rarer words were forgotten while counting; 1: none were."""

# brown.cpp: see nlptk/vectors/clusters.py
def brown_clusters(
    corpus: TokenCorpus,
    vocabulary: WordVocabulary,
    clusters: int,
    read: Callable[[int], None] | None = None,
    clustered: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The cluster of each word, and merges [clusters - 1, 2] of them to one, which goes by the first name.
    `read` gets the chunks read, `clustered` the words in clusters. ValueError for no words or no clusters."""

class SgnsSettings(TypedDict, total=False):
    """`struct SgnsSettings` of csrc/core/sgns/trainer.hpp; only the stub has this class."""

    dim: int
    window: int
    shrink_windows: bool
    cbow: bool
    negative: int
    hs: bool
    ns_exponent: float
    sample: float
    alpha: float
    min_alpha: float
    min_n: int
    max_n: int
    buckets: int
    seed: int
    threads: int
    schedule: int
    block: int
    pool: int

class SgnsTrainer:
    """Matrices of word vectors, and what trains them. ValueError for settings that cannot be."""

    def __init__(self, corpus: TokenCorpus, vocabulary: WordVocabulary, settings: SgnsSettings) -> None: ...
    def run(
        self,
        epoch: int,
        chunks: Sequence[int],
        report: Callable[[int, float, float], None] | None = None,
    ) -> None:
        """Train on these chunks; `report` gets the members of `status`. ValueError if a vector is no longer
        finite, naming its word, and as TokenCorpus.lines."""

    @property
    def status(self) -> tuple[int, float, float]:
        """Words trained on, the loss of the last while, the learning rate."""

    def set_tokens(self, tokens: int) -> None:
        """How many words were trained on before, of which the learning rate depends."""

    def word_vectors(self) -> NDArray[np.float32]:
        """The vectors of the vocabulary, [words, dim]."""

    def finish(self) -> None:
        """End the training: `outputs` and all views of it are gone, the rows of `inputs` lie together."""

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The trainer's own memory, [words + buckets, dim], rows further apart than they are long."""

    @property
    def outputs(self) -> NDArray[np.float32]:
        """Likewise of words as they are predicted, then of inner nodes of the Huffman tree."""

# ---- ngram_lm ----

# Of an order: last words uint32 [n], log10 of probabilities and of back-off weights float32 [n], and where
# the longer n-grams of each begin, uint32 [n + 1]; the last two are empty for the highest order.
NgramLevel = tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]
NgramSentence = str | Sequence[str]

class NgramSettings(TypedDict):
    order: int
    laplace: bool
    alpha: float
    prune: list[int]
    discount_fallback: tuple[float, ...] | None

class NgramModel:
    """A back-off model and its words. ValueError for parts that do not match.

    Sentences are strings, which are cut at ASCII white space and NUL, or sequences of strings. States are
    int64 [rows, order].
    """

    def __init__(self, words: Sequence[str], levels: Sequence[NgramLevel], laplace: bool) -> None: ...
    @property
    def order(self) -> int: ...
    @property
    def laplace(self) -> bool: ...
    @property
    def statistics(self) -> list[tuple[int, list[int], list[float]]]:
        """Of each order: n-grams before pruning, how many have adjusted counts of 1 to 4, discounts."""

    def words(self) -> list[str]: ...
    def size(self, n: int) -> int: ...
    def level(self, n: int) -> NgramLevel: ...
    def prepare(self, threads: int = 0) -> None:
        """Make the index of n-grams that scoring needs, which else its first call makes."""

    def numbers(self, words: NgramSentence) -> NDArray[np.uint32]: ...
    def score(self, words: NgramSentence, bos: bool, eos: bool) -> float: ...
    def full_scores(
        self, words: NgramSentence, bos: bool, eos: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint32]]:
        """log10 of probabilities, orders of the n-grams that gave them, numbers of words."""

    def score_batch(
        self, sentences: Sequence[NgramSentence], bos: bool, eos: bool, threads: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """[sentences, 2]: log10 of all words and of unknown ones; the number of both."""

    def start(self, rows: int, bos: bool) -> NDArray[np.int64]: ...
    def advance(self, states: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def distributions(self, states: NDArray[np.int64], threads: int) -> NDArray[np.float32]:
        """Natural logarithms [rows, words]."""

    def check_arpa_words(self) -> None:
        """ValueError for a word that an ARPA file cannot hold."""

    def arpa_header(self) -> bytes: ...
    def arpa_lines(self, n: int, first: int, last: int) -> bytes: ...

class NgramCorpus:
    """Sentences as numbers of words. ValueError for ``<s>`` and ``</s>`` among them."""

    def __init__(self, vocabulary: Sequence[str] | None = None) -> None: ...
    @property
    def sentences(self) -> int: ...
    @property
    def tokens(self) -> int:
        """Words, and two for each sentence."""

    def add_sentences(self, sentences: Sequence[NgramSentence]) -> None: ...
    def add_lines(self, data: bytes) -> int:
        """The place of the first byte that is not UTF-8, or -1, and then the lines are added."""

    def estimate(self, min_count: int, settings: NgramSettings) -> NgramModel:
        """The model; the corpus is empty after it."""

class ArpaReader:
    """Reads an ARPA file in blocks of whole lines. ValueError, and then `line` is the bad one's number."""

    def __init__(self) -> None: ...
    @property
    def line(self) -> int: ...
    def feed(self, block: bytes) -> None: ...
    def finish(self) -> NgramModel: ...
