"""Linear classifier of texts: bags of words or TF-IDF, and a linear SVM, logistic regression or naive Bayes.

Vectorizers are those of nlptk/vectors/counts.py, which count as scikit-learn's do; the SVM is
nlptk/linear_svm.py, the others are scikit-learn's. docs/classify.md says how fast and how calibrated.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.classify.base import (
    ClassWeight,
    Labels,
    TextClassifier,
    Texts,
    check_dev,
    check_labels,
    check_texts,
    class_weights,
    encode_labels,
)
from nlptk.classify.explain import Explanation, against_others
from nlptk.classify.linear_training import (
    ALGORITHMS,
    LinearWeights,
    Trainer,
    fit_scale,
    known_targets,
    log_odds,
    probabilities,
)
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.state import check_integer, pack_strings, take_array, unpack_strings

WEIGHTINGS = ("tfidf", "count", "binary")
ANALYZERS = ("word", "char", "char_wb")
_FORMAT = 1


class LinearClassifier(TextClassifier):
    """A linear model over n-grams of words or characters.

    Args:
        algorithm: "svm", "logistic" (regression) or "naive-bayes" (multinomial: the one of counts, which
            takes TF-IDF as well).
        weighting: what an n-gram counts in a text: "tfidf"; "count"; or "binary", 1.
        ngram_range: words, or characters, of the shortest and longest n-grams.
        min_df, max_df: n-grams of fewer or more texts are left out: how many texts, or a share (float).
        max_features: only so many n-grams stay, the most frequent.
        sublinear_tf: 1 + log(count) in place of the count ("tfidf").
        analyzer: n-grams of "word", "char", or "char_wb" (characters that do not cross words).
        tokenizer: cuts a text into words: a name ("whitespace", "en", "jieba") or a function; None: the
            pattern of scikit-learn, words of two letters or digits at least. Texts that are lists of words
            are not cut again.
        lowercase: whether case counts for nothing.
        C: what errors cost; less is a simpler model ("svm", "logistic").
        alpha: added to each count ("naive-bayes").
        class_weight: what a text counts for its label: "balanced", weights of labels, or None.
        calibrate: whether scores are scaled so that probabilities can be trusted: see `fit`.
        threshold: of the probability of a label, where a text may have several.
        seed: of the order in which the SVM visits texts, and of what is held out.

    Attributes:
        classes_, multilabel_, prior_: see :class:`nlptk.classify.base.TextClassifier`.
        vectorizer_: :class:`nlptk.TfidfVectorizer` or :class:`nlptk.CountVectorizer`.
        weights_: :class:`nlptk.classify.linear_training.LinearWeights`, over the vectorizer's columns.
        scale_: what scores are multiplied by before they become probabilities.
    """

    vectorizer_: Any
    weights_: LinearWeights
    scale_: float

    def __init__(
        self,
        algorithm: str = "svm",
        weighting: str = "tfidf",
        ngram_range: Sequence[int] = (1, 2),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        sublinear_tf: bool = False,
        analyzer: str = "word",
        tokenizer: str | Callable[[str], Iterable[str]] | None = None,
        lowercase: bool = True,
        C: float = 1.0,
        alpha: float = 1.0,
        class_weight: ClassWeight = None,
        calibrate: bool = True,
        threshold: float = 0.5,
        seed: int = 1,
    ) -> None:
        self.algorithm = algorithm
        self.weighting = weighting
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.sublinear_tf = sublinear_tf
        self.analyzer = analyzer
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.C = C
        self.alpha = alpha
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.threshold = threshold
        self.seed = seed

    @property
    def takes_words(self) -> bool:
        """Whether n-grams are of words and no `tokenizer` finds them."""
        return self.analyzer == "word" and self.tokenizer is None

    def fit(
        self,
        X: Texts,
        y: Labels,
        X_dev: Texts | None = None,
        y_dev: Labels | None = None,
        *,
        progress: Progress | None = None,
    ) -> LinearClassifier:
        """Learn from texts X, or lists of words, and their labels y: a label each, or a list of labels each.

        Scores become probabilities by one factor for all labels, so that the most probable label is the one
        of the largest score, calibrated or not. The factor is the one that makes the labels of the dev set
        most probable; without a dev set those of texts held out of a fifth of the training set or, where that
        is small, of all fifths in turn. Nothing else depends on it, or on the dev set.

        Args:
            progress: called once, with ``iteration``, ``of`` and ``features``.

        Raises:
            ConfigError: a setting is out of range.
            DataError: X and y do not match, are empty, or hold what is not a string; there are too few or too
                many labels; no n-gram is left.

        Warns UserWarning if y_dev has labels that y has not, or if nothing can be held out.
        """
        self._check()
        texts = check_texts(X)
        labels = encode_labels(y, len(texts))
        has_dev = check_dev(X_dev, y_dev, labels.classes)
        weights = class_weights(self.class_weight, labels)
        trainer = Trainer(self.algorithm, self.C, self.alpha, weights, self.seed)
        vectorizer = self._make_vectorizer()
        try:
            matrix = vectorizer.fit_transform(texts)
        except DataError as error:
            raise DataError(
                f"X has no n-gram to learn from: {error}; give more text or a lower min_df"
            ) from None
        except ValueError as error:
            raise ConfigError(str(error)) from None
        targets = labels.targets
        found, scale = trainer.fit(matrix, targets), None
        if self.calibrate and has_dev:
            assert X_dev is not None
            assert y_dev is not None
            lists, _ = check_labels(y_dev, len(X_dev))
            kept, gold = known_targets(lists, labels.classes, labels.multilabel)
            if len(kept):
                dev = check_texts(X_dev)
                scale = fit_scale(found.scores(vectorizer.transform([dev[i] for i in kept])), gold)
        if self.calibrate and scale is None:
            scale = trainer.held_out_scale(matrix, targets)
            if scale is None:
                warnings.warn(
                    "there are too few texts to hold one out, so probabilities are not calibrated",
                    UserWarning,
                    stacklevel=2,
                )
        self._learn_labels(labels)
        self.vectorizer_, self.weights_ = vectorizer, found
        self.scale_ = 1.0 if scale is None else scale
        if progress is not None:
            progress({"iteration": 1, "of": 1, "features": matrix.shape[1]})
        return self

    def decision_function(self, X: Texts) -> NDArray[np.float32]:
        """The scores: float32 [texts, labels], or of two labels [texts], above 0 for the second.

        Of an empty text too, whose label is told by `prior_` all the same. Raises as `predict_proba`.
        """
        scores = self._scores(check_texts(X))
        return scores if self.multilabel_ or scores.shape[1] > 1 else scores[:, 0]

    def _scores(self, X: Texts) -> NDArray[np.float32]:
        self._check_fitted()
        return self.weights_.scores(self.vectorizer_.transform(X))

    def _probabilities(self, X: Texts) -> NDArray[np.float32]:
        return probabilities(self._scores(X), self.scale_, self.multilabel_)

    def _check_fitted(self) -> None:
        if not hasattr(self, "weights_"):
            raise ConfigError("this LinearClassifier is not fitted; call fit or from_state first")

    # ---- which words decide ----

    def explain(self, X: Texts, label: str | None = None) -> list[Explanation]:
        """Which words speak for a label of each text, or for the most probable one.

        A word's weight is the sum, over the n-grams it stands in, of what each adds to the score, shared
        equally among the words of the n-gram. The score is that of the label over the other one of two, over
        the mean of all where there are more, and the label's own where a text may have several. Raises as
        :meth:`nlptk.classify.base.TextClassifier.explain`, ConfigError also for n-grams of characters.
        """
        return super().explain(X, label)

    def _contributions(self, text: str | Sequence[str], label: int) -> tuple[list[str], NDArray[np.float32]]:
        if self.analyzer != "word":
            raise ConfigError("n-grams of characters do not tell which words decide; use analyzer='word'")
        vectorizer = self.vectorizer_
        if isinstance(text, str):
            words = seen = list(vectorizer.build_tokenizer()(vectorizer.build_preprocessor()(text)))
        else:
            words = list(text)
            seen = [word.lower() for word in words] if self.lowercase else words
        row = vectorizer.transform([text])
        added = dict(zip(row.indices.tolist(), row.data * self._row(label, row.indices), strict=True))
        places: dict[int, list[tuple[int, int]]] = {}
        low, high = self.ngram_range
        for size in range(low, high + 1):
            for begin in range(len(seen) - size + 1):
                column = vectorizer.vocabulary_.get(" ".join(seen[begin : begin + size]))
                if column is not None:
                    places.setdefault(column, []).append((begin, begin + size))
        weights = np.zeros(len(words), np.float32)
        for column, spans in places.items():
            for begin, end in spans:
                weights[begin:end] += added[column] / (len(spans) * (end - begin))
        return words, weights

    def _row(self, label: int, columns: NDArray[np.int32]) -> NDArray[np.float32]:
        """What columns count for a label, [columns]."""
        coef = self.weights_.coef[:, columns]
        if self.multilabel_:
            row: NDArray[np.float32] = coef[label]
            return row
        return against_others(log_odds(coef.T, several=False).T, label)

    # ---- saving ----

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays: n-grams, their `idf`, and weights, `coef` [rows, n-grams].

        Raises ConfigError if it is not fitted, or its tokenizer is a function.
        """
        self._check_fitted()
        vectorizer, arrays = self.vectorizer_.to_state()
        weights = {"coef": self.weights_.coef, "intercept": self.weights_.intercept, "prior": self.prior_}
        config = {
            "format": _FORMAT,
            "settings": {**self.get_params(), "ngram_range": list(self.ngram_range)},
            "vectorizer": vectorizer,
            "multilabel": self.multilabel_,
            "scale": self.scale_,
        }
        return config, {**arrays, **weights, **pack_strings("classes", self.classes_)}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearClassifier:
        """The classifier that `to_state` gave. Raises ModelError for anything that is not its state."""
        if config.get("format") != _FORMAT:
            raise ModelError(
                f"linear classifier of format {config.get('format')!r}, but this nlptk reads {_FORMAT}; "
                "use a matching version"
            )
        try:
            made = cls(**config["settings"])
            made._check()
            several, scale = config["multilabel"], config["scale"]
            if not isinstance(several, bool) or not _is_positive(scale):
                raise ConfigError(f"multilabel is {several!r} and scale {scale!r}")
            made.vectorizer_ = type(made._make_vectorizer()).from_state(config["vectorizer"], arrays)
        except (KeyError, TypeError, AttributeError, ConfigError) as error:
            raise ModelError(
                f"the linear classifier's config is altered ({error}); fetch it again"
            ) from error
        classes = unpack_strings("classes", arrays)
        coef, intercept = (
            take_array("coef", arrays, np.float32, 2),
            take_array("intercept", arrays, np.float32, 1),
        )
        prior = take_array("prior", arrays, np.float32, 1)
        rows = 1 if len(classes) == 2 and not several else len(classes)
        if coef.shape != (rows, len(made.vectorizer_.vocabulary_)) or len(intercept) != rows:
            raise ModelError(
                "the linear classifier's weights do not match its labels and n-grams; fetch it again"
            )
        if len(prior) != len(classes) or len(set(classes)) != len(classes) or not classes:
            raise ModelError("the linear classifier's labels and their shares do not match; fetch it again")
        made.classes_, made.multilabel_, made.prior_ = classes, several, prior
        made.weights_, made.scale_ = LinearWeights(coef, intercept), scale
        return made

    # ---- steps ----

    def _check(self) -> None:
        """Raise ConfigError for a setting that cannot be."""
        choices = {"algorithm": ALGORITHMS, "weighting": WEIGHTINGS, "analyzer": ANALYZERS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("sublinear_tf", "lowercase", "calibrate"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be True or False, not {getattr(self, name)!r}")
        for name in ("C", "alpha"):
            if not _is_positive(getattr(self, name)):
                raise ConfigError(f"{name} must be a number above 0, not {getattr(self, name)!r}")
        check_integer("seed", self.seed, 0)
        if not isinstance(self.ngram_range, (list, tuple)) or len(self.ngram_range) != 2:
            raise ConfigError(f"ngram_range must be two numbers, not {self.ngram_range!r}")
        check_integer("the first of ngram_range", self.ngram_range[0], 1)
        check_integer("the second of ngram_range", self.ngram_range[1], self.ngram_range[0])
        if self.sublinear_tf and self.weighting != "tfidf":
            raise ConfigError(f"sublinear_tf is for weighting 'tfidf', not {self.weighting!r}")

    def _make_vectorizer(self) -> Any:
        from nlptk import CountVectorizer, TfidfVectorizer

        settings: dict[str, Any] = {
            "ngram_range": tuple(self.ngram_range),
            "min_df": self.min_df,
            "max_df": self.max_df,
            "max_features": self.max_features,
            "analyzer": self.analyzer,
            "lowercase": self.lowercase,
            "dtype": np.float32,
        }
        if self.tokenizer is not None:
            settings |= {"tokenizer": self.tokenizer, "token_pattern": None}
        if self.weighting == "tfidf":
            return TfidfVectorizer(sublinear_tf=self.sublinear_tf, **settings)
        return CountVectorizer(binary=self.weighting == "binary", **settings)


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
