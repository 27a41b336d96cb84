"""Attention: each form against its formula and against torch; masks; caches; nothing is ever NaN."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.attention import (
    AdditiveAttention,
    KeyValueCache,
    LocalAttention,
    LuongAttention,
    MultiHeadAttention,
    attend,
    attend_with_weights,
    causal_mask,
    masked_softmax,
    padding_mask,
    window_mask,
)
from nlptk.neural.positions import Relative, Rope

sizes = st.integers(1, 9)
seeds = st.integers(0, 10**6)


def close(a: Tensor, b: Tensor, atol: float = 1e-5) -> None:
    torch.testing.assert_close(a, b, atol=atol, rtol=1e-4)


def unlike(module: nn.Module) -> nn.Module:
    """With no parameter at 0 or 1, so that each has to be in its place; without dropout."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module.eval()


# ---- masks -------------------------------------------------------------------------------------------------


@given(sizes, st.integers(0, 5), st.integers(0, 4))
def test_masks_are_as_defined(queries, before, width):
    keys = before + queries
    causal, window = causal_mask(queries, keys), window_mask(queries, keys, width)
    for i in range(queries):
        assert causal[i].tolist() == [j <= before + i for j in range(keys)]
        assert window[i].tolist() == [abs(j - before - i) <= width for j in range(keys)]


def test_padding_mask():
    assert padding_mask(torch.tensor([2, 0, 3]), 3).tolist() == [[[1, 1, 0]], [[0, 0, 0]], [[1, 1, 1]]]


# ---- scaled dot product ------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(sizes, sizes, st.booleans(), st.booleans(), st.booleans(), seeds)
def test_the_fused_form_is_the_explicit_one(queries, keys, masked, biased, causal, seed):
    torch.manual_seed(seed)
    q, k, v = (torch.randn(2, 3, n, 4, requires_grad=True) for n in (queries, keys, keys))
    options = {
        "mask": torch.rand(2, 1, queries, keys) < 0.4 if masked else None,
        "bias": torch.randn(3, queries, keys) if biased else None,
        "causal": causal,
    }
    fused = attend(q, k, v, **options)
    explicit, weights = attend_with_weights(q, k, v, **options)
    close(fused, explicit)
    blind = weights.sum(-1) == 0
    close(weights.sum(-1), (~blind).float())
    assert (fused[blind] == 0).all()
    if not masked and not (causal and keys < queries):
        assert not blind.any()
    toward = torch.randn_like(fused)
    for a, b in zip(
        torch.autograd.grad(fused, (q, k, v), toward),
        torch.autograd.grad(explicit, (q, k, v), toward),
        strict=True,
    ):
        assert a.isfinite().all()
        close(a, b)


def test_the_weights_are_the_formula():
    q, k, v = torch.randn(3, 5, 4), torch.randn(3, 7, 4), torch.randn(3, 7, 2)
    given_, weights = attend_with_weights(q, k, v)
    for i in range(5):
        scores = [math.exp(float(q[1, i] @ k[1, j]) / 2.0) for j in range(7)]
        expected = torch.tensor([score / sum(scores) for score in scores])
        close(weights[1, i], expected)
        close(given_[1, i], sum(w * v[1, j] for j, w in enumerate(expected)))


def test_a_query_that_may_look_nowhere_gets_zeros_and_a_finite_gradient():
    scores = torch.randn(2, 3, requires_grad=True)
    weights = masked_softmax(scores, torch.tensor([[True, False, True], [False, False, False]]))
    assert weights[1].tolist() == [0, 0, 0]
    assert weights[0, 1] == 0
    (weights**2).sum().backward()
    assert scores.grad.isfinite().all()
    assert (scores.grad[1] == 0).all()


def test_dropout_is_of_the_weights():
    torch.manual_seed(0)
    q, k, v = torch.zeros(1, 2000, 4), torch.zeros(1, 8, 4), torch.eye(8)[None]
    mixed, weights = attend_with_weights(q, k, v, dropout=0.25)
    assert (weights == 0.125).all()
    assert mixed.unique().tolist() == pytest.approx([0.0, 0.125 / 0.75])
    assert mixed.mean() == pytest.approx(0.125, rel=0.05)


