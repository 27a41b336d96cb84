"""Segmenter: tokens and sentences out of raw text by one linear-chain CRF over characters.

Every place where a token may begin is labelled by its place in a token: of a sentence's first,
first, second, ... last. In alphabetic text few places are open (after white space, beside a sign, and before
the word ends that training saw cut off, such as "n't"), so English costs about 1.5 labels a word; in Chinese
nearly every character is open. The text is never altered.

Sources: Xue 2003 (segmentation as character tagging); Zhao et al. 2006 (places in a word); Straka et al. 2016
(UDPipe, tokens and sentences together).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.component import Component
from nlptk.crf import CrfSettings, CrfWeights, Progress, train_crf
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.lexicons import read_lexicon
from nlptk.pickling import RemakesKernels
from nlptk.templates import AtomKind, compile_templates

# Codes are those of SegmentAtom in csrc/core/segment_features.hpp.
SEGMENT_ATOMS: dict[str, AtomKind] = {
    "bias": AtomKind(0),
    "char": AtomKind(1),
    "fold": AtomKind(2),
    "class": AtomKind(3),
    "place": AtomKind(4),
    "head": AtomKind(5),
    "rest": AtomKind(6),
    "nesting": AtomKind(7),
    "repeated": AtomKind(8),
    "begin": AtomKind(9, "lexicon"),
    "end": AtomKind(10, "lexicon"),
    "across": AtomKind(11, "lexicon"),
    "run": AtomKind(12, table=1),
    "runpattern": AtomKind(13, table=1),
    "runlength": AtomKind(14, table=1),
    "chunk": AtomKind(15, table=2),
    "chunkpattern": AtomKind(16, table=2),
    "chunkcore": AtomKind(17, table=2),
    "chunkedges": AtomKind(18, table=2),
}

_SHARED = (
    "bias", "place", "place|class", "place|class[-1]|class",
    "fold", "fold[-1]", "fold[1]", "fold[-2]", "fold[2]",
    "fold[-1]|fold", "fold|fold[1]", "fold[-1]|fold[1]", "fold[-2]|fold[-1]", "fold[1]|fold[2]",
    "fold[-2]|fold[-1]|fold", "fold[-1]|fold|fold[1]", "fold|fold[1]|fold[2]",
    "class[-1]|class", "class|class[1]", "class[-2]|class[-1]|class", "class[-1]|class|class[1]",
    "class|class[1]|class[2]", "class[-2]|class[-1]|class|class[1]",
)  # fmt: skip

TEMPLATES: dict[str, tuple[str, ...]] = {
    "en": (
        *_SHARED,
        "char", "char[-1]|char|char[1]", "class[-3]|class[-2]|class[-1]|class|class[1]|class[2]",
        "head", "rest", "head|rest", "rest|class[-1]", "nesting", "nesting|class[-1]|place", "repeated|class",
        "run", "run[-1]", "run[1]", "run[-2]", "run[2]", "run[-1]|run", "run|run[1]", "run[-2]|run[-1]",
        "run[-1]|run[1]", "run[-2]|run[-1]|run",
        "runpattern[-2]|runpattern[-1]|runpattern|runpattern[1]|place",
        "runlength[-1]|run|place", "run[-1]|runpattern|place", "runlength|class|place",
        "chunk|place", "chunk[-1]|place", "chunk[1]|place", "chunk[-1]|chunk|place", "chunkcore[-1]|place",
        "chunkcore|place", "chunkcore|class|place|class[-2]", "chunkpattern|place",
        "chunkpattern[-1]|chunkpattern|place", "chunkpattern|chunkpattern[1]|place",
        "chunkedges[-1]|chunkedges|place",
        "chunkedges|chunkedges[1]|place", "chunkedges[-2]|chunkedges[-1]|chunkedges|place",
        "chunkcore[-1]|chunkedges|place",
    ),
    "zh": (
        *_SHARED,
        "fold[-3]", "fold[3]", "fold[-2]|fold", "fold|fold[2]", "fold[-2]|fold[-1]|fold|fold[1]",
        "fold[-1]|fold|fold[1]|fold[2]", "fold[1]|fold[2]|fold[3]", "fold[-3]|fold[-2]|fold[-1]",
        "repeated", "repeated[1]", "repeated[2]", "rest", "head", "run|place", "run[-1]|place",
    ),
}  # fmt: skip
TEMPLATES["zh-lexicon"] = (
    *TEMPLATES["zh"],
    "begin:words", "end:words", "across:words", "begin:words|end:words", "begin:words|end:words|across:words",
    "begin:words|fold", "end:words|fold[-1]", "across:words|fold[-1]|fold", "begin:words[1]", "end:words[-1]",
    "begin:words[-1]|across:words", "across:words|across:words[1]", "across:words[-1]|across:words",
    "begin:words[-1]|begin:words|begin:words[1]", "end:words[-1]|end:words|end:words[1]",
    "begin:words|end:words|class[-1]|class",
)  # fmt: skip

_TOKEN, _SENTENCE = 1, 2  # marks at characters; 0 is inside a token
# The model's labels, SegmentLabel in csrc/core/segmenter.hpp: places in a token (Zhao et al. 2006).
_SECOND, _THIRD, _LATER, _LAST, _ONLY, _FIRST, _SENTENCE_ONLY, _SENTENCE_FIRST = range(8)
_LABELS = 8
_SEQUENCE = 64  # units of a training sequence, about; longer paragraphs are cut at sentence starts


class Segmenter(Component, RemakesKernels):
    """Marks tokens and sentences; assigns "doc.tokens" and "doc.sents".

    Args:
        templates: feature templates over the atoms in ``SEGMENT_ATOMS``, or the name of a ready set.
        lexicon: words that the atoms ``begin:words``, ``end:words`` and ``across:words`` look up: "jieba" for
            jieba's dictionary, or a file with one word a line. Read by ``fit`` alone and kept in the model.
        threads: 0 for one for each core.
        settings: how to train, as in :class:`nlptk.crf.CrfSettings`.

    Raises:
        ConfigError: a setting or template is not usable.
    """

    name = "segmenter"
    assigns = ("doc.tokens", "doc.sents")
    _kernel_names = ("_kernel", "_model")

    def __init__(
        self,
        templates: Sequence[str] | str = "en",
        lexicon: str | None = None,
        threads: int = 0,
        **settings: Any,
    ) -> None:
        if isinstance(templates, str):
            if templates not in TEMPLATES:
                raise ConfigError(f"unknown template set {templates!r}; ready ones: {', '.join(TEMPLATES)}")
            templates = TEMPLATES[templates]
        self.templates = tuple(templates)
        self.lexicon = lexicon
        self.threads = threads
        try:
            self.settings = CrfSettings(threads=threads, **{**_DEFAULTS, **settings})
        except TypeError as error:
            raise ConfigError(f"segmenter: {error}") from None
        self._words: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._splits: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._weights: CrfWeights | None = None
        self._kernel: _core.SegmentFeatures | None = None
        self._model: _core.LinearModel | None = None
        compile_templates(self.templates, SEGMENT_ATOMS, ("words",))

    def segment(
        self, texts: Sequence[str]
    ) -> list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]]:
        """Starts, ends and sentence flags (1 at the first token of a sentence) of the tokens of each text."""
        if self._kernel is None or self._model is None:
            raise ConfigError("the segmenter is not trained; call fit, or load a model")
        starts, ends, sentences, documents = self._kernel.segment(self._model, texts, self.threads)
        bounds = documents.tolist()
        return [(starts[a:b], ends[a:b], sentences[a:b]) for a, b in pairwise(bounds)]

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one text."""
        starts, ends, _ = self.segment([text])[0]
        return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set tokens and sentence starts of each Doc."""
        for doc, (starts, ends, sentences) in zip(
            docs, self.segment([doc.text for doc in docs]), strict=True
        ):
            doc.set_tokens(starts, ends, sentences, validate=False)

    def fit(
        self, train: Sequence[Doc], dev: Sequence[Doc] | None = None, *, progress: Progress | None = None
    ) -> Segmenter:
        """Learn from Docs with gold tokens and sentence starts; best given as paragraphs or documents.

        With `dev` the weights of the iteration that segments it best are kept.

        Raises:
            DataError: `train` is empty, or a Doc has no tokens.
        """
        for what, docs in (("training", train), ("dev", dev or ())):
            for number, doc in enumerate(docs):
                if not doc.is_tokenized:
                    raise DataError(f"{what} Doc {number} has no tokens; read it from a segmented corpus")
        if not any(len(doc) for doc in train):
            raise DataError("the training set has no tokens")
        words = self._words if self.lexicon is None else read_lexicon(self.lexicon)
        splits = _find_splits(train)
        kernel = self._make_kernel(words, splits)
        keys, labels, sequences = _examples(kernel, train, self.threads)
        evaluate = None
        if dev is not None and any(len(doc) for doc in dev):
            dev_keys, dev_labels, dev_sequences = _examples(kernel, dev, self.threads)

            def evaluate(weights: CrfWeights) -> float:
                found = weights.masked(*_MASK).compile().predict(dev_keys, dev_sequences, self.threads)
                return sum(_f1(dev_labels >= first, found >= first) for first in (_ONLY, _SENTENCE_ONLY))

        weights = train_crf(
            keys, sequences, labels, _LABELS, self.settings, progress=progress, evaluate=evaluate
        )
        self._install(words, splits, kernel, weights.masked(*_MASK))
        return self

    def _make_kernel(self, words: NDArray[np.uint32], splits: NDArray[np.uint32]) -> _core.SegmentFeatures:
        compiled = compile_templates(self.templates, SEGMENT_ATOMS, ("words",))
        lexicons = [_core.Lexicon(words)]
        return _core.SegmentFeatures(
            compiled.atoms, compiled.elements, compiled.seeds, lexicons, splits.tolist()
        )

    def _make_kernels(self) -> None:
        trained = self._weights is not None
        self._kernel = self._make_kernel(self._words, self._splits) if trained else None
        self._model = self._weights.compile() if self._weights is not None else None

    def _install(
        self,
        words: NDArray[np.uint32],
        splits: NDArray[np.uint32],
        kernel: _core.SegmentFeatures,
        weights: CrfWeights,
    ) -> None:
        self._model = weights.compile()
        self._words, self._splits, self._kernel, self._weights = words, splits, kernel, weights

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and templates; weights, lexicon and splits."""
        config: dict[str, Any] = {
            "templates": list(self.templates),
            "lexicon": self.lexicon,
            "threads": self.threads,
            "settings": {k: v for k, v in self.settings.to_dict().items() if k != "threads"},
        }
        if self._weights is None:
            return config, {}
        return config, {**self._weights.to_arrays(), "words": self._words, "splits": self._splits}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Segmenter:
        """The segmenter that :meth:`to_state` described.

        Raises:
            ModelError: the state is incomplete or does not fit together.
        """
        try:
            made = cls(config["templates"], config["lexicon"], config["threads"], **config["settings"])
        except (KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"the segmenter's config is not usable: {error}") from error
        if not arrays:
            return made
        weights = CrfWeights.from_arrays(arrays)
        for name in ("words", "splits"):
            if name not in arrays or arrays[name].dtype != np.uint32 or arrays[name].ndim != 1:
                raise ModelError(f"the segmenter's model lacks a usable array {name!r}")
        if weights.labels != _LABELS:
            raise ModelError(f"a segmenter has {_LABELS} labels, this model {weights.labels}")
        words, splits = arrays["words"], arrays["splits"]
        made._install(words, splits, made._make_kernel(words, splits), weights)
        return made


