"""Positions: each scheme against its formula, its authors' numbers or another implementation."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.errors import ConfigError, DataError
from nlptk.neural.positions import POSITIONS, make_positions, t5_buckets, turned


def test_sinusoidal_is_its_formula():
    x = torch.zeros(2, 6, 8)
    found = make_positions("sinusoidal", 8, 2).add(x, start=3)
    for place in range(3, 9):
        for i in range(4):
            angle = place / 10000 ** (2 * i / 8)
            assert found[1, place - 3, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert found[1, place - 3, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_learned_positions_are_rows_of_a_table():
    scheme, x = make_positions("learned", 8, 2, max_length=5), torch.randn(2, 3, 8)
    torch.testing.assert_close(scheme.add(x, start=2), x + scheme.table.weight[2:5])
    with pytest.raises(DataError, match="a sequence of 6 is longer than the 5 places"):
        scheme.add(x, start=3)


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(0, 300), st.sampled_from([2, 4, 10]), st.integers(0, 10**6))
def test_rope_is_a_product_with_complex_numbers(time, start, dim, seed):
    torch.manual_seed(seed)
    x = torch.randn(2, 3, time, dim)
    turn = make_positions("rope", 3 * dim, 3).relative(time, start).turn
    places = torch.arange(start, start + time, dtype=torch.float64)
    rates = 10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = places[:, None] * rates
    numbers = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)))
    expected = torch.view_as_real(numbers * torch.polar(torch.ones_like(angles), angles)).flatten(-2)
    torch.testing.assert_close(turned(x, turn).double(), expected, atol=2e-4, rtol=1e-4)


def test_rope_s_products_depend_on_the_distance_alone():
    rope = make_positions("rope", 16, 2)
    q, k = torch.randn(1, 8), torch.randn(1, 8)
    products = []
    for start in (0, 7, 100):
        a = turned(q, rope.relative(1, start + 4).turn)
        b = turned(k, rope.relative(1, start).turn)
        products.append(float((a * b).sum()))
    assert products == pytest.approx([products[0]] * 3, abs=1e-4)
    assert products[0] != pytest.approx(float((q * k).sum()), abs=1e-4)


def test_alibi_s_slopes_are_those_of_the_paper():
    def slopes(heads: int) -> list[float]:
        return make_positions("alibi", 4 * heads, heads).slopes.tolist()

    assert slopes(8) == [2.0**-i for i in range(1, 9)]
    assert slopes(16) == pytest.approx([2.0 ** (-i / 2) for i in range(1, 17)])
    assert slopes(1) == [2.0**-8]
    assert slopes(12) == pytest.approx([2.0**-i for i in range(1, 9)] + [2.0 ** (-i - 0.5) for i in range(4)])


def test_alibi_grows_with_the_distance():
    bias = make_positions("alibi", 8, 8).relative(3, start=2).bias
    assert bias.shape == (8, 3, 5)
    assert bias[0].tolist() == [[-1, -0.5, 0, -0.5, -1], [-1.5, -1, -0.5, 0, -0.5], [-2, -1.5, -1, -0.5, 0]]


@pytest.mark.parametrize("both_ways", [True, False])
def test_t5_s_buckets_are_those_of_transformers(both_ways):
    t5 = pytest.importorskip("transformers.models.t5.modeling_t5")
    distance = torch.arange(-700, 701)
    for buckets, most in [(32, 128), (8, 20), (64, 600)]:
        expected = t5.T5Attention._relative_position_bucket(distance, both_ways, buckets, most)
        assert torch.equal(t5_buckets(distance, buckets, most, both_ways), expected)


def test_t5_s_buckets():
    """16 to a side: 8 of one distance each, the last from 91 on; to the right 16 more."""
    found = t5_buckets(torch.tensor([0, -1, -7, -8, -90, -91, -(10**6), 1, 7, 8, 91])).tolist()
    assert found == [0, 1, 7, 8, 14, 15, 15, 17, 23, 24, 31]
    back = t5_buckets(torch.tensor([5, 0, -15, -16, -(10**6)]), both_ways=False).tolist()
    assert back == [0, 0, 15, 16, 31]


def test_t5_s_bias_is_a_row_of_the_table():
    scheme = make_positions("t5", 8, 2, causal=True)
    bias = scheme.relative(2, start=3).bias
    assert bias.shape == (2, 2, 5)
    assert torch.equal(bias[:, 1, 2], scheme.table.weight[2])
    assert torch.equal(bias[:, 0, 4], scheme.table.weight[0])


@pytest.mark.parametrize("name", POSITIONS)
def test_steps_are_rows_of_the_whole(name):
    scheme = make_positions(name, 8, 2, causal=True)
    x = torch.randn(1, 6, 8)
    whole, step = scheme.relative(6), scheme.relative(1, 4)
    torch.testing.assert_close(scheme.add(x)[:, 4:5], scheme.add(x[:, 4:5], 4))
    if whole.bias is not None:
        torch.testing.assert_close(whole.bias[:, 4:5, :5], step.bias)
    if whole.turn is not None:
        torch.testing.assert_close([part[4:5] for part in whole.turn], list(step.turn))
    acts = whole.bias is not None or whole.turn is not None or not torch.equal(scheme.add(x), x)
    assert acts == (name != "none")


def test_wrong_settings_are_said():
    with pytest.raises(ConfigError, match="no positions 'relative'; choose one of none, sinusoidal"):
        make_positions("relative", 8, 2)
    with pytest.raises(ConfigError, match="sinusoidal positions need an even dim, not 7"):
        make_positions("sinusoidal", 7, 1)
    with pytest.raises(ConfigError, match="dim / heads must be even, not 3"):
        make_positions("rope", 6, 2)
