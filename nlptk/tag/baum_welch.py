"""A hidden Markov model learned without tags: Baum-Welch on the linear-chain kernel.

Rabiner (1989), "A tutorial on hidden Markov models", section III.C; names are hmmlearn's. A tag dictionary
(Merialdo 1994, "Tagging English text with a probabilistic model") limits the states of the words that it
lists, and then the states have names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as flatten
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core, chain
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.base import (
    Estimator,
    Sentences,
    check_integer,
    check_sentences,
    check_training,
    pack_strings,
    take_array,
    unpack_strings,
)

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Offsets = NDArray[np.int64]

_FORMAT = 1
_ARRAYS = ("startprob_", "transmat_", "emissionprob_")
_SETTINGS = ("n_components", "n_iter", "tol", "random_state")
# Scores that are in memory at once, [tokens, states].
_CHUNK = 1 << 22


@dataclass
class Monitor:
    """How training went: `history` holds the log-likelihood before each update of the parameters."""

    tol: float
    n_iter: int
    history: list[float] = field(default_factory=list)

    @property
    def iter(self) -> int:
        """Rounds so far."""
        return len(self.history)

    @property
    def converged(self) -> bool:
        """Whether the rounds are used up or the last one gained less than `tol`."""
        return self.iter >= self.n_iter or (self.iter > 1 and self.history[-1] - self.history[-2] < self.tol)


class CategoricalHMM(Estimator):
    """A hidden Markov model over words whose states nobody labelled.

    A word that training has not seen counts as missing: every state gives it probability 1, so that its
    neighbours decide its state and it adds nothing to the likelihood.

    Args:
        n_components: the number of states where there is no tag dictionary.
        n_iter: rounds of Baum-Welch at most.
        tol: stop when a round gains less log-likelihood than this, in nats over the whole training set.
        random_state: seed of the starting point.
        threads: 0 for one for each core.

    Attributes:
        startprob_: [states] p(first state).
        transmat_: [states, states] p(next state | state).
        emissionprob_: [states, words] p(word | state).
        vocabulary_: the words, sorted; columns of `emissionprob_`.
        classes_: names of the states: tags, or 0, 1, 2 ... as strings.
        monitor_: the log-likelihood of each round.
    """

    startprob_: Doubles
    transmat_: Doubles
    emissionprob_: Doubles
    vocabulary_: list[str]
    classes_: list[str]
    monitor_: Monitor

    def __init__(
        self,
        n_components: int = 2,
        n_iter: int = 50,
        tol: float = 1e-2,
        random_state: int = 0,
        threads: int = 0,
    ) -> None:
        self.n_components = n_components
        self.n_iter = n_iter
        self.tol = tol
        self.random_state = random_state
        self.threads = threads

    # Starting points.

    def fit(self, X: Sentences, tag_dictionary: Mapping[str, Sequence[str]] | None = None) -> CategoricalHMM:
        """Learn from sentences alone, from a random start.

        Args:
            X: lists of words.
            tag_dictionary: the tags that a word may have; words it does not list may have any of them.

        Raises:
            ConfigError: a setting is out of range, or the dictionary gives a word no tag.
            DataError: X is not lists of strings, or has no words.
        """
        self._check_settings()
        check_sentences(X)
        vocabulary = sorted(set(flatten.from_iterable(X)))
        if not vocabulary:
            raise DataError("the training set has no words; give at least one sentence")
        random = np.random.default_rng(self.random_state)
        if tag_dictionary is None:
            names = [str(number) for number in range(self.n_components)]
            mask = np.ones((len(names), len(vocabulary)))
        else:
            names, mask = _dictionary_mask(vocabulary, tag_dictionary)
        emission = mask * random.uniform(0.5, 1.5, mask.shape)
        start = random.uniform(0.5, 1.5, len(names))
        steps = random.uniform(0.5, 1.5, (len(names), len(names)))
        self._set(names, vocabulary, start, steps, emission)
        return self.fit_more(X)

    def fit_supervised(self, X: Sentences, y: Sentences, smoothing: float = 0.1) -> CategoricalHMM:
        """Set the parameters from tagged sentences, `smoothing` added to every count: a start for `fit_more`.

        Raises as `HMMTagger.fit` does; ConfigError for a `smoothing` below 0.
        """
        self._check_settings()
        check_training(X, y)
        if not 0 <= smoothing < math.inf:
            raise ConfigError(f"smoothing must be a number not below 0, not {smoothing!r}")
        names = sorted(set(flatten.from_iterable(y)))
        vocabulary = sorted(set(flatten.from_iterable(X)))
        tag_ids = {name: number for number, name in enumerate(names)}
        word_ids = {word: number for number, word in enumerate(vocabulary)}
        start = np.full(len(names), smoothing)
        steps = np.full((len(names), len(names)), smoothing)
        emission = np.full((len(names), len(vocabulary)), smoothing)
        for words, tags in zip(X, y, strict=True):
            path = [tag_ids[tag] for tag in tags]
            if path:
                start[path[0]] += 1
            np.add.at(steps, (path[:-1], path[1:]), 1)
            np.add.at(emission, (path, [word_ids[word] for word in words]), 1)
        self._set(names, vocabulary, start, steps, emission)
        self.monitor_ = Monitor(self.tol, self.n_iter)
        return self

    def fit_more(self, X: Sentences) -> CategoricalHMM:
        """Go on with Baum-Welch from the present parameters; what has probability 0 keeps it.

        Raises DataError where a sentence has probability 0; the message names it.
        """
        self._check_settings()
        ids, offsets = self._encode(X)
        self.monitor_ = Monitor(self.tol, self.n_iter)
        while not self.monitor_.converged:
            self.monitor_.history.append(self._round(ids, offsets))
        return self

    def _check_settings(self) -> None:
        check_integer("n_components", self.n_components, 1)
        check_integer("n_iter", self.n_iter, 1)
        check_integer("random_state", self.random_state, 0)
        check_integer("threads", self.threads, 0)
        if not self.tol >= 0:
            raise ConfigError(f"tol must be a number not below 0, not {self.tol!r}")

    def _set(
        self, names: list[str], vocabulary: list[str], start: Doubles, steps: Doubles, emission: Doubles
    ) -> None:
        self.classes_, self.vocabulary_ = names, vocabulary
        self.startprob_, self.transmat_, self.emissionprob_ = map(_normalised, (start, steps, emission))
        self._word_ids = {word: number for number, word in enumerate(vocabulary)}

    # The kernel's side.

    def _encode(self, X: Sentences) -> tuple[Ints, Offsets]:
        """Columns of `emissionprob_`, one past the last for unknown words, and where sentences begin."""
        if not hasattr(self, "vocabulary_"):
            raise ConfigError(
                "this CategoricalHMM is not fitted; call fit, fit_supervised or from_state first"
            )
        found = _core.word_ids(self._word_ids, X, len(self.vocabulary_))
        if found is None:
            check_sentences(X)
            plain = [[str(word) for word in sentence] for sentence in X]  # other sequences, or classes of str
            found = _core.word_ids(self._word_ids, plain, len(self.vocabulary_))
            assert found is not None
        return found

    def _log_scores(self) -> tuple[Floats, Floats, Floats]:
        """Of starts, of steps, and of words, [words + 1, states]: the last row is that of unknown words."""
        emission = np.zeros((len(self.vocabulary_) + 1, len(self.classes_)), np.float32)
        with np.errstate(divide="ignore"):
            emission[:-1] = np.log(self.emissionprob_).T
            start, steps = np.log(self.startprob_), np.log(self.transmat_)
        return start.astype(np.float32), steps.astype(np.float32), emission

    def _chunks(self, ids: Ints, offsets: Offsets) -> Iterator[tuple[Offsets, dict[str, Any]]]:
        """Whole sentences at a time: where they begin, and the arguments of the chain kernel."""
        start, steps, emission = self._log_scores()
        rows = max(1, _CHUNK // len(self.classes_))
        first = 0
        while first < len(offsets) - 1:
            last = int(np.searchsorted(offsets, offsets[first] + rows, side="right")) - 1
            last = max(last, first + 1)
            part = ids[offsets[first] : offsets[last]]
            bounds = offsets[first : last + 1] - offsets[first]
            arguments = {
                "emissions": emission[part],
                "transitions": steps,
                "offsets": bounds,
                "start": start,
                "threads": self.threads,
            }
            yield bounds, arguments
            first = last

    def _round(self, ids: Ints, offsets: Offsets) -> float:
        """One round of Baum-Welch; returns the log-likelihood under the parameters before it."""
        log_likelihoods, start, steps, emission = _core.hmm_expected_counts(
            self.startprob_, self.transmat_, self.emissionprob_, ids, offsets, self.threads
        )
        _check_possible(log_likelihoods)
        # A state that nothing reached keeps its parameters.
        self.startprob_ = _normalised(start, self.startprob_)
        self.transmat_ = _normalised(steps, self.transmat_)
        self.emissionprob_ = _normalised(emission.T, self.emissionprob_)
        return float(log_likelihoods.sum())

    # Use.

    def predict(self, X: Sentences) -> list[list[str]]:
        """The most probable path of each sentence (Viterbi), as names of states.

        Raises DataError where X is not lists of strings.
        """
        path, offsets = self.predict_ids(X)
        flat = np.array(self.classes_, dtype=object)[path].tolist()
        return [flat[first:last] for first, last in pairwise(offsets.tolist())]

    def predict_ids(self, X: Sentences) -> tuple[Ints, Offsets]:
        """As `predict`, but indices into `classes_`.

        Returns int32 [words], all sentences in a row, and where each begins, int64 [len(X) + 1].
        """
        ids, offsets = self._encode(X)
        return _core.hmm_viterbi(*self._log_scores(), ids, offsets, self.threads), offsets

    def predict_proba(self, X: Sentences) -> list[NDArray[np.float32]]:
        """p(state | sentence) at each word: one float32 [words, states] for each sentence."""
        ids, offsets = self._encode(X)
        result: list[NDArray[np.float32]] = []
        for bounds, arguments in self._chunks(ids, offsets):
            marginals = chain.forward_backward(**arguments).marginals
            result += [marginals[first:last] for first, last in pairwise(bounds.tolist())]
        return result

    def score(self, X: Sentences) -> float:
        """Log-likelihood of X, natural log; -inf where a sentence is impossible."""
        ids, offsets = self._encode(X)
        parts = [chain.log_partition(**arguments).sum() for _, arguments in self._chunks(ids, offsets)]
        return float(sum(parts))

    # State for the store.

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays."""
        if not hasattr(self, "vocabulary_"):
            raise ConfigError(
                "this CategoricalHMM is not fitted, so there is nothing to save; call fit first"
            )
        config = {"format": _FORMAT, **{name: getattr(self, name) for name in _SETTINGS}}
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _ARRAYS}
        packed = {**pack_strings("classes", self.classes_), **pack_strings("vocabulary", self.vocabulary_)}
        return config, {**arrays, **packed}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> CategoricalHMM:
        """The model that `to_state` gave. Raises ModelError for anything that is not its state."""
        if config.get("format") != _FORMAT or any(name not in config for name in _SETTINGS):
            raise ModelError(f"the config is not that of a CategoricalHMM of format {_FORMAT}")
        model = cls(**{name: config[name] for name in _SETTINGS})
        names, vocabulary = unpack_strings("classes", arrays), unpack_strings("vocabulary", arrays)
        start = take_array("startprob_", arrays, np.float64, 1)
        steps = take_array("transmat_", arrays, np.float64, 2)
        emission = take_array("emissionprob_", arrays, np.float64, 2)
        n = len(names)
        if start.shape != (n,) or steps.shape != (n, n) or emission.shape != (n, len(vocabulary)) or not n:
            raise ModelError(
                "the HMM's arrays do not fit its states and words; the model is altered, fetch it again"
            )
        for name, table in zip(_ARRAYS, (start, steps, emission), strict=True):
            if (table < 0).any() or not np.allclose(table.sum(axis=-1), 1.0):
                raise ModelError(
                    f"array {name!r} does not hold probabilities; the model is altered, fetch it again"
                )
        try:
            model._check_settings()
        except (ConfigError, TypeError) as error:
            raise ModelError(f"the HMM's config is not usable: {error}") from error
        model._set(names, vocabulary, start, steps, emission)
        model.monitor_ = Monitor(model.tol, model.n_iter)
        return model


