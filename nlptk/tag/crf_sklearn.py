"""`nlptk.CRF`: a CRF over features that the user makes, in place of ``sklearn_crfsuite.CRF``.

Sources: Lafferty, McCallum and Pereira 2001; settings, features and objective are CRFsuite's (Okazaki 2007),
the methods sklearn-crfsuite's.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.store import dump_json, load_json, pack_sealed, unpack_sealed, write_atomic
from nlptk.tag.base import SequenceLabeller, as_array, take_array
from nlptk.tag.crf_model import CrfModel, Items, encode, label_numbers
from nlptk.tag.crf_training import (
    SETTINGS,
    Held,
    TrainingLog,
    fit_model,
    format_iteration,
    resolve_settings,
)
from nlptk.tag.crfsuite_file import MAGIC, read_crfsuite

if TYPE_CHECKING:
    from typing_extensions import Self

Path_ = str | os.PathLike[str]
_KIND = "nlptk CRF 1"


class CRF(SequenceLabeller):
    """A first-order linear-chain CRF over sentences of items.

    An item is a dict or a list of strings, with CRFsuite's meaning: ``"word"`` in a list is a feature of
    value 1, ``{"word": "the"}`` is the feature ``word:the``, ``{"length": 3.0}`` and ``{"title": True}`` are
    features of those values, and lists, sets and dicts in a dict stand for ``name:feature`` of each of
    theirs.

    None for a setting means CRFsuite's default for the algorithm.

    Args:
        algorithm: "lbfgs" (the default; with ``c1`` > 0 OWL-QN), "l2sgd", "ap" (averaged perceptron), "pa"
            (passive-aggressive) or "arow" (adaptive regularization of weights).
        min_freq: weights for pairs of feature and label whose values sum to less are left out.
        all_possible_states: a weight for every label with every feature, not only those seen together.
        all_possible_transitions: a weight for every pair of labels, not only those seen.
        c1, c2: weights of sum |w| and sum w^2.
        max_iterations: of L-BFGS, or passes over the data.
        num_memories, epsilon, period, delta, max_linesearch: L-BFGS's memory and when it stops; `period` and
            `delta` are "l2sgd"'s too; `epsilon` is also the mean loss at which "ap", "pa" and "arow" stop.
        linesearch, calibration_*: accepted, without effect: there is one line search, and the rate of SGD is
            calibrated on 1,000 sentences.
        pa_type, c: of "pa": steps that make up for the whole loss (0), that are at most c (1) or that are
            damped the more the smaller c is (2).
        error_sensitive: of "pa": the margin is the root of the number of wrong labels, not 1.
        averaging: of "pa": the model is the mean of the weights after each sentence.
        variance, gamma: of "arow": the variance of each weight at first, and what makes the steps smaller.
        verbose: print a line for each iteration.
        model_filename: a file that `fit` saves the model to; before `fit` the model is read from it, be it
            CRFsuite's own or one of `save`.
        keep_tempfiles: accepted, without effect: there are none.
        trainer_cls: must be None; `training_log_` has what a trainer would report.
        warm_passes: of SGD, before the first iteration of "lbfgs"; 0 to begin at zero.
        seed: order of the sentences in passes over them.
        threads: 0 for one for each core.

    Attributes:
        training_log_: what training said of itself, :class:`nlptk.tag.crf_training.TrainingLog`.
    """

    training_log_: TrainingLog | None = None
    _model: CrfModel | None = None

    def __init__(
        self,
        algorithm: str | None = None,
        min_freq: float | None = None,
        all_possible_states: bool | None = None,
        all_possible_transitions: bool | None = None,
        c1: float | None = None,
        c2: float | None = None,
        max_iterations: int | None = None,
        num_memories: int | None = None,
        epsilon: float | None = None,
        period: int | None = None,
        delta: float | None = None,
        linesearch: str | None = None,
        max_linesearch: int | None = None,
        calibration_eta: float | None = None,
        calibration_rate: float | None = None,
        calibration_samples: int | None = None,
        calibration_candidates: int | None = None,
        calibration_max_trials: int | None = None,
        pa_type: int | None = None,
        c: float | None = None,
        error_sensitive: bool | None = None,
        averaging: bool | None = None,
        variance: float | None = None,
        gamma: float | None = None,
        verbose: bool = False,
        model_filename: Path_ | None = None,
        keep_tempfiles: bool = False,
        trainer_cls: None = None,
        warm_passes: int = 4,
        seed: int = 1,
        threads: int = 0,
    ) -> None:
        self.algorithm = algorithm
        self.min_freq = min_freq
        self.all_possible_states = all_possible_states
        self.all_possible_transitions = all_possible_transitions
        self.c1 = c1
        self.c2 = c2
        self.max_iterations = max_iterations
        self.num_memories = num_memories
        self.epsilon = epsilon
        self.period = period
        self.delta = delta
        self.linesearch = linesearch
        self.max_linesearch = max_linesearch
        self.calibration_eta = calibration_eta
        self.calibration_rate = calibration_rate
        self.calibration_samples = calibration_samples
        self.calibration_candidates = calibration_candidates
        self.calibration_max_trials = calibration_max_trials
        self.pa_type = pa_type
        self.c = c
        self.error_sensitive = error_sensitive
        self.averaging = averaging
        self.variance = variance
        self.gamma = gamma
        self.verbose = verbose
        self.model_filename = model_filename
        self.keep_tempfiles = keep_tempfiles
        self.trainer_cls = trainer_cls
        self.warm_passes = warm_passes
        self.seed = seed
        self.threads = threads

    def fit(
        self,
        X: Iterable[Items],
        y: Iterable[Iterable[str]],
        X_dev: Iterable[Items] | None = None,
        y_dev: Iterable[Iterable[str]] | None = None,
        *,
        on_interrupt: str = "raise",
    ) -> Self:
        """Learn from sentences of items X and the labels y of their items.

        A dev set is scored after each iteration, for `training_log_`; it does not change what is learned.
        A training that fails or is interrupted leaves the model as it was before; with `on_interrupt="best"`
        Ctrl-C keeps the weights with the least loss so far, if an iteration was done.

        Raises:
            ConfigError: a setting is out of range or not the algorithm's.
            DataError: X holds no items or what is no feature, or y does not match it (the message names
                sentence, item and feature), or the values are too large to train with.
            KeyboardInterrupt: Ctrl-C, within a second.
        """
        algorithm, settings = self._settings()
        if on_interrupt not in ("raise", "best"):
            raise ConfigError(f"on_interrupt must be 'raise' or 'best', not {on_interrupt!r}")
        if (X_dev is None) != (y_dev is None):
            raise ConfigError("X_dev and y_dev belong together; give both or neither")
        table, classes, log = _core.AttributeTable(), list[str](), TrainingLog()
        features = encode(table, X, grow=True)
        gold = label_numbers(y, features.offsets, classes, grow=True)
        if not len(gold):
            raise DataError("the training set has no items; give at least one sentence that has some")
        if len(classes) == 1:
            warnings.warn(f"y has one label only, {classes[0]!r}: every item will get it", stacklevel=2)
        held = None
        if X_dev is not None and y_dev is not None:
            dev = encode(table, X_dev, what="X_dev")
            held = Held(dev, label_numbers(y_dev, dev.offsets, classes, "y_dev", grow=False))
        model = fit_model(
            classes,
            table,
            features,
            gold,
            algorithm,
            settings,
            held=held,
            log=log,
            report=(lambda entry: print(format_iteration(entry), flush=True)) if self.verbose else None,
            keep_best=on_interrupt == "best",
            warm_passes=self.warm_passes,
            seed=self.seed,
            threads=self.threads,
        )
        self._model, self.training_log_ = model, log
        if self.model_filename is not None:
            self.save(self.model_filename)
        return self

    def _settings(self) -> tuple[str, dict[str, Any]]:
        if self.trainer_cls is not None:
            raise ConfigError("trainer_cls is for CRFsuite's trainers; leave it None and read training_log_")
        for name in ("warm_passes", "seed", "threads"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not 0 <= value < 2**31:
                raise ConfigError(f"{name} must be an integer from 0 to {2**31 - 1}, not {value!r}")
        return resolve_settings(self.algorithm, {name: getattr(self, name) for name in SETTINGS})

    def _loaded(self) -> CrfModel | None:
        """The model; read from `model_filename` where there is none yet."""
        if self._model is None and self.model_filename is not None and Path(self.model_filename).is_file():
            self._model = _read(self.model_filename)[0]
        return self._model

    def _fitted(self) -> CrfModel:
        model = self._loaded()
        if model is None:
            raise ConfigError("this CRF is not fitted; call fit, load or from_crfsuite first")
        return model

    # ---- answers -------------------------------------------------------------------------------

    def predict(self, X: Iterable[Items]) -> NDArray[np.object_]:
        """The best labels of each sentence: an array [sentences] of lists of strings, empty for empty ones.

        Raises:
            ConfigError: there is no model yet.
            DataError: X is not a list of sentences of dicts or of lists of strings.
        """
        model = self._fitted()
        classes = np.array(model.classes, object)
        found: list[list[str]] = []
        for features in model.batches(X):
            labels = classes[model.paths(features, self.threads)].tolist()
            found.extend(labels[first:last] for first, last in pairwise(features.offsets.tolist()))
        return as_array(found)

    def predict_single(self, xseq: Items) -> list[str]:
        """The best labels of one sentence. Raises as `predict` does."""
        labels: list[str] = self.predict([xseq])[0]
        return labels

    def predict_marginals(self, X: Iterable[Items]) -> NDArray[np.object_]:
        """For each sentence a list with, for each item, a dict: label to its probability there.

        Raises as `predict` does.
        """
        model = self._fitted()
        found: list[list[dict[str, float]]] = []
        for features in model.batches(X):
            rows = model.marginals(features, self.threads).tolist()
            items = [dict(zip(model.classes, row, strict=True)) for row in rows]
            found.extend(items[first:last] for first, last in pairwise(features.offsets.tolist()))
        return as_array(found)

    def predict_marginals_single(self, xseq: Items) -> list[dict[str, float]]:
        """The marginals of one sentence. Raises as `predict` does."""
        items: list[dict[str, float]] = self.predict_marginals([xseq])[0]
        return items

    def score(self, X: Iterable[Items], y: Iterable[Iterable[str]]) -> float:
        """The share of items whose predicted label is the one in y.

        Raises as `predict` does, and DataError where X and y do not match or there are no items.
        """
        model = self._fitted()
        lengths, paths = [np.zeros(1, np.int64)], []
        for features in model.batches(X):
            lengths.append(np.diff(features.offsets))
            paths.append(model.paths(features, self.threads))
        offsets = np.concatenate(lengths).cumsum()
        gold = label_numbers(y, offsets, list(model.classes), grow=False)
        if not len(gold):
            raise DataError("there are no items to score; give at least one sentence that has some")
        return float(np.mean(np.concatenate(paths) == gold))

    # ---- the model -----------------------------------------------------------------------------

    @property
    def classes_(self) -> list[str] | None:
        """The labels, in the order in which training met them; as all below None before there is a model."""
        model = self._loaded()
        return None if model is None else list(model.classes)

    @property
    def attributes_(self) -> list[str] | None:
        """The names of the features that have a weight."""
        model = self._loaded()
        return None if model is None else model.attributes()

    @property
    def num_attributes_(self) -> int | None:
        """How many features have a weight."""
        model = self._loaded()
        return None if model is None else len(model.table)

    @property
    def state_features_(self) -> dict[tuple[str, str], float] | None:
        """Weights by name of the feature and label."""
        model = self._loaded()
        return None if model is None else model.state_features()

    @property
    def transition_features_(self) -> dict[tuple[str, str], float] | None:
        """Weights by label before and label after."""
        model = self._loaded()
        return None if model is None else model.transition_features()

    @property
    def size_(self) -> int | None:
        """Bytes of the model, as `save` stores it without the header."""
        model = self._loaded()
        return None if model is None else sum(array.nbytes for array in model.to_arrays().values())

    # ---- on disk -------------------------------------------------------------------------------

    def save(self, path: Path_) -> None:
        """Write settings and model as one safetensors file, at once or not at all.

        Raises:
            ConfigError: there is no model yet.
            OSError: the file cannot be written.
        """
        arrays = self._fitted().to_arrays()
        settings = {name: value for name, value in self.get_params().items() if name != "model_filename"}
        text = dump_json({"kind": _KIND, "settings": settings}, "the CRF's settings")
        arrays["settings"] = np.frombuffer(text, np.uint8)
        write_atomic(path, pack_sealed(arrays, "the CRF"))

    @classmethod
    def load(cls, path: Path_) -> Self:
        """What `save` wrote.

        Raises:
            ModelError: the file is missing, truncated, altered or something else.
        """
        model, settings = _read(path)
        try:
            made = cls(**settings)
            made._settings()
        except (TypeError, ValueError) as error:
            raise ModelError(f"{os.fspath(path)}: its settings are not usable: {error}") from error
        made._model = model
        return made

    @classmethod
    def from_crfsuite(cls, path: Path_) -> Self:
        """The model in a file that CRFsuite wrote; its settings are not in the file.

        Raises:
            ModelError: the file is missing, truncated, altered or something else.
        """
        made = cls()
        made._model = read_crfsuite(path)
        return made

    # ---- scikit-learn --------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return self._loaded() is not None


def _read(path: Path_) -> tuple[CrfModel, dict[str, Any]]:
    """The model and settings of a file of `CRF.save`, or of CRFsuite."""
    where = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{where}: cannot be read: {error.strerror}") from error
    if data[:4] == MAGIC:
        return read_crfsuite(path), {}
    arrays = unpack_sealed(data, where)
    try:
        described = load_json(take_array("settings", arrays, np.uint8, 1).tobytes(), where)
        if not isinstance(described, dict) or described.get("kind") != _KIND:
            raise ModelError("it is no CRF of this version of nlptk")
        return CrfModel.from_arrays(arrays), dict(described["settings"])
    except (ModelError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{where}: is not a CRF that can be used: {error}") from error
