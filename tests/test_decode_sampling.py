"""Greedy decoding and sampling: filters by hand, frequencies, rows on their own, bad input of all ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="decoding is of the extra neural")

from decode_models import EOS, FixedModel, LookingModel, RandomModel, TorchModel  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from nlptk.decoding import Hypothesis, Limits  # noqa: E402
from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.decode import beam_search, filtered, greedy, sample  # noqa: E402

SEEDS = st.integers(0, 10**6)
P = [0.4, 0.25, 0.2, 0.1, 0.05]


def shown(found: list[Hypothesis]) -> list[tuple[list[int], list[float]]]:
    return [(one.tokens.tolist(), one.log_probs.tolist()) for one in found]


# ---- greedy ------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_greedy_takes_the_most_probable(seed: int) -> None:
    model = LookingModel(6, seed)
    limits = Limits(bos=1, eos=EOS, max_length=7, banned=[2])
    for source, one in enumerate(greedy(model, model.start(4), 4, limits)):
        tokens: list[int] = []
        values, looks = [], []
        while len(tokens) < 7 and EOS not in tokens:
            history = (source, 1, *tokens)
            after = model.after(history).copy()
            after[2] = -np.inf
            tokens.append(int(after.argmax()))
            values.append(after.max())
            looks.append(model.looked(history)[: 1 + source % 3])
        assert one.tokens.tolist() == tokens
        assert one.log_probs.tolist() == values
        assert one.score == pytest.approx(sum(values))
        np.testing.assert_array_equal(one.attention, looks)


def test_finished_rows_leave_the_batch() -> None:
    model = RandomModel(4, 11)
    found = greedy(model, model.start(30), 30, Limits(bos=1, eos=EOS, max_length=20))
    lengths = [len(one.tokens) for one in found]
    assert len(set(lengths)) > 2
    assert model.rows == sum(lengths)


# ---- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, P),
        ({"top_k": 2}, [0.4, 0.25, 0, 0, 0]),
        ({"top_k": 9}, P),
        ({"top_p": 0.3}, [1, 0, 0, 0, 0]),
        ({"top_p": 0.6}, [0.4, 0.25, 0, 0, 0]),
        ({"top_p": 0.66}, [0.4, 0.25, 0.2, 0, 0]),
        ({"min_p": 0.24}, [0.4, 0.25, 0.2, 0.1, 0]),
        ({"min_p": 1.0}, [1, 0, 0, 0, 0]),
        ({"temperature": 0.5}, [p**2 for p in P]),
        ({"temperature": 2.0, "top_k": 3}, [0.4**0.5, 0.25**0.5, 0.2**0.5, 0, 0]),
        ({"top_k": 3, "top_p": 0.6}, [0.4, 0.25, 0, 0, 0]),  # 0.4 / 0.85 alone is below 0.6
        ({"top_p": 0.9, "min_p": 0.5}, [0.4, 0.25, 0.2, 0, 0]),
    ],
)
def test_filters_by_hand(settings: Any, expected: list[float]) -> None:
    order = [3, 0, 4, 1, 2]  # the same whatever the order of the vocabulary
    log_probs = torch.tensor([P, [P[i] for i in order]]).log()
    found = filtered(log_probs, **settings).exp()
    share = torch.tensor(expected) / sum(expected)
    torch.testing.assert_close(found, torch.stack([share, share[order]]))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.7},
        {"top_k": 3},
        {"top_p": 0.7},
        {"min_p": 0.3},
        {"top_k": 4, "temperature": 1.5},
    ],
)
def test_frequencies_are_those_of_the_filtered_distribution(options: Any) -> None:
    model, rows = FixedModel(np.log(P)), 4000
    found = sample(model, None, rows, Limits(bos=0, max_length=2), seed=3, **options)
    counts = np.bincount(np.concatenate([one.tokens for one in found]), minlength=len(P))
    expected = filtered(torch.tensor([P]).log(), **options)[0].exp().numpy() * 2 * rows
    assert (counts[expected == 0] == 0).all()
    kept = expected > 0
    statistic = float(((counts - expected)[kept] ** 2 / expected[kept]).sum())
    # 0.999 quantiles of chi square with 1 to 4 degrees of freedom
    assert statistic < [0.0, 10.83, 13.82, 16.27, 18.47][kept.sum() - 1]


def test_probabilities_follow_the_history() -> None:
    """Of pairs: the first is drawn from its own, the second from what follows the first."""
    model, rows = RandomModel(3, 5, spread=1.0), 3000
    found = sample(model, [(0,)] * rows, rows, Limits(bos=1, max_length=2))
    pairs = np.array([one.tokens for one in found])
    for first in range(3):
        share = np.exp(float(model.after((0, 1))[first]))
        assert np.mean(pairs[:, 0] == first) == pytest.approx(share, abs=0.03)
        seconds = np.bincount(pairs[pairs[:, 0] == first, 1], minlength=3) / (pairs[:, 0] == first).sum()
        np.testing.assert_allclose(seconds, np.exp(model.after((0, 1, first))), atol=0.06)


def test_a_penalty_for_repetition() -> None:
    """p^1.5 for what was had, the context counted: by hand for the second token, after token 1."""
    model = FixedModel(np.log(P))
    found = sample(
        model,
        None,
        6000,
        Limits(bos=0, max_length=2, prefix=[[1]] * 6000),
        repetition_penalty=1.5,
        context=[[4]] * 6000,
    )
    counts = np.bincount([one.tokens[1] for one in found], minlength=5)
    weights = np.array(P) ** np.array([1, 1.5, 1, 1, 1.5])
    np.testing.assert_allclose(counts / 6000, weights / weights.sum(), atol=0.02)
    assert found[0].log_probs[0] == pytest.approx(math.log(0.25))  # the model's own


def test_a_great_penalty_uses_each_token_once() -> None:
    model = FixedModel(np.log(P))
    for one in sample(model, None, 50, Limits(bos=0, max_length=5), repetition_penalty=1e6):
        assert sorted(one.tokens) == [0, 1, 2, 3, 4]


# ---- rows on their own -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, top_p=st.floats(0.2, 1), data=st.data())
def test_a_row_does_not_depend_on_its_batch(seed: int, top_p: float, data: st.DataObject) -> None:
    model = RandomModel(6, seed)
    seeds = data.draw(st.lists(st.integers(0, 99), min_size=5, max_size=5))
    limits = Limits(bos=1, eos=EOS, max_length=9)
    options: Any = {"top_p": top_p, "repetition_penalty": 1.2}
    found = sample(model, model.start(5), 5, limits, seed=seeds, **options)
    assert shown(found) == shown(sample(TorchModel(model), model.start(5), 5, limits, seed=seeds, **options))
    for source, own in enumerate(seeds):
        assert shown([found[source]]) == shown(sample(model, [(source,)], 1, limits, seed=[own], **options))


def test_seeds() -> None:
    model = RandomModel(6, 1)
    limits = Limits(bos=1, max_length=9)
    rows = [(0,)] * 8
    one, same, other = (shown(sample(model, rows, 8, limits, seed=seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert len({tuple(tokens) for tokens, _ in one}) > 1  # each row has its own


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, option=st.sampled_from(["top_k", "top_p", "min_p", "temperature"]))
def test_what_leaves_one_token_is_greedy(seed: int, option: str) -> None:
    model = RandomModel(6, seed)
    limits = Limits(bos=1, eos=EOS, max_length=9, min_length=2, prefix=[[], [3], [4, 4], [5]])
    value: Any = {"top_k": 1, "top_p": 1e-6, "min_p": 1.0, "temperature": 1e-6}[option]
    found = sample(model, model.start(4), 4, limits, **{option: value})
    assert shown(found) == shown(greedy(model, model.start(4), 4, limits))


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "temperature must be a number above 0, not 0; use greedy"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"top_k": -1}, "top_k must be an integer of at least 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1"),
        ({"top_p": 1.1}, "top_p"),
        ({"min_p": -0.1}, "min_p must be from 0 to 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be a number above 0"),
    ],
)
def test_wrong_settings(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sample(FixedModel(np.log(P)), None, 1, Limits(bos=0), **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_length": 0}, ConfigError, "max_length must be an integer of at least 1"),
        ({"min_length": 9, "max_length": 5}, ConfigError, "min_length must be at most max_length"),
        (
            {"prefix": [[1] * 6], "max_length": 5},
            DataError,
            "prefix of row 0 has 6 tokens, and max_length is 5",
        ),
        ({"prefix": [[1, EOS, 1]], "eos": EOS}, DataError, "prefix of row 0 holds the end token 0"),
    ],
)
def test_wrong_limits(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Limits(bos=1, **options)


WAYS: list[Callable[..., Any]] = [greedy, sample, lambda *given: beam_search(*given, beam=2)]


@pytest.mark.parametrize("decode", WAYS, ids=["greedy", "sample", "beam"])
def test_what_cannot_be_decoded(decode: Callable[..., Any]) -> None:
    model = FixedModel([-math.inf, math.log(0.5), math.log(0.5)])
    with pytest.raises(DataError, match="the batch has no rows"):
        decode(model, None, 0, Limits(bos=1))
    with pytest.raises(DataError, match="2 prefixes for 1 rows"):
        decode(model, None, 1, Limits(bos=1, prefix=[[1], [1]]))
    with pytest.raises(DataError, match="2 first tokens for 3 rows"):
        decode(model, None, 3, Limits(bos=[1, 1]))
    with pytest.raises(DataError, match="prefix of row 1 holds 3, which is no token of a vocabulary of 3"):
        decode(model, None, 2, Limits(bos=1, prefix=[[1], [1, 3]]))
    with pytest.raises(DataError, match="row 1 cannot be met: the model gives token 0, its number 1, prob"):
        decode(model, None, 2, Limits(bos=1, prefix=[[1], [1, 0]]))
    with pytest.raises(DataError, match="probability"):
        decode(model, None, 1, Limits(bos=1, eos=0, banned=[1, 2]))
    for bad in (math.nan, 0.5):
        with pytest.raises(DataError, match="must be log-softmaxed and hold no NaN"):
            decode(FixedModel([bad, -1.0, -1.0]), None, 1, Limits(bos=1))


def test_each_row_needs_a_seed_and_a_context() -> None:
    model = FixedModel(np.log(P))
    with pytest.raises(DataError, match="2 seeds for 3 rows"):
        sample(model, None, 3, Limits(bos=0), seed=[1, 2])
    with pytest.raises(DataError, match="1 contexts for 3 rows"):
        sample(model, None, 3, Limits(bos=0), context=[[1]])
