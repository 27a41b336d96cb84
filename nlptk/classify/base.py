"""What the classifiers of texts share: texts and labels as they are given, priors, predictions and scores."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk.classify.explain import Explanation
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError
from nlptk.estimator import Estimator

#: Texts, or lists of their words.
Texts: TypeAlias = Sequence[str] | Sequence[Sequence[str]]
#: A label for each text, or a list of any number of labels.
Labels: TypeAlias = Sequence[str] | Sequence[Sequence[str]]
ClassWeight: TypeAlias = Mapping[str, float] | str | None

#: Different labels that a training set may have: each costs a row of weights, and a column in every answer.
MOST_CLASSES = 100_000
_LISTS = (list, tuple, set, frozenset)
_CELLS = 1 << 24  # probabilities that `predict` holds at a time


class LabelTable(NamedTuple):
    """The labels of texts as numbers.

    Attributes:
        classes: the different labels, sorted.
        numbers: uint32, the places in `classes` of the labels of one text after another.
        offsets: int64 [texts + 1]; text i has numbers[offsets[i]:offsets[i + 1]].
        multilabel: whether texts have lists of labels.
    """

    classes: list[str]
    numbers: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    multilabel: bool

    @property
    def counts(self) -> NDArray[np.int64]:
        """int64 [classes], the texts that have each label."""
        return np.bincount(self.numbers, minlength=len(self.classes)).astype(np.int64)

    @property
    def prior(self) -> NDArray[np.float32]:
        """float32 [classes], the share of texts that have each label."""
        return (self.counts / max(len(self.offsets) - 1, 1)).astype(np.float32)

    @property
    def targets(self) -> NDArray[np.int64] | NDArray[np.float32]:
        """int64 [texts], the number of each text's label; of lists float32 [texts, classes], 1 for those of a
        text.
        """
        if not self.multilabel:
            return self.numbers.astype(np.int64)
        table = np.zeros((len(self.offsets) - 1, len(self.classes)), np.float32)
        table[np.repeat(np.arange(len(table)), np.diff(self.offsets)), self.numbers] = 1
        return table


class TextClassifier(Estimator):
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
    threshold: float = 0.5  # of the probability of a label, where a text may have several

    @property
    def takes_words(self) -> bool:
        """Whether it sees texts as words; it is then best given those of a pipeline's tokenizer."""
        return True

    def fit(
        self,
        X: Texts,
        y: Labels,
        X_dev: Texts | None = None,
        y_dev: Labels | None = None,
        *,
        progress: Progress | None = None,
    ) -> TextClassifier:
        """Learn from texts X and their labels y."""
        raise NotImplementedError

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and labels that JSON can hold, and arrays."""
        raise NotImplementedError

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TextClassifier:
        """The classifier that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        raise NotImplementedError

    def _learn_labels(self, labels: LabelTable) -> None:
        self.classes_, self.multilabel_, self.prior_ = labels.classes, labels.multilabel, labels.prior

    def _is_empty(self, text: str | Sequence[str]) -> bool:
        """Whether there is nothing to look at."""
        return not (text.strip() if isinstance(text, str) else text)

    def _probabilities(self, X: Texts) -> NDArray[np.float32]:
        """Of texts that are not empty, [texts, classes]."""
        raise NotImplementedError

    def empty(self, X: Texts) -> NDArray[np.bool_]:
        """Which texts have no words, [texts]: what is predicted for these is `prior_`."""
        return np.fromiter(map(self._is_empty, check_texts(X)), bool, len(X))

    def predict_proba(self, X: Texts) -> NDArray[np.float32]:
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

    def predict(self, X: Texts, *, threshold: float | None = None) -> list[Any]:
        """The most probable label of each text; where it may have several, those of at least `threshold`.

        None is the setting. Raises as `predict_proba`.
        """
        texts = check_texts(X)
        found: list[Any] = []
        step = max(_CELLS // max(len(getattr(self, "classes_", ())), 1), 1)
        for at in range(0, max(len(texts), 1), step):
            found += self.choose(self.predict_proba(texts[at : at + step]), threshold)
        return found

    def choose(self, shares: NDArray[np.float32], threshold: float | None = None) -> list[Any]:
        """The labels that probabilities [texts, classes] stand for."""
        least = self.threshold if threshold is None else threshold
        if not self.multilabel_:
            return [self.classes_[i] for i in shares.argmax(1).tolist()]
        return [[self.classes_[i] for i in np.flatnonzero(row)] for row in shares >= least]

    def explain(self, X: Texts, label: str | None = None) -> list[Explanation]:
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

    def _contributions(self, text: str | Sequence[str], label: int) -> tuple[list[str], NDArray[np.float32]]:
        """The words of a text that is not empty, and what each says for a label."""
        raise ConfigError(f"{type(self).__name__} does not tell which words decide")

    def score(self, X: Texts, y: Labels) -> float:
        """The share of texts whose labels are predicted as they are in y, all of them.

        Raises DataError where X and y do not match, or are empty.
        """
        gold, _ = check_labels(y, len(check_texts(X)))
        if not gold:
            raise DataError("there are no texts to score")
        found = self.predict(X)
        lists = found if self.multilabel_ else [[label] for label in found]
        return float(np.mean([a == b for a, b in zip(lists, gold, strict=True)]))

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn from 1.6 on asks of an estimator: a classifier, of texts."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_label=True),
            input_tags=InputTags(two_d_array=False, string=True),
        )


