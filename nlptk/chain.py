"""Linear-chain inference: the best path, the n best, the log-partition and marginals of batches of sequences.

A sequence of T positions and L labels scores a path y with
``start[y_0] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_(T-1)]``.
``-inf`` forbids a label, a transition, a start or an end. Any other score must be a number between -1e30 and
1e30: NaN, +inf and larger numbers raise `ValueError` that names the sequence and the position.

A batch is ragged and dense: sequence ``s`` is rows ``offsets[s]:offsets[s + 1]`` of ``emissions``. Without
``offsets`` all rows are one sequence. Results are the same from any number of threads, and Viterbi paths and
scores are the same on every processor. Each call can be stopped with Ctrl-C between sequences.

Sources: Viterbi (1967); Rabiner (1989), "A tutorial on hidden Markov models"; Lafferty, McCallum and Pereira
(2001), "Conditional random fields"; Huang and Chiang (2005), "Better k-best parsing".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nlptk import _core
from nlptk.errors import ConfigError

Scheme: TypeAlias = Literal["bio", "bioes"]


class ForwardBackward(NamedTuple):
    """What `forward_backward` returns. Expected counts are sums over all sequences."""

    log_partition: NDArray[np.float64]
    """[sequences] natural log of the sum over all paths of exp(score); -inf where no path is allowed."""
    marginals: NDArray[np.float32]
    """[positions, labels] p(label at the position); all 0 where no path is allowed."""
    transitions: NDArray[np.float64]
    """[labels, labels] expected number of steps from label (row) to label (column)."""
    start: NDArray[np.float64]
    """[labels] expected number of sequences that start with the label."""
    end: NDArray[np.float64]
    """[labels] expected number of sequences that end with the label."""


class TransitionMask(NamedTuple):
    """0 where a tagging scheme allows a step, -inf where it does not; add it to learned scores."""

    transitions: NDArray[np.float32]
    """[labels, labels], row = from, column = to."""
    start: NDArray[np.float32]
    """[labels]"""
    end: NDArray[np.float32]
    """[labels]"""


_Arrays: TypeAlias = tuple[
    NDArray[np.float32],
    NDArray[np.int64],
    NDArray[np.float32],
    NDArray[np.float32] | None,
    NDArray[np.float32] | None,
]


def _prepare(
    emissions: ArrayLike,
    transitions: ArrayLike,
    offsets: ArrayLike | None,
    start: ArrayLike | None,
    end: ArrayLike | None,
) -> _Arrays:
    rows = _floats(emissions, "emissions")
    if offsets is None:
        bounds = np.array([0, rows.shape[0] if rows.ndim else 0], dtype=np.int64)
    else:
        given = np.asarray(offsets)
        if given.dtype.kind not in "iu":
            raise ConfigError(f"offsets must be integers, not {given.dtype}")
        bounds = np.ascontiguousarray(given, dtype=np.int64)
    return (
        rows,
        bounds,
        _floats(transitions, "transitions"),
        None if start is None else _floats(start, "start"),
        None if end is None else _floats(end, "end"),
    )


def _floats(values: ArrayLike, name: str) -> NDArray[np.float32]:
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ConfigError(f"{name} must be numbers, not {array.dtype}")
    if array.dtype == np.float32:
        return np.ascontiguousarray(array)
    # A double that float32 cannot hold becomes inf, which the kernel rejects by position.
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float32, order="C")


def viterbi(
    emissions: ArrayLike,
    transitions: ArrayLike,
    *,
    offsets: ArrayLike | None = None,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    threads: int = 0,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the best label at each position, [positions], and the score of each path, [sequences].

    Ties: the last label is the lowest of those with the best score; then, going back, each label is the
    lowest of those from which the label after it gets its best score. (So, where no sum is rounded, the path
    whose reversal comes first in lexicographic order wins.) Where no path is allowed the score is -inf and
    the same rule gives the path. An empty sequence scores 0.

    Shapes: emissions [positions, labels], transitions [labels, labels] (row = from), start and end [labels]
    or None for zeros, offsets [sequences + 1]. ``threads=0`` uses every core.
    Raises ValueError for wrong shapes, NaN, +inf, and offsets that fall or do not cover the rows.
    """
    return _core.viterbi(*_prepare(emissions, transitions, offsets, start, end), threads=threads)


