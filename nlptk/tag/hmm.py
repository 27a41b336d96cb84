"""Hidden-Markov-model tagger: trigram or bigram, supervised (after Brants 2000, "TnT").

>>> tagger = HMMTagger().fit([["the", "dog", "barks"]], [["DET", "NOUN", "VERB"]])
>>> tagger.predict([["the", "cat", "barks"]])
[['DET', 'NOUN', 'VERB']]

See hmm_lexicon.py for the words, hmm_transitions.py for the tags, docs/hmm.md for the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain as flatten
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlptk import _core, chain
from nlptk.errors import ConfigError, DataError, ModelError, NlptkError
from nlptk.pickling import RemakesKernels
from nlptk.tag.base import (
    LabelLists,
    Sentences,
    SequenceLabeller,
    check_integer,
    check_lengths,
    check_training,
    pack_strings,
    resolve_scheme,
    take_array,
    unpack_strings,
)
from nlptk.tag.hmm_lexicon import Lexicon, Type, is_title, word_types
from nlptk.tag.hmm_transitions import (
    Counts,
    bigram_log_probabilities,
    choose_states,
    count_trigrams,
    trigram_log_probabilities,
)

_FORMAT = 1
_SETTINGS = ("order", "suffix_length", "rare_threshold", "n_word_states", "scheme")
# Tags this much less likely than a word's best are not tried.
_PRUNE = 1e-3
# Dense scores that a bigram batch holds at once, and all that a table of transitions may hold (1 GiB).
_DENSE_SCORES = 1 << 22
_TABLE_SCORES = 1 << 28


class _Candidates(NamedTuple):
    """States that each token may take: token t has states[offsets[t]:offsets[t + 1]], increasing."""

    offsets: NDArray[np.int64]
    states: NDArray[np.int32]
    scores: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> _Candidates:
        """The candidates of the rows given, in that order."""
        first = self.offsets[rows]
        sizes = self.offsets[rows + 1] - first
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes, out=offsets[1:])
        index = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], sizes)
        return _Candidates(offsets, self.states[index], self.scores[index])

    def join(self, other: _Candidates) -> _Candidates:
        """These rows and then the other's."""
        return _Candidates(
            np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
            np.concatenate([self.states, other.states]),
            np.concatenate([self.scores, other.scores]),
        )


