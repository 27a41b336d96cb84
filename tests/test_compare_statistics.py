"""Intervals and tests of differences against all that could be drawn or swapped."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.compare.statistics import approximate_randomization, bootstrap, difference_interval, score
from nlptk.errors import DataError


def counts_of(rows):
    return np.array(rows, np.int64)


def rows_of_counts(width, size):
    row = st.integers(0, 5).flatmap(
        lambda right: st.tuples(*[st.just(right), *[st.integers(right, 8)] * (width - 1)])
    )
    return st.lists(row, min_size=size, max_size=size).map(counts_of)


def exact_p(a, b):
    """Over all 2^n ways to swap sentences."""
    observed = abs(score(a) - score(b))
    hits = 0
    for swaps in itertools.product([False, True], repeat=len(a)):
        mask = np.array(swaps)[:, None]
        hits += abs(score(np.where(mask, b, a)) - score(np.where(mask, a, b))) >= observed - 1e-12
    return hits / 2 ** len(a)


def all_draws(counts):
    """The scores of all n^n samples with replacement."""
    chosen = np.array(list(itertools.product(range(len(counts)), repeat=len(counts))))
    sums = counts[chosen].sum(1)
    above, below = (sums[:, 0], sums[:, 1]) if sums.shape[1] == 2 else (2 * sums[:, 0], sums[:, 1:].sum(1))
    return above / np.maximum(below, 1)


def test_score_is_accuracy_or_f1_and_0_of_nothing():
    assert score(counts_of([[3, 4], [1, 4]])) == 0.5
    assert score(counts_of([[2, 4, 3], [1, 1, 4]])) == 6 / 12
    assert score(counts_of([[0, 0, 0]])) == 0.0
    assert score(np.zeros((0, 2), np.int64)) == 0.0


@settings(max_examples=30)
@given(st.sampled_from([2, 3]).flatmap(lambda k: st.tuples(rows_of_counts(k, 7), rows_of_counts(k, 7))))
def test_randomization_comes_near_all_swaps(pair):
    a, b = pair
    exact = exact_p(a, b)
    found = approximate_randomization(a, b, 4000)
    assert abs(found - exact) < 5 * np.sqrt(exact * (1 - exact) / 4000) + 1e-3
    assert found == approximate_randomization(b, a, 4000)


def test_equal_models_do_not_differ_and_opposite_ones_do():
    good, bad = counts_of([[9, 9]] * 40), counts_of([[1, 9]] * 40)
    assert approximate_randomization(good, good) == 1.0
    assert approximate_randomization(good, bad) == 1 / 10_001
    assert approximate_randomization(good, bad, 99) == 0.01
    assert difference_interval([good], [good]) == (0.0, 0.0)


@settings(max_examples=30)
@given(st.sampled_from([2, 3]).flatmap(lambda k: rows_of_counts(k, 5)))
def test_bootstrap_draws_from_all_samples(counts):
    everything = np.sort(all_draws(counts))
    low, high = bootstrap([counts], 4000)
    # The share of exact samples below the bounds: around 2.5 and 97.5 percent, ties on either side of them.
    assert (everything < low - 1e-9).mean() <= 0.025 + 0.015
    assert (everything <= low + 1e-9).mean() >= 0.025 - 0.015
    assert (everything < high - 1e-9).mean() <= 0.975 + 0.015
    assert (everything <= high + 1e-9).mean() >= 0.975 - 0.015


def test_bootstrap_over_seeds_is_wider_than_over_sentences_alone():
    rng = np.random.default_rng(0)
    runs = [np.stack([rng.binomial(20, p, 300), np.full(300, 20)], 1) for p in (0.6, 0.7, 0.8)]
    low, high = bootstrap(runs)
    assert low < 0.65
    assert high > 0.75
    for run in runs:
        one = bootstrap([run])
        assert high - low > 2 * (one[1] - one[0])


def test_differences_are_of_the_same_sentences():
    """A model that is always one word better has a difference without chance, however sentences vary."""
    rng = np.random.default_rng(1)
    right = rng.integers(0, 19, 200)
    a, b = (np.stack([right + more, np.full(200, 20)], 1) for more in (1, 0))
    low, high = difference_interval([a, a], [b, b])
    assert low == pytest.approx(0.05)
    assert high == pytest.approx(0.05)
    assert bootstrap([a])[1] - bootstrap([a])[0] > 0.05


def test_the_same_seed_gives_the_same_numbers_whatever_the_chunks(monkeypatch):
    from nlptk.compare import statistics

    rng = np.random.default_rng(2)
    a, b = (np.stack([rng.integers(0, 9, 50), np.full(50, 9)], 1) for _ in range(2))
    whole = bootstrap([a, b]), difference_interval([a], [b]), approximate_randomization(a, b)
    assert whole == (bootstrap([a, b]), difference_interval([a], [b]), approximate_randomization(a, b))
    monkeypatch.setattr(statistics, "_CELLS", 1 << 12)
    cut = bootstrap([a, b]), difference_interval([a], [b]), approximate_randomization(a, b)
    assert cut == whole


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: bootstrap([]),
        lambda a, b: bootstrap([a, b]),
        lambda a, b: difference_interval([a], [b]),
        lambda a, b: difference_interval([a], [a, a]),
        lambda a, b: approximate_randomization(a, b),
    ],
)
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(DataError):
        call(counts_of([[1, 2]] * 3), counts_of([[1, 2]] * 4))
