"""p(tag | word) of the HMM tagger: a word's own counts, its lower case, its suffixes and its shape.

Each context is smoothed with the next wider one, from the shape of the word over suffixes of growing length
(Samuelsson 1993, "Morphological tagging based entirely on Bayesian inference") to the lower-cased word and
the word itself. Where TnT (Brants 2000) gives every step the same weight, a context of N tokens with T tags
here gets N / (N + weight * T) of the mass (Witten and Bell 1991), so that rare suffixes count for less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Type = tuple[str, bool]  # a word, and whether it is a capitalised word at the start of a sentence
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_SUFFIX_WEIGHT = 2.0
_WORD_WEIGHT = 1.0


def shape(word: str) -> str:
    """The class of a word: punctuation, number, or its case with marks for a digit and an inner hyphen."""
    digit = False
    if word.isalpha():
        letters = True
    else:
        letters = any(map(str.isalpha, word))
        digit = any(map(str.isdigit, word))
        if not letters:
            return "num" if digit else "alnum" if any(map(str.isalnum, word)) else "punct"
    if word.islower():
        case = "lower"
    elif word.isupper():
        case = "upper" if len(word) > 1 else "letter"
    elif word[0].isupper():
        case = "title"
    else:
        case = "mixed" if word != word.lower() else "caseless"
    return case + ("+digit" if digit else "") + ("+hyphen" if "-" in word[1:-1] else "")


def is_title(word: str) -> bool:
    """Whether the word has the capital that the start of a sentence gives to any word."""
    return word[:1].isupper() and shape(word).startswith("title")


def word_types(words: Sequence[str], at_start: bool) -> list[Type]:
    """The words as types: the start of a sentence matters only to those that `is_title`."""
    return [(word, at_start and is_title(word)) for word in words]


def smooth(counts: Floats, wider: Floats, weight: float) -> Floats:
    """Mix counts [n, tags] with the distributions of the wider contexts; no counts, no change."""
    total = counts.sum(axis=1, keepdims=True)
    mass = weight * np.count_nonzero(counts, axis=1, keepdims=True).astype(np.float32)
    mass[total == 0] = 1.0
    return np.asarray((counts + mass * wider) / (total + mass), np.float32)


class Lexicon:
    """Counts of (word, start of sentence, tag), and the distributions that follow from them.

    Args:
        words: the word forms.
        entries: int32 [n, 4], rows of (index into words, 1 for a capitalised word at the start of a sentence,
            tag, count).
        n_tags: how many tags there are.
        suffix_length: characters of the longest suffix.
        rare_threshold: only words that occur at most this often (in any case) tell about suffixes and shapes.
    """

    def __init__(
        self, words: Sequence[str], entries: Ints, n_tags: int, suffix_length: int, rare_threshold: int
    ) -> None:
        self.words = list(words)
        self.entries = entries
        self.n_tags = n_tags
        word, tag, count = entries[:, 0], entries[:, 2], entries[:, 3]
        self.word_rows = {text: row for row, text in enumerate(self.words, start=1)}
        self._word_counts = self._table(len(self.words) + 1, word + 1, tag, count)
        self.lower_rows: dict[str, int] = {}
        lower_of = [self.lower_rows.setdefault(text.lower(), len(self.lower_rows) + 1) for text in self.words]
        lower = np.array(lower_of, np.int32)[word]
        # Row 0 of both tables is empty: the row of whatever is not known.
        self.lower_counts = self._table(len(self.lower_rows) + 1, lower, tag, count)
        rare = self.lower_counts.sum(axis=1)[lower] <= rare_threshold
        self._build_suffixes(entries[rare], suffix_length)

    def _table(self, rows: int, row: Ints, tag: Ints, count: Ints) -> Floats:
        cells = np.bincount(
            row.astype(np.int64) * self.n_tags + tag, weights=count, minlength=rows * self.n_tags
        )
        return cells.reshape(rows, self.n_tags).astype(np.float32)

    def known_types(self) -> list[Type]:
        """Every type that has entries."""
        pairs = np.unique(self.entries[:, :2], axis=0).tolist()
        return [(self.words[word], bool(start)) for word, start in pairs]

    def _build_suffixes(self, entries: Ints, suffix_length: int) -> None:
        """Nodes of the suffix trees, one tree for each shape; a node is named by shape, tab and suffix."""
        self._suffix_length = suffix_length
        self._nodes: dict[str, int] = {}
        parents: list[int] = [0]
        depths: list[int] = [0]
        types, type_of = np.unique(entries[:, :2], axis=0, return_inverse=True)
        leaves: list[int] = []
        for word, start in types.tolist():
            node = 0
            for depth, name in enumerate(self._suffix_names(self.words[word], bool(start)), start=1):
                parent, node = node, self._nodes.setdefault(name, len(parents))
                if node == len(parents):
                    parents.append(parent)
                    depths.append(depth)
            leaves.append(node)
        leaf = np.array(leaves, np.int32)[type_of.reshape(-1)]
        counts = self._table(len(parents), leaf, entries[:, 2], entries[:, 3])
        self._suffix_distributions = _smooth_tree(counts, np.array(parents), np.array(depths))

    def _suffix_names(self, word: str, start: bool) -> list[str]:
        """Nodes of a word from the shape alone to the longest suffix."""
        prefix = f"{'start+' if start else ''}{shape(word)}\t"
        lower = word.lower()
        longest = min(self._suffix_length, len(lower))
        return [prefix] + [prefix + lower[-n:] for n in range(1, longest + 1)]

    def _suffix_node(self, word: str, start: bool) -> int:
        for name in reversed(self._suffix_names(word, start)):
            node = self._nodes.get(name)
            if node is not None:
                return node
        return 0

    def distributions(self, types: Sequence[Type]) -> Floats:
        """p(tag | word) of each type, known or not, float32 [len(types), n_tags]; every entry is above 0."""
        suffix = np.array([self._suffix_node(word, start) for word, start in types], np.int64)
        lower = np.array([self.lower_rows.get(word.lower(), 0) for word, _ in types], np.int64)
        own = np.array([self.word_rows.get(word, 0) for word, _ in types], np.int64)
        mixed = smooth(self.lower_counts[lower], self._suffix_distributions[suffix], _WORD_WEIGHT)
        return smooth(self._word_counts[own], mixed, _WORD_WEIGHT)


def _smooth_tree(counts: Floats, parents: NDArray[np.int64], depths: NDArray[np.int64]) -> Floats:
    """Distributions of all nodes from the counts of the words that end at each."""
    levels = [np.flatnonzero(depths == depth) for depth in range(int(depths.max()) + 1)]
    for level in reversed(levels[1:]):
        np.add.at(counts, parents[level], counts[level])
    result = np.empty_like(counts)
    result[0] = (counts[0] + 0.5) / (counts[0] + 0.5).sum()
    for level in levels[1:]:
        result[level] = smooth(counts[level], result[parents[level]], _SUFFIX_WEIGHT)
    return result
