"""What components that fill ``doc.cats`` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.classify.base import Labels, TextClassifier, Texts
from nlptk.classify.explain import Explanation
from nlptk.component import Component
from nlptk.crf import Progress
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError

#: Key in ``doc.user_data`` of a Doc without words, whose cats are how often labels are in training.
FROM_PRIOR = "cats_from_prior"


class TextCategorizer(Component):
    """Gives each Doc the probabilities of labels, ``doc.cats``; a subclass says by which classifier.

    A Doc without words has the shares of the training texts, and ``doc.user_data["cats_from_prior"]``.

    Args:
        multilabel: whether a text may have several labels, or none; None to see whether one of the training
            texts has.
        options: settings of the classifier.
    """

    assigns = ("doc.cats",)
    requires = ("doc.tokens",)
    kind: type[TextClassifier]

    def __init__(self, multilabel: bool | None = None, **options: Any) -> None:
        try:
            self.classifier = self.kind(**options)
        except TypeError as error:
            raise ConfigError(f"{self.name} does not take this setting: {error}") from None
        self.multilabel = multilabel

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can give; empty before training."""
        return tuple(getattr(self.classifier, "classes_", ()))

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Add the probabilities to ``doc.cats`` of each Doc."""
        X, labels = self._texts(docs), self.labels
        shares = self.classifier.predict_proba(X).tolist()
        for doc, row, empty in zip(docs, shares, self.classifier.empty(X).tolist(), strict=True):
            doc.cats.update(zip(labels, row, strict=True))
            if empty:
                doc.user_data[FROM_PRIOR] = True

    def shares(self, docs: Sequence[Doc]) -> NDArray[np.float32]:
        """The probabilities of annotated Docs, [docs, labels]."""
        labels = self.labels
        rows = [[doc.cats[label] for label in labels] for doc in docs]
        return np.array(rows, np.float32).reshape(len(docs), len(labels))

    def chosen(self, docs: Sequence[Doc]) -> list[list[str]]:
        """The labels that annotated Docs are given."""
        found = self.classifier.choose(self.shares(docs))
        return [[labels] if isinstance(labels, str) else labels for labels in found]

    def explain(self, docs: Sequence[Doc], label: str | None = None) -> list[Explanation]:
        """Which words of Docs speak for a label, or for the most probable: see the classifier's `explain`."""
        return self.classifier.explain(self._texts(docs), label)

    def is_empty(self, doc: Doc) -> bool:
        """Whether an annotated Doc had no words to tell its labels by."""
        return bool(doc.user_data.get(FROM_PRIOR))

    def _texts(self, docs: Sequence[Doc]) -> Texts:
        if not self.classifier.takes_words:
            return [doc.text for doc in docs]
        return [[word for word in doc.words if not word.isspace()] for doc in docs]

    def fit(
        self,
        train: Sequence[Doc],
        dev: Sequence[Doc] | None = None,
        *,
        progress: Progress | None = None,
        **options: Any,
    ) -> TextCategorizer:
        """Learn from Docs whose ``cats`` are gold: a label is a text's where its number is above 0.5.

        `options`: further ones of the classifier's ``fit``.

        Raises:
            DataError: a Doc has no label, or several, and `multilabel` is False.
        """
        sets = [gold_labels(doc) for doc in train]
        several = self.multilabel
        if several is None:
            several = any(len(labels) != 1 for labels in sets)
        held_out: tuple[Texts | None, Labels | None] = (None, None)
        if dev:
            held_out = self._texts(dev), _given([gold_labels(doc) for doc in dev], several, "dev")
        X, y = self._texts(train), _given(sets, several, "training")
        self.classifier.fit(X, y, *held_out, progress=progress, **options)
        return self

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The setting and the classifier's own state."""
        made = self.classifier
        fitted = hasattr(made, "classes_")
        state, arrays = made.to_state() if fitted else (made.get_params(), {})
        return {"multilabel": self.multilabel, "state": state}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> TextCategorizer:
        """The component that `to_state` described. Raises ModelError where it is not usable."""
        try:
            settings = dict(config)
            state = settings.pop("state")
            made = cls(**settings, **({} if arrays else state))
        except (KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"the config of {cls.name} is not usable: {error}") from error
        if arrays:
            made.classifier = made.kind.from_state(state, arrays)
        return made


def gold_labels(doc: Doc) -> list[str]:
    """The labels of a Doc whose ``cats`` are gold."""
    return [label for label, share in doc.cats.items() if share > 0.5]


def _given(sets: list[list[str]], several: bool, which: str) -> Labels:
    """Labels as a classifier takes them."""
    if several:
        return sets
    for number, labels in enumerate(sets):
        if len(labels) != 1:
            raise DataError(
                f"{which} text {number} has {len(labels)} labels in its cats, and one is wanted: "
                "use multilabel=True, or give it one"
            )
    return [labels[0] for labels in sets]
