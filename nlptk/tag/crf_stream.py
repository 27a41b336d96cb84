"""Training of the CRF tagger from a corpus that does not fit memory, in a table of fixed size.

SGD on the objective of the CRF (Lafferty et al. 2001; Bottou 2010). Features keep their keys, so that the
model is like any other; in the table a key has its place in a bucket of eight rows, as in a cache.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.corpora.files import PathLike, named_files, source_name
from nlptk.corpora.formats import COLUMN_NAMES, read_docs
from nlptk.crf import CrfSettings, CrfWeights, Progress, quantize
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError
from nlptk.tag.base import check_integer
from nlptk.tag.features import TokenBatch, TokenFeatures

#: A sentence: a Doc with gold labels, or its words and their labels.
Sentence = Doc | tuple[Sequence[str], Sequence[str]]
#: A file, several files, or sentences that can be read again.
Corpus = PathLike | Sequence[PathLike] | Iterable[Sentence]


@dataclass(frozen=True)
class StreamSettings:
    """How a corpus is streamed.

    Attributes:
        passes: over the whole corpus.
        hash_bits: the table has 2**hash_bits rows, each 4 bytes for each label (their number rounded up to
            eight).
        chunk: sentences that are read, and shuffled, together.
        rate: the first steps' length; it falls to 0 after the first pass, or with the root of the number of
            sentences where there is only one.
    """

    passes: int = 5
    hash_bits: int = 22
    chunk: int = 4096
    rate: float = 0.1

    def __post_init__(self) -> None:
        check_integer("passes", self.passes, 1)
        check_integer("chunk", self.chunk, 1)
        check_integer("hash_bits", self.hash_bits, 10)
        if self.hash_bits > 28:
            raise ConfigError(f"hash_bits must be at most 28, not {self.hash_bits!r}")
        if not isinstance(self.rate, (int, float, np.floating)) or not 0 < self.rate <= 100:
            raise ConfigError(f"rate must be a number above 0 and at most 100, not {self.rate!r}")


@dataclass(frozen=True)
class CorpusFiles:
    """The sentences of annotated files, as Docs with labels, read anew by each iteration.

    While reading raises DataError for what is malformed and for a token without label; the message names the
    file and its line or sentence.

    Attributes:
        paths: the files; :func:`nlptk.corpora.read_docs` reads them.
        column: the column of the labels.
        format, lang: as `read_docs` has them.
    """

    paths: Sequence[PathLike]
    column: str
    format: str | None = None
    lang: str | None = None

    def __iter__(self) -> Iterator[Doc]:
        for path in self.paths:
            docs = read_docs(path, self.format, self.column, "sentence", lang=self.lang)
            for number, doc in enumerate(docs, 1):
                _gold(doc, self.column, f"{source_name(path)}, sentence {number}")
                yield doc


def open_corpus(corpus: Corpus, column: str, format: str | None, passes: int) -> Iterable[Sentence]:
    """What `passes` passes can be made over.

    Raises ConfigError for what is no corpus, or can be read only once.
    """
    files = named_files(corpus)
    once = [path for path in files or () if path == "-" or not os.path.isfile(path)]
    if passes > 1 and isinstance(corpus, Iterator):
        raise ConfigError(
            f"the corpus is a generator, which can be read only once, and there are {passes} passes: give a "
            "list, an object whose __iter__ begins anew, the name of a file, or passes=1"
        )
    if passes > 1 and once and (once[0] == "-" or os.path.exists(once[0])):
        raise ConfigError(
            f"{source_name(once[0])} can be read only once, and there are {passes} passes: give a file, or "
            "passes=1"
        )
    return cast("Iterable[Sentence]", corpus) if files is None else CorpusFiles(files, column, format)


@dataclass
class Chunk:
    """Some sentences: their tokens, and the label of each token."""

    batch: TokenBatch
    labels: list[str]


def chunks(corpus: Iterable[Sentence], column: str, size: int, columns: Sequence[str]) -> Iterator[Chunk]:
    """The corpus by `size` sentences; `columns` are those that the features look at.

    Raises DataError, naming the sentence, for what is none or has a token without label.
    """
    sentences, first = iter(corpus), 1
    while held := list(islice(sentences, size)):
        docs = [sentence for sentence in held if isinstance(sentence, Doc)]
        if len(docs) == len(held):
            rows = [_gold(doc, column, f"sentence {first + i}") for i, doc in enumerate(docs)]
            yield Chunk(TokenBatch.from_docs(docs, columns), list(chain.from_iterable(rows)))
        else:
            pairs = [_checked_pair(sentence, first + i) for i, sentence in enumerate(held)]
            batch = TokenBatch.from_words([words for words, _ in pairs])
            yield Chunk(batch, list(chain.from_iterable(labels for _, labels in pairs)))
        first += len(held)


def _gold(doc: Doc, column: str, place: str) -> list[str]:
    """The labels of a Doc's tokens. Raises DataError where one has none."""
    column = COLUMN_NAMES.get(column, column)
    labels = doc.column(column) if doc.has_column(column) else [""] * len(doc)
    if "" in labels:
        at = labels.index("")
        word, name = doc.text[doc.starts[at] : doc.ends[at]], doc.user_data.get("id")
        raise DataError(f"{place}{f' ({name})' if name else ''}: the token {word!r} has no {column!r} label")
    return labels