_DEFAULTS: dict[str, Any] = {"algorithm": "sgd", "c2": 0.1, "max_iterations": 20, "dense_freq": 1}


def _examples(
    kernel: _core.SegmentFeatures, docs: Sequence[Doc], threads: int
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int64]]:
    """Feature keys, gold labels and sequence offsets of the places where tokens may begin."""
    keys, positions, documents, sequences = kernel.keys([doc.text for doc in docs], threads)
    marked = np.zeros(len(positions), np.int32)
    for doc, first, last in zip(docs, documents[:-1].tolist(), documents[1:].tolist(), strict=True):
        marks = np.zeros(len(doc.text) + 1, np.int32)
        marks[doc.starts] = _TOKEN
        if doc.sent_starts is not None:
            marks[doc.starts[np.flatnonzero(doc.sent_starts)]] = _SENTENCE
        marked[first:last] = marks[positions[first:last]]
    marked[sequences[:-1][sequences[:-1] < len(marked)]] = _SENTENCE
    return keys, _places(marked), _cut(sequences, marked)


def _places(marked: NDArray[np.int32]) -> NDArray[np.int32]:
    """The label of each candidate: where in its token it stands."""
    starts = np.flatnonzero(marked)
    lengths = np.diff(np.append(starts, len(marked)))
    place = np.arange(len(marked)) - np.repeat(starts, lengths)
    labels = np.select([place == 1, place == 2], [_SECOND, _THIRD], _LATER).astype(np.int32)
    labels[starts + lengths - 1] = _LAST
    labels[starts] = np.where(lengths == 1, _ONLY, _FIRST)
    labels[starts[marked[starts] == _SENTENCE]] += _SENTENCE_ONLY - _ONLY
    return labels


