"""The CRF over named features as it is used: attributes, weights, and what is read off them.

Scores are sums of float32 weights, decoded by the linear-chain kernel (:mod:`nlptk.chain`); there are no
start and end scores, as CRFsuite has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from nlptk import _core, chain
from nlptk.errors import DataError, ModelError
from nlptk.tag.base import pack_strings, take_array, unpack_strings

_BATCH = 4096  # sentences whose scores are in memory at a time

#: A sentence: its items, each a dict or a list of strings.
ItemFeatures = Mapping[str, Any] | Iterable[str]
Items = Sequence[ItemFeatures]


class Features(NamedTuple):
    """Sentences in numbers. Sentence s is the units `offsets[s]:offsets[s + 1]`, the attributes of unit u are
    `ids[starts[u]:starts[u + 1]]`."""

    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ids: NDArray[np.uint32]
    values: NDArray[np.float32] | None  # None: all are 1


def encode(
    table: _core.AttributeTable, X: Iterable[Items], *, grow: bool = False, what: str = "X", first: int = 0
) -> Features:
    """The features of sentences; `grow` adds attributes that the table has not, else they are left out.

    `what` and `first`, the number of the first sentence, are for messages. Raises DataError for anything that
    is no list of sentences, each a list of dicts or of lists of strings, and for values that are not finite;
    the message names sentence, item and feature.
    """
    try:
        return Features(*table.encode(X, grow, what, first))
    except (TypeError, ValueError) as error:
        raise DataError(str(error)) from error


class CrfModel:
    """A trained model.

    Attributes:
        classes: the labels.
        table: the attributes, numbered.
        row_starts: uint32 [attributes + 1]; attribute a has the weights `row_starts[a]:row_starts[a + 1]`.
        row_labels, weights: uint16 and float32 [weights].
        transitions: float32 [labels, labels], from row to column.
    """

    def __init__(
        self,
        classes: list[str],
        table: _core.AttributeTable,
        row_starts: NDArray[np.uint32],
        row_labels: NDArray[np.uint16],
        weights: NDArray[np.float32],
        transitions: NDArray[np.float32],
    ) -> None:
        """Raises ModelError where the arrays do not fit together or hold NaN or infinity."""
        labels = len(classes)
        if not labels or transitions.shape != (labels, labels) or len(row_starts) != len(table) + 1:
            raise ModelError(
                f"{labels} labels and {len(table)} attributes do not fit transitions {transitions.shape} "
                f"and {len(row_starts) - 1} rows"
            )
        if not np.isfinite(transitions).all():
            raise ModelError("a transition's weight is not finite")
        try:
            self._kernel = _core.AttributeWeights(row_starts, row_labels, weights, labels)
        except ValueError as error:
            raise ModelError(f"the weights are not usable: {error}") from error
        self.classes = classes
        self.table = table
        self.row_starts = row_starts
        self.row_labels = row_labels
        self.weights = weights
        self.transitions = transitions

    @classmethod
    def from_parameters(
        cls,
        classes: list[str],
        table: _core.AttributeTable,
        rows: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]],
        parameters: NDArray[np.float32],
        *,
        compact: bool = True,
    ) -> CrfModel:
        """The model of a trainer's parameters, without weights of 0 and attributes that have no other.

        `rows` are the trainer's `keys`, `row_starts` and `row_labels`. With `compact` False the attributes
        stay as they are numbered in `table`.
        """
        keys, row_starts, row_labels = rows
        labels, size = len(classes), len(row_labels)
        weights = parameters[:size]
        kept = (weights != 0) & (row_labels < labels)
        attributes = np.repeat(keys, _row_sizes(row_starts))[kept]
        order = np.argsort(attributes, kind="stable")  # labels keep their order inside a row
        counts = np.bincount(attributes, minlength=len(table))
        if compact:
            used = np.flatnonzero(counts)
            table, counts = table.select(used.astype(np.uint32)), counts[used]
        return cls(
            classes,
            table,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
            row_labels[kept][order],
            weights[kept][order],
            parameters[size : size + labels * labels].reshape(labels, labels).copy(),
        )

    def batches(self, X: Iterable[Items], what: str = "X") -> Iterator[Features]:
        """The sentences of X, some thousands at a time. Raises as `encode` does."""
        if isinstance(X, (str, bytes, Mapping)) or not isinstance(X, Iterable):
            encode(self.table, X, what=what)  # says what is wrong
        sentences, first = iter(X), 0
        while batch := list(islice(sentences, _BATCH)):
            yield encode(self.table, batch, what=what, first=first)
            first += len(batch)

    def emissions(self, features: Features, threads: int = 0) -> NDArray[np.float32]:
        """Scores of each label at each unit, [units, labels]."""
        return self._kernel.emissions(features.starts, features.ids, features.values, threads)

    def paths(self, features: Features, threads: int = 0) -> NDArray[np.int32]:
        """The best label at each unit, [units]. Raises DataError where scores are beyond 1e30."""
        try:
            scores = self.emissions(features, threads)
            return chain.viterbi(scores, self.transitions, offsets=features.offsets, threads=threads)[0]
        except ValueError as error:
            raise DataError(f"the feature values are too large: {error}") from error

    def marginals(self, features: Features, threads: int = 0) -> NDArray[np.float32]:
        """p(label | sentence) at each unit, [units, labels]. Raises as `paths` does."""
        try:
            scores = self.emissions(features, threads)
            return chain.forward_backward(
                scores, self.transitions, offsets=features.offsets, threads=threads
            ).marginals
        except ValueError as error:
            raise DataError(f"the feature values are too large: {error}") from error

    def attributes(self) -> list[str]:
        """The names of the attributes, by number."""
        data, offsets = self.table.arrays()
        whole = data.tobytes()
        return [_decode(whole[first:last]) for first, last in pairwise(offsets.tolist())]

    def state_features(self) -> dict[tuple[str, str], float]:
        """Weights by attribute and label."""
        owners = np.repeat(np.arange(len(self.table)), _row_sizes(self.row_starts)).tolist()
        names = self.attributes()
        triples = zip(owners, self.row_labels.tolist(), self.weights.tolist(), strict=True)
        return {(names[owner], self.classes[label]): weight for owner, label, weight in triples}

    def transition_features(self) -> dict[tuple[str, str], float]:
        """Weights other than 0 by label before and label after."""
        rows, columns = np.nonzero(self.transitions)
        return {
            (self.classes[row], self.classes[column]): float(self.transitions[row, column])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        }

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for the store."""
        data, offsets = self.table.arrays()
        return {
            **pack_strings("labels", self.classes),
            "attributes_bytes": data,
            "attributes_offsets": offsets,
            "row_starts": self.row_starts,
            "row_labels": self.row_labels,
            "weights": self.weights,
            "transitions": self.transitions,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CrfModel:
        """The model that `to_arrays` gave. Raises ModelError for arrays that are no such model."""
        data = take_array("attributes_bytes", arrays, np.uint8, 1)
        offsets = take_array("attributes_offsets", arrays, np.int64, 1)
        try:
            table = _core.AttributeTable.from_arrays(data, offsets)
        except ValueError as error:
            raise ModelError(f"the attributes are not usable: {error}") from error
        return cls(
            unpack_strings("labels", arrays),
            table,
            take_array("row_starts", arrays, np.uint32, 1),
            take_array("row_labels", arrays, np.uint16, 1),
            take_array("weights", arrays, np.float32, 1),
            take_array("transitions", arrays, np.float32, 2),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return CrfModel.from_arrays, (self.to_arrays(),)


def _row_sizes(row_starts: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return row_starts[1:] - row_starts[:-1]


def _decode(name: bytes) -> str:
    try:
        return name.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a feature that was given as bytes
        return name.decode("utf-8", "surrogateescape")


def label_numbers(
    y: Iterable[Iterable[str]], offsets: NDArray[np.int64], classes: list[str], what: str = "y", *, grow: bool
) -> NDArray[np.int32]:
    """The label of each unit as a number, int32 [units]; -1 for one that is not in `classes`.

    With `grow` unknown labels are appended to `classes` instead, in the order in which they come.
    Raises DataError, naming the sentence, where y does not match the sentences of `offsets` or holds
    anything but strings.
    """
    numbers = {label: number for number, label in enumerate(classes)}
    lengths = np.diff(offsets).tolist()
    rows = y if isinstance(y, (list, tuple)) else _listed(y)
    if rows is None:
        raise DataError(f"{what} is {_shown(y)}; give a list of lists of strings")
    if len(rows) != len(lengths):
        raise DataError(
            f"{what} has {len(rows)} sentences but {what.replace('y', 'X')} has {len(lengths)}; "
            "give one list of labels for each sentence"
        )
    gold = np.empty(int(offsets[-1]), np.int32)
    at = 0
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        labels = row if isinstance(row, (list, tuple)) else _listed(row)
        if labels is None or len(labels) != length:
            given = f"{len(labels)} labels" if labels is not None else f"no list of labels but {_shown(row)}"
            raise DataError(f"sentence {number} has {length} items but {given} in {what}; give one for each")
        for label in labels:
            found = numbers.get(label) if isinstance(label, str) else None
            if found is None:
                if not isinstance(label, str):
                    raise DataError(f"sentence {number} of {what} has the label {label!r}; give a string")
                found = numbers.setdefault(str(label), len(numbers)) if grow else -1
            gold[at] = found
            at += 1
    if grow:
        classes[:] = cast("list[str]", list(numbers))
    return gold


def _listed(values: Any) -> list[Any] | None:
    """The elements of any collection; None for what is none, strings and dicts among it."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        return None
    return list(values)


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else 'a value'} ({type(value).__name__})"