# ---- one head ----------------------------------------------------------------------------------------------


def shares(scores: list[float], seen: list[bool]) -> Tensor:
    powers = [math.exp(score) if see else 0.0 for score, see in zip(scores, seen, strict=True)]
    return torch.tensor([power / sum(powers) for power in powers])


@pytest.mark.parametrize("kind", ["additive", "dot", "general", "monotonic", "predictive"])
@torch.no_grad()
def test_one_head_is_its_formula(kind):
    torch.manual_seed(3)
    q, k, lengths = torch.randn(2, 5, 4), torch.randn(2, 6, 4), [6, 4]
    module = {
        "additive": lambda: AdditiveAttention(4, 4, 7),
        "dot": lambda: LuongAttention(4, 4, "dot"),
        "general": lambda: LuongAttention(4, 4),
        "monotonic": lambda: LocalAttention(4, 4, width=2),
        "predictive": lambda: LocalAttention(4, 4, "dot", width=3, predictive=True),
    }[kind]()
    unlike(module)
    context, weights = module(q, k, padding_mask(torch.tensor(lengths), 6))
    for b in range(2):
        for t in range(5):
            if kind == "additive":
                v = module.score.weight[0]
                scores = [
                    v @ torch.tanh(module.query.weight @ q[b, t] + module.key.weight @ key + module.key.bias)
                    for key in k[b]
                ]
            elif kind in ("dot", "predictive"):
                scores = [q[b, t] @ key for key in k[b]]
            else:
                scores = [q[b, t] @ module.key.weight @ key for key in k[b]]
            seen, factor = [s < lengths[b] for s in range(6)], torch.ones(6)
            if kind == "monotonic":
                seen = [see and abs(s - t) <= 2 for s, see in enumerate(seen)]
            if kind == "predictive":
                first, _, last = module.centre
                centre = lengths[b] * torch.sigmoid(last.weight[0] @ torch.tanh(first.weight @ q[b, t]))
                seen = [see and abs(s - centre.item()) <= 3 for s, see in enumerate(seen)]
                factor = torch.exp(-((torch.arange(6) - centre) ** 2) / (2 * 1.5**2))
            expected = shares([float(score) for score in scores], seen) * factor
            close(weights[b, t], expected)
            close(context[b, t], expected @ k[b])


def test_the_local_window_moves_with_the_start():
    module = unlike(LocalAttention(3, 3, width=1))
    q, k = torch.randn(1, 6, 3), torch.randn(1, 6, 3)
    whole = module(q, k)[0]
    steps = [module(q[:, t : t + 1], k, start=t)[0] for t in range(6)]
    close(torch.cat(steps, 1), whole)


# ---- many heads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory_dim", [None, 12, 8])
def test_many_heads_are_those_of_torch(memory_dim):
    torch.manual_seed(1)
    size = memory_dim or 12
    theirs = unlike(nn.MultiheadAttention(12, 3, kdim=size, vdim=size, batch_first=True))
    ours = MultiHeadAttention(12, 3, memory_dim=memory_dim)
    if size == 12:
        matrices = theirs.in_proj_weight.chunk(3)
    else:
        matrices = (theirs.q_proj_weight, theirs.k_proj_weight, theirs.v_proj_weight)
    parts = (ours.query, ours.key, ours.value)
    for part, weight, bias in zip(parts, matrices, theirs.in_proj_bias.chunk(3), strict=True):
        part.load_state_dict({"weight": weight, "bias": bias})
    ours.out.load_state_dict(theirs.out_proj.state_dict())
    x = torch.randn(2, 5, 12)
    memory = None if memory_dim is None else torch.randn(2, 7, size)
    keys = x if memory is None else memory
    lengths = torch.tensor([keys.shape[1], 3])
    seen = padding_mask(lengths, keys.shape[1])
    expected, expected_weights = theirs(
        x, keys, keys, key_padding_mask=~seen[:, 0], average_attn_weights=False
    )
    for need in (False, True):
        found, weights = ours(x, memory, mask=seen, need_weights=need)
        close(found, expected)
        assert (weights is not None) == need
    close(weights, expected_weights)


