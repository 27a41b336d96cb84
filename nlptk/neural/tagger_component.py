"""Component ``neural_tagger``: fills one column of a Doc with a neural tagger."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.tagger import NeuralTagger
from nlptk.tag.component import Tagger, check_column, gold_labels, sentence_words
from nlptk.tag.features import TokenBatch


class NeuralTaggerComponent(Tagger):
    """Fills a string column ("pos", "tag", "ent" or any other name), sentence by sentence.

    Args:
        column: the column to fill; "ent" holds IOB2 labels.
        options: settings of :class:`nlptk.neural.tagger.NeuralTagger`.

    Requires "doc.tokens". White space that leads a text is a token without a label ("O" for entities).
    """

    name = "neural_tagger"

    def __init__(self, column: str = "pos", **options: Any) -> None:
        check_column(column)
        try:
            self.tagger: Any = NeuralTagger(**options)
        except TypeError as error:
            raise ConfigError(f"the neural tagger does not take this setting: {error}") from None
        self.column = column
        self._set_labels()

    def _predict(self, docs: Sequence[Doc], batch: TokenBatch) -> NDArray[np.int32]:
        found: NDArray[np.int32] = self.tagger.predict_ids(sentence_words(docs, batch))
        return found

    def fit(
        self,
        train: Sequence[Doc],
        dev: Sequence[Doc] | None = None,
        *,
        progress: Progress | None = None,
        checkpoint: PathLike | None = None,
        resume: bool = False,
    ) -> NeuralTaggerComponent:
        """Learn from Docs whose column holds gold labels; see :meth:`nlptk.neural.tagger.NeuralTagger.fit`.

        Raises:
            DataError: a Doc lacks the column, or a token has no label.
        """
        X, y = self._sentences(train, "training")
        if not X:
            raise DataError("the training set has no tokens")
        held_out = self._sentences(dev, "dev") if dev else (None, None)
        self.tagger.fit(X, y, *held_out, checkpoint=checkpoint, resume=resume, progress=progress)
        self._set_labels()
        return self

    def _sentences(self, docs: Sequence[Doc], what: str) -> tuple[list[list[str]], list[list[str]]]:
        """Words and labels of the sentences."""
        labels = gold_labels(docs, self.column, what)
        batch = TokenBatch.from_docs(docs)
        rows = [labels[first:last] for first, last in pairwise(batch.sequences.tolist())]
        return sentence_words(docs, batch), rows

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Column and the tagger's own state."""
        fitted = hasattr(self.tagger, "classes_")
        state, arrays = self.tagger.to_state() if fitted else (self.tagger.get_params(), {})
        return {"column": self.column, "state": state}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> NeuralTaggerComponent:
        """The component that :meth:`to_state` described. Raises ModelError where it is not usable."""
        try:
            column, state = config["column"], config["state"]
            made = cls(column, **({} if arrays else state))
        except (KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"the neural tagger's config is not usable: {error}") from error
        if arrays:
            made.tagger = NeuralTagger.from_state(state, arrays)
            made._set_labels()
        return made
