"""Word2Vec: vectors of words from the words beside them (Mikolov et al. 2013), with subwords if wanted
(Bojanowski et al. 2017). The training is C++; docs/word2vec.md says how it works and how fast.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nlptk import _core
from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, DataError
from nlptk.estimator import Estimator
from nlptk.vectors.checkpoint import Checkpoint, Position
from nlptk.vectors.corpus import Corpus, Tokenizer, open_corpus
from nlptk.vectors.keyed_vectors import KeyedVectors
from nlptk.vectors.subwords import Subwords

if TYPE_CHECKING:
    from typing_extensions import Self

MODELS = ("skipgram", "cbow")
_ALPHA = {"skipgram": 0.04, "cbow": 0.12}  # chosen on one epoch of 22 M words: docs/word2vec.md
# The least that these may be.
_WHOLE = {
    **dict.fromkeys(("vector_size", "window", "epochs", "min_count", "bucket"), 1),
    **dict.fromkeys(("negative", "min_n", "max_n", "seed", "threads"), 0),
}


def learn(
    trainer: _core.SgnsTrainer,
    epoch: int,
    chunks: Sequence[int],
    tell: Callable[[int, float, float], None] | None = None,
) -> None:
    """Train on chunks. Raises DataError for bad bytes and for numbers beyond all bounds."""
    try:
        trainer.run(epoch, chunks, tell)
    except ValueError as error:
        raise DataError(str(error)) from None


def _tell(
    report: Callable[[Progress], None], total: int, epoch: int, done: int, loss: float, alpha: float
) -> None:
    report(Progress("train", done, total, epoch, loss, alpha))


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 1 << 31


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        stage: "copy" (the corpus, where it must be), "count" or "train".
        done, total: bytes copied, or words counted or trained on, of how many (None: unknown).
        epoch: from 1; 0 before the first.
        loss: of the last while, for each word predicted (-log likelihood, with noise words).
        alpha: the learning rate.
    """

    stage: str
    done: int
    total: int | None
    epoch: int = 0
    loss: float = float("nan")
    alpha: float = float("nan")


