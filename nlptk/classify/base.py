"""What the classifiers of texts share: texts and labels as they are given, priors, predictions and scores."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk.classify.explain import Explanation
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError
from nlptk.estimator import Estimator

#: A text: a string, or its words.
Text: TypeAlias = str | Sequence[str]
#: A label for each text, or several.
Labels: TypeAlias = Sequence[str] | Sequence[Sequence[str]]
ClassWeight: TypeAlias = Mapping[str, float] | str | None

MOST_CLASSES = 100_000


class Targets(NamedTuple):
    """Labels as numbers.

    Attributes:
        classes: the labels, sorted.
        numbers: int64 [texts], of each text's label; with several labels a text float32 [texts, classes], 1
            for those that it has.
    """

    classes: list[str]
    numbers: NDArray[np.int64] | NDArray[np.float32]

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels, or none."""
        return self.numbers.ndim == 2

    @property
    def prior(self) -> NDArray[np.float32]:
        """The share of texts that have each label, [classes]."""
        numbers, classes = self.numbers, len(self.classes)
        counts = numbers.sum(0) if self.multilabel else np.bincount(numbers, minlength=classes)
        return np.asarray(counts / max(len(numbers), 1), np.float32)


def check_texts(X: Sequence[Text], name: str = "X") -> None:
    """Raise DataError unless X is a sequence of strings, or of sequences of strings."""
    if isinstance(X, str):
        raise DataError(f"{name} is one string; give a list of texts")
    for number, text in enumerate(X):
        if isinstance(text, str):
            continue
        if not isinstance(text, Sequence) or not all(isinstance(word, str) for word in text):
            raise DataError(f"{name}: text {number} is {text!r:.80}, neither a string nor a list of words")


def check_parallel(X: Sequence[Text], y: Labels, name: str = "X") -> None:
    """Raise DataError unless there are texts, and as many labels."""
    check_texts(X, name)
    if len(X) != len(y):
        raise DataError(f"{name} has {len(X)} texts but there are {len(y)} labels; they must be parallel")
    if not len(X):
        raise DataError(f"{name} has no texts; give one at least")


def label_sets(y: Labels) -> tuple[list[list[str]], bool]:
    """The labels of each text, and whether these are given as lists.

    Raises DataError for a label that is no string, as NaN is not, or an empty one.
    """
    several = any(not isinstance(labels, str) and isinstance(labels, Sequence) for labels in y)
    found = []
    for number, given in enumerate(y):
        labels = [given] if isinstance(given, str) or not isinstance(given, Sequence) else [*given]
        for label in labels:
            if not isinstance(label, str) or not label:
                raise DataError(f"the label of text {number} is {label!r}, and must be a string")
        found.append(labels)
    return found, several


def make_targets(y: Labels) -> Targets:
    """The labels of training texts as numbers. Raises DataError as `label_sets`, and for too many classes."""
    sets, several = label_sets(y)
    classes = sorted(set(chain.from_iterable(sets)))
    if not classes:
        raise DataError("no text has a label; there is nothing to learn")
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"there are {len(classes):,} different labels, and at most {MOST_CLASSES:,} can be classes: "
            "is this the column of labels?"
        )
    numbers = {label: number for number, label in enumerate(classes)}
    if not several:
        return Targets(classes, np.array([numbers[labels[0]] for labels in sets], np.int64))
    table = np.zeros((len(sets), len(classes)), np.float32)
    for row, labels in zip(table, sets, strict=True):
        row[[numbers[label] for label in labels]] = 1
    return Targets(classes, table)


