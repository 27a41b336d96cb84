"""What the taggers share: scikit-learn's manner of settings, checks of training data, strings as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nlptk import chain
from nlptk.errors import ConfigError, DataError
from nlptk.estimator import Estimator as Estimator
from nlptk.state import check_integer as check_integer
from nlptk.state import pack_strings as pack_strings
from nlptk.state import take_array as take_array
from nlptk.state import unpack_strings as unpack_strings

Sentences = Sequence[Sequence[str]]


class SequenceLabeller(Estimator):
    """An estimator that gives each item of a sequence a label."""

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn from 1.6 on asks of an estimator: that it is no classifier of single labels."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True, single_output=False),
            input_tags=InputTags(two_d_array=False),
        )


class LabelLists(list[list[str]]):
    """A list of labels for each sentence; a vector of lists to NumPy, as scikit-learn needs to join folds."""

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return as_array(self).astype(dtype or object, copy=False)


def as_array(lists: list[Any]) -> NDArray[np.object_]:
    """[sentences], one list in each place, also where all are as long."""
    array = np.empty(len(lists), object)
    for number, one in enumerate(lists):
        array[number] = one
    return array


def resolve_scheme(scheme: str | None, classes: Sequence[str]) -> chain.Scheme | None:
    """The tagging scheme that a setting means; "auto" is "bio" where all labels but O are of that kind.

    Raises ConfigError for a scheme that there is not.
    """
    if scheme == "auto":
        entities = [label for label in classes if label != "O"]
        looks_bio = entities and all(label[:2] in ("B-", "I-") and len(label) > 2 for label in entities)
        begun = {label[2:] for label in entities if label.startswith("B-")}
        return "bio" if looks_bio and {label[2:] for label in entities} <= begun else None
    if scheme is None or scheme == "bio" or scheme == "bioes":
        return scheme  # type: ignore[return-value]
    raise ConfigError(f"scheme must be 'bio', 'bioes', 'auto' or None, not {scheme!r}")


def check_sentences(X: Sentences, what: str = "X") -> None:
    """Raise DataError unless X is a list of lists of strings; the message names the sentence."""
    if isinstance(X, str):
        raise DataError(f"{what} is one string; give a list of sentences, each a list of strings")
    for number, sentence in enumerate(X):
        if isinstance(sentence, str):
            raise DataError(
                f"sentence {number} of {what} is one string; give a list of sentences, each a list of strings"
            )
        if set(map(type, sentence)) <= {str}:  # nearly always, and no step of Python for each word
            continue
        for item in sentence:
            if not isinstance(item, str):
                raise DataError(f"sentence {number} of {what} holds {item!r}, which is not a string")


def check_training(X: Sentences, y: Sentences) -> None:
    """Raise DataError unless X and y are tokens and tags of the same sentences, with at least one token."""
    check_sentences(X, "X")
    check_sentences(y, "y")
    check_lengths(X, y)
    if not any(len(tokens) for tokens in X):
        raise DataError("the training set has no tokens; give at least one sentence")


def check_dev(X_dev: Sentences | None, y_dev: Sentences | None) -> bool:
    """Whether there is a dev set. Raises ConfigError for half of one, DataError unless both are parallel."""
    if (X_dev is None) != (y_dev is None):
        raise ConfigError("X_dev and y_dev belong together; give both or neither")
    if X_dev is None or y_dev is None:
        return False
    check_sentences(X_dev, "X_dev")
    check_sentences(y_dev, "y_dev")
    check_lengths(X_dev, y_dev)
    return True


def check_lengths(X: Sentences, y: Sentences) -> None:
    """Raise DataError unless X and y have the same number of sentences and of items in each."""
    if len(X) != len(y):
        raise DataError(f"X has {len(X)} sentences but y has {len(y)}; they must be parallel")
    for number, (tokens, tags) in enumerate(zip(X, y, strict=True)):
        if len(tokens) != len(tags):
            raise DataError(f"sentence {number} has {len(tokens)} tokens but {len(tags)} tags")


def dev_score(classes: Sequence[str], gold: NDArray[np.int32], found: NDArray[np.int32]) -> float:
    """Token accuracy; where there is a label "O", that of tokens that are not "O" on both sides."""
    if "O" not in classes:
        return float(np.mean(gold == found))
    outside = classes.index("O")
    inside = (gold != outside) | (found != outside)
    return float(np.mean(gold[inside] == found[inside])) if inside.any() else 1.0