def check_texts(X: Texts, name: str = "X") -> list[Any]:
    """X as a list of strings, or of lists of strings. Raises DataError, naming the text, if it is neither."""
    if isinstance(X, (str, bytes)):
        raise DataError(f"{name} is one string; give a list of texts")
    texts = list(X)
    if set(map(type, texts)) <= {str}:  # nearly always, and no step of Python for each text
        return texts
    tokenized = not isinstance(texts[0], str)
    for number, text in enumerate(texts):
        if not tokenized and not isinstance(text, str):
            raise DataError(f"text {number} of {name} is {text!r}, which is not a string as those before it")
        if not tokenized:
            continue
        if not isinstance(text, (list, tuple)):
            raise DataError(f"text {number} of {name} is {text!r}, which is not a list of tokens")
        if not set(map(type, text)) <= {str}:
            for token in text:
                if not isinstance(token, str):
                    raise DataError(f"text {number} of {name} has the token {token!r}, which is not a string")
    return texts


def check_labels(y: Labels, texts: int, name: str = "y") -> tuple[list[list[str]], bool]:
    """The labels of each of so many texts, sorted, and whether y has lists of them.

    Raises DataError unless y has a string, or a list of strings, for each text.
    """
    if isinstance(y, (str, bytes)):
        raise DataError(f"{name} is one string; give a label for each text")
    given: list[Any] = list(y)
    if len(given) != texts:
        raise DataError(f"there are {texts} texts but {len(given)} labels in {name}; they must be parallel")
    if set(map(type, given)) <= {str}:
        return [[label] for label in given], False
    multilabel = isinstance(given[0], _LISTS)
    lists: list[list[str]] = []
    for number, labels in enumerate(given):
        if multilabel and not isinstance(labels, _LISTS):
            raise DataError(f"label {number} of {name} is {labels!r}, but those before it are lists")
        for label in labels if multilabel else (labels,):
            if not isinstance(label, str):
                raise DataError(f"label {number} of {name} is {label!r}, which is not a string")
        lists.append(sorted(set(labels)) if multilabel else [str(labels)])
    return lists, multilabel


def encode_labels(y: Labels, texts: int) -> LabelTable:
    """The labels of a training set of so many texts.

    Raises DataError as `check_labels`, and if there are no texts, or too few or too many different labels.
    """
    lists, multilabel = check_labels(y, texts)
    if not lists:
        raise DataError("there are no texts; give one at least")
    distinct = set(chain.from_iterable(lists))
    if len(distinct) > MOST_CLASSES:
        raise DataError(
            f"y has {len(distinct)} different labels, but a classifier tells {MOST_CLASSES} apart at most, "
            "as each costs weights and a column of every answer; see that they are no ids, or join rare ones"
        )
    classes = sorted(distinct)
    if len(classes) < (1 if multilabel else 2):
        raise DataError(
            f"y has no labels but {classes}, so there is nothing to tell apart; give texts of more"
        )
    place = {label: number for number, label in enumerate(classes)}
    offsets = np.zeros(texts + 1, np.int64)
    np.cumsum(list(map(len, lists)), out=offsets[1:])
    numbers = np.fromiter(map(place.__getitem__, chain.from_iterable(lists)), np.uint32, offsets[-1])
    return LabelTable(classes, numbers, offsets, multilabel)


def check_dev(X_dev: Texts | None, y_dev: Labels | None, classes: Sequence[str]) -> bool:
    """Whether there is a dev set; warns of its labels that `classes` lacks.

    Raises ConfigError for half of one, DataError unless it has texts and their labels.
    """
    if (X_dev is None) != (y_dev is None):
        raise ConfigError("X_dev and y_dev belong together; give both or neither")
    if X_dev is None or y_dev is None:
        return False
    lists, _ = check_labels(y_dev, len(check_texts(X_dev, "X_dev")), "y_dev")
    if not lists:
        raise DataError("X_dev has no texts; give one at least, or no dev set")
    unknown = sorted(set(chain.from_iterable(lists)) - set(classes))
    if unknown:
        shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        warnings.warn(
            f"labels of y_dev are not in y and will never be predicted: {shown}", UserWarning, stacklevel=3
        )
    return True


def class_weights(given: ClassWeight, labels: LabelTable) -> NDArray[np.float32] | None:
    """What a text counts for each of its labels, float32 [classes]; None where all count the same.

    "balanced": texts / (classes * texts of the label), as scikit-learn has it.

    Raises ConfigError for another word, a label that there is not, or a weight that is not above 0.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given != "balanced":
            raise ConfigError(f"class_weight must be 'balanced', labels' weights or None, not {given!r}")
        shares = np.maximum(labels.prior, 1e-9)
        return (1 / (len(labels.classes) * shares)).astype(np.float32)
    if unknown := set(given) - set(labels.classes):
        raise ConfigError(f"class_weight names {min(unknown)!r}, which no training text has as its label")
    weights = np.array([given.get(label, 1.0) for label in labels.classes], np.float32)
    if not (weights > 0).all() or not np.isfinite(weights).all():
        raise ConfigError("the weights of class_weight must be numbers above 0")
    return weights