def viterbi_nbest(
    emissions: ArrayLike,
    transitions: ArrayLike,
    n: int,
    *,
    offsets: ArrayLike | None = None,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    threads: int = 0,
) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Return for each sequence its n best paths, [found, positions], and their scores, [found], best first.

    Exact: an n-best list is kept for each label and position (Huang and Chiang 2005, algorithm 2). ``found``
    is less than n where fewer paths have a score above -inf. Ties go as in `viterbi` (the lower last label
    first, then the lower label before it, and so on), so the first path is that of `viterbi`. Shapes and
    errors are as for `viterbi`; n < 1 raises ValueError.
    """
    return _core.viterbi_nbest(*_prepare(emissions, transitions, offsets, start, end), n=n, threads=threads)


def log_partition(
    emissions: ArrayLike,
    transitions: ArrayLike,
    *,
    offsets: ArrayLike | None = None,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    threads: int = 0,
) -> NDArray[np.float64]:
    """Return log of the sum over all paths of exp(score), [sequences]; -inf where no path is allowed.

    Shapes and errors are as for `viterbi`. An empty sequence has 0.
    """
    return _core.log_partition(*_prepare(emissions, transitions, offsets, start, end), threads=threads)


def forward_backward(
    emissions: ArrayLike,
    transitions: ArrayLike,
    *,
    offsets: ArrayLike | None = None,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    threads: int = 0,
) -> ForwardBackward:
    """Return log-partitions, marginals and the expected counts that training needs.

    Sums run in float32, scaled by powers of two (Rabiner 1989, section V.A); a sequence whose range is too
    wide for that is done again in double precision and log space. Shapes and errors are as for `viterbi`.
    """
    arrays = _prepare(emissions, transitions, offsets, start, end)
    return ForwardBackward(*_core.forward_backward(*arrays, threads=threads))


def transition_mask(labels: Sequence[str], scheme: Scheme | None) -> TransitionMask:
    """Return the mask under which every path is valid in the scheme.

    ``"bio"`` is IOB2: I-X follows B-X or I-X. ``"bioes"`` adds that an entity of one token is S-X and that a
    longer one ends in E-X. None allows everything. Where ``labels`` itself makes an entity impossible (B-X
    without E-X) its labels are never on an allowed path.
    Raises ConfigError (a ValueError) for a label that is not of the scheme.
    """
    n = len(labels)
    if scheme is None:
        return TransitionMask(np.zeros((n, n), np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32))
    parts = [_split(label, scheme) for label in labels]
    steps = [[_allowed(left, right, scheme) for right in parts] for left in parts]
    return TransitionMask(
        _zero_or_forbidden(steps).reshape(n, n),
        _zero_or_forbidden([_allowed(_OUTSIDE, part, scheme) for part in parts]),
        _zero_or_forbidden([_allowed(part, _OUTSIDE, scheme) for part in parts]),
    )


def is_valid(tags: Sequence[str], scheme: Scheme) -> bool:
    """Return whether a sequence of tags obeys the scheme, its start and end included.

    Raises ConfigError (a ValueError) for a tag that is not of the scheme.
    """
    return first_invalid(tags, scheme) is None


def first_invalid(tags: Sequence[str], scheme: Scheme) -> int | None:
    """Return the first position whose tag may not follow the one before, or None if all is valid.

    An entity that the end of the sequence cuts off gives ``len(tags)``. Raises as `is_valid` does.
    """
    left = _OUTSIDE
    for position, tag in enumerate(tags):
        right = _split(tag, scheme)
        if not _allowed(left, right, scheme):
            return position
        left = right
    return None if _allowed(left, _OUTSIDE, scheme) else len(tags)


_OUTSIDE = ("O", "")
_PREFIXES = {"bio": "BI", "bioes": "BIES"}


def _split(label: str, scheme: str) -> tuple[str, str]:
    """Split a label into its prefix and its entity type."""
    if scheme not in _PREFIXES:
        raise ConfigError(f"unknown tagging scheme {scheme!r}; choose 'bio' or 'bioes'")
    if label == "O":
        return _OUTSIDE
    prefix, dash, kind = label.partition("-")
    if not dash or not kind or len(prefix) != 1 or prefix not in _PREFIXES[scheme]:
        wanted = ", ".join(f"{letter}-TYPE" for letter in _PREFIXES[scheme])
        raise ConfigError(f"label {label!r} is not of the scheme {scheme!r}; labels must be O, {wanted}")
    return prefix, kind


def _allowed(left: tuple[str, str], right: tuple[str, str], scheme: str) -> bool:
    """Return whether `right` may follow `left`; outside stands for the start and the end as well."""
    continues = right[0] in "IE"
    if continues and not (left[0] in "BI" and left[1] == right[1]):
        return False
    # In BIOES an open entity must go on; in BIO it may stop anywhere.
    return scheme == "bio" or continues or left[0] not in "BI"


def _zero_or_forbidden(allowed: Sequence[bool] | Sequence[Sequence[bool]]) -> NDArray[np.float32]:
    mask: NDArray[np.float32] = np.where(np.array(allowed, dtype=bool), 0.0, -np.inf).astype(np.float32)
    return mask
