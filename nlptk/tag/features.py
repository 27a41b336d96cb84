"""Token features of the CRF tagger: what templates may name, ready sets of templates, batches of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError
from nlptk.lexicons import Gazetteer, WordClasses
from nlptk.pickling import RemakesKernels
from nlptk.templates import AtomKind, compile_templates

# texts, starts, ends, offsets of documents and of sequences, columns: see TokenBatch.
KernelBatch: TypeAlias = tuple[
    list[str],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int64],
    list[NDArray[np.uint64]],
]

# Codes are those of TokenAtom in csrc/core/token_features.hpp.
TOKEN_ATOMS: dict[str, AtomKind] = {
    "bias": AtomKind(0),
    "word": AtomKind(1),
    "lower": AtomKind(2),
    "norm": AtomKind(3),
    "prefix": AtomKind(4, "number"),
    "suffix": AtomKind(5, "number"),
    "shape": AtomKind(6),
    "pattern": AtomKind(7),
    "kind": AtomKind(8),
    "length": AtomKind(9),
    "spaced": AtomKind(10),
    "col": AtomKind(11, "column"),
    "cluster": AtomKind(12, "lexicon"),
    "gazetteer": AtomKind(13, "gazetteer"),
}

_POS = (
    "bias", "word", "lower", "lower[-1]", "lower[1]", "lower[-2]", "lower[2]",
    "lower[-1]|lower", "lower|lower[1]", "lower[-1]|lower[1]", "lower[-2]|lower[-1]", "lower[1]|lower[2]",
    "prefix:1", "prefix:2", "prefix:3", "prefix:4",
    "suffix:1", "suffix:2", "suffix:3", "suffix:4", "suffix:5",
    "suffix:2[-1]", "suffix:3[-1]", "suffix:2[1]", "suffix:3[1]",
    "suffix:3[-1]|suffix:3", "suffix:3|suffix:3[1]",
    "shape", "pattern", "kind", "kind[-1]", "kind[1]", "kind[-1]|kind|kind[1]", "length", "spaced", "norm",
)  # fmt: skip
_NER = (
    "bias", "word", "word[-1]", "word[1]", "lower", "lower[-1]", "lower[1]", "lower[-2]", "lower[2]",
    "lower[-1]|lower", "lower|lower[1]", "shape", "shape[-1]", "shape[1]",
    "pattern[-1]|pattern", "pattern|pattern[1]", "pattern[-1]|pattern|pattern[1]",
    "kind", "kind[-1]", "kind[1]", "kind[-2]", "kind[2]", "prefix:2", "prefix:3", "prefix:4",
    "suffix:2", "suffix:3", "suffix:4", "suffix:3[-1]", "suffix:3[1]", "spaced", "length", "pattern|spaced",
    "kind[-1]|lower", "kind|lower[1]", "kind|lower[-1]", "kind|lower[-2]|lower[-1]", "kind|lower[1]|lower[2]",
)  # fmt: skip
# Column 1 is the part of speech, as in CoNLL-2000.
_CHUNK = (
    "bias", "word", "lower", "lower[-1]", "lower[1]", "lower[-2]", "lower[2]",
    "lower[-1]|lower", "lower|lower[1]", "lower[-1]|lower|lower[1]", "lower[-1]|lower[1]",
    "col:1", "col:1[-1]", "col:1[1]", "col:1[-2]", "col:1[2]", "col:1[-3]", "col:1[3]",
    "col:1[-2]|col:1[-1]", "col:1[-1]|col:1", "col:1|col:1[1]", "col:1[1]|col:1[2]",
    "col:1[-2]|col:1[-1]|col:1", "col:1[-1]|col:1|col:1[1]", "col:1|col:1[1]|col:1[2]",
    "col:1[-2]|col:1[-1]|col:1|col:1[1]", "col:1[-1]|col:1|col:1[1]|col:1[2]",
    "col:1[-2]|col:1[-1]|col:1|col:1[1]|col:1[2]",
    "lower|col:1", "lower[-1]|col:1", "lower[1]|col:1", "lower|col:1[-1]", "lower|col:1[1]",
    "suffix:2", "suffix:3", "prefix:3", "suffix:3|col:1", "shape", "kind",
)  # fmt: skip
# Words of one to four characters, each of which tells something.
_ZH = (
    "bias", "word", "word[-1]", "word[1]", "word[-2]", "word[2]", "word[-1]|word", "word|word[1]",
    "prefix:1", "prefix:2", "suffix:1", "suffix:2", "suffix:3", "prefix:1[-1]", "suffix:1[-1]", "prefix:1[1]",
    "suffix:1[1]", "suffix:2[-1]", "suffix:2[1]", "suffix:1[-1]|suffix:1", "suffix:1|suffix:1[1]",
    "prefix:1|suffix:1", "length", "length[-1]", "length[1]", "length|suffix:1",
    "length[-1]|length|length[1]",
    "kind", "kind[-1]", "kind[1]", "kind[-1]|kind|kind[1]", "pattern", "pattern[-1]", "pattern[1]",
    "suffix:1[-2]", "suffix:1[2]",
)  # fmt: skip
# A token is a character: it tells little alone, so that pairs and threes of them are the features.
_CHARACTERS = (
    "bias", "word", "word[-1]", "word[1]", "word[-2]", "word[2]", "word[-3]", "word[3]",
    "word[-1]|word", "word|word[1]", "word[-1]|word[1]", "word[-2]|word[-1]", "word[1]|word[2]",
    "word[-2]|word[-1]|word", "word[-1]|word|word[1]", "word|word[1]|word[2]",
    "word[-3]|word[-2]|word[-1]", "word[1]|word[2]|word[3]", "kind", "kind[-1]", "kind[1]",
    "kind[-1]|kind|kind[1]",
)  # fmt: skip
_CLUSTERS = tuple(
    f"cluster:{grain}{place}" for grain in ("c64", "c256", "c1000") for place in ("", "[-1]", "[1]")
)

#: Ready sets of templates. Those with "clusters" need word classes named c64, c256 and c1000.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "pos": _POS,
    "ner": _NER,
    "chunk": _CHUNK,
    "zh": _ZH,
    "characters": _CHARACTERS,
    "pos-clusters": (
        *_POS, *_CLUSTERS, "cluster:c64[-2]", "cluster:c64[2]", "cluster:c64[-1]|cluster:c64",
        "cluster:c64|cluster:c64[1]", "cluster:c256[-1]|cluster:c256|cluster:c256[1]",
    ),
    "ner-clusters": (
        *_NER, *_CLUSTERS, "cluster:c256[-1]|kind", "cluster:c256|kind", "cluster:c256[1]|kind",
        "cluster:c1000|kind", "cluster:c64[-2]|cluster:c64[-1]|kind",
    ),
    "chunk-clusters": (
        *_CHUNK, *_CLUSTERS,
        "cluster:c256|col:1", "cluster:c256[-1]|cluster:c256", "cluster:c256|cluster:c256[1]",
    ),
    "zh-clusters": (
        *_ZH, *_CLUSTERS, "cluster:c64[-1]|cluster:c64", "cluster:c64|cluster:c64[1]",
        "cluster:c256[-1]|cluster:c256|cluster:c256[1]", "cluster:c64[-2]|cluster:c64[-1]",
        "cluster:c1000|suffix:1", "cluster:c256[-1]|suffix:1", "cluster:c256[1]|suffix:1",
    ),
    "characters-clusters": (
        *_CHARACTERS, "cluster:c256", "cluster:c256[-1]", "cluster:c256[1]",
        "cluster:c64[-1]|cluster:c64", "cluster:c64|cluster:c64[1]",
        "cluster:c64[-2]|cluster:c64[-1]|cluster:c64", "cluster:c64|cluster:c64[1]|cluster:c64[2]",
        "cluster:c256[-1]|cluster:c256", "cluster:c256|cluster:c256[1]",
    ),
}  # fmt: skip


# What ready sets get for each gazetteer: the token's place in a name, the neighbours' places.
_GAZETTEER = ("{g}", "{g}[-1]", "{g}[1]", "{g}[-1]|{g}", "{g}|{g}[1]", "{g}[-1]|{g}|{g}[1]")
# Where no spaces part the words, places tell where words end: more of them, and with the text.
_GAZETTEER_ZH = (
    *_GAZETTEER, "{g}[-2]", "{g}[2]", "{g}[-2]|{g}[-1]", "{g}[1]|{g}[2]",
    "{g}[-2]|{g}[-1]|{g}|{g}[1]|{g}[2]", "{g}|word", "{g}[-1]|word[-1]", "{g}[1]|word[1]",
    "{g}[-1]|word[-1]|word", "{g}[1]|word|word[1]",
)  # fmt: skip


def ready_templates(name: str, gazetteers: Sequence[str] = ()) -> list[str]:
    """The templates of a ready set, with those for each gazetteer.

    Raises:
        ConfigError: there is no such set.
    """
    if name not in TEMPLATES:
        raise ConfigError(f"unknown template set {name!r}; ready ones: {', '.join(TEMPLATES)}")
    added = _GAZETTEER_ZH if name.startswith(("zh", "characters")) else _GAZETTEER
    return [*TEMPLATES[name], *(one.format(g=f"gazetteer:{g}") for g in gazetteers for one in added)]


@dataclass
class TokenBatch:
    """Tokens of several documents, as the kernels take them.

    Attributes:
        texts: one str a document.
        starts, ends: int32 [tokens], character offsets into the token's own document.
        documents: int64 [documents + 1], sequences: int64 [sequences + 1], both offsets into the tokens.
        columns: for each name, uint64 [tokens] of hashed values.
    """

    texts: list[str]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    documents: NDArray[np.int64]
    sequences: NDArray[np.int64]
    columns: dict[str, NDArray[np.uint64]] = field(default_factory=dict)

    @classmethod
    def from_docs(cls, docs: Sequence[Doc], columns: Sequence[str] = ()) -> TokenBatch:
        """Docs with tokens; sequences are sentences where a Doc has them, else the whole Doc.

        Raises:
            ConfigError: a Doc has no tokens yet, or lacks a column.
        """
        if not all(doc.is_tokenized for doc in docs):
            raise ConfigError(
                "a Doc to be tagged has no tokens; run a tokenizer or segmenter before the tagger"
            )
        if len(docs) == 1 and not docs[0].text[:1].isspace():
            starts, ends = docs[0].starts, docs[0].ends
            documents, sequences = _single(docs[0])
        else:
            starts = np.concatenate([doc.starts for doc in docs]) if docs else np.zeros(0, np.int32)
            ends = np.concatenate([doc.ends for doc in docs]) if docs else np.zeros(0, np.int32)
            documents = _offsets([len(doc.starts) for doc in docs])
            sequences = _sequences(docs, documents)
        batch = cls([doc.text for doc in docs], starts, ends, documents, sequences)
        for name in columns:
            parts = [_hashed(doc, name) for doc in docs]
            batch.columns[name] = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        return batch

    @classmethod
    def from_words(
        cls, sentences: Sequence[Sequence[str]], columns: Mapping[str, Sequence[Sequence[str]]] | None = None
    ) -> TokenBatch:
        """Sentences given as lists of words; a space stands between words.

        Raises:
            ConfigError: a column has not one value for each word.
            DataError: a column holds something other than strings.
        """
        lengths = np.fromiter(
            (len(word) for sentence in sentences for word in sentence), np.int64, sum(map(len, sentences))
        )
        offsets = _offsets([len(sentence) for sentence in sentences])
        ends = np.cumsum(lengths + 1) - 1
        starts = ends - lengths
        base = (
            np.concatenate([starts, [0]])[offsets[:-1]] if len(starts) else np.zeros(len(sentences), np.int64)
        )
        base = np.repeat(base, np.diff(offsets))
        batch = cls(
            [" ".join(sentence) for sentence in sentences],
            (starts - base).astype(np.int32),
            (ends - base).astype(np.int32),
            offsets,
            offsets,
        )
        for name, values in (columns or {}).items():
            if [len(row) for row in values] != [len(row) for row in sentences]:
                raise ConfigError(f"column {name!r} must have one value for each word")
            known: dict[str, int] = {}
            for row in values:
                for value in row:
                    if not isinstance(value, str):
                        raise DataError(f"column {name!r} holds {value!r}, which is not a string")
                    if value not in known:
                        known[value] = _core.hash_string(value)
            batch.columns[name] = np.fromiter(
                (known[value] for row in values for value in row), np.uint64, len(starts)
            )
        return batch


def _single(doc: Doc) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets of one Doc and of its sentences: the short way for the one call that waits for its answer."""
    tokens = len(doc.starts)
    documents = np.array((0, tokens), np.int64)
    firsts = () if doc.sent_starts is None else doc.sent_starts.nonzero()[0]
    if len(firsts) <= 1:
        return documents, documents
    sequences = np.empty(len(firsts) + 1, np.int64)
    sequences[:-1] = firsts
    sequences[0], sequences[-1] = 0, tokens
    return documents, sequences


