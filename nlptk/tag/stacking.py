"""Two CRFs in a row: the second sees which labels the first gives, here, near and elsewhere in the document.

Source: stacked generalization (Wolpert 1992) for sequences (Cohen and Carvalho 2005), with the non-local
features of two-stage entity recognition (Krishnan and Manning 2006).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nlptk import _core, chain
from nlptk.crf import CrfWeights, Progress, train_crf
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.base import check_integer, resolve_scheme
from nlptk.tag.crf import CRFTagger
from nlptk.tag.features import KernelBatch, TokenBatch, TokenFeatures

#: The columns that the first CRF fills.
FIRST, ELSEWHERE = "first", "elsewhere"

#: What is added to the templates of the second CRF where they look at neither column.
STACKED = (
    "col:first", "col:first[-1]", "col:first[1]", "col:first[-2]", "col:first[2]",
    "col:first[-2]|col:first[-1]", "col:first[1]|col:first[2]", "col:first[-1]|col:first[1]",
    "col:first[-1]|col:first|col:first[1]", "col:first[-2]|col:first[-1]|col:first[1]|col:first[2]",
    "col:first|lower", "col:first[-1]|lower", "col:first[1]|lower",
    "col:elsewhere", "col:elsewhere|col:first",
)  # fmt: skip


class StackedTagger(CRFTagger):
    """A CRF over sentences that looks at the labels of a first one.

    Both have the same settings, those of :class:`nlptk.tag.crf.CRFTagger`. The first CRF fills two columns
    for the second's templates: ``col:first`` is the label it gives; ``col:elsewhere`` is the label (without
    B- and I-) that it gives most often to the same word elsewhere in the document, and absent where the word
    does not come again. In training these labels are out of fold, each given by a CRF that has not learnt
    from the token's document, so that the second learns from labels as wrong as it will see.

    Args:
        templates: as for ``CRFTagger``; the first CRF has those that look at neither column. Where none looks
            at one, the second also has those of ``STACKED``.
        folds: how many CRFs the labels for training come from; training takes `folds` + 2 times as long.
        settings: all others of ``CRFTagger``.

    Attributes:
        classes_, weights_: of the second CRF.
    """

    def __init__(self, templates: Sequence[str] | str = "pos", *, folds: int = 5, **settings: Any) -> None:
        super().__init__(templates, **settings)
        self.folds = folds

    @classmethod
    def _setting_names(cls) -> list[str]:
        return [*CRFTagger._setting_names(), "folds"]

    def fit_batch(
        self,
        batch: TokenBatch,
        labels: Sequence[str],
        dev: tuple[TokenBatch, Sequence[str]] | None = None,
        *,
        progress: Progress | None = None,
    ) -> StackedTagger:
        """As ``CRFTagger.fit_batch``; `progress` is also told which ``training`` of ``trainings`` it is.

        Raises:
            DataError: there are fewer documents and fewer sentences than folds.
        """
        check_integer("folds", self.folds, 2)
        fold_of = folds_of(batch, self.folds, self.seed)
        features = self._make_features()
        first = self._make_first(features)
        first.fit_batch(batch, labels, dev, progress=self._numbered(progress, 1))
        found = self._out_of_fold(first, batch, labels, fold_of, progress)
        if dev is not None:
            held = first.predict_batch(dev[0])
            dev = with_first_labels(dev[0], first.classes_, held, features.columns), dev[1]
        batch = with_first_labels(batch, first.classes_, found, features.columns)
        super().fit_batch(batch, labels, dev, progress=self._numbered(progress, self.folds + 2))
        self._first = first
        return self

    def _out_of_fold(
        self,
        first: CRFTagger,
        batch: TokenBatch,
        labels: Sequence[str],
        fold_of: NDArray[np.int64],
        progress: Progress | None,
    ) -> NDArray[np.int32]:
        """For each token the label by a CRF as `first` that has not learnt from the token's fold."""
        classes = first.classes_
        ids = {label: number for number, label in enumerate(classes)}
        gold = np.array([ids[label] for label in labels], np.int32)
        mask = chain.transition_mask(classes, resolve_scheme(self.scheme, classes))
        keys = first._features.keys(batch, self.threads)
        lengths = np.diff(batch.sequences)
        of_token = np.repeat(fold_of, lengths)
        found = np.zeros(len(gold), np.int32)
        for fold in range(self.folds):
            held = of_token == fold
            weights = train_crf(
                keys[~held],
                _offsets(lengths[fold_of != fold]),
                gold[~held],
                len(classes),
                self._settings(),
                progress=self._numbered(progress, fold + 2),
            )
            model = weights.masked(*mask).compile()
            found[held] = model.predict(keys[held], _offsets(lengths[fold_of == fold]), self.threads)
        return found

    def _numbered(self, progress: Progress | None, training: int) -> Progress | None:
        if progress is None:
            return None
        return lambda info: progress({**info, "training": training, "trainings": self.folds + 2})

    def fit_stream(self, *args: Any, **options: Any) -> NoReturn:
        """Refused: out-of-fold labels need the corpus in memory. Raises ConfigError."""
        raise ConfigError("a StackedTagger cannot learn from a stream; use CRFTagger or fit")

    def _make_features(self) -> TokenFeatures:
        made = super()._make_features()
        if not {FIRST, ELSEWHERE} & set(made.columns):
            made = TokenFeatures((*made.templates, *STACKED), made.classes, made.gazetteers)
        return made

    def _make_first(self, features: TokenFeatures) -> CRFTagger:
        """The first CRF, not fitted, with the lexicons of the second's features."""
        settings = {name: getattr(self, name) for name in CRFTagger._setting_names()}
        atoms = f"col:{FIRST}", f"col:{ELSEWHERE}"
        settings["templates"] = [
            one for one in features.templates
            if not any(part.partition("[")[0].strip() in atoms for part in one.split("|"))
        ]  # fmt: skip
        settings["clusters"] = features.classes
        settings["gazetteers"] = {one.name: one for one in features.gazetteers}
        return CRFTagger(**settings)

    @property
    def columns(self) -> tuple[str, ...]:
        """The other columns that the templates look at, without those that the first CRF fills."""
        return tuple(name for name in super().columns if name not in (FIRST, ELSEWHERE))

    def _arguments(self, batch: TokenBatch) -> KernelBatch:
        found = self._first.predict_batch(batch)
        return super()._arguments(
            with_first_labels(batch, self._first.classes_, found, self._features.columns)
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """As ``CRFTagger.to_state``, with the weights of the first CRF; the lexicons are shared."""
        config, arrays = super().to_state()
        of_first = self._first.weights_.to_arrays()
        return config, arrays | {f"first_{name}": array for name, array in of_first.items()}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> StackedTagger:
        """The tagger that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        made = super().from_state(config, arrays)
        assert isinstance(made, StackedTagger)
        weights = CrfWeights.from_arrays(
            {
                name.removeprefix("first_"): array
                for name, array in arrays.items()
                if name.startswith("first_")
            }
        )
        if weights.labels != len(made.classes_):
            raise ModelError(
                f"the model has {len(made.classes_)} labels but its first CRF weights for {weights.labels}"
            )
        try:
            made._first = made._make_first(made._features)
            features = made._first._make_features()
        except ConfigError as error:
            raise ModelError(f"the first CRF's templates are not usable: {error}") from error
        made._first._install(made.classes_, weights, features)
        return made


def folds_of(batch: TokenBatch, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each sentence, int64 [sequences]; a document is not divided where there are enough.

    Raises:
        DataError: there are fewer documents and fewer sentences than folds.
    """
    sequences = batch.sequences
    units = sequences
    for units in (batch.documents, sequences):
        filled = np.unique(units)  # of units without tokens none
        if len(filled) > folds:
            order = np.random.default_rng(seed).permutation(len(filled) - 1) % folds
            of_sequence = np.searchsorted(filled, sequences[:-1], side="right") - 1
            return order[np.minimum(of_sequence, len(order) - 1)]
    raise DataError(
        f"the training set has {len(filled) - 1} sentences, too few for {folds} folds; give more or "
        "set folds lower"
    )


def with_first_labels(
    batch: TokenBatch, classes: Sequence[str], found: NDArray[np.int32], columns: Sequence[str]
) -> TokenBatch:
    """The batch with those of the columns "first" and "elsewhere" that `columns` names.

    Args:
        classes: the labels of the first CRF.
        found: int32 [tokens], which of them it gives.
    """
    added = {}
    if FIRST in columns:
        added[FIRST] = _hashes(classes)[found]
    if ELSEWHERE in columns:
        added[ELSEWHERE] = _elsewhere(batch, classes, found)
    return replace(batch, columns={**batch.columns, **added})


def _elsewhere(batch: TokenBatch, classes: Sequence[str], found: NDArray[np.int32]) -> NDArray[np.uint64]:
    """The label most often given to the word elsewhere in its document, hashed; 0 (absent) for none."""
    kinds = [label[2:] if label[:2] in ("B-", "I-") else label for label in classes]
    names = sorted(set(kinds))
    numbers = np.array([names.index(kind) for kind in kinds])[found].tolist()
    best = np.full(len(found), -1)
    starts, ends = batch.starts.tolist(), batch.ends.tolist()
    for text, (first, last) in zip(batch.texts, pairwise(batch.documents.tolist()), strict=True):
        places: defaultdict[str, list[int]] = defaultdict(list)
        for token in range(first, last):
            places[text[starts[token] : ends[token]]].append(token)
        for tokens in places.values():
            if len(tokens) == 1:
                continue
            counts = np.bincount([numbers[token] for token in tokens])
            for token in tokens:
                counts[numbers[token]] -= 1
                best[token] = counts.argmax()
                counts[numbers[token]] += 1
    values: NDArray[np.uint64] = np.append(_hashes(names), np.uint64(0))[best]
    return values


def _hashes(names: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([_core.hash_string(name) for name in names], np.uint64)


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
