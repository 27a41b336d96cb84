"""Transition probabilities of the HMM tagger: deleted interpolation (Jelinek and Mercer 1980; Brants 2000).

A state is a tag, or a tag together with one frequent word (Pla and Molina 2004, "Improving part-of-speech
tagging using lexicalized HMMs"), so that function words are contexts of their own. With u and v for the tags
of the two states before and b for the state one back, the state here has the probability

    w0 p(s) + w1 p(s | v) + w2 p(s | b) + w3 p(s | u, v) + w4 p(s | u, b)

and the weights are found as TnT finds them: every training trigram is taken out of the counts once and its
count goes to the term that then predicts it best. A bigram tagger has the first three terms. Without word
states the second and third, and the fourth and fifth, are the same, and this is TnT's formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlptk.tag.hmm_lexicon import Type

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# A (word, tag) pair is a state of its own from this many occurrences on.
_MIN_WORD_STATE = 10


def choose_states(seen: Counter[tuple[Type, int]], n_tags: int, n_words: int) -> list[tuple[int, str]]:
    """Sorted (tag, lower-cased word) pairs; the word is "" for the tag itself, which every tag has."""
    frequency: Counter[str] = Counter()
    pairs: Counter[tuple[int, str]] = Counter()
    for ((word, _), tag), count in seen.items():
        frequency[word.lower()] += count
        pairs[tag, word.lower()] += count
    frequent = set(sorted(frequency, key=lambda word: (-frequency[word], word))[:n_words])
    chosen = {pair for pair, count in pairs.items() if pair[1] in frequent and count >= _MIN_WORD_STATE}
    return sorted(chosen | {(tag, "") for tag in range(n_tags)})


def count_trigrams(
    counts: Counter[tuple[int, int, int]],
    words: Sequence[str],
    tags: Sequence[int],
    state_ids: Mapping[tuple[int, str], int],
    n_states: int,
    n_tags: int,
) -> None:
    """Add (tag two back, state one back, state here) of one sentence and of the boundary after it."""
    two_back, tag_back, one_back = n_tags, n_tags, n_states
    for word, tag in zip(words, tags, strict=True):
        here = state_ids.get((tag, word.lower()))
        if here is None:
            here = state_ids[tag, ""]
        counts[two_back, one_back, here] += 1
        two_back, tag_back, one_back = tag_back, tag, here
    counts[two_back, one_back, n_states] += 1


class Counts:
    """Counts of the terms above at every training trigram.

    Args:
        trigrams: int32 [n, 4], rows of (tag two back, state one back, state here, count); the boundary is
            the tag `n_tags` and the state `len(state_tags)`.
        state_tags: int32 [states], the tag of each state.
        n_tags: how many tags there are.
    """

    def __init__(self, trigrams: Ints, state_tags: Ints, n_tags: int) -> None:
        self.two_back, self.one_back, self.here, count = trigrams.T.astype(np.int64)
        self.count = count.astype(np.float64)
        self.tags = np.append(state_tags, n_tags).astype(np.int64)  # of each state, the boundary's last
        self.states, self.classes = len(self.tags), n_tags + 1
        tag_back = self.tags[self.one_back]
        self.unigram = self._sum((self.here,), (self.states,))
        self.after_tag = self._sum((tag_back, self.here), (self.classes, self.states))
        self.after_state = self._sum((self.one_back, self.here), (self.states, self.states))

    @cached_property
    def after_tags(self) -> Doubles:
        """Counts of (tag two back, tag one back, state here)."""
        index = (self.two_back, self.tags[self.one_back], self.here)
        return self._sum(index, (self.classes, self.classes, self.states))

    @cached_property
    def pair_total(self) -> Doubles:
        """Counts of (tag two back, state one back)."""
        return self._sum((self.two_back, self.one_back), (self.classes, self.states))

    def _sum(self, index: tuple[NDArray[np.int64], ...], shape: tuple[int, ...]) -> Doubles:
        flat = np.ravel_multi_index(index, shape)
        sums: Doubles = np.bincount(flat, weights=self.count, minlength=int(np.prod(shape))).astype(
            np.float64
        )
        return sums.reshape(shape)

    def weights(self, terms: int) -> Doubles:
        """Interpolation weights of the first `terms` terms, summing to 1."""
        a, b, c = self.two_back, self.one_back, self.here
        v = self.tags[b]
        hits = [self.unigram[c], self.after_tag[v, c], self.after_state[b, c]]
        totals = [
            np.full(len(c), self.unigram.sum()),
            self.after_tag.sum(axis=1)[v],
            self.after_state.sum(axis=1)[b],
        ]
        if terms == 5:
            hits += [self.after_tags[a, v, c], self.count]
            totals += [self.after_tags.sum(axis=2)[a, v], self.pair_total[a, b]]
        left_out = np.stack(
            [(hit - 1) / np.maximum(total - 1, 1) for hit, total in zip(hits, totals, strict=True)]
        )
        # The most specific of equal terms gets the count.
        best = terms - 1 - np.argmax(left_out[::-1], axis=0)
        return np.asarray(np.bincount(best, weights=self.count, minlength=terms) / self.count.sum())


def _conditional(counts: Doubles, weight: float) -> Doubles:
    """weight * relative frequency along the last axis; zeros where there are no counts."""
    return np.asarray(weight * counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))


def _log_normalised(table: Floats) -> None:
    table /= table.sum(axis=-1, keepdims=True)
    np.log(table, out=table)


def _bigram_part(counts: Counts, weights: Doubles) -> Doubles:
    """The first three terms, [state one back, state here]; every entry is above 0."""
    # A state that stands for unseen words alone has no count of its own.
    unigram = np.maximum(counts.unigram, 1)
    part = _conditional(unigram, max(float(weights[0]), 1e-6))[None, :]
    part = part + _conditional(counts.after_tag, weights[1])[counts.tags]
    return np.asarray(part + _conditional(counts.after_state, weights[2]))


def bigram_log_probabilities(counts: Counts) -> Floats:
    """log p(state here | state one back), float32 [states + 1, states + 1]; the last is the boundary."""
    table = _bigram_part(counts, counts.weights(3)).astype(np.float32)
    _log_normalised(table)
    return table


def trigram_log_probabilities(counts: Counts) -> Floats:
    """log p(state here | tag two back, state one back), float32 [tags + 1, states + 1, states + 1]."""
    weights = counts.weights(5)
    a, b, c = counts.two_back, counts.one_back, counts.here
    table = np.zeros((counts.classes, counts.states, counts.states), np.float32)
    table[a, b, c] = weights[4] * counts.count / counts.pair_total[a, b]
    table += _bigram_part(counts, weights).astype(np.float32)
    after_tags = _conditional(counts.after_tags, weights[3]).astype(np.float32)
    for two_back in range(counts.classes):  # one class at a time keeps the copies small
        table[two_back] += after_tags[two_back][counts.tags]
        _log_normalised(table[two_back])
    return table
