"""Training of the CRF over named features, with CRFsuite's settings, defaults and stopping rules."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.crf import CRFSUITE, run_trainer
from nlptk.errors import ConfigError, DataError
from nlptk.tag.crf_model import CrfModel, Features

# Defaults of each algorithm's settings: CRFsuite's. A setting that an algorithm has not is refused.
_COMMON: dict[str, Any] = {"min_freq": 0.0, "all_possible_states": False, "all_possible_transitions": False}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "lbfgs": {
        **_COMMON,
        "c1": 0.0,
        "c2": 1.0,
        "max_iterations": 2**31 - 1,
        "num_memories": CRFSUITE["num_memories"],
        "epsilon": 1e-5,
        "period": 10,
        "delta": 1e-5,
        "linesearch": "MoreThuente",
        "max_linesearch": CRFSUITE["max_linesearch"],
    },
    "l2sgd": {
        **_COMMON,
        "c2": 1.0,
        "max_iterations": 1000,
        "period": 10,
        "delta": 1e-6,
        "calibration_eta": 0.1,
        "calibration_rate": 2.0,
        "calibration_samples": 1000,
        "calibration_candidates": 10,
        "calibration_max_trials": 20,
    },
    "ap": {**_COMMON, "max_iterations": 100, "epsilon": 0.0},
    "pa": {
        **_COMMON,
        "pa_type": CRFSUITE["pa_type"],
        "c": CRFSUITE["c"],
        "error_sensitive": CRFSUITE["error_sensitive"],
        "averaging": CRFSUITE["averaging"],
        "max_iterations": 100,
        "epsilon": 0.0,
    },
    "arow": {
        **_COMMON,
        "variance": CRFSUITE["variance"],
        "gamma": CRFSUITE["gamma"],
        "max_iterations": 100,
        "epsilon": 0.0,
    },
}
_LINE_SEARCHES = ("MoreThuente", "Backtracking", "StrongBacktracking")
_YES_NO = ("all_possible_states", "all_possible_transitions", "error_sensitive", "averaging")
_LEAST = {"max_iterations": 1, "num_memories": 1, "period": 1, "max_linesearch": 1, "pa_type": 0}
_LARGEST = 2**31 - 1
_TOO_LARGE = "the feature values may be too large: divide them so that most are about 1"
_SMALLEST = 1e-9  # of c, variance and gamma, which divide

SETTINGS = tuple(dict.fromkeys(name for names in _DEFAULTS.values() for name in names))


@dataclass
class TrainingLog:
    """What training said of itself.

    Attributes:
        iterations: one dict each: `num`, `time` in seconds, `loss`, with L-BFGS `error_norm` and
            `active_features`, with a dev set `item_accuracy_float`, `instance_accuracy_float` and the means
            over labels `avg_precision`, `avg_recall`, `avg_f1`.
        interrupted: training was ended by Ctrl-C and the best weights until then were kept.
    """

    iterations: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def last_iteration(self) -> dict[str, Any]:
        """The last of `iterations`, empty where there is none."""
        return self.iterations[-1] if self.iterations else {}


def resolve_settings(algorithm: str | None, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The algorithm and all its settings; those that are None in `given` have CRFsuite's defaults.

    Raises:
        ConfigError: an algorithm that there is not, a setting that is not the algorithm's or is out of range.
    """
    name = "lbfgs" if algorithm is None else algorithm
    if name not in _DEFAULTS:
        raise ConfigError(f"unknown algorithm {name!r}; choose one of {', '.join(_DEFAULTS)}")
    settings = dict(_DEFAULTS[name])
    for setting, value in given.items():
        if value is None:
            continue
        if setting not in settings:
            owners = [repr(other) for other, names in _DEFAULTS.items() if setting in names]
            raise ConfigError(
                f"algorithm {name!r} has no setting {setting!r}; leave it None"
                + (f" or use {' or '.join(owners)}" if owners else "")
            )
        settings[setting] = _checked(setting, value)
    return name, settings


def _checked(setting: str, value: Any) -> Any:
    if setting == "linesearch":
        if value not in _LINE_SEARCHES:
            raise ConfigError(f"linesearch must be one of {', '.join(_LINE_SEARCHES)}, not {value!r}")
        return value
    if setting in _YES_NO:
        return bool(value)
    least = _SMALLEST if setting in ("c", "variance", "gamma") else _LEAST.get(setting, 0)
    largest = 2 if setting == "pa_type" else _LARGEST
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or not least <= value <= largest or (setting in _LEAST and value != int(value)):
        kind = "an integer" if setting in _LEAST else "a number"
        raise ConfigError(f"{setting} must be {kind} from {least} to {largest}, not {value!r}")
    return int(value) if setting in _LEAST else float(value)


@dataclass(frozen=True)
class Held:
    """A dev set in numbers; a label that training has not seen is -1."""

    features: Features
    gold: NDArray[np.int32]


