"""fastText's classifier: a linear model over the mean of vectors of words and hashed n-grams, trained in C++.

Source: Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"; names, hashes and updates are
those of its reference implementation, fastText. docs/classify.md says how it works and how fast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.classify.base import (
    Labels,
    LabelTable,
    TextClassifier,
    Texts,
    check_dev,
    check_texts,
    encode_labels,
)
from nlptk.classify.explain import Explanation, against_others
from nlptk.classify.fasttext_features import FeatureFinder, cut
from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.state import check_integer, pack_strings, take_array, unpack_strings

LOSSES = ("softmax", "hs", "ova")
_FORMAT = 1
# What a saved model needs; the others are of the training alone.
_SETTINGS = ("dim", "word_ngrams", "min_n", "max_n", "bucket", "loss")
_TRAINING = ("epochs", "learning_rate", "min_count", "seed", "shuffle")
# The least that these may be.
_WHOLE = {
    **dict.fromkeys(("dim", "epochs", "word_ngrams", "min_count", "bucket"), 1),
    **dict.fromkeys(("min_n", "max_n", "threads", "seed"), 0),
}


class Vectors(Protocol):
    """Word vectors to begin with, as :class:`nlptk.KeyedVectors` has them."""

    index_to_key: list[str]

    @property
    def vectors(self) -> NDArray[np.float32]:
        """[words, dim]"""


class FastTextClassifier(TextClassifier):
    """Tells the class of a text by its words and short phrases.

    Args:
        dim: of the vectors.
        epochs: times that the training texts are read.
        learning_rate: of the first text; falls to 0 over all epochs.
        word_ngrams: words of the longest phrases that have vectors of their own (fastText's wordNgrams).
        min_count: rarer words have none, but are in phrases.
        min_n, max_n: characters of the shortest and longest pieces of words with vectors; `max_n` 0: none.
        bucket: phrases and pieces are hashed to so many numbers.
        loss: "softmax"; "hs", a Huffman tree of the labels, for thousands of them; or "ova", each label for
            itself, so that a text may have any number of them.
        vectors: word vectors to begin with, of `dim` dimensions, such as :class:`nlptk.KeyedVectors`; their
            words are known even if training has none of them; or a file that :meth:`nlptk.KeyedVectors.load`
            reads.
        tokenizer: cuts a text into words; None is fastText's way, at ASCII white space and NUL.
        threads: 0 for all cores. They learn at the same time without locks, so that with more than one the
            result differs a little from run to run; with one a seed gives the same bytes.
        seed: of the first vectors and of the order of texts.
        shuffle: read the texts in another order each epoch; False is fastText's way, from first to last.

    Attributes:
        classes_: the labels, sorted.
        multilabel_: whether it was fitted to lists of labels, and so predicts lists.
        losses_: the mean loss of each epoch, of every 16th text as it was met.
        dev_scores_: the score on the dev set after each epoch; empty without one.
    """

    losses_: list[float]
    dev_scores_: list[float]
    _model: _core.FastTextModel

    def __init__(
        self,
        dim: int = 100,
        epochs: int = 5,
        learning_rate: float = 0.1,
        word_ngrams: int = 1,
        min_count: int = 1,
        min_n: int = 0,
        max_n: int = 0,
        bucket: int = 2_000_000,
        loss: str = "softmax",
        vectors: Vectors | PathLike | None = None,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        threads: int = 0,
        seed: int = 1,
        shuffle: bool = True,
    ) -> None:
        self.dim = dim
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.word_ngrams = word_ngrams
        self.min_count = min_count
        self.min_n = min_n
        self.max_n = max_n
        self.bucket = bucket
        self.loss = loss
        self.vectors = vectors
        self.tokenizer = tokenizer
        self.threads = threads
        self.seed = seed
        self.shuffle = shuffle

    def fit(
        self,
        X: Texts,
        y: Labels,
        X_dev: Texts | None = None,
        y_dev: Labels | None = None,
        *,
        progress: Progress | None = None,
    ) -> FastTextClassifier:
        """Learn from texts X, or lists of tokens, and their labels y: strings, or with "ova" lists of them.

        With a dev set the weights of the epoch that scores highest on it are kept, of equal ones the last.

        Args:
            progress: called after each epoch with ``iteration``, ``of``, ``loss`` and, if there is one,
                ``dev_score``.

        Raises:
            ConfigError: a setting is out of range; lists of labels without "ova".
            DataError: X and y do not match, are empty, or hold what is not a string; there are too few or too
                many labels; no word is left; weights grew beyond all bounds.

        Warns UserWarning if y_dev has labels that y has not.
        """
        self._check()
        texts = check_texts(X)
        labels = encode_labels(y, len(texts))
        if labels.multilabel and self.loss != "ova":
            raise ConfigError(f"lists of labels need loss='ova'; with {self.loss!r} a text has one label")
        has_dev = check_dev(X_dev, y_dev, labels.classes)
        trainer = self._trainer(self._tokens(texts), labels)
        model = trainer.model
        trained = type(self)(**self.get_params())._set(model, labels)
        trained.losses_, trained.dev_scores_ = [], []
        best: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        for epoch in range(self.epochs):
            try:
                trained.losses_.append(trainer.run(epoch))
            except ValueError as error:
                raise DataError(str(error)) from None
            info = {"iteration": epoch + 1, "of": self.epochs, "loss": trained.losses_[-1]}
            if has_dev:
                info["dev_score"] = trained.score(X_dev, y_dev)  # type: ignore[arg-type]
                trained.dev_scores_.append(info["dev_score"])
                if info["dev_score"] >= max(trained.dev_scores_):
                    last = epoch + 1 == self.epochs
                    best = None if last else (model.inputs.copy(), model.outputs.copy())
            if progress is not None:
                progress(info)
        if best is not None:
            model.inputs[:], model.outputs[:] = best
        vars(self).update({name: value for name, value in vars(trained).items() if name.endswith("_")})
        self._set(model, labels)
        return self

    def predict_proba(self, X: Texts) -> NDArray[np.float32]:
        """Probabilities of ``classes_``, float32 [texts, classes].

        Rows sum to 1, but with "ova", where each label has a probability of its own. A text that has nothing
        that training has seen gets the shares that the labels have there.

        Raises:
            ConfigError: the classifier is not fitted, or lacks the tokenizer it was trained with.
            DataError: X holds what is neither a string nor a list of strings.
        """
        if not hasattr(self, "_model"):
            raise ConfigError("this FastTextClassifier is not fitted; call fit or from_state first")
        texts = check_texts(X)
        if self._needs_tokenizer and self.tokenizer is None and texts and isinstance(texts[0], str):
            raise ConfigError("this FastTextClassifier was trained with a tokenizer; set its tokenizer again")
        return self._model.probabilities(self._tokens(texts), self.threads)

    # ---- which words decide ----

    def explain(self, X: Texts, label: str | None = None) -> list[Explanation]:
        """Which words speak for a label of each text, or for the most probable one.

        A word's weight is what its vector, those of its pieces and its share of those of its phrases add to
        the score: that of the label over the other one of two, over the mean of all where there are more,
        and with "ova" the label's own; each the logarithm of what the probabilities say. The end of the text
        has a vector too, which is not shown. Raises as
        :meth:`nlptk.classify.base.TextClassifier.explain`, ConfigError also with "hs".
        """
        return super().explain(X, label)

    def _contributions(self, text: str | Sequence[str], label: int) -> tuple[list[str], NDArray[np.float32]]:
        if self.loss == "hs":
            raise ConfigError("with loss 'hs' labels have no scores of their own; explain needs another loss")
        words = cut(self._tokens([text])[0])
        features = list(self._features.find(words))
        inputs, outputs = self._model.inputs, self._model.outputs
        direction = outputs[label] if self.loss == "ova" else against_others(outputs, label)
        weights = np.zeros(len(words) + 1, np.float32)
        for row, begin, end in features:
            if row >= 0:
                of = slice(begin, min(end, max(len(words), begin + 1)))  # the end is of no word but itself
                weights[of] += inputs[row] @ direction / (len(features) * (of.stop - of.start))
        return words, weights[:-1]

    @cached_property
    def _features(self) -> FeatureFinder:
        model = self._model
        ngrams = self.word_ngrams, self.min_n, self.max_n, self.bucket
        return FeatureFinder(model.words(), model.buckets(), *ngrams)

    # ---- saving ----

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays.

        Of n-grams only those are stored that training has seen: `buckets`, their numbers, uint32, rising, and
        for each a row of `inputs`, float32 [words + buckets, dim]. Raises ConfigError if not fitted.
        """
        if not hasattr(self, "_model"):
            raise ConfigError(
                "this FastTextClassifier is not fitted, so there is nothing to save; call fit first"
            )
        config = {
            "format": _FORMAT,
            **{name: getattr(self, name) for name in (*_SETTINGS, *_TRAINING)},
            "multilabel": self.multilabel_,
            "documents": self._documents,
            "tokenizer": self._needs_tokenizer,
        }
        arrays = {
            **pack_strings("classes", self.classes_),
            **pack_strings("words", self._model.words()),
            "buckets": self._model.buckets(),
            "label_counts": self._label_counts,
            "inputs": np.ascontiguousarray(self._model.inputs),
            "outputs": np.ascontiguousarray(self._model.outputs),
        }
        return config, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FastTextClassifier:
        """The classifier that `to_state` gave. One that was trained with a tokenizer needs it set again.

        Raises ModelError for anything that is not its state.
        """
        if config.get("format") != _FORMAT:
            raise ModelError(
                f"fastText classifier of format {config.get('format')!r}, but this nlptk reads {_FORMAT}; "
                "use a matching version"
            )
        for name in (*_SETTINGS, *_TRAINING, "multilabel", "documents", "tokenizer"):
            if name not in config:
                raise ModelError(
                    f"the fastText classifier's config has no {name!r}; it is altered or incomplete"
                )
        made = cls(**{name: config[name] for name in (*_SETTINGS, *_TRAINING)})
        classes = unpack_strings("classes", arrays)
        counts = take_array("label_counts", arrays, np.int64, 1)
        documents = config["documents"]
        try:
            made._check()
            check_integer("documents", documents, 1)
            if len(set(classes)) != len(classes) or len(counts) != len(classes) or not classes:
                raise ConfigError("labels and their counts do not match")
            if counts.min() < 0 or counts.max() > documents:
                raise ConfigError("counts of labels are out of range")
            model = _core.FastTextModel(
                unpack_strings("words", arrays),
                take_array("buckets", arrays, np.uint32, 1),
                take_array("inputs", arrays, np.float32, 2),
                take_array("outputs", arrays, np.float32, 2),
                counts.tolist(),
                documents,
                made._kernel_settings(),
            )
        except (ValueError, TypeError, RuntimeError) as error:
            raise ModelError(f"the fastText classifier is altered ({error}); fetch it again") from error
        made.classes_, made.multilabel_ = classes, bool(config["multilabel"])
        made.prior_ = (counts / documents).astype(np.float32)
        made._model, made._label_counts, made._documents = model, counts, documents
        made._needs_tokenizer = bool(config["tokenizer"])
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        state.pop("_features", None)  # is made again
        if state.pop("_model", None) is not None:
            state["_state"] = self.to_state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_state", None)
        vars(self).update(state)
        if saved is not None:
            self._model = self.from_state(*saved)._model

    # ---- steps ----

    def _check(self) -> None:
        """Raise ConfigError for a setting that cannot be."""
        for name, least in _WHOLE.items():
            check_integer(name, getattr(self, name), least)
            if getattr(self, name) >= 1 << 31:
                raise ConfigError(f"{name} must be below 2147483648, not {getattr(self, name)}")
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < float("inf"):
            raise ConfigError(f"learning_rate must be a number above 0, not {rate!r}")
        if not isinstance(self.shuffle, bool):
            raise ConfigError(f"shuffle must be True or False, not {self.shuffle!r}")
        if self.loss not in LOSSES:
            raise ConfigError(f"loss must be one of {', '.join(LOSSES)}, not {self.loss!r}")

    def _set(self, model: _core.FastTextModel, labels: LabelTable) -> FastTextClassifier:
        self._learn_labels(labels)
        vars(self).pop("_features", None)
        self._model, self._label_counts, self._documents = model, labels.counts, len(labels.offsets) - 1
        self._needs_tokenizer = self.tokenizer is not None
        return self

    def _kernel_settings(self) -> _core.FastTextSettings:
        return {
            "dim": self.dim,
            "loss": self.loss,
            "word_ngrams": self.word_ngrams,
            "min_n": self.min_n,
            "max_n": self.max_n,
            "bucket": self.bucket,
            "min_count": self.min_count,
            "rate": float(self.learning_rate),
            "epochs": self.epochs,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "threads": self.threads,
        }

    def _tokens(self, texts: list[Any]) -> list[Any]:
        """Texts as the kernel takes them: strings that it cuts itself, or lists of tokens."""
        if not texts or not isinstance(texts[0], str):
            return texts
        if self.tokenizer is not None:
            return check_texts([list(self.tokenizer(text)) for text in texts], "what the tokenizer gave")
        return texts

    def _trainer(self, texts: list[Any], labels: LabelTable) -> _core.FastTextTrainer:
        words: list[str] = []
        if self.vectors is not None:
            given: Any = self.vectors
            if isinstance(given, (str, os.PathLike)):
                from nlptk import KeyedVectors

                given = KeyedVectors.load(given)
            try:
                words, rows = list(given.index_to_key), given.vectors
            except AttributeError:
                raise ConfigError(f"vectors must be KeyedVectors, a file or None, not {given!r}") from None
            if rows.shape != (len(words), self.dim):
                raise ConfigError(
                    f"vectors have {rows.shape[1]} dimensions but dim is {self.dim}; they must be equal"
                )
        try:
            trainer = _core.FastTextTrainer(
                texts, labels.numbers, labels.offsets, len(labels.classes), words, self._kernel_settings()
            )
        except (ValueError, RuntimeError) as error:
            raise ConfigError(str(error)) from None
        known = trainer.model.words()
        if not known:
            raise DataError(
                f"no word of X occurs {self.min_count} times; give more text or a lower min_count"
            )
        if words:
            place = {word: number for number, word in enumerate(known)}
            trainer.model.inputs[[place[word] for word in words]] = rows
        return trainer