class Word2Vec(Estimator):
    """Learns a vector for each word of a corpus.

    Settings have gensim's names where it has them.

    Args:
        vector_size: the dimension.
        model: "skipgram" (a word predicts each of its neighbours) or "cbow" (their mean predicts it).
        window: neighbours on each side at most; each window is drawn from 1 to it if `shrink_windows`.
        min_count: rarer words are left out.
        max_final_vocab: the most frequent so many words are kept; None for all.
        max_vocab_size: distinct words that a thread counts before it forgets the rarest, which bounds memory
            (some 60 bytes each); None for 20,000,000.
        negative: noise words for each word predicted; 0 for none.
        hs: predict by a Huffman tree of the words (hierarchical softmax), beside or instead of noise words.
        ns_exponent: noise words are drawn by count to this power.
        sample: words more frequent than this share are skipped at times; 0 for none.
        alpha, min_alpha: the learning rate, which falls from the one to the other over all epochs; None is
            0.04, or 0.12 for "cbow".
        epochs: times that the corpus is read.
        min_n, max_n: characters of the shortest and longest subwords; `max_n` 0 for no subwords.
        bucket: subwords are hashed into so many vectors.
        seed: with one thread the same seed gives the same bytes.
        threads: 0 for all cores.
        shrink_windows: see `window`.

    After `fit`: `wv` (:class:`nlptk.KeyedVectors`), `corpus_count_` (words of the corpus), `loss_`, and
    `train_seconds_`, `words_per_second_` of the epochs alone.
    """

    wv: KeyedVectors

    def __init__(
        self,
        vector_size: int = 100,
        *,
        model: str = "skipgram",
        window: int = 5,
        min_count: int = 5,
        max_final_vocab: int | None = None,
        max_vocab_size: int | None = None,
        negative: int = 5,
        hs: bool = False,
        ns_exponent: float = 0.75,
        sample: float = 1e-3,
        alpha: float | None = None,
        min_alpha: float = 1e-4,
        epochs: int = 5,
        min_n: int = 3,
        max_n: int = 0,
        bucket: int = 2_000_000,
        seed: int = 1,
        threads: int = 0,
        shrink_windows: bool = True,
    ) -> None:
        self.vector_size = vector_size
        self.model = model
        self.window = window
        self.min_count = min_count
        self.max_final_vocab = max_final_vocab
        self.max_vocab_size = max_vocab_size
        self.negative = negative
        self.hs = hs
        self.ns_exponent = ns_exponent
        self.sample = sample
        self.alpha = alpha
        self.min_alpha = min_alpha
        self.epochs = epochs
        self.min_n = min_n
        self.max_n = max_n
        self.bucket = bucket
        self.seed = seed
        self.threads = threads
        self.shrink_windows = shrink_windows

    def fit(
        self,
        corpus: Corpus,
        y: object = None,
        *,
        tokenizer: Tokenizer | None = None,
        errors: str = "strict",
        progress: Callable[[Progress], None] | None = None,
        checkpoint: PathLike | None = None,
        checkpoint_seconds: float = 600.0,
        resume: bool = False,
        before_training: Callable[[int], None] | None = None,
    ) -> Self:
        """Count the words of a corpus and learn their vectors.

        Args:
            corpus: a file or files, gzip or not, "-" for standard input, a sentence a line; or an iterable of
                token lists that can be read again.
            tokenizer: cuts a line of raw text into words; by default they stand between white space.
            errors: of bytes that are not UTF-8: "strict", "replace" or "ignore".
            progress: called a few times a second.
            checkpoint: a folder that is given the state of the training every `checkpoint_seconds` and at the
                end of each epoch.
            resume: go on from the state in `checkpoint`, if there is one.
            before_training: called with the number of words when they are counted; may raise.

        Raises:
            ConfigError: a setting that cannot be, a corpus that can be read only once, a checkpoint of
                another training.
            DataError: a file cannot be read or is not UTF-8 (names the line); no word is left; the numbers
                grew beyond all bounds (names a word).
            ModelError: the checkpoint is damaged.
        """
        self._check()
        report = progress or (lambda _: None)
        with open_corpus(
            corpus, tokenizer=tokenizer, errors=errors, progress=lambda *done: report(Progress("copy", *done))
        ) as text:
            saved = None if checkpoint is None else Checkpoint(checkpoint, self.get_params(), text.bytes)
            if saved is not None:
                saved.prepare()
            position = saved.read() if saved is not None and resume else None
            vocabulary = self._count(text, report) if position is None else saved.vocabulary()  # type: ignore[union-attr]
            if before_training is not None:
                before_training(len(vocabulary))
            trainer = self._trainer(text, vocabulary)
            if position is not None:
                saved.restore(trainer, position)  # type: ignore[union-attr]
            started = time.monotonic()
            position = position or Position(0, 0, 0)
            tokens = position.tokens
            self._train(trainer, text, vocabulary, position, saved, checkpoint_seconds, report)
            self.train_seconds_ = time.monotonic() - started
            self.words_per_second_ = (trainer.status[0] - tokens) / max(self.train_seconds_, 1e-9)
            self.loss_ = trainer.status[1]
            self.corpus_count_ = vocabulary.raw_tokens
            self.wv = self._vectors(trainer, vocabulary)
        return self

    # ---- steps ----

    def _alpha(self) -> float:
        return self.alpha if self.alpha is not None else _ALPHA[self.model]

    def _check(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(f"model must be one of {', '.join(MODELS)}, not {self.model!r}")
        for name, least in _WHOLE.items():
            if not _is_whole(getattr(self, name), least):
                wanted = f"a whole number from {least} to 2147483647"
                raise ConfigError(f"{name} must be {wanted}, not {getattr(self, name)!r}")
        for name in ("max_final_vocab", "max_vocab_size"):
            value = getattr(self, name)
            if value is not None and not _is_whole(value, 2):
                raise ConfigError(f"{name} must be None or a whole number from 2 on, not {value!r}")
        for name in ("ns_exponent", "sample", "alpha", "min_alpha"):
            value = getattr(self, name)
            if value is None and name == "alpha":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigError(f"{name} must be a number, not {value!r}")

    def _count(self, text: _core.TokenCorpus, report: Callable[[Progress], None]) -> _core.WordVocabulary:
        per_chunk = text.bytes // max(text.chunks, 1)
        try:
            vocabulary = _core.WordVocabulary.count(
                text,
                self.min_count,
                self.max_final_vocab or 0,
                **({} if self.max_vocab_size is None else {"prune_at": self.max_vocab_size}),
                threads=self.threads,
                report=lambda chunks: report(Progress("count", chunks * per_chunk, text.bytes)),
            )
        except ValueError as error:
            raise DataError(str(error)) from None
        if vocabulary.raw_tokens == 0:
            raise DataError("there is nothing to learn from: the corpus has no words")
        if len(vocabulary) < 2:
            raise DataError(
                f"{len(vocabulary)} of the {vocabulary.raw_words} different words of the corpus occur "
                f"{self.min_count} times or more, and vectors need two: give more text or a lower min_count"
            )
        return vocabulary

    def _trainer(
        self, text: _core.TokenCorpus, vocabulary: _core.WordVocabulary, processes: int = 1
    ) -> _core.SgnsTrainer:
        settings: _core.SgnsSettings = {
            "dim": self.vector_size,
            "window": self.window,
            "shrink_windows": self.shrink_windows,
            "cbow": self.model == "cbow",
            "negative": self.negative,
            "hs": self.hs,
            "ns_exponent": self.ns_exponent,
            "sample": self.sample,
            "alpha": self._alpha(),
            "min_alpha": self.min_alpha,
            "min_n": self.min_n,
            "max_n": self.max_n,
            "buckets": self.bucket if self.max_n else 0,
            "seed": self.seed,
            "threads": self.threads,
            "schedule": -(-vocabulary.tokens * self.epochs // processes),
        }
        try:
            return _core.SgnsTrainer(text, vocabulary, settings)
        except (ValueError, TypeError, RuntimeError) as error:
            raise ConfigError(str(error)) from None

    def _train(
        self,
        trainer: _core.SgnsTrainer,
        text: _core.TokenCorpus,
        vocabulary: _core.WordVocabulary,
        position: Position,
        saved: Checkpoint | None,
        seconds: float,
        report: Callable[[Progress], None],
    ) -> None:
        total = vocabulary.tokens * self.epochs
        for epoch in range(position.epoch, self.epochs):
            chunks = list(range(text.chunks))[position.chunk if epoch == position.epoch else 0 :]
            for part in self._parts(chunks, saved is not None):
                tell = functools.partial(_tell, report, total, epoch + 1)
                learn(trainer, epoch, part, tell)
                tell(*trainer.status)
                at = Position(epoch, part[-1] + 1, trainer.status[0])
                if saved is not None and (part[-1] + 1 == text.chunks or saved.age >= seconds):
                    saved.write(trainer, vocabulary, at)

    def _parts(self, chunks: list[int], stops: bool) -> list[list[int]]:
        """The chunks, and where the training stops for a checkpoint, if it is due."""
        step = 16 * max(self.threads or os.cpu_count() or 1, 2) if stops else len(chunks)
        return [chunks[at : at + step] for at in range(0, len(chunks), max(step, 1))]

    def _vectors(self, trainer: _core.SgnsTrainer, vocabulary: _core.WordVocabulary) -> KeyedVectors:
        trainer.finish()  # before there is a second matrix: this is where memory is highest
        vectors, subwords = trainer.word_vectors(), None
        if self.max_n:
            subwords = Subwords(trainer.inputs[len(vocabulary) :], self.min_n, self.max_n)
        counts = vocabulary.counts().astype(np.int64)
        return KeyedVectors(vocabulary.words(), vectors, counts=counts, subwords=subwords)
