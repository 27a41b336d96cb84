"""Interpolated modified Kneser-Ney by its definition, over dictionaries of counts (Chen and Goodman 1998)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

Gram = tuple[str, ...]
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"


class KneserNey:
    """p(word | context) and what it is made of; `prune` and `fallback` as lmplz has them."""

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        order: int,
        prune: Sequence[int] = (0,),
        fallback: Sequence[float] = (0.5, 1, 1.5),
    ) -> None:
        self.order = order
        padded = [(BEGIN, *sentence, END) for sentence in sentences]
        self.words = {UNKNOWN, END, *(word for sentence in sentences for word in sentence)}
        counts: dict[int, Counter[Gram]] = {n: Counter() for n in range(1, order + 1)}
        for sentence in padded:
            for n in counts:
                for end in range(n, len(sentence) + 1):
                    counts[n][sentence[end - n : end]] += 1
        del counts[1][(BEGIN,)]
        before: dict[Gram, set[str]] = defaultdict(set)
        for sentence in padded:
            for n in range(2, order + 1):
                for end in range(n, len(sentence) + 1):
                    before[sentence[end - n + 1 : end]].add(sentence[end - n])
        self.adjusted: dict[Gram, int] = {}
        self.kept: set[Gram] = set()
        self.discounts: dict[int, list[float]] = {}
        for n, of in counts.items():
            adjusted = {
                gram: count if n == order or gram[0] == BEGIN else len(before[gram])
                for gram, count in of.items()
            }
            self.adjusted.update(adjusted)
            self.kept.update(gram for gram in of if of[gram] > prune[min(n, len(prune)) - 1])
            self.discounts[n] = self._discounts(Counter(adjusted.values()), fallback)
        self.followers: dict[Gram, list[Gram]] = defaultdict(list)
        for gram in self.adjusted:
            self.followers[gram[:-1]].append(gram)

    @staticmethod
    def _discounts(seen: Counter[int], fallback: Sequence[float]) -> list[float]:
        if not (seen[1] and seen[2] and seen[3]):
            return [0, *fallback]
        y = seen[1] / (seen[1] + 2 * seen[2])
        found = [n - (n + 1) * y * seen[n + 1] / seen[n] for n in (1, 2, 3)]
        usable = all(0 <= d <= n for n, d in enumerate(found, 1))
        return [0, *(found if usable else fallback)]

    def backoff(self, context: Gram) -> float:
        """What the shorter context's probability counts for; 1 for a context that has no followers."""
        followers = self.followers[context]
        if not followers:
            return 1.0
        discounts = self.discounts[len(context) + 1]
        freed = sum(
            discounts[min(self.adjusted[gram], 3)] if gram in self.kept else self.adjusted[gram]
            for gram in followers
        )
        return freed / sum(self.adjusted[gram] for gram in followers)

    def probability(self, word: str, context: Gram) -> float:
        """Of a word after the last words of a context that are not too many."""
        if word not in self.words:
            word = UNKNOWN
        context = context[len(context) - min(len(context), self.order - 1) :]
        lower = self.probability(word, context[1:]) if context else 1 / len(self.words)
        gram = (*context, word)
        if context and context not in self.kept and context != (BEGIN,):
            return lower
        share = 0.0
        if gram in self.kept:
            total = sum(self.adjusted[other] for other in self.followers[context])
            share = (self.adjusted[gram] - self.discounts[len(gram)][min(self.adjusted[gram], 3)]) / total
        return share + self.backoff(context) * lower

    def score(self, sentence: Sequence[str]) -> float:
        """log10 of a sentence's probability."""
        words = (BEGIN, *sentence, END)
        return sum(math.log10(self.probability(words[i], words[:i])) for i in range(1, len(words)))


def laplace(sentences: Sequence[Sequence[str]], order: int, alpha: float, word: str, context: Gram) -> float:
    """(count(context word) + alpha) / (count(context) + alpha words); contexts begin with <s> at most."""
    padded = [(BEGIN, *sentence, END) for sentence in sentences]
    words = {UNKNOWN, END, *(word for sentence in sentences for word in sentence)}
    context = context[len(context) - min(len(context), order - 1) :]
    n = len(context) + 1
    grams = [
        sentence[end - n : end]
        for sentence in padded
        for end in range(n, len(sentence) + 1)
        if sentence[end - n : end] != (BEGIN,)
    ]
    of_context = sum(gram[:-1] == context for gram in grams)
    return (grams.count((*context, word)) + alpha) / (of_context + alpha * len(words))
