"""Tagger: the pipeline component that fills one column of a Doc with an HMM, a CRF or two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.component import Component
from nlptk.crf import Progress
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.crf import CRFTagger
from nlptk.tag.crf_stream import Corpus
from nlptk.tag.features import TokenBatch
from nlptk.tag.hmm import HMMTagger
from nlptk.tag.stacking import StackedTagger

MODELS: dict[str, type[CRFTagger] | type[HMMTagger]] = {
    "crf": CRFTagger,
    "hmm": HMMTagger,
    "stacked": StackedTagger,
}


class Tagger(Component):
    """Fills a string column ("pos", "tag", "ent" or any other name), sentence by sentence.

    Args:
        column: the column to fill; "ent" holds IOB2 labels.
        model: "crf", "hmm" or "stacked" (two CRFs in a row).
        options: settings of :class:`nlptk.tag.crf.CRFTagger`, :class:`nlptk.tag.hmm.HMMTagger` or
            :class:`nlptk.tag.stacking.StackedTagger`.

    Requires "doc.tokens" and, for a CRF whose templates look at other columns, those. White space that leads
    a text is a token without a label ("O" for entities).
    """

    name = "tagger"

    def __init__(self, column: str = "pos", model: str = "crf", **options: Any) -> None:
        check_column(column)
        if model not in MODELS:
            raise ConfigError(f"unknown tagger model {model!r}; choose one of {', '.join(MODELS)}")
        try:
            self.tagger = MODELS[model](**options)
        except TypeError as error:
            raise ConfigError(f"the {model} tagger does not take this setting: {error}") from None
        self.column = column
        self.model = model
        self._set_labels()

    def _set_labels(self) -> None:
        columns = self.tagger.columns if isinstance(self.tagger, CRFTagger) else ()
        self.assigns = (f"doc.{self.column}",)
        self.requires = ("doc.tokens", *(f"doc.{name}" for name in columns))
        self._columns = columns
        self._table = ("", *getattr(self.tagger, "classes_", ()))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can give; empty before training."""
        return self._table[1:]

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Fill the column of each Doc."""
        batch = TokenBatch.from_docs(docs, self._columns)
        codes = self._predict(docs, batch) + 1
        blank = self._table.index("O") if "O" in self._table else 0
        for doc, first, last in zip(
            docs, batch.documents[:-1].tolist(), batch.documents[1:].tolist(), strict=True
        ):
            if doc.text[:1].isspace():
                codes[first] = blank
            doc.set_codes(self.column, codes[first:last], self._table, validate=False)

    def _predict(self, docs: Sequence[Doc], batch: TokenBatch) -> NDArray[np.int32]:
        if isinstance(self.tagger, CRFTagger):
            return self.tagger.predict_batch(batch)
        return self.tagger.predict_ids(sentence_words(docs, batch))[0]

    def fit(
        self, train: Sequence[Doc], dev: Sequence[Doc] | None = None, *, progress: Progress | None = None
    ) -> Tagger:
        """Learn from Docs whose column holds gold labels.

        With `dev` a CRF keeps the weights of the pass that labels it best.

        Raises:
            DataError: a Doc lacks the column, or a token has no label.
        """
        labels = gold_labels(train, self.column, "training")
        if not labels:
            raise DataError("the training set has no tokens")
        batch = TokenBatch.from_docs(train, self._columns)
        if isinstance(self.tagger, HMMTagger):
            rows = np.split(np.array(labels, dtype=object), batch.sequences[1:-1])
            self.tagger.fit(sentence_words(train, batch), [row.tolist() for row in rows])
        else:
            held_out = None
            if dev:
                held_out = (TokenBatch.from_docs(dev, self._columns), gold_labels(dev, self.column, "dev"))
            self.tagger.fit_batch(batch, labels, held_out, progress=progress)
        self._set_labels()
        return self

    def fit_stream(self, corpus: Corpus, *, progress: Progress | None = None, **options: Any) -> Tagger:
        """Learn from a corpus that does not fit memory; `options` and errors are those of
        :meth:`nlptk.tag.crf.CRFTagger.fit_stream`.

        Raises:
            ConfigError: the model is no CRF.
        """
        if not isinstance(self.tagger, CRFTagger):
            raise ConfigError(f"only model 'crf' can learn from a stream, not {self.model!r}")
        self.tagger.fit_stream(corpus, column=self.column, progress=progress, **options)
        self._set_labels()
        return self

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Column, kind and the model's own state."""
        fitted = hasattr(self.tagger, "classes_")
        state, arrays = self.tagger.to_state() if fitted else (self.tagger.get_params(), {})
        return {"column": self.column, "model": self.model, "state": state}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Tagger:
        """The tagger that :meth:`to_state` described. Raises ModelError where it is not usable."""
        try:
            column, model, state = config["column"], config["model"], config["state"]
            made = cls(column, model, **({} if arrays else state))
        except (KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"the tagger's config is not usable: {error}") from error
        if arrays:
            made.tagger = MODELS[model].from_state(state, arrays)
            made._set_labels()
        return made


def check_column(column: object) -> None:
    """Raise ConfigError unless it is the name of a column."""
    if not isinstance(column, str) or not column:
        raise ConfigError(f"a tagger's column must be a name, not {column!r}")


def gold_labels(docs: Sequence[Doc], column: str, what: str) -> list[str]:
    """The labels of all tokens. Raises DataError for a Doc without the column or a token without label."""
    labels: list[str] = []
    for number, doc in enumerate(docs):
        if not doc.has_column(column):
            raise DataError(f"{what} Doc {number} has no column {column!r}; read a corpus that has it")
        values = doc.column(column)
        if "" in values:
            word = doc.text[doc.starts[values.index("")] : doc.ends[values.index("")]]
            raise DataError(f"token {word!r} of {what} Doc {number} has no {column!r} label")
        labels += values
    return labels


def sentence_words(docs: Sequence[Doc], batch: TokenBatch) -> list[list[str]]:
    """The batch's sequences as lists of words."""
    words: list[str] = []
    for doc in docs:
        text = doc.text
        words += [text[a:b] for a, b in zip(doc.starts.tolist(), doc.ends.tolist(), strict=True)]
    bounds = batch.sequences.tolist()
    return [words[a:b] for a, b in pairwise(bounds)]