def fit_model(
    classes: list[str],
    table: _core.AttributeTable,
    features: Features,
    gold: NDArray[np.int32],
    algorithm: str,
    settings: Mapping[str, Any],
    *,
    held: Held | None = None,
    log: TrainingLog,
    report: Callable[[dict[str, Any]], None] | None = None,
    keep_best: bool = False,
    warm_passes: int = 4,
    seed: int = 1,
    threads: int = 0,
) -> CrfModel:
    """Train from features and the labels of their units, int32 [units].

    Args:
        held: scored after each iteration; it does not change what is learned, as in CRFsuite.
        log: each iteration is appended to it.
        report: called with each iteration.
        keep_best: on Ctrl-C return the weights with the least loss so far, if there are any.

    Raises:
        DataError: the set is too large or a value not usable.
        KeyboardInterrupt: Ctrl-C, within a second.
    """
    try:
        trainer = _core.CrfTrainer.from_features(
            features.starts,
            features.ids,
            features.values,
            features.offsets,
            gold,
            len(classes),
            min_freq=settings["min_freq"],
            all_states=settings["all_possible_states"],
            all_transitions=settings["all_possible_transitions"],
            boundaries=False,
            threads=threads,
        )
    except ValueError as error:
        raise DataError(f"the training set is not usable: {error}") from error
    rows = (trainer.keys, trainer.row_starts, trainer.row_labels)
    stop = _StoppingRule(settings["period"], settings["delta"]) if algorithm == "l2sgd" else None
    started = time.perf_counter()
    best: tuple[float, NDArray[np.float32]] | None = None

    def callback(info: dict[str, Any], parameters: NDArray[np.float32]) -> bool:
        nonlocal best, started
        now = time.perf_counter()
        loss = float(info["objective"])
        entry = {"num": info["iteration"], "time": now - started, "loss": loss}
        if "active" in info:
            entry |= {"error_norm": info["gradient_norm"], "active_features": info["active"]}
        if held is not None:
            model = CrfModel.from_parameters(classes, table, rows, parameters, compact=False)
            entry |= dev_scores(held.gold, model.paths(held.features, threads), held.features, len(classes))
        log.iterations.append(entry)
        if keep_best and (best is None or loss <= best[0]):
            best = (loss, parameters)
        if report is not None:
            report(entry)
        started = time.perf_counter()
        return stop is None or stop.goes_on(loss)

    try:
        parameters = run_trainer(trainer, algorithm, settings, warm_passes, seed, callback)
    except KeyboardInterrupt:
        if best is None:
            raise
        log.interrupted = True
        parameters = best[1]
    except ValueError as error:
        raise DataError(f"training failed: {error}; {_TOO_LARGE}") from error
    if not np.isfinite(parameters).all():
        raise DataError(f"training ended in weights that are not finite; {_TOO_LARGE}")
    return CrfModel.from_parameters(classes, table, rows, parameters)


class _StoppingRule:
    """CRFsuite's for SGD: the loss of a pass is less than `delta` better than that `period` passes before."""

    def __init__(self, period: int, delta: float) -> None:
        self._period = period
        self._delta = delta
        self._losses: list[float] = []

    def goes_on(self, loss: float) -> bool:
        self._losses.append(loss)
        if len(self._losses) <= self._period or not math.isfinite(loss):
            return math.isfinite(loss)
        before = self._losses[-1 - self._period]
        return loss != 0 and (before - loss) / loss >= self._delta


def dev_scores(
    gold: NDArray[np.int32], found: NDArray[np.int32], features: Features, labels: int
) -> dict[str, float]:
    """Accuracies of items and of whole sentences, and the means of the labels' precision, recall and F1."""
    right = gold == found
    sizes = np.diff(features.offsets)
    sentences = sizes > 0
    wrong = np.concatenate([[0], np.cumsum(~right)])
    whole = (wrong[features.offsets[1:]] == wrong[features.offsets[:-1]])[sentences]
    hits = np.bincount(gold[right], minlength=labels)
    precision = _shares(hits, np.bincount(found, minlength=labels))
    recall = _shares(hits, np.bincount(gold[gold >= 0], minlength=labels))
    return {
        "item_accuracy_float": _mean(right),
        "instance_accuracy_float": _mean(whole),
        "avg_precision": _mean(precision),
        "avg_recall": _mean(recall),
        "avg_f1": _mean(_shares(2 * precision * recall, precision + recall)),
    }


def _shares(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    shares = np.zeros(len(part))
    np.divide(part, whole, out=shares, where=whole != 0)
    return shares


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def format_iteration(entry: Mapping[str, Any]) -> str:
    """One line for an iteration, in the words of sklearn-crfsuite."""
    parts = [f"Iter {entry['num']:<3}", f"time={entry['time']:<5.2f}", f"loss={entry['loss']:<8.2f}"]
    if "active_features" in entry:
        parts.append(f"active={entry['active_features']:<5}")
    if "avg_f1" in entry:
        parts.append(
            f"precision={entry['avg_precision']:0.3f}  recall={entry['avg_recall']:0.3f}  "
            f"F1={entry['avg_f1']:0.3f}  Acc(item/seq)={entry['item_accuracy_float']:0.3f} "
            f"{entry['instance_accuracy_float']:0.3f}"
        )
    return "  ".join(parts).rstrip()