def _place_mask() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """0 where labels may follow one another, begin or end a paragraph, -inf elsewhere."""
    begins = {_ONLY, _FIRST, _SENTENCE_ONLY, _SENTENCE_FIRST}
    follow = {_FIRST: {_SECOND, _LAST}, _SENTENCE_FIRST: {_SECOND, _LAST}}
    follow |= {_SECOND: {_THIRD, _LAST}, _THIRD: {_LATER, _LAST}, _LATER: {_LATER, _LAST}}
    follow |= {_LAST: begins, _ONLY: begins, _SENTENCE_ONLY: begins}
    ends = {_LAST, _ONLY, _SENTENCE_ONLY}
    never = np.float32(-np.inf)
    transitions = [[0 if b in follow[a] else never for b in range(_LABELS)] for a in range(_LABELS)]
    edges = [[0 if label in allowed else never for label in range(_LABELS)] for allowed in (begins, ends)]
    return np.array(transitions, np.float32), np.array(edges[0], np.float32), np.array(edges[1], np.float32)


_MASK = _place_mask()


def _find_splits(docs: Sequence[Doc]) -> NDArray[np.uint32]:
    """Keys of the word ends that the corpus cuts off inside a run of letters or digits ("n't", "na")."""
    found: set[int] = set()
    for doc in docs:
        found.update(_core.inner_splits(doc.text, doc.starts).tolist())
    return np.array(sorted(found), np.uint32)


def _cut(sequences: NDArray[np.int64], marked: NDArray[np.int32]) -> NDArray[np.int64]:
    """Cuts long sequences at sentence starts: online training learns once a sequence."""
    starts = np.flatnonzero(marked == _SENTENCE)
    kept = [0]
    for first, last in pairwise(sequences.tolist()):
        for start in starts[np.searchsorted(starts, first) : np.searchsorted(starts, last)].tolist():
            if start - kept[-1] >= _SEQUENCE and last - start >= _SEQUENCE // 2:
                kept.append(start)
        if last > kept[-1]:
            kept.append(last)
    return np.array(kept, np.int64)


def _f1(gold: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    return 2 * float(np.sum(gold & found)) / max(1.0, float(gold.sum() + found.sum()))