class HMMTagger(SequenceLabeller, RemakesKernels):
    """A trigram (or bigram) tagger with a suffix and shape model for words it has not seen.

    Args:
        order: 3 for trigrams, 2 for bigrams.
        suffix_length: characters of the longest suffix that tells about a rare word's tag.
        rare_threshold: words seen at most this often teach the suffix and shape model.
        n_word_states: how many of the most frequent words are states of their own beside the tags; 0 for TnT.
        scheme: "bio" or "bioes" to let only valid tag sequences out, "auto" to see whether the training tags
            are of the first kind, None for no constraint.
        threads: for decoding; 0 for one for each core.

    Attributes:
        classes_: the tags, sorted; set by `fit`.
    """

    classes_: list[str]
    _kernel_names = ("_decoder",)

    def __init__(
        self,
        order: int = 3,
        suffix_length: int = 10,
        rare_threshold: int = 10,
        n_word_states: int = 200,
        scheme: str | None = "auto",
        threads: int = 0,
    ) -> None:
        self.order = order
        self.suffix_length = suffix_length
        self.rare_threshold = rare_threshold
        self.n_word_states = n_word_states
        self.scheme = scheme
        self.threads = threads

    # Training: everything that is kept is counts; `_prepare` derives the rest.

    def fit(self, X: Sentences, y: Sentences) -> HMMTagger:
        """Learn from tokens X and their tags y, both lists of lists of strings. Sentences may be empty.

        Raises:
            ConfigError: a setting is out of range, or a tag is not of the scheme.
            DataError: X and y do not match (the message names the sentence), or there are no tokens.
        """
        self._check_settings()
        check_training(X, y)
        classes = sorted({tag for tags in y for tag in tags})
        tag_ids = {tag: number for number, tag in enumerate(classes)}
        tags = [[tag_ids[tag] for tag in sentence] for sentence in y]

        seen = Counter(
            flatten.from_iterable(
                zip(word_types(s[:1], True) + word_types(s[1:], False), t, strict=True)
                for s, t in zip(X, tags, strict=True)
            )
        )
        words = sorted({word for (word, _), _ in seen})
        word_ids = {word: number for number, word in enumerate(words)}
        entries = np.array(
            sorted((word_ids[word], int(start), tag, count) for ((word, start), tag), count in seen.items()),
            np.int32,
        )
        states = choose_states(seen, len(classes), self.n_word_states)
        state_ids = {state: number for number, state in enumerate(states)}
        trigrams: Counter[tuple[int, int, int]] = Counter()
        for sentence, sentence_tags in zip(X, tags, strict=True):
            if len(sentence):
                count_trigrams(trigrams, sentence, sentence_tags, state_ids, len(states), len(classes))
        rows = np.array(sorted((*key, count) for key, count in trigrams.items()), np.int32)
        self._prepare(classes, words, entries, states, rows)
        return self

    def _check_settings(self) -> None:
        if self.order not in (2, 3):
            raise ConfigError(f"order must be 2 (bigrams) or 3 (trigrams), not {self.order!r}")
        for name, low in (("suffix_length", 0), ("rare_threshold", 1), ("n_word_states", 0), ("threads", 0)):
            check_integer(name, getattr(self, name), low)

    def _prepare(
        self,
        classes: list[str],
        words: list[str],
        entries: NDArray[np.int32],
        states: list[tuple[int, str]],
        trigrams: NDArray[np.int32],
    ) -> None:
        """Set the model from its counts."""
        n_tags, n_states = len(classes), len(states)
        state_tags = np.array([tag for tag, _ in states], np.int32)
        self._scheme = resolve_scheme(self.scheme, classes)
        self.classes_ = classes
        self._words, self._entries, self._states, self._trigrams = words, entries, states, trigrams
        self._state_tags = state_tags
        self._lexicon = Lexicon(words, entries, n_tags, self.suffix_length, self.rare_threshold)

        self._word_state_rows: dict[str, int] = {"": 0}
        for _, word in states:
            self._word_state_rows.setdefault(word, len(self._word_state_rows))
        plain = np.zeros(n_tags, np.int32)
        for state, (tag, word) in enumerate(states):
            if not word:
                plain[tag] = state
        self._state_table = np.tile(plain, (len(self._word_state_rows), 1))
        for state, (tag, word) in enumerate(states):
            self._state_table[self._word_state_rows[word], tag] = state

        counts = Counts(trigrams, state_tags, n_tags)
        state_counts = np.maximum(counts.unigram[:n_states], 1)
        self._log_state_prior = np.log(state_counts / state_counts.sum()).astype(np.float32)
        self._prepare_transitions(counts)
        known = self._lexicon.known_types()
        self._rows = {word: row for row, (word, start) in enumerate(known) if not start}
        self._start_rows = {word: row for row, (word, start) in enumerate(known) if start}
        self._known = self._candidates(known)

    def _prepare_transitions(self, counts: Counts) -> None:
        size = counts.states**2 * (counts.classes if self.order == 3 else 1)
        if size > _TABLE_SCORES:
            raise ConfigError(
                f"{len(self.classes_)} tags and order {self.order} need {size >> 28} GiB of transitions; "
                "use order=2, n_word_states=0 or fewer tags"
            )
        allowed = self._allowed(counts.tags)
        if self.order == 2:
            self._bigrams = bigram_log_probabilities(counts) + allowed
        else:
            table = trigram_log_probabilities(counts)
            table += allowed
            self._decoder = _core.TrigramModel(table, counts.tags.astype(np.int32))

    def _make_kernels(self) -> None:
        if self.order == 3 and hasattr(self, "classes_"):
            self._prepare_transitions(Counts(self._trigrams, self._state_tags, len(self.classes_)))

    def _allowed(self, tags: NDArray[np.int64]) -> NDArray[np.float32]:
        """0 or -inf for each pair of states, boundary included, as the scheme says."""
        n = len(self.classes_)
        mask = chain.transition_mask(self.classes_, self._scheme)
        table = np.zeros((n + 1, n + 1), np.float32)
        table[:n, :n], table[n, :n], table[:n, n] = mask.transitions, mask.start, mask.end
        return np.asarray(table[np.ix_(tags, tags)])

    def _candidates(self, types: Sequence[Type]) -> _Candidates:
        """States and emission scores, log p(tag | word) - log p(state), of each type."""
        chances = self._lexicon.distributions(types)
        rows = [self._word_state_rows.get(word.lower(), 0) for word, _ in types]
        states = self._state_table[rows]
        # Under a scheme the unlikely tags stay, so that there is always a valid sequence.
        kept = chances > (0.0 if self._scheme else _PRUNE) * chances.max(axis=1, keepdims=True)
        offsets = np.zeros(len(types) + 1, np.int64)
        np.cumsum(np.count_nonzero(kept, axis=1), out=offsets[1:])
        chosen = states[kept]
        return _Candidates(offsets, chosen, np.log(chances[kept]) - self._log_state_prior[chosen])

    # Tagging.

    def predict(self, X: Sentences) -> list[list[str]]:
        """The best tags of each sentence, as lists parallel to X.

        Raises:
            ConfigError: the tagger is not fitted.
            DataError: X is not a list of lists of strings.
        """
        flat, offsets = self.predict_ids(X)
        tags = [self.classes_[number] for number in flat.tolist()]
        bounds = offsets.tolist()
        return LabelLists(tags[first:last] for first, last in pairwise(bounds))

    def predict_ids(self, X: Sentences) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """As `predict`, but indices into `classes_`.

        Returns int32 [tokens], all sentences in a row, and where each begins, int64 [len(X) + 1].
        """
        if not hasattr(self, "classes_"):
            raise ConfigError("this HMMTagger is not fitted; call fit or from_state first")
        try:
            candidates, offsets = self._look_up(X)
        except (TypeError, AttributeError) as error:
            raise DataError(f"X must be a list of sentences, each a list of strings: {error}") from error
        decode = self._decode_bigrams if self.order == 2 else self._decode_trigrams
        return self._state_tags[decode(candidates, offsets)], offsets

    def _look_up(self, X: Sentences) -> tuple[_Candidates, NDArray[np.int64]]:
        """Candidates of all tokens of X, and where sentences begin."""
        lengths: list[int] = []
        rows: list[int] = []
        unseen: dict[Type, int] = {}
        first_unseen = len(self._known.offsets) - 1
        row_of = self._rows.get
        for sentence in X:
            if isinstance(sentence, str):
                raise TypeError("a sentence is one string")
            begin = len(rows)
            rows += [row_of(word, -1) for word in sentence]
            lengths.append(len(rows) - begin)
            if lengths[-1] and is_title(sentence[0]):
                rows[begin] = self._start_rows.get(sentence[0], -1)
            if -1 in rows[begin:]:
                for place in range(begin, len(rows)):
                    if rows[place] < 0:
                        word = sentence[place - begin]
                        kind = (word, place == begin and is_title(word))
                        rows[place] = first_unseen + unseen.setdefault(kind, len(unseen))
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        places = np.array(rows, np.int64)
        if not unseen:
            return self._known.take(places), offsets
        # Only what this batch needs is copied from the lexicon, which may be large.
        known = places < first_unseen
        found = self._known.take(places[known]).join(self._candidates(list(unseen)))
        places[~known] += np.count_nonzero(known) - first_unseen
        places[known] = np.arange(np.count_nonzero(known))
        return found.take(places), offsets

    def _decode_trigrams(self, candidates: _Candidates, offsets: NDArray[np.int64]) -> NDArray[np.int32]:
        states, _ = self._decoder.viterbi(
            candidates.offsets, candidates.states, candidates.scores, offsets, self.threads
        )
        return states

    def _decode_bigrams(self, candidates: _Candidates, offsets: NDArray[np.int64]) -> NDArray[np.int32]:
        """On the linear-chain kernel: the scores as a dense matrix, some sentences at a time."""
        n = len(self._states)
        inner, start, end = self._bigrams[:n, :n], self._bigrams[n, :n], self._bigrams[:n, n]
        result = np.zeros(int(offsets[-1]), np.int32)
        sentence, rows = 0, max(1, _DENSE_SCORES // n)
        while sentence < len(offsets) - 1:
            stop = int(np.searchsorted(offsets, offsets[sentence] + rows, side="right")) - 1
            stop = max(stop, sentence + 1)
            first, last = int(offsets[sentence]), int(offsets[stop])
            part = candidates.take(np.arange(first, last))
            dense = np.full((last - first, n), -np.inf, np.float32)
            dense[np.repeat(np.arange(last - first), np.diff(part.offsets)), part.states] = part.scores
            bounds = offsets[sentence : stop + 1] - first
            result[first:last], _ = chain.viterbi(
                dense, inner, offsets=bounds, start=start, end=end, threads=self.threads
            )
            sentence = stop
        return result

    def score(self, X: Sentences, y: Sentences) -> float:
        """The share of tokens whose predicted tag is the one in y.

        Raises DataError where X and y do not match, or there are no tokens.
        """
        check_lengths(X, y)
        predicted = self.predict(X)
        total = sum(map(len, predicted))
        if total == 0:
            raise DataError("there are no tokens to score")
        right = sum(a == b for p, g in zip(predicted, y, strict=True) for a, b in zip(p, g, strict=True))
        return right / total

    # State for the store.

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays: the counts, from which `from_state` derives everything."""
        if not hasattr(self, "classes_"):
            raise ConfigError("this HMMTagger is not fitted, so there is nothing to save; call fit first")
        config = {"format": _FORMAT, **{name: getattr(self, name) for name in _SETTINGS}}
        arrays = {
            **pack_strings("classes", self.classes_),
            **pack_strings("words", self._words),
            **pack_strings("state_words", [word for _, word in self._states]),
            "state_tags": self._state_tags,
            "entries": self._entries,
            "trigrams": self._trigrams,
        }
        return config, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> HMMTagger:
        """The tagger that `to_state` gave. Raises ModelError for anything that is not its state."""
        if config.get("format") != _FORMAT:
            raise ModelError(
                f"HMM tagger of format {config.get('format')!r}, but this nlptk reads {_FORMAT}; "
                "use a matching version"
            )
        missing = [name for name in _SETTINGS if name not in config]
        if missing:
            raise ModelError(f"the HMM tagger's config has no {missing[0]!r}; it is altered or incomplete")
        tagger = cls(**{name: config[name] for name in _SETTINGS})
        classes = unpack_strings("classes", arrays)
        words = unpack_strings("words", arrays)
        state_words = unpack_strings("state_words", arrays)
        state_tags = take_array("state_tags", arrays, np.int32, 1)
        entries = take_array("entries", arrays, np.int32, 2)
        trigrams = take_array("trigrams", arrays, np.int32, 2)
        n, s = len(classes), len(state_words)
        _check_rows("entries", entries, (len(words), 2, n))
        _check_rows("trigrams", trigrams, (n + 1, s + 1, s + 1))
        plain = {tag for tag, word in zip(state_tags.tolist(), state_words, strict=False) if not word}
        if len(state_tags) != s or plain != set(range(n)) or len(set(classes)) != n:
            raise ModelError(
                "the HMM tagger's states do not fit its classes; the model is altered, fetch it again"
            )
        try:
            tagger._check_settings()
            states = list(zip(state_tags.tolist(), state_words, strict=True))
            tagger._prepare(classes, words, entries, states, trigrams)
        except NlptkError as error:
            raise ModelError(f"the HMM tagger's config is not usable: {error}") from error
        return tagger


def _check_rows(name: str, rows: NDArray[np.int32], limits: tuple[int, int, int]) -> None:
    """Raise ModelError unless the rows are three indices below the limits and a positive count."""
    good = rows.shape[1] == 4 and len(rows) > 0
    good = good and bool((rows >= 0).all() and (rows[:, :3] < limits).all() and (rows[:, 3] > 0).all())
    if not good:
        raise ModelError(
            f"array {name!r} holds indices or counts out of range; the model is altered, fetch it again"
        )