def _checked_pair(sentence: object, number: int) -> tuple[list[str], list[str]]:
    place = f"sentence {number} of the corpus"
    if isinstance(sentence, Doc):
        raise DataError(f"{place} is a Doc where others are words and labels; give one or the other")
    if not isinstance(sentence, (tuple, list)) or len(sentence) != 2:
        raise DataError(f"{place} is {type(sentence).__name__}; give a Doc, or a pair of words and labels")
    words, labels = sentence
    for values in (words, labels):
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise DataError(f"{place} holds {type(values).__name__}; give lists of words and of labels")
        if wrong := [value for value in values if not isinstance(value, str)]:
            raise DataError(f"{place} holds {wrong[0]!r}, which is not a string")
    if len(words) != len(labels):
        raise DataError(f"{place} has {len(words)} words but {len(labels)} labels")
    return list(words), list(labels)


class Spool:
    """Chunks in a temporary file, gone when it is closed: later passes need not parse the corpus again."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="nlptk-crf-")  # noqa: SIM115 (closed by close())
        self._chunks = 0

    def append(self, batch: TokenBatch, gold: NDArray[np.int32]) -> None:
        """Raises DataError where the disk is full."""
        text = np.frombuffer("".join(batch.texts).encode("utf-8", "surrogatepass"), np.uint8)
        lengths = np.fromiter(map(len, batch.texts), np.int64, len(batch.texts))
        offsets = (batch.starts, batch.ends, batch.documents, batch.sequences)
        try:
            for array in (text, lengths, gold, *offsets, *batch.columns.values()):
                np.save(self._file, cast("NDArray[Any]", array), allow_pickle=False)
        except OSError as error:
            raise DataError(
                f"cannot write a copy of the corpus: {error.strerror or error}; set TMPDIR to a folder with "
                "more space"
            ) from error
        self._columns = list(batch.columns)
        self._chunks += 1

    def __iter__(self) -> Iterator[tuple[TokenBatch, NDArray[np.int32]]]:
        self._file.seek(0)
        for _ in range(self._chunks):
            data, lengths, gold, starts, token_ends, documents, sequences = (self._load() for _ in range(7))
            text = data.tobytes().decode("utf-8", "surrogatepass")
            ends = np.cumsum(lengths)
            bounds = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
            columns = {name: self._load() for name in self._columns}
            texts = [text[first:last] for first, last in bounds]
            yield TokenBatch(texts, starts, token_ends, documents, sequences, columns), gold

    def _load(self) -> NDArray[Any]:
        return cast("NDArray[Any]", np.load(self._file, allow_pickle=False))

    def close(self) -> None:
        self._file.close()


class _Passes:
    """The corpus as numbers, pass by pass; files are parsed once."""

    def __init__(
        self, corpus: Iterable[Sentence], column: str, size: int, columns: Sequence[str], keep: bool
    ) -> None:
        self._chunks = partial(chunks, corpus, column, size, columns)
        self._spool = Spool() if keep and isinstance(corpus, CorpusFiles) else None
        self.classes: dict[str, int] = {}

    def first(self) -> Iterator[tuple[TokenBatch, NDArray[np.int32]]]:
        """Batches and labels; `classes` grow on the way."""
        for chunk in self._chunks():
            for label in chunk.labels:
                self.classes.setdefault(label, len(self.classes))
            gold = self._numbers(chunk.labels)
            if self._spool is not None:
                self._spool.append(chunk.batch, gold)
            yield chunk.batch, gold

    def later(self) -> Iterator[tuple[TokenBatch, NDArray[np.int32]]]:
        """The same once more. Raises DataError where sentences come with labels that are new."""
        if self._spool is not None:
            yield from self._spool
            return
        for chunk in self._chunks():
            yield chunk.batch, self._numbers(chunk.labels)

    def _numbers(self, labels: Sequence[str]) -> NDArray[np.int32]:
        try:
            return np.fromiter((self.classes[label] for label in labels), np.int32, len(labels))
        except KeyError as error:
            raise DataError(f"the corpus has changed between passes: the label {error} is new") from None

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()


def train_stream(
    corpus: Iterable[Sentence],
    column: str,
    features: TokenFeatures,
    settings: CrfSettings,
    stream: StreamSettings,
    progress: Progress | None = None,
) -> tuple[list[str], CrfWeights]:
    """The labels, in the order in which they came, and the weights. Raises as `CRFTagger.fit_stream`."""
    table = _core.CrfStream(
        stream.hash_bits,
        min_freq=settings.min_freq,
        dense_freq=1 if settings.all_possible_states else settings.dense_freq,
        c2=settings.c2,
        rate=stream.rate,
        passes=stream.passes,
        seed=settings.seed,
    )
    passes = _Passes(corpus, column, stream.chunk, features.columns, keep=stream.passes > 1)
    with closing(passes):
        for number in range(1, stream.passes + 1):
            loss, tokens, sentences = 0.0, 0, 0
            for batch, gold in passes.first() if number == 1 else passes.later():
                keys = features.keys(batch, settings.threads)
                try:
                    table.grow(len(passes.classes))
                    loss += table.learn(keys, batch.sequences, gold)
                except ValueError as error:
                    raise DataError(f"training failed: {error}") from error
                tokens += len(gold)
                sentences += len(batch.sequences) - 1
                if progress is not None:
                    done = {"iteration": number, "of": stream.passes, "sentences": sentences}
                    progress({**done, "tokens": tokens, "objective": loss})
            if not tokens:
                raise DataError("the corpus has no tokens" + (f" in pass {number}" if number > 1 else ""))
            table.end_pass()
    weights = quantize(*table.model(settings.prune), len(passes.classes), settings.prune)
    return list(passes.classes), weights
