"""Linear-chain CRF weights: training from feature keys, and the 16-bit form that models are shipped in.

What the CRF tagger and the segmenter share. The objective is CRFsuite's, with its names for the settings:
``c1`` weighs sum |w|, ``c2`` weighs sum w^2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError, DataError, ModelError

ALGORITHMS = ("lbfgs", "ap", "pa", "arow", "sgd")
# Type and number of dimensions of the arrays of a model.
_ARRAYS: dict[str, tuple[type[np.generic], int]] = {
    "keys": (np.uint32, 1),
    "row_sizes": (np.uint16, 1),
    "pair_labels": (np.uint16, 1),
    "pair_weights": (np.int16, 1),
    "scale": (np.float32, 1),
    "transitions": (np.float32, 2),
    "start": (np.float32, 1),
    "end": (np.float32, 1),
}
_LARGEST = 1e9  # of a setting: the kernels' float32 must hold its products with weights
_LEAST = {
    "max_iterations": 1,
    "min_freq": 0,
    "dense_freq": 0,
    "period": 1,
    "warm_passes": 0,
    "seed": 0,
    "threads": 0,
}

Progress = Callable[[dict[str, Any]], None]
#: Sees each iteration and the parameters so far; False ends the training.
Callback = Callable[[dict[str, Any], NDArray[np.float32]], bool]

#: CRFsuite's defaults for settings that :class:`CrfSettings` has not.
CRFSUITE: dict[str, Any] = {
    "num_memories": 6,
    "max_linesearch": 20,
    "pa_type": 1,
    "c": 1.0,
    "error_sensitive": True,
    "averaging": True,
    "variance": 1.0,
    "gamma": 1.0,
}


@dataclass(frozen=True)
class CrfSettings:
    """How a CRF is trained.

    Attributes:
        algorithm: ``lbfgs`` (with ``c1`` > 0 OWL-QN), ``ap`` (averaged perceptron), ``pa`` and ``arow``
            (passive-aggressive and AROW, as CRFsuite has them by default) or ``sgd``.
        c1, c2: weights of the L1 and L2 terms, as CRFsuite counts them.
        max_iterations: of L-BFGS, or passes over the data; None for 200 (``lbfgs``), 30 (``sgd``) or 10.
        min_freq: features of fewer occurrences are dropped.
        all_possible_states: a weight for every label with every feature, not only those seen together.
        dense_freq: the same only for features of at least this many occurrences; 0 for none.
        epsilon, period, delta: when L-BFGS stops, as in CRFsuite; ``epsilon`` is also the mean loss at which
            ``ap``, ``pa`` and ``arow`` stop.
        warm_passes: of SGD, before the first iteration of L-BFGS; 0 to begin at zero.
        prune: weights below this size are dropped from the trained model.
        seed: order of the sequences in passes over them.
        threads: 0 for one for each core.
    """

    algorithm: str = "lbfgs"
    c1: float = 0.0
    c2: float = 1.0
    max_iterations: int | None = None
    min_freq: int = 1
    all_possible_states: bool = False
    dense_freq: int = 0
    epsilon: float = 1e-5
    period: int = 10
    delta: float = 1e-5
    warm_passes: int = 4
    prune: float = 1e-4
    seed: int = 1
    threads: int = 0

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ConfigError(f"unknown algorithm {self.algorithm!r}; choose one of {', '.join(ALGORITHMS)}")
        for name in ("c1", "c2", "prune", "epsilon", "delta"):
            value = getattr(self, name)
            if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 <= value <= _LARGEST:
                raise ConfigError(f"{name} must be a number from 0 to {_LARGEST:.0e}, not {value!r}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if name == "max_iterations" and value is None:
                continue
            if not isinstance(value, (int, np.integer)) or not least <= value <= _LARGEST:
                raise ConfigError(f"{name} must be an integer from {least} to {_LARGEST:.0e}, not {value!r}")
        if self.algorithm != "lbfgs" and self.c1 > 0:
            raise ConfigError(f"c1 (L1) needs algorithm='lbfgs'; {self.algorithm!r} knows no L1 term")

    @property
    def iterations(self) -> int:
        """``max_iterations``, or the algorithm's default."""
        return self.max_iterations or {"lbfgs": 200, "sgd": 30}.get(self.algorithm, 10)

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return asdict(self)