def _dictionary_mask(
    vocabulary: Sequence[str], tag_dictionary: Mapping[str, Sequence[str]]
) -> tuple[list[str], Doubles]:
    """Tags that some word may have, and 1 where a tag (row) may have a word (column), else 0."""
    for word, tags in tag_dictionary.items():
        if isinstance(tags, str) or not tags:
            raise ConfigError(f"tag_dictionary must give {word!r} a list of at least one tag, not {tags!r}")
    names = sorted(set(flatten.from_iterable(tag_dictionary.values())))
    if not names:
        raise ConfigError("tag_dictionary is empty; give the tags of at least one word, or None")
    rows = {name: row for row, name in enumerate(names)}
    mask = np.ones((len(names), len(vocabulary)))
    for column, word in enumerate(vocabulary):
        tags = tag_dictionary.get(word, names)
        mask[:, column] = 0.0
        mask[[rows[tag] for tag in tags], column] = 1.0
    used = np.asarray(mask.any(axis=1))
    return [name for name, keep in zip(names, used.tolist(), strict=True) if keep], mask[used]


def _normalised(counts: Doubles, otherwise: Doubles | None = None) -> Doubles:
    """Rows that sum to 1; a row of zeros becomes the row of `otherwise`, or uniform."""
    total = counts.sum(axis=-1, keepdims=True)
    instead = np.full_like(counts, 1.0 / counts.shape[-1]) if otherwise is None else otherwise
    return np.asarray(np.where(total > 0, counts / np.where(total > 0, total, 1.0), instead))


def _check_possible(log_likelihoods: Doubles) -> None:
    impossible = np.flatnonzero(np.isneginf(log_likelihoods))
    if len(impossible):
        raise DataError(
            f"sentence {impossible[0]} has probability 0 under the model; use another start or more smoothing"
        )
