"""Beam search: against exhaustive search, its end against going on to the last, batches, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="decoding is of the extra neural")

from decode_models import EOS, FixedModel, LookingModel, RandomModel, TorchModel, best
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.decoding import Hypothesis, Limits
from nlptk.errors import ConfigError, DataError
from nlptk.neural.decode import beam_search, greedy

SEEDS = st.integers(0, 10**6)
ALPHAS = st.sampled_from([0.0, 0.3, 0.6, 1.0, 2.0])
FORMS = st.sampled_from(["gnmt", "power"])


def penalty(form: str, alpha: float, n: int) -> float:
    return float(((5 + n) / 6) ** alpha if form == "gnmt" else n**alpha)


def shown(found: list[list[Hypothesis]]) -> list[list[tuple[float, list[int]]]]:
    return [[(one.score, one.tokens.tolist()) for one in row] for row in found]


# ---- a beam as wide as the tree ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, alpha=ALPHAS, form=FORMS, n_best=st.integers(1, 6), data=st.data())
def test_a_beam_as_wide_as_the_tree_finds_the_best(
    seed: int, alpha: float, form: Any, n_best: int, data: st.DataObject
) -> None:
    """Two tokens and the end after each history: 24 hypotheses of 4 tokens at most, as many as the beam."""
    model = RandomModel(24, seed, branch=2)
    minimum = data.draw(st.integers(0, 4))
    banned = data.draw(st.lists(st.integers(1, 23), max_size=3))
    limits = Limits(bos=1, eos=EOS, max_length=4, min_length=minimum, banned=banned)

    def score(log_prob: float, tokens: tuple[int, ...]) -> float:
        return log_prob / penalty(form, alpha, len(tokens))

    rows = 3
    expected = [best(model, source, limits, n_best, score) for source in range(rows)]
    options: Any = {"n_best": n_best, "length_penalty": alpha, "length_form": form}
    if not all(expected):
        with pytest.raises(DataError, match="has no hypothesis"):
            beam_search(model, model.start(rows), rows, limits, beam=24, **options)
        return
    found = beam_search(model, model.start(rows), rows, limits, beam=24, **options)
    for one, other in zip(found, expected, strict=True):
        assert [tuple(hypothesis.tokens) for hypothesis in one] == [tokens for _, tokens in other]
        assert [hypothesis.score for hypothesis in one] == pytest.approx([value for value, _ in other])


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, alpha=ALPHAS, beta=st.sampled_from([0.2, 1.0]))
def test_with_a_coverage_penalty_too(seed: int, alpha: float, beta: float) -> None:
    model = LookingModel(24, seed, branch=2)
    limits = Limits(bos=1, eos=EOS, max_length=4)
    found = beam_search(
        model, model.start(3), 3, limits, beam=24, n_best=4, length_penalty=alpha, coverage_penalty=beta
    )
    for source in range(3):

        def score(log_prob: float, tokens: tuple[int, ...], source: int = source) -> float:
            histories = [(source, 1, *tokens[:n]) for n in range(len(tokens))]
            looked = np.sum([model.looked(history) for history in histories], 0, np.float64)[: 1 + source]
            covered = sum(math.log(min(value, 1.0)) for value in looked)
            return log_prob / penalty("gnmt", alpha, len(tokens)) + beta * covered

        expected = best(model, source, limits, 4, score)
        assert [tuple(one.tokens) for one in found[source]] == [tokens for _, tokens in expected]
        assert [one.score for one in found[source]] == pytest.approx([value for value, _ in expected])
        for one in found[source]:
            assert one.attention is not None
            rows = [model.looked((source, 1, *one.tokens[:n]))[: 1 + source] for n in range(len(one.tokens))]
            np.testing.assert_array_equal(one.attention, rows)


# ---- the end -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(
    seed=SEEDS,
    alpha=ALPHAS,
    form=FORMS,
    beta=st.sampled_from([0.0, 0.5]),
    beam=st.integers(1, 5),
    data=st.data(),
)
def test_an_early_end_changes_nothing(
    seed: int, alpha: float, form: Any, beta: float, beam: int, data: st.DataObject
) -> None:
    model = LookingModel(6, seed, spread=data.draw(st.sampled_from([0.5, 2.0, 5.0])))
    limits = Limits(bos=1, eos=EOS, max_length=data.draw(st.integers(1, 12)))
    options: Any = {
        "beam": beam,
        "n_best": data.draw(st.integers(1, beam)),
        "length_penalty": alpha,
        "length_form": form,
        "coverage_penalty": beta,
    }
    found = beam_search(model, model.start(4), 4, limits, **options)
    asked = model.rows
    whole = beam_search(model, model.start(4), 4, limits, **options, stop_early=False)
    assert shown(found) == shown(whole)
    assert asked <= model.rows - asked
    for row in found:
        scores = [one.score for one in row]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("form", "alpha"), [("gnmt", 0.0), ("gnmt", 1.0), ("power", 1.0), ("power", 0.5)])
def test_the_end_is_where_the_bound_says(form: Any, alpha: float) -> None:
    """One distribution: the best complete hypothesis is that of one token, or the longest."""
    end, go = math.log(0.7), math.log(0.3)
    limit = 10

    class Counting(FixedModel):
        steps = 0

        def step(self, tokens: Any, state: None) -> tuple[Any, None]:
            self.steps += 1
            return super().step(tokens, state)

    model = Counting([end, go])
    limits = Limits(bos=1, eos=EOS, max_length=limit)
    beam_search(model, None, 1, limits, beam=1, length_penalty=alpha, length_form=form)

    def complete(n: int) -> float:
        return ((n - 1) * go + end) / penalty(form, alpha, n)

    expected = next(
        n
        for n in range(1, limit + 1)
        if n == limit or n * go / penalty(form, alpha, limit) <= max(complete(k) for k in range(1, n + 1))
    )
    assert model.steps == expected


def test_finished_rows_leave_the_batch() -> None:
    """Row 0 ends at once, row 1 never."""

    class Uneven(RandomModel):
        def after(self, history: tuple[int, ...]) -> Any:
            ends = -1e-6 if history[0] == 0 else -np.inf
            return np.array([ends, -20.0, np.log(0.6), np.log(0.4)], np.float32)

    model = Uneven(4, 1)
    found = beam_search(model, model.start(2), 2, Limits(bos=1, eos=EOS, max_length=6), beam=2)
    assert found[0][0].tokens.tolist() == [EOS]
    assert found[1][0].tokens.tolist() == [2] * 6
    assert [one[0].finished for one in found] == [True, False]
    assert model.rows == 2 + 5 * 2  # one hypothesis of each at first, then two of the second


# ---- batches -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, beam=st.integers(1, 6), alpha=ALPHAS, data=st.data())
def test_a_batch_is_as_one_by_one(seed: int, beam: int, alpha: float, data: st.DataObject) -> None:
    model = RandomModel(7, seed)
    prefix = data.draw(st.lists(st.lists(st.integers(1, 6), max_size=4), min_size=4, max_size=4))
    options: Any = {"beam": beam, "n_best": min(beam, 3), "length_penalty": alpha}
    limits = Limits(bos=[1, 2, 3, 1], eos=EOS, max_length=8, prefix=prefix)
    found = beam_search(model, model.start(4), 4, limits, **options)
    assert shown(found) == shown(beam_search(TorchModel(model), model.start(4), 4, limits, **options))
    for source, first in enumerate([1, 2, 3, 1]):
        alone = Limits(bos=first, eos=EOS, max_length=8, prefix=[prefix[source]])
        assert shown([found[source]]) == shown(beam_search(model, [(source,)], 1, alone, **options))
        for one in found[source]:
            assert one.tokens[: len(prefix[source])].tolist() == prefix[source]
            sums = [float(model.after((source, first, *one.tokens[:n]))[t]) for n, t in enumerate(one.tokens)]
            assert one.log_probs.tolist() == sums
            assert one.finished == (one.tokens[-1] == EOS)
            assert one.body == [token for token in one.tokens if token != EOS]


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, data=st.data())
def test_a_beam_of_one_is_greedy(seed: int, data: st.DataObject) -> None:
    model = RandomModel(6, seed)
    maximum = data.draw(st.integers(1, 9))
    minimum = data.draw(st.integers(0, maximum))
    limits = Limits(bos=1, eos=EOS, max_length=maximum, min_length=minimum)
    one = [row[0] for row in beam_search(model, model.start(5), 5, limits, beam=1)]
    other = greedy(model, model.start(5), 5, limits)
    assert [h.tokens.tolist() for h in one] == [h.tokens.tolist() for h in other]
    assert [h.score for h in one] == pytest.approx([h.score for h in other])
    assert all(minimum <= len(h.tokens) <= maximum for h in one)


def test_without_an_end_token_all_have_the_greatest_length() -> None:
    model = RandomModel(5, 3)
    found = beam_search(model, model.start(2), 2, Limits(bos=1, max_length=7), beam=4, n_best=4)
    assert [[len(one.tokens) for one in row] for row in found] == [[7] * 4] * 2
    assert not any(one.finished for row in found for one in row)


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 6}, "a beam of 6 is larger than the vocabulary of 5 tokens"),
        ({"beam": 0}, "beam must be an integer of at least 1"),
        ({"n_best": 3, "beam": 2}, "n_best must be at most the beam of 2, not 3"),
        ({"n_best": 0}, "n_best must be"),
        ({"length_penalty": -0.1}, "length_penalty must be a number of at least 0"),
        ({"length_penalty": math.nan}, "length_penalty"),
        ({"length_form": "wu"}, "length_form must be 'gnmt' or 'power', not 'wu'"),
        ({"coverage_penalty": 1.0}, "needs a model that tells its attention"),
    ],
)
def test_wrong_settings(options: Any, message: str) -> None:
    model = RandomModel(5, 1)
    with pytest.raises(ConfigError, match=message):
        beam_search(model, model.start(1), 1, Limits(bos=1, eos=EOS), **{"beam": 2, **options})