@dataclass
class CrfWeights:
    """A trained linear-chain model in its shipped form.

    Attributes:
        keys: uint32 [rows], feature keys, strictly increasing.
        row_sizes: uint16 [rows] (or uint8, as files have it), how many weights each feature has.
        pair_labels, pair_weights: uint16 (or uint8) and int16 [pairs]; a weight is ``pair_weights * scale``.
        transitions: float32 [labels, labels], from row to column; -inf forbids.
        start, end: float32 [labels].
    """

    keys: NDArray[np.uint32]
    row_sizes: NDArray[np.uint16] | NDArray[np.uint8]
    pair_labels: NDArray[np.uint16] | NDArray[np.uint8]
    pair_weights: NDArray[np.int16]
    scale: float
    transitions: NDArray[np.float32]
    start: NDArray[np.float32]
    end: NDArray[np.float32]

    @property
    def labels(self) -> int:
        """The number of labels."""
        return len(self.start)

    def masked(
        self, transitions: NDArray[np.float32], start: NDArray[np.float32], end: NDArray[np.float32]
    ) -> CrfWeights:
        """The same weights with 0/-inf masks added, so that only allowed label sequences can come out."""
        return CrfWeights(
            self.keys,
            self.row_sizes,
            self.pair_labels,
            self.pair_weights,
            self.scale,
            self.transitions + transitions,
            self.start + start,
            self.end + end,
        )

    def path_scores(self, emissions: NDArray[np.float32], paths: NDArray[np.int32]) -> NDArray[np.float64]:
        """Scores, [paths], of label sequences, int32 [paths, tokens], of one sentence, summed in double."""
        if not paths.shape[1]:
            return np.zeros(len(paths))
        return np.asarray(
            emissions[np.arange(len(emissions)), paths].sum(axis=1, dtype=np.float64)
            + self.transitions[paths[:, :-1], paths[:, 1:]].sum(axis=1, dtype=np.float64)
            + self.start[paths[:, 0]].astype(np.float64)
            + self.end[paths[:, -1]]
        )

    def compile(self) -> _core.LinearModel:
        """The kernel's read-only model.

        Raises:
            ModelError: the arrays do not fit together or hold NaN.
        """
        try:
            return _core.LinearModel(
                self.labels,
                self.keys,
                self.row_sizes,
                self.pair_labels,
                self.pair_weights,
                self.scale,
                self.transitions,
                self.start,
                self.end,
            )
        except ValueError as error:
            raise ModelError(f"the model's weights are not usable: {error}") from error

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for the store."""
        arrays: dict[str, NDArray[Any]] = {
            name: np.asarray(getattr(self, name), dtype=dtype) for name, (dtype, _) in _ARRAYS.items()
        }
        arrays["scale"] = arrays["scale"].reshape(1)
        for name in ("row_sizes", "pair_labels"):  # one byte each is enough for up to 255 labels
            if self.labels <= 255:
                arrays[name] = arrays[name].astype(np.uint8)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CrfWeights:
        """The weights that :meth:`to_arrays` gave.

        Raises:
            ModelError: an array is missing or of another type or shape.
        """
        values: dict[str, Any] = {}
        for name, (dtype, dimensions) in _ARRAYS.items():
            if name not in arrays:
                raise ModelError(f"the model lacks the array {name!r}")
            array = arrays[name]
            narrow = dtype == np.uint16 and array.dtype == np.uint8
            if (array.dtype != dtype and not narrow) or array.ndim != dimensions:
                raise ModelError(
                    f"the model's array {name!r} is {array.dtype} with {array.ndim} dimensions, "
                    f"not {np.dtype(dtype)} with {dimensions}"
                )
            values[name] = array  # as it is, which may be where it lies in a file
        if values["scale"].shape != (1,):
            raise ModelError("the model's scale must be one number")
        values["scale"] = float(values["scale"][0])
        return cls(**values)


def train_crf(
    keys: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    gold: NDArray[np.int32],
    labels: int,
    settings: CrfSettings,
    *,
    progress: Progress | None = None,
    evaluate: Callable[[CrfWeights], float] | None = None,
    evaluate_every: int = 10,
) -> CrfWeights:
    """Learn a linear-chain CRF.

    Args:
        keys: uint32 [units, width], the features of each unit, 0 for none.
        offsets: int64 [sequences + 1]; sequence s is units [offsets[s], offsets[s + 1]).
        gold: int32 [units], labels in [0, labels).
        progress: called after each iteration with ``iteration``, ``of``, ``objective`` and, where there was
            one, ``dev_score``.
        evaluate: the score of given weights on held-out data; the weights that scored highest are returned.
        evaluate_every: iterations between evaluations; online methods are evaluated after each pass.

    Raises:
        DataError: the arrays do not fit together, a label is out of range, or the set is too large.

    Sources: Lafferty et al. 2001 (CRF), Nocedal 1980 (L-BFGS), Andrew and Gao 2007 (OWL-QN), Collins 2002
    (averaged perceptron), Crammer et al. 2006 (passive-aggressive) and 2009 (AROW), Bottou 2010 (SGD).
    """
    dense_freq = 1 if settings.all_possible_states else settings.dense_freq
    try:
        trainer = _core.CrfTrainer(
            keys, offsets, gold, labels, settings.min_freq, dense_freq, settings.threads
        )
    except ValueError as error:
        raise DataError(f"the training set is not usable: {error}") from error
    rows = (trainer.keys, trainer.row_starts, trainer.row_labels)
    every = evaluate_every if settings.algorithm == "lbfgs" else 1
    best: tuple[float, CrfWeights] | None = None

    def callback(info: dict[str, Any], parameters: NDArray[np.float32]) -> bool:
        nonlocal best
        info["of"] = settings.iterations
        if evaluate is not None and info["iteration"] % every == 0:
            weights = quantize(*rows, parameters, labels, settings.prune)
            info["dev_score"] = evaluate(weights)
            if best is None or info["dev_score"] >= best[0]:
                best = (info["dev_score"], weights)
        if progress is not None:
            progress(info)
        return True

    own = {**CRFSUITE, **asdict(settings), "max_iterations": settings.iterations}
    parameters = run_trainer(trainer, settings.algorithm, own, settings.warm_passes, settings.seed, callback)
    final = quantize(*rows, parameters, labels, settings.prune)
    if best is not None and evaluate is not None and best[0] > evaluate(final):
        return best[1]
    return final


def run_trainer(
    trainer: _core.CrfTrainer,
    algorithm: str,
    settings: Mapping[str, Any],
    warm_passes: int,
    seed: int,
    callback: Callback,
) -> NDArray[np.float32]:
    """Trained parameters. `settings` holds those of the algorithm, under CRFsuite's names."""
    if algorithm == "lbfgs":
        return trainer.lbfgs(
            settings["c1"],
            settings["c2"],
            settings["max_iterations"],
            settings["num_memories"],
            settings["epsilon"],
            settings["period"],
            settings["delta"],
            settings["max_linesearch"],
            callback,
            warm_passes,
            seed,
        )
    if algorithm in ("sgd", "l2sgd"):
        return trainer.sgd(settings["c2"], settings["max_iterations"], seed, callback)
    passes = (settings["max_iterations"], settings["epsilon"], seed, callback)
    if algorithm == "pa":
        return trainer.passive_aggressive(
            settings["pa_type"], settings["c"], settings["error_sensitive"], settings["averaging"], *passes
        )
    if algorithm == "arow":
        return trainer.arow(settings["variance"], settings["gamma"], *passes)
    return trainer.averaged_perceptron(*passes)


