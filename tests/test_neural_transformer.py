"""The Transformer against torch's with the same weights; padding, future, order and cache change nothing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.attention import MultiHeadAttention
from nlptk.neural.initializers import INITIALIZERS, initialize
from nlptk.neural.positions import POSITIONS
from nlptk.neural.transformer import (
    ACTIVATIONS,
    NORMS,
    CausalTransformer,
    FeedForward,
    TransformerDecoder,
    TransformerEncoder,
)

SIZES = {"dim": 12, "layers": 2, "heads": 2, "inner": 20}
OTHERS = [name for name in POSITIONS if name != "none"]
seeds = st.integers(0, 10**6)


def close(a: Tensor, b: Tensor, atol: float = 2e-5) -> None:
    torch.testing.assert_close(a, b, atol=atol, rtol=1e-4)


def made(cls, seed: int = 0, **options):
    torch.manual_seed(seed)
    model = cls(**SIZES, **options)
    for parameter in model.parameters():  # so that each has to be in its place
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


# ---- against torch -----------------------------------------------------------------------------------------


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    parts = (ours.query, ours.key, ours.value)
    for part, weight, bias in zip(
        parts, theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True
    ):
        part.load_state_dict({"weight": weight, "bias": bias})
    ours.out.load_state_dict(theirs.out_proj.state_dict())


def copy_stack(ours, theirs) -> None:
    for mine, layer in zip(ours.layers, theirs.layers, strict=True):
        copy_attention(mine.attention, layer.self_attn)
        pairs = [
            (mine.attention_norm, layer.norm1),
            (mine.mlp.up, layer.linear1),
            (mine.mlp.down, layer.linear2),
        ]
        if mine.cross is None:
            pairs += [(mine.mlp_norm, layer.norm2)]
        else:
            copy_attention(mine.cross, layer.multihead_attn)
            pairs += [(mine.cross_norm, layer.norm2), (mine.mlp_norm, layer.norm3)]
        for own, other in pairs:
            own.load_state_dict(other.state_dict())
    if theirs.norm is not None:
        ours.norm.load_state_dict(theirs.norm.state_dict())


def theirs_of(layer, stack, pre_norm: bool, activation: str):
    one = layer(12, 2, 20, activation=activation, batch_first=True, norm_first=pre_norm)
    options = {"enable_nested_tensor": False} if stack is nn.TransformerEncoder else {}
    theirs = stack(one, 2, norm=nn.LayerNorm(12) if pre_norm else None, **options)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.4)
    return theirs.eval()


both = pytest.mark.parametrize(
    ("pre_norm", "activation"), [(True, "gelu"), (False, "gelu"), (True, "relu"), (False, "relu")]
)


@both
def test_the_encoder_is_torch_s(pre_norm, activation):
    torch.manual_seed(1)
    theirs = theirs_of(nn.TransformerEncoderLayer, nn.TransformerEncoder, pre_norm, activation)
    ours = TransformerEncoder(**SIZES, positions="none", pre_norm=pre_norm, activation=activation).eval()
    copy_stack(ours, theirs)
    x, lengths = torch.randn(3, 6, 12), torch.tensor([6, 2, 4])
    inside = torch.arange(6) < lengths[:, None]
    expected = theirs(x, src_key_padding_mask=~inside)
    close(ours(x, lengths)[inside], expected[inside])
    with torch.inference_mode():  # other kernels
        close(ours(x, inside)[inside], expected[inside])


@both
def test_the_decoder_is_torch_s(pre_norm, activation):
    torch.manual_seed(2)
    theirs = theirs_of(nn.TransformerDecoderLayer, nn.TransformerDecoder, pre_norm, activation)
    ours = TransformerDecoder(**SIZES, positions="none", pre_norm=pre_norm, activation=activation).eval()
    copy_stack(ours, theirs)
    x, memory, lengths = torch.randn(3, 5, 12), torch.randn(3, 7, 12), torch.tensor([7, 3, 5])
    expected = theirs(
        x,
        memory,
        tgt_mask=torch.ones(5, 5, dtype=torch.bool).triu(1),
        memory_key_padding_mask=torch.arange(7) >= lengths[:, None],
    )
    close(ours(x, memory, memory_seen=lengths), expected)


def test_swiglu_and_rms_norm_are_their_formulas():
    mlp, x = FeedForward(6, 10, "swiglu").eval(), torch.randn(3, 6)
    gate = x @ mlp.gate.weight.T + mlp.gate.bias
    up = x @ mlp.up.weight.T + mlp.up.bias
    close(mlp(x), (gate * gate.sigmoid() * up) @ mlp.down.weight.T + mlp.down.bias)
    norm = NORMS["rms_norm"](6)
    nn.init.normal_(norm.weight)
    close(norm(x), x / (x**2).mean(-1, keepdim=True).sqrt() * norm.weight)


# ---- what must change nothing ------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    st.integers(1, 7),
    st.integers(0, 5),
    st.sampled_from(list(POSITIONS)),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    seeds,
)
def test_padding_changes_nothing(time, padding, positions, window, pre_norm, seed):
    model = made(TransformerEncoder, seed, positions=positions, window=window, pre_norm=pre_norm)
    x = torch.randn(2, time + padding, 12)
    found = model(x, torch.tensor([time, 0]))
    assert found.isfinite().all()
    close(found[:1, :time], model(x[:1, :time]))


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from(list(POSITIONS)), st.booleans(), seeds)
def test_the_future_changes_nothing_before_it(time, more, positions, cross, seed):
    model = made(TransformerDecoder if cross else CausalTransformer, seed, positions=positions)
    x, memory = torch.randn(2, time + more, 12), [torch.randn(2, 3, 12)] * cross
    close(model(x, *memory)[:, :time], model(x[:, :time], *memory))


@settings(max_examples=20)
@given(st.permutations(range(6)), seeds)
def test_without_positions_the_encoder_sees_a_set(order, seed):
    model = made(TransformerEncoder, seed, positions="none")
    x = torch.randn(2, 6, 12)
    close(model(x)[:, order], model(x[:, order]))


@pytest.mark.parametrize("positions", OTHERS)
def test_with_positions_order_matters(positions):
    model, x = made(TransformerEncoder, positions=positions), torch.randn(2, 6, 12)
    moved = model(x.flip(1)).flip(1)
    if positions == "alibi":  # as far to the left as to the right
        close(moved, model(x))
        moved = model(x.roll(1, 1)).roll(-1, 1)
    assert (moved - model(x)).abs().max() > 0.01


@pytest.mark.parametrize("positions", ["rope", "t5", "alibi"])
def test_relative_positions_count_from_anywhere(positions):
    model, x = made(TransformerEncoder, positions=positions), torch.randn(1, 5, 12)
    behind = torch.cat([torch.randn(1, 4, 12), x], 1)
    seen = torch.tensor([[False] * 4 + [True] * 5])
    close(model(behind, seen)[:, 4:], model(x))


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.sampled_from(list(POSITIONS)),
    st.sampled_from([None, 2]),
    st.booleans(),
    seeds,
)
def test_the_cache_changes_nothing(pieces, positions, window, cross, seed):
    model = made(TransformerDecoder if cross else CausalTransformer, seed, positions=positions, window=window)
    x, memory = torch.randn(2, sum(pieces), 12), [torch.randn(2, 3, 12)] * cross
    masks = {"memory_seen": torch.tensor([3, 1])} if cross else {}
    cache = model.new_cache()
    with torch.inference_mode():
        found = [model(part, *memory, cache=cache, **masks) for part in x.split(pieces, 1)]
        close(torch.cat(found, 1), model(x, *memory, **masks))


def test_a_window_is_all_that_is_seen():
    model, x = made(TransformerEncoder, window=1), torch.randn(1, 9, 12)
    other = x.clone()
    other[:, 0] = torch.randn(12)
    changed = (model(x) - model(other)).abs().amax(-1)[0] > 1e-6
    assert changed.tolist() == [True] * 3 + [False] * 6  # one place for each of two layers


def test_weights_are_given_on_request():
    model, x, memory = made(TransformerDecoder), torch.randn(2, 4, 12), torch.randn(2, 3, 12)
    weights: list[Tensor] = []
    close(
        model(x, memory, memory_seen=torch.tensor([3, 2]), weights=weights),
        model(x, memory, memory_seen=torch.tensor([3, 2])),
    )
    assert [tuple(each.shape) for each in weights] == [(2, 2, 4, 4), (2, 2, 4, 3)] * 2
    for each in weights:
        close(each.sum(-1), torch.ones(2, 2, 4))
    assert (weights[1][1, :, :, 2] == 0).all()


# ---- training ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", NORMS)
def test_half_precision_is_close_and_has_gradients(activation, norm):
    for positions in POSITIONS:
        model = made(TransformerEncoder, activation=activation, norm=norm, positions=positions)
        x, lengths = torch.randn(2, 5, 12), torch.tensor([5, 2])
        with torch.autocast("cpu", torch.bfloat16):
            half = model(x, lengths)
        torch.testing.assert_close(half.float(), model(x, lengths), atol=0.15, rtol=0.1)
        half.float().square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_dropout_is_for_training_alone():
    model, x = made(TransformerEncoder, dropout=0.5), torch.randn(2, 5, 12)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_it_learns_to_look_two_places_on():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Embedding(5, 16), TransformerEncoder(16, 1, 2, 32, dropout=0.0), nn.Linear(16, 5)
    )
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    for _ in range(150):
        ids = torch.randint(5, (32, 8))
        loss = nn.functional.cross_entropy(model(ids)[:, :-2].flatten(0, 1), ids[:, 2:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1  # log 5 = 1.6 without


# ---- first weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INITIALIZERS)
def test_first_weights_have_their_variance(name):
    torch.manual_seed(0)
    layer = nn.Linear(300, 200)
    initialize(layer, name)
    assert (layer.bias == 0).all()
    weight = layer.weight.detach()
    if name == "orthogonal":
        close(weight @ weight.T, torch.eye(200))
        return
    variance = 2 / 500 if name.startswith("xavier") else 2 / 300
    assert float(weight.var()) == pytest.approx(variance, rel=0.03)
    bound = (3 * variance) ** 0.5
    assert (weight.abs().max() <= bound) == name.endswith("uniform")


def test_each_gate_is_a_matrix_of_its_own():
    module = nn.ModuleList([nn.LSTM(5, 4, num_layers=2, bidirectional=True), nn.GRUCell(5, 4)])
    initialize(module, "orthogonal")
    for name, parameter in module.named_parameters():
        if "bias" in name:
            assert (parameter == 0).all()
        else:
            for gate in parameter.detach().split(4):
                close(gate @ gate.T, torch.eye(4))


def test_convolutions_are_filled_and_embeddings_and_norms_are_not():
    torch.manual_seed(0)
    kept = nn.ModuleList([nn.Embedding(5, 4), nn.LayerNorm(4), nn.RMSNorm(4)])
    before = [parameter.clone() for parameter in kept.parameters()]
    convolution = nn.Conv1d(64, 32, 5)
    initialize(nn.ModuleList([kept, convolution]), "kaiming_normal")
    assert all(torch.equal(a, b) for a, b in zip(kept.parameters(), before, strict=True))
    assert float(convolution.weight.detach().var()) == pytest.approx(2 / (64 * 5), rel=0.1)


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "tanh"}, "there is no activation 'tanh'; choose one of gelu, relu, swiglu"),
        ({"norm": "batch"}, "there is no norm 'batch'; choose one of layer_norm, rms_norm"),
        ({"positions": "sine"}, "there are no positions 'sine'; choose one of none, sinusoidal"),
        ({"heads": 5}, "heads must divide dim, but dim is 12 and heads 5"),
        ({"layers": 0}, "layers must be at least 1, not 0"),
        ({"window": -1}, "window must be None or at least 0, not -1"),
    ],
)
def test_wrong_settings_are_said(options, message):
    with pytest.raises(ConfigError, match=message):
        TransformerEncoder(**{**SIZES, **options})


def test_wrong_calls_are_said():
    with pytest.raises(ConfigError, match="the mask is of 4 tokens, but there are 5"):
        made(TransformerEncoder)(torch.randn(1, 5, 12), torch.ones(1, 4, dtype=torch.bool))
    with pytest.raises(ConfigError, match="there is no initializer 'lecun'; choose one of xavier_uniform"):
        initialize(nn.Linear(2, 2), "lecun")