@settings(max_examples=25)
@given(sizes, st.integers(0, 4), seeds)
def test_what_may_not_be_seen_changes_nothing(time, padding, seed):
    torch.manual_seed(seed)
    module = unlike(MultiHeadAttention(8, 2))
    x = torch.randn(1, time + padding, 8)
    alone = module(x[:, :time])[0]
    close(module(x, mask=padding_mask(torch.tensor([time]), time + padding))[0][:, :time], alone)
    later = module(x, causal=True)[0][:, :time]
    close(module(x[:, :time], causal=True)[0], later)


@settings(max_examples=25)
@given(st.permutations(range(7)), seeds)
def test_without_positions_order_is_nothing(order, seed):
    torch.manual_seed(seed)
    module, x = unlike(MultiHeadAttention(8, 4)), torch.randn(2, 7, 8)
    close(module(x[:, order])[0], module(x)[0][:, order])


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.booleans(), seeds)
def test_the_cache_changes_nothing(pieces, turned, seed):
    torch.manual_seed(seed)
    module, x = unlike(MultiHeadAttention(8, 2)), torch.randn(2, sum(pieces), 8)
    rope = Rope(8, 2)

    def relative(time: int, start: int = 0) -> Relative:
        return rope.relative(time, start) if turned else Relative()

    whole, weights = module(x, causal=True, relative=relative(x.shape[1]), need_weights=True)
    cache, found, at = KeyValueCache(), [], 0
    for piece in pieces:
        part = x[:, at : at + piece]
        found.append(module(part, causal=True, relative=relative(piece, at), cache=cache)[0])
        at += piece
        assert cache.length == at
    close(torch.cat(found, 1), whole)
    assert (weights.triu(1) == 0).all()


def test_a_cache_follows_the_beam():
    module, x = unlike(MultiHeadAttention(8, 2)), torch.randn(3, 4, 8)
    cache, rows = KeyValueCache(), torch.tensor([2, 0, 2, 1])
    cache.reorder(rows)  # of nothing
    module(x[:, :3], causal=True, cache=cache)
    cache.reorder(rows)
    close(module(x[rows, 3:], causal=True, cache=cache)[0], module(x[rows], causal=True)[0][:, 3:])


def test_a_memory_is_read_once():
    module, x, memory = unlike(MultiHeadAttention(8, 2)), torch.randn(2, 4, 8), torch.randn(2, 6, 8)
    cache, expected = KeyValueCache(), module(x, memory)[0]
    close(module(x, memory, cache=cache)[0], expected)
    close(module(x, torch.zeros_like(memory), cache=cache)[0], expected)
    assert cache.length == 6


def test_half_precision_is_close():
    torch.manual_seed(0)
    module = unlike(MultiHeadAttention(16, 2))
    x, mask = torch.randn(2, 5, 16) / 2, padding_mask(torch.tensor([5, 0]), 5)
    bias = torch.randn(2, 5, 5)
    for need in (False, True):
        relative = Rope(16, 2).relative(5)._replace(bias=bias)
        exact = module(x, mask=mask, relative=relative, need_weights=need)[0]
        with torch.autocast("cpu", torch.bfloat16):
            half = module(x, mask=mask, relative=relative, need_weights=need)[0]
        assert half.dtype == torch.bfloat16
        torch.testing.assert_close(half.float(), exact, atol=0.1, rtol=0.05)
        half.sum().backward()
        assert all(p.grad.isfinite().all() for p in module.parameters())


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiHeadAttention(10, 4), "heads must divide dim, but dim is 10 and heads 4"),
        (lambda: MultiHeadAttention(10, 0), "heads must divide dim"),
        (lambda: LuongAttention(3, 3, "concat"), "there is no score 'concat'; choose 'dot' or 'general'"),
        (lambda: LuongAttention(3, 4, "dot"), "one size, not 3 and 4"),
        (lambda: LocalAttention(3, 3, width=0), "width must be at least 1, not 0"),
        (lambda: KeyValueCache().all(), "the cache is empty"),
    ],
)
def test_wrong_settings_are_said(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