def _sequences(docs: Sequence[Doc], documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where sentences begin, and the end; Docs begin a sentence whatever their flags say."""
    flags = np.zeros(int(documents[-1]) + 1, dtype=bool)
    for doc, first in zip(docs, documents[:-1].tolist(), strict=True):
        if doc.sent_starts is not None:
            flags[first : first + len(doc.starts)] = doc.sent_starts
        if doc.text[:1].isspace():  # leading white space is no part of the first sentence
            flags[first + 1] = True
    flags[documents] = True
    return np.flatnonzero(flags)


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _hashed(doc: Doc, column: str) -> NDArray[np.uint64]:
    if not doc.has_column(column):
        raise ConfigError(
            f"the tagger's features need column {column!r}, which no earlier component has filled"
        )
    table = np.fromiter((_core.hash_string(label) for label in doc.labels(column)), np.uint64)
    return table[doc.codes(column)]


class TokenFeatures(RemakesKernels):
    """Compiled templates over tokens; turns a :class:`TokenBatch` into feature keys.

    Args:
        templates: template strings (see :mod:`nlptk.templates`) or the name of a ready set in ``TEMPLATES``,
            which then looks at all gazetteers too.
        classes: word classes that ``cluster:name`` atoms look up.
        gazetteers: names that ``gazetteer:name`` atoms look for.

    Raises:
        ConfigError: a template cannot be read, or the ready set is unknown.
    """

    _kernel_names = ("kernel",)

    def __init__(
        self,
        templates: Sequence[str] | str,
        classes: WordClasses | None = None,
        gazetteers: Sequence[Gazetteer] = (),
    ) -> None:
        if isinstance(templates, str):
            templates = ready_templates(templates, [one.name for one in gazetteers])
        self.templates = tuple(templates)
        self.classes = classes or WordClasses.empty()
        self.gazetteers = tuple(gazetteers)
        self._make_kernels()

    def _make_kernels(self) -> None:
        names = [one.name for one in self.gazetteers]
        compiled = compile_templates(self.templates, TOKEN_ATOMS, self.classes.names, names)
        self.columns = compiled.columns
        self.kernel = _core.TokenFeatures(
            compiled.atoms[0],
            compiled.elements,
            compiled.seeds,
            self.classes.keys,
            self.classes.values,
            [(g.keys, g.classes, g.prefixes, g.longest, g.ignore_case) for g in self.gazetteers],
        )

    def arguments(self, batch: TokenBatch) -> KernelBatch:
        """What the kernels take of a batch. Raises ConfigError where it lacks a column."""
        missing = [name for name in self.columns if name not in batch.columns]
        if missing:
            raise ConfigError(f"the tagger's features need column {missing[0]!r}; pass it beside the words")
        columns = [batch.columns[name] for name in self.columns]
        return batch.texts, batch.starts, batch.ends, batch.documents, batch.sequences, columns

    def keys(self, batch: TokenBatch, threads: int = 0) -> NDArray[np.uint32]:
        """Feature keys, uint32 [tokens, templates], 0 where a template gives no feature."""
        return self.kernel.keys(*self.arguments(batch), threads)