def class_weights(given: ClassWeight, targets: Targets) -> NDArray[np.float32] | None:
    """What a text counts for each of its labels, float32 [classes]; None where all count the same.

    "balanced": texts / (classes * texts of the label), as scikit-learn has it.

    Raises ConfigError for another word, a label that there is not, or a weight that is not above 0.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given != "balanced":
            raise ConfigError(f"class_weight must be 'balanced', labels' weights or None, not {given!r}")
        shares = np.maximum(targets.prior, 1e-9)
        return (1 / (len(targets.classes) * shares)).astype(np.float32)
    if unknown := set(given) - set(targets.classes):
        raise ConfigError(f"class_weight names {min(unknown)!r}, which no training text has as its label")
    weights = np.array([given.get(label, 1.0) for label in targets.classes], np.float32)
    if not (weights > 0).all() or not np.isfinite(weights).all():
        raise ConfigError("the weights of class_weight must be numbers above 0")
    return weights


def warn_of_new(y_dev: Labels, classes: Sequence[str]) -> None:
    """Warn of labels that only the dev set has: no prediction of them can be right."""
    sets, _ = label_sets(y_dev)
    counts = Counter(label for labels in sets for label in labels if label not in set(classes))
    if counts:
        named = ", ".join(f"{label!r} ({count})" for label, count in counts.most_common(5))
        warnings.warn(f"the dev set has labels that training has not: {named}", stacklevel=3)


class Classifier(Estimator):
    """Base of the classifiers: a subclass has `fit`, `_probabilities`, `to_state` and `from_state`.

    Attributes:
        classes_: the labels, sorted.
        multilabel_: whether a text may have several of them.
        prior_: float32 [classes], the share of training texts with each label: what a text without words
            gets.
    """

    classes_: list[str]
    multilabel_: bool
    prior_: NDArray[np.float32]
    threshold: float

    @property
    def takes_words(self) -> bool:
        """Whether it sees texts as words; it is then best given those of a pipeline's tokenizer."""
        return True

    def fit(
        self,
        X: Sequence[Text],
        y: Labels,
        X_dev: Sequence[Text] | None = None,
        y_dev: Labels | None = None,
        *,
        progress: Progress | None = None,
    ) -> Classifier:
        """Learn from texts X and their labels y."""
        raise NotImplementedError

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and labels that JSON can hold, and arrays."""
        raise NotImplementedError

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Classifier:
        """The classifier that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        raise NotImplementedError

    def _learn_labels(self, targets: Targets) -> None:
        self.classes_, self.multilabel_, self.prior_ = targets.classes, targets.multilabel, targets.prior

    def _is_empty(self, text: Text) -> bool:
        """Whether there is nothing to look at."""
        return not (text.strip() if isinstance(text, str) else text)

    def _probabilities(self, X: Sequence[Text]) -> NDArray[np.float32]:
        """Of texts that are not empty, [texts, classes]."""
        raise NotImplementedError

    def empty(self, X: Sequence[Text]) -> NDArray[np.bool_]:
        """Which texts have no words, [texts]: what is predicted for these is `prior_`."""
        check_texts(X)
        return np.fromiter(map(self._is_empty, X), bool, len(X))

    def predict_proba(self, X: Sequence[Text]) -> NDArray[np.float32]:
        """Probabilities of ``classes_``, float32 [texts, classes]; rows sum to 1 if a text has one label.

        Raises:
            ConfigError: the classifier is not fitted.
            DataError: X is not a sequence of texts.
        """
        if not hasattr(self, "classes_"):
            raise ConfigError(f"this {type(self).__name__} is not fitted; call fit or from_state first")
        kept = np.flatnonzero(~self.empty(X))
        found = np.tile(self.prior_, (len(X), 1))
        if len(kept):
            found[kept] = self._probabilities([X[i] for i in kept.tolist()])
        return found

    def predict(self, X: Sequence[Text]) -> list[str] | list[list[str]]:
        """The most probable label of each text; where it may have several, those of at least `threshold`."""
        return self.choose(self.predict_proba(X))

    def choose(self, shares: NDArray[np.float32]) -> list[str] | list[list[str]]:
        """The labels that probabilities [texts, classes] stand for."""
        if not self.multilabel_:
            return [self.classes_[i] for i in shares.argmax(1).tolist()]
        return [[self.classes_[i] for i in np.flatnonzero(row)] for row in shares >= self.threshold]

    def explain(self, X: Sequence[Text], label: str | None = None) -> list[Explanation]:
        """Which words speak for a label of each text, or for the most probable one.

        Raises:
            ConfigError: there is no such label, or this classifier cannot tell.
            DataError: X is not a sequence of texts.
        """
        shares = self.predict_proba(X)
        if label is not None and label not in self.classes_:
            raise ConfigError(f"there is no label {label!r}; there are {', '.join(self.classes_[:20])}")
        best = shares.argmax(1) if label is None else np.full(len(X), self.classes_.index(label))
        found = []
        for text, row, number, empty in zip(X, shares, best.tolist(), self.empty(X).tolist(), strict=True):
            words, weights = ([], np.zeros(0, np.float32)) if empty else self._contributions(text, number)
            told = dict(zip(self.classes_, row.tolist(), strict=True))
            found.append(Explanation(words, weights, self.classes_[number], told))
        return found

    def _contributions(self, text: Text, label: int) -> tuple[list[str], NDArray[np.float32]]:
        """The words of a text that is not empty, and what each says for a label."""
        raise ConfigError(f"{type(self).__name__} does not tell which words decide")

    def score(self, X: Sequence[Text], y: Labels) -> float:
        """The share of texts whose labels are predicted as they are in y, all of them.

        Raises DataError where X and y do not match, or are empty.
        """
        check_parallel(X, y)
        wanted, _ = label_sets(y)
        found, _ = label_sets(self.predict(X))
        return float(np.mean([set(a) == set(b) for a, b in zip(wanted, found, strict=True)]))
