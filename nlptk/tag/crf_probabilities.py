"""Probabilities of a CRF's labels and label sequences, from the scores of its tokens.

Scores are float32 [tokens, labels], sentence s is the tokens ``offsets[s]:offsets[s + 1]``; both run
on the linear-chain kernel (:mod:`nlptk.chain`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import chain
from nlptk.crf import CrfWeights


def label_marginals(
    scores: NDArray[np.float32],
    offsets: NDArray[np.int64],
    weights: CrfWeights,
    classes: Sequence[str],
    *,
    threads: int = 0,
) -> list[list[dict[str, float]]]:
    """For each sentence a list with, for each token, a dict: label to its probability there."""
    rows = chain.forward_backward(scores, **_chain(weights, offsets, threads)).marginals.tolist()
    tokens = [dict(zip(classes, row, strict=True)) for row in rows]
    return [tokens[first:last] for first, last in pairwise(offsets.tolist())]


def best_paths(
    scores: NDArray[np.float32],
    offsets: NDArray[np.int64],
    weights: CrfWeights,
    classes: Sequence[str],
    n: int,
    *,
    threads: int = 0,
) -> list[list[tuple[list[str], float]]]:
    """For each sentence its `n` best label sequences with their probabilities; fewer if there are no more."""
    chains = _chain(weights, offsets, threads)
    totals = chain.log_partition(scores, **chains).tolist()
    paths = [labels for labels, _ in chain.viterbi_nbest(scores, n=n, **chains)]
    names = np.array(classes, object)
    found = []
    for (first, last), labels, total in zip(pairwise(offsets.tolist()), paths, totals, strict=True):
        shares = np.exp(weights.path_scores(scores[first:last], labels) - total)
        found.append(list(zip(names[labels].tolist(), shares.clip(max=1).tolist(), strict=True)))
    return found


def _chain(weights: CrfWeights, offsets: NDArray[np.int64], threads: int) -> dict[str, Any]:
    """What the chain's functions take beside the scores."""
    return {
        "transitions": weights.transitions,
        "start": weights.start,
        "end": weights.end,
        "offsets": offsets,
        "threads": threads,
    }


def sentence_runs(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Bounds of runs of sentences that have at most so many tokens; a longer sentence is a run of its own."""
    first = tokens = 0
    for number, length in enumerate(lengths):
        if number > first and tokens + length > most:
            yield first, number
            first, tokens = number, 0
        tokens += length
    if first < len(lengths):
        yield first, len(lengths)
