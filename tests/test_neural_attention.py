"""Attention and positions: fused against written out, masks, caches, and formulas of the papers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.attention import (  # noqa: E402
    AdditiveAttention,
    KeyValueCache,
    LuongAttention,
    MultiHeadAttention,
    attend,
    attend_with_weights,
    causal_mask,
    length_mask,
    local_mask,
)
from nlptk.neural.positions import POSITIONS, Rope, Sinusoidal, T5Bias, positions  # noqa: E402

DIM, HEADS = 16, 4


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


# ---- masks and scores --------------------------------------------------------------------------------------


@given(queries=st.integers(1, 6), keys=st.integers(1, 6), before=st.integers(0, 4), after=st.integers(0, 4))
def test_masks_say_what_they_say(queries: int, keys: int, before: int, after: int) -> None:
    causal, local = causal_mask(queries, keys), local_mask(queries, keys, before, after)
    for q in range(queries):
        place = keys - queries + q  # the last query stands at the last key
        for k in range(keys):
            assert causal[q, k] == (k <= place)
            assert local[q, k] == (place - before <= k <= place + after)


def test_length_mask() -> None:
    assert length_mask(torch.tensor([0, 2]), 3).tolist() == [[False] * 3, [True, True, False]]


@settings(max_examples=40)
@given(
    number=st.integers(0, 10**6),
    queries=st.integers(1, 5),
    keys=st.integers(1, 5),
    causal=st.booleans(),
    masked=st.booleans(),
    biased=st.booleans(),
)
def test_fused_is_what_is_written_out(
    number: int, queries: int, keys: int, causal: bool, masked: bool, biased: bool
) -> None:
    torch.manual_seed(number)
    query, key, value = (torch.randn(2, 3, n, 4, requires_grad=True) for n in (queries, keys, keys))
    mask = torch.rand(2, 1, queries, keys) < 0.5 if masked else None
    bias = torch.randn(3, queries, keys) if biased else None
    fused = attend(query, key, value, mask=mask, bias=bias, causal=causal)
    output, weights = attend_with_weights(query, key, value, mask=mask, bias=bias, causal=causal)
    torch.testing.assert_close(fused, output, atol=1e-5, rtol=1e-5)
    allowed = torch.ones(2, 3, queries, keys, dtype=torch.bool)
    if masked:
        allowed = allowed & mask
    if causal:
        allowed = allowed & causal_mask(queries, keys)
    assert torch.equal(weights > 0, allowed)
    torch.testing.assert_close(weights.sum(-1), allowed.any(-1).float())
    gradients = [
        torch.autograd.grad(result.square().sum(), (query, key, value)) for result in (fused, output)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_a_query_that_may_look_nowhere_gets_zeros() -> None:
    x = torch.randn(2, 5, DIM, requires_grad=True)
    key_mask = torch.tensor([[True] * 5, [False] * 5])
    attention = MultiHeadAttention(DIM, HEADS, bias=False)
    for need in (False, True):
        output, weights = attention(x, key_mask=key_mask, need_weights=need)
        assert torch.equal(output[1], torch.zeros(5, DIM))
        assert output[0].abs().min() > 0
        (gradient,) = torch.autograd.grad(output.sum(), x)
        assert torch.isfinite(gradient).all()
        assert (weights is not None) == need
    additive, luong = AdditiveAttention(DIM, DIM, 8), LuongAttention(DIM, DIM, window=1, predict=True)
    for single in (additive, luong):
        output, weights = single(x, x, mask=key_mask[:, None])
        assert torch.equal(output[1], torch.zeros(5, DIM))
        assert torch.isfinite(torch.autograd.grad(output.sum(), x)[0]).all()


# ---- one head ----------------------------------------------------------------------------------------------


def test_additive_score_is_bahdanaus() -> None:
    attention = AdditiveAttention(3, 5, 7)
    query, key, value = torch.randn(1, 2, 3), torch.randn(1, 4, 5), torch.randn(1, 4, 6)
    output, weights = attention(query, key, value)
    for q in range(2):
        hidden = [torch.tanh(attention.query(query[0, q]) + attention.key(k)) for k in key[0]]
        scores = torch.stack([attention.score.weight[0] @ one for one in hidden])
        torch.testing.assert_close(weights[0, q], scores.softmax(-1))
    torch.testing.assert_close(output[0], weights[0] @ value[0])


def test_luong_scores() -> None:
    query, key = torch.randn(1, 2, 4), torch.randn(1, 3, 4)
    _, weights = LuongAttention(4, 4, "dot")(query, key)
    torch.testing.assert_close(weights[0], (query[0] @ key[0].T).softmax(-1))
    general = LuongAttention(4, 4)
    _, weights = general(query, key)
    torch.testing.assert_close(weights[0], (query[0] @ general.key.weight @ key[0].T).softmax(-1))


def test_luong_windows() -> None:
    query, key = torch.randn(2, 6, 4), torch.randn(2, 6, 4)
    _, weights = LuongAttention(4, 4, window=1)(query, key)
    assert torch.equal(weights > 0, local_mask(6, 6, 1, 1).expand(2, -1, -1))
    local = LuongAttention(4, 4, "dot", window=2, predict=True)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])[:, None]
    _, weights = local(query, key, mask=mask)
    for row, count in enumerate((6, 4)):
        for q in range(6):
            centre = local.centre(query[row, q]).sigmoid().item() * count
            near = [k for k in range(count) if abs(k - centre) <= 2]
            scores = torch.stack([query[row, q] @ key[row, k] for k in near]).softmax(0)
            gauss = torch.tensor([math.exp(-((k - centre) ** 2) / 2) for k in near])  # sigma is 1
            expected = torch.zeros(6)
            expected[near] = scores * gauss
            torch.testing.assert_close(weights[row, q], expected)


def test_a_window_goes_along_with_the_steps_of_a_decoder() -> None:
    attention, query, key = LuongAttention(4, 4, window=1), torch.randn(2, 6, 4), torch.randn(2, 6, 4)
    steps = [attention(query[:, t : t + 1], key, start=t).output for t in range(6)]
    torch.testing.assert_close(torch.cat(steps, 1), attention(query, key).output)


# ---- many heads --------------------------------------------------------------------------------------------


def test_multi_head_is_torchs() -> None:
    ours, theirs = MultiHeadAttention(DIM, HEADS), torch.nn.MultiheadAttention(DIM, HEADS, batch_first=True)
    with torch.no_grad():
        parts = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    x, memory = torch.randn(2, 5, DIM), torch.randn(2, 7, DIM)
    key_mask = length_mask(torch.tensor([7, 3]), 7)
    output, weights = ours(x, memory, key_mask=key_mask, need_weights=True)
    expected, expected_weights = theirs(
        x, memory, memory, key_padding_mask=~key_mask, average_attn_weights=False
    )
    torch.testing.assert_close(output, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(weights, expected_weights, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", POSITIONS)
def test_steps_with_a_cache_are_one_causal_pass(name: str) -> None:
    attention = MultiHeadAttention(DIM, HEADS).eval()
    way = positions(name, dim=DIM, heads=HEADS, bidirectional=False)
    for weight in way.parameters():
        torch.nn.init.normal_(weight)
    x = torch.randn(2, 40, DIM)
    with torch.no_grad():
        whole = attention(way.add(x), causal=True, positions=way).output
        cache = KeyValueCache()
        steps = [
            attention(way.add(part, cache.length), causal=True, positions=way, cache=cache).output
            for part in x.split([1, 1, 20, 2, 16], 1)
        ]
    torch.testing.assert_close(torch.cat(steps, 1), whole, atol=1e-5, rtol=1e-4)
    assert cache.length == 40


def test_cache_of_a_memory_is_made_once() -> None:
    attention, cache = MultiHeadAttention(DIM, HEADS, memory_dim=6), KeyValueCache()
    x, memory = torch.randn(2, 1, DIM), torch.randn(2, 5, 6)
    with torch.no_grad():
        expected = attention(x, memory).output
        for given_memory in (memory, torch.full_like(memory, torch.nan)):
            torch.testing.assert_close(attention(x, given_memory, cache=cache).output, expected)
    assert cache.length == 5


def test_cache_follows_the_beams() -> None:
    attention, cache = MultiHeadAttention(DIM, HEADS), KeyValueCache()
    x, new = torch.randn(3, 4, DIM), torch.randn(3, 1, DIM)
    rows = torch.tensor([2, 2, 0])
    with torch.no_grad():
        attention(x, causal=True, cache=cache)
        cache.reorder(rows)
        step = attention(new, causal=True, cache=cache).output
        whole = attention(torch.cat([x[rows], new], 1), causal=True).output
    torch.testing.assert_close(step, whole[:, -1:], atol=1e-6, rtol=1e-5)


def test_order_is_nothing_without_positions() -> None:
    attention = MultiHeadAttention(DIM, HEADS)
    x, order = torch.randn(2, 6, DIM), torch.randperm(6)
    torch.testing.assert_close(attention(x[:, order]).output, attention(x).output[:, order])
    way = positions("rope", dim=DIM, heads=HEADS)
    moved = attention(x[:, order], positions=way).output
    assert not torch.allclose(moved, attention(x, positions=way).output[:, order], atol=1e-3)


@pytest.mark.parametrize(("batch", "time", "keys"), [(0, 3, 2), (2, 0, 2), (2, 3, 0)])
def test_nothing_to_look_at_or_to_look(batch: int, time: int, keys: int) -> None:
    attention = MultiHeadAttention(DIM, HEADS)
    torch.nn.init.normal_(attention.output.bias)
    x, memory = torch.randn(batch, time, DIM), torch.randn(batch, keys, DIM)
    for key_mask in (None, torch.ones(batch, keys, dtype=torch.bool)):
        for need in (False, True):
            output, weights = attention(x, memory, key_mask=key_mask, need_weights=need)
            assert output.shape == x.shape
            assert weights is None or weights.shape == (batch, HEADS, time, keys)
            if not keys:  # heads of zeros
                torch.testing.assert_close(output, attention.output.bias.expand_as(output))
    assert attention(x, causal=True, positions=Rope(DIM // HEADS)).output.shape == x.shape


@pytest.mark.parametrize("name", ["none", "t5", "alibi", "rope"])
def test_under_autocast(name: str) -> None:
    attention, way = MultiHeadAttention(DIM, HEADS), positions(name, dim=DIM, heads=HEADS)
    x = torch.randn(2, 6, DIM)
    key_mask = length_mask(torch.tensor([6, 0]), 6)
    exact = attention(x, key_mask=key_mask, positions=way).output
    with torch.autocast("cpu", torch.bfloat16):
        for need in (False, True):
            output, _ = attention(x, key_mask=key_mask, positions=way, need_weights=need)
            assert output.dtype == torch.bfloat16
            torch.testing.assert_close(output.float(), exact, atol=0.03, rtol=0.03)


def test_dropout_is_of_training_only() -> None:
    attention = MultiHeadAttention(DIM, HEADS, dropout=0.5)
    x = torch.randn(2, 6, DIM)
    for need in (False, True):
        attention.train()
        assert not torch.equal(attention(x, need_weights=need).output, attention(x, need_weights=need).output)
        attention.eval()
        assert torch.equal(attention(x, need_weights=need).output, attention(x, need_weights=need).output)


# ---- positions ---------------------------------------------------------------------------------------------


def test_sinusoidal_is_the_papers() -> None:
    table = Sinusoidal(6).table(3, 5)
    for row, p in enumerate((3, 4)):
        for i in range(3):
            angle = p / 10000 ** (2 * i / 6)
            assert table[row, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[row, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rope_turns_complex_numbers(interleaved: bool) -> None:
    x, start = torch.randn(2, 3, 5, 8), 7
    turned = Rope(8, interleaved=interleaved).rotate(x, start)
    angles = torch.arange(start, start + 5)[:, None] * 10000.0 ** (-torch.arange(4) / 4)
    turns = torch.polar(torch.ones_like(angles), angles)  # [time, pairs]

    def pairs(values: Any) -> Any:
        if interleaved:
            return torch.complex(values[..., ::2], values[..., 1::2])
        return torch.complex(values[..., :4], values[..., 4:])

    torch.testing.assert_close(pairs(turned), pairs(x) * turns, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["sinusoidal", "rope"])
def test_far_positions_are_told_apart_by_a_model_in_bf16(name: str) -> None:
    way, half = (positions(name, dim=DIM, heads=HEADS) for _ in range(2))
    half.bfloat16()
    x, head = torch.randn(1, 4, DIM), torch.randn(1, HEADS, 4, DIM // HEADS)
    assert torch.equal(half.add(x, 5000), way.add(x, 5000))
    assert torch.equal(half.rotate(head, 5000), way.rotate(head, 5000))


@given(shift=st.integers(0, 50))
def test_rope_sees_differences_only(shift: int) -> None:
    way = Rope(8)
    generator = torch.Generator().manual_seed(shift)
    query, key = (torch.randn(1, 1, 4, 8, generator=generator) for _ in range(2))
    here, there = (way.rotate(query, s) @ way.rotate(key, s).transpose(-2, -1) for s in (0, shift))
    torch.testing.assert_close(here, there, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_t5_buckets(bidirectional: bool) -> None:
    buckets = T5Bias(2, 8, 20, bidirectional).bucket(torch.arange(-25, 26))
    if bidirectional:
        assert buckets[25:].tolist() == [
            0,
            5,
            *[6] * 5,
            *[7] * 19,
        ]  # 2 sqrt(20 / 2) = 6.3 is where the last begins
        assert buckets[:25].flip(0).tolist() == [1, *[2] * 5, *[3] * 19]
    else:
        assert buckets[25:].tolist() == [0] * 26
        assert buckets[:25].flip(0).tolist()[:4] == [1, 2, 3, 4]
        assert buckets[0] == 7


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("sizes", [(32, 128), (16, 50), (4, 3)])
def test_t5_buckets_are_those_of_transformers(bidirectional: bool, sizes: tuple[int, int]) -> None:
    t5 = pytest.importorskip(
        "transformers.models.t5.modeling_t5", reason="the reference, transformers, is not installed"
    )
    distance = torch.arange(-300, 300)
    theirs = t5.T5Attention._relative_position_bucket(distance, bidirectional, *sizes)
    assert torch.equal(T5Bias(2, *sizes, bidirectional).bucket(distance), theirs)


def test_t5_bias_has_a_number_for_each_head() -> None:
    way = T5Bias(3, bidirectional=False)
    torch.nn.init.normal_(way.weight)
    bias = way.bias(2, 6, start=4)
    assert bias.shape == (3, 2, 6)
    for head in range(3):
        for q in range(2):
            for k in range(6):
                assert bias[head, q, k] == way.weight[way.bucket(torch.tensor(k - 4 - q)), head]


def test_alibi_slopes_are_the_papers() -> None:
    assert positions("alibi", dim=8, heads=8).slopes.tolist() == [2.0**-n for n in range(1, 9)]
    odd = positions("alibi", dim=6, heads=6).slopes.tolist()  # 4 of 4 heads, then every other of 8
    assert odd == [2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3]
    bias = positions("alibi", dim=8, heads=8).bias(1, 4, start=3)
    assert bias[0].tolist() == [[-1.5, -1.0, -0.5, 0.0]]


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match="there are no positions 'polar'; choose one of none, sinusoidal"):
        positions("polar", dim=8, heads=2)
    with pytest.raises(ConfigError, match="3 does not divide 8"):
        positions("rope", dim=8, heads=3)
    with pytest.raises(ConfigError, match="3 does not divide 8"):
        MultiHeadAttention(8, 3)
    with pytest.raises(ConfigError, match="an even number"):
        positions("rope", dim=6, heads=2)
    with pytest.raises(ConfigError, match="an even number"):
        positions("sinusoidal", dim=3, heads=1)
    with pytest.raises(ConfigError, match="even number of buckets"):
        T5Bias(2, buckets=5)
    with pytest.raises(ConfigError, match="max_distance"):
        T5Bias(2, buckets=32, max_distance=8)
    with pytest.raises(DataError, match="there are 6 positions, but the model has learned 5"):
        positions("learned", dim=4, heads=1, max_length=5).add(torch.zeros(1, 2, 4), 4)
    with pytest.raises(ConfigError, match="score must be 'dot' or 'general'"):
        LuongAttention(4, 4, "cosine")
    with pytest.raises(ConfigError, match="of one dimension, not 4 and 5"):
        LuongAttention(4, 5, "dot")
    with pytest.raises(ConfigError, match="window must be 1 or more"):
        LuongAttention(4, 4, window=0)
    with pytest.raises(ConfigError, match="a predicted centre needs a window"):
        LuongAttention(4, 4, predict=True)