def quantize(
    keys: NDArray[np.uint32],
    row_starts: NDArray[np.uint32],
    row_labels: NDArray[np.uint16],
    parameters: NDArray[np.float32],
    labels: int,
    prune: float,
) -> CrfWeights:
    """Drop weights below ``prune``, sort the features by key and round the rest to 16 bits.

    The step is the largest weight over 32767, so rounding moves a weight by at most 1/65534 of the largest.
    """
    weights = parameters[: len(row_labels)]
    rest = parameters[len(row_labels) :]
    scale = max(float(np.abs(weights).max(initial=0.0)) / 32767, 1e-12)
    rounded = np.rint(weights / np.float32(scale)).astype(np.int16)
    keep = (np.abs(weights) >= prune) & (rounded != 0) & (row_labels < labels)
    row_of = np.repeat(np.arange(len(keys), dtype=np.int64), row_starts[1:] - row_starts[:-1])[keep]
    order = np.argsort(keys[row_of], kind="stable")  # labels keep their order inside a row
    sizes = np.bincount(row_of, minlength=len(keys))
    kept = np.flatnonzero(sizes)
    kept = kept[np.argsort(keys[kept], kind="stable")]
    return CrfWeights(
        keys=keys[kept],
        row_sizes=sizes[kept].astype(np.uint16),
        pair_labels=row_labels[keep][order],
        pair_weights=rounded[keep][order],
        scale=scale,
        transitions=cast("NDArray[np.float32]", rest[: labels * labels].reshape(labels, labels).copy()),
        start=rest[labels * labels : labels * labels + labels].copy(),
        end=rest[labels * labels + labels :].copy(),
    )
