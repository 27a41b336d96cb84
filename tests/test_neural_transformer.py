"""The Transformer against torch's layers, and what masks, caches and the lack of positions must mean."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.attention import length_mask, local_mask  # noqa: E402
from nlptk.neural.positions import POSITIONS  # noqa: E402
from nlptk.neural.transformer import (  # noqa: E402
    NORMS,
    Block,
    Decoder,
    Encoder,
    FeedForward,
    RmsNorm,
    TransformerConfig,
)

DIM, HEADS, HIDDEN = 16, 4, 24


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def make_config(**settings: Any) -> TransformerConfig:
    return TransformerConfig(**{"dim": DIM, "heads": HEADS, "layers": 2, "hidden": HIDDEN, **settings})


def copy_attention(ours: Any, theirs: Any) -> None:
    parts = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
    theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    theirs.out_proj.load_state_dict(ours.output.state_dict())


def copy_block(ours: Block, theirs: Any) -> None:
    """Random weights of ours, norms included, to torch's layer."""
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
        copy_attention(ours.attention, theirs.self_attn)
        norms = [ours.attention_sum.norm, ours.feed_forward_sum.norm]
        if ours.cross is not None:
            copy_attention(ours.cross, theirs.multihead_attn)
            norms.insert(1, ours.cross_sum.norm)
        for number, norm in enumerate(norms, 1):
            getattr(theirs, f"norm{number}").load_state_dict(norm.state_dict())
        theirs.linear1.load_state_dict(ours.feed_forward.inner.state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward.outer.state_dict())


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("cross", [True, False])
def test_block_is_torchs(cross: bool, pre_norm: bool, activation: str) -> None:
    ours = Block(make_config(pre_norm=pre_norm, activation=activation), cross).train(False)
    layer = torch.nn.TransformerDecoderLayer if cross else torch.nn.TransformerEncoderLayer
    theirs = layer(
        DIM, HEADS, HIDDEN, activation=activation, batch_first=True, norm_first=pre_norm
    )  # in training, without dropout, so that its fast path is not what is compared
    for module in theirs.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, torch.nn.MultiheadAttention):
            module.dropout = 0.0
    copy_block(ours, theirs)
    x, memory = torch.randn(2, 5, DIM), torch.randn(2, 7, DIM)
    key_mask, memory_mask = length_mask(torch.tensor([5, 3]), 5), length_mask(torch.tensor([2, 7]), 7)
    if cross:
        causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
        found = ours(x, memory, key_mask=key_mask, memory_mask=memory_mask, causal=True)
        expected = theirs(
            x,
            memory,
            tgt_mask=causal,
            tgt_key_padding_mask=~key_mask,
            memory_key_padding_mask=~memory_mask,
        )
    else:
        found = ours(x, key_mask=key_mask)
        expected = theirs(x, src_key_padding_mask=~key_mask)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_rms_norm_is_torchs() -> None:
    ours, theirs = RmsNorm(6), torch.nn.RMSNorm(6, eps=1e-6)
    torch.nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 6)
    torch.testing.assert_close(ours(x), theirs(x))
    assert ours(x.bfloat16()).dtype == torch.bfloat16


def test_swiglu_is_the_formula() -> None:
    network, x = FeedForward(4, 6, "swiglu"), torch.randn(3, 4)
    w1, v, w2 = (layer.weight for layer in (network.inner, network.gate, network.outer))
    inner = x @ w1.T
    torch.testing.assert_close(network(x), (inner * inner.sigmoid() * (x @ v.T)) @ w2.T)
    assert sum(p.numel() for p in network.parameters()) == 3 * 4 * 6


@settings(max_examples=20)
@given(
    name=st.sampled_from(POSITIONS),
    pre_norm=st.booleans(),
    norm=st.sampled_from(sorted(NORMS)),
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
)
def test_padding_changes_nothing(name: str, pre_norm: bool, norm: str, lengths: list[int]) -> None:
    encoder = Encoder(make_config(positions=name, pre_norm=pre_norm, norm=norm)).eval()
    mask = length_mask(torch.tensor(lengths), 6)
    x = torch.randn(len(lengths), 6, DIM)
    other = torch.where(mask[..., None], x, torch.randn_like(x))
    found, again = encoder(x, mask), encoder(other, mask)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[mask], again[mask], atol=1e-5, rtol=1e-5)
    for row, length in enumerate(lengths):
        alone = encoder(x[row : row + 1, :length])[0] if length else found[row, :0]
        torch.testing.assert_close(found[row, :length], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", POSITIONS)
@pytest.mark.parametrize("cross", [True, False])
def test_steps_with_a_cache_are_one_pass(name: str, cross: bool) -> None:
    decoder = Decoder(make_config(positions=name, activation="swiglu", norm="rms"), cross).eval()
    for parameter in decoder.positions.parameters():
        torch.nn.init.normal_(parameter)
    x, memory = torch.randn(2, 20, DIM), torch.randn(2, 4, DIM) if cross else None
    memory_mask = length_mask(torch.tensor([4, 2]), 4) if cross else None
    key_mask = torch.ones(2, 20, dtype=torch.bool)
    key_mask[1, 1:3] = False
    cache, ends = decoder.cache(), (3, *range(4, 20), 20)
    with torch.no_grad():
        whole = decoder(x, memory, key_mask=key_mask, memory_mask=memory_mask)
        steps = [
            decoder(x[:, a:b], memory, key_mask=key_mask[:, :b], memory_mask=memory_mask, cache=cache)
            for a, b in pairwise((0, *ends))
        ]
    torch.testing.assert_close(torch.cat(steps, 1), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", POSITIONS)
def test_a_decoder_sees_nothing_of_what_comes(name: str) -> None:
    decoder = Decoder(make_config(positions=name), cross=False).eval()
    x = torch.randn(1, 6, DIM)
    changed = x.clone()
    changed[:, 4] = torch.randn(DIM)
    before, after = decoder(x), decoder(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:], atol=1e-3)


def test_local_attention_reaches_as_far_as_its_windows() -> None:
    encoder = Encoder(make_config(positions="none")).eval()
    x = torch.randn(1, 12, DIM)
    changed = x.clone()
    changed[:, 0] = torch.randn(DIM)
    mask = local_mask(12, 12, 2, 2)
    differs = (encoder(x, mask=mask) - encoder(changed, mask=mask)).abs().amax((0, 2)) > 1e-5
    assert differs.tolist() == [True] * 5 + [False] * 7  # two blocks, two positions each


def test_order_is_nothing_without_positions() -> None:
    encoder = Encoder(make_config(positions="none")).eval()
    x, order = torch.randn(2, 6, DIM), torch.randperm(6)
    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order], atol=1e-5, rtol=1e-5)


def test_shapes_of_stacks() -> None:
    pre, post = Encoder(make_config()), Encoder(make_config(pre_norm=False, hidden=None))
    x = torch.randn(3, 4, DIM) * 5
    output = pre.eval()(x)
    torch.testing.assert_close(output.mean(-1), torch.zeros(3, 4), atol=1e-5, rtol=0)  # the norm at the end
    assert post.blocks[0].feed_forward.inner.out_features == 4 * DIM
    assert not list(post.norm.parameters())
    torch.manual_seed(3)
    first = Encoder(make_config()).state_dict()
    torch.manual_seed(3)
    assert all(torch.equal(value, first[key]) for key, value in Encoder(make_config()).state_dict().items())


def test_gradients_reach_every_weight() -> None:
    decoder = Decoder(make_config(positions="t5"))
    decoder(torch.randn(2, 5, DIM), torch.randn(2, 3, DIM)).square().sum().backward()
    assert [name for name, p in decoder.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("norm", sorted(NORMS))
@pytest.mark.parametrize("name", POSITIONS)
def test_under_autocast(name: str, norm: str) -> None:
    encoder = Encoder(make_config(positions=name, norm=norm, activation="swiglu")).eval()
    x, mask = torch.randn(2, 6, DIM), length_mask(torch.tensor([6, 2]), 6)
    exact = encoder(x, mask)
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(x, mask)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found.float()[mask], exact[mask], atol=0.1, rtol=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
@pytest.mark.parametrize("name", POSITIONS)
def test_on_a_gpu(name: str) -> None:
    decoder = Decoder(make_config(positions=name)).eval()
    x, memory, mask = torch.randn(2, 6, DIM), torch.randn(2, 4, DIM), length_mask(torch.tensor([4, 0]), 4)
    expected = decoder(x, memory, memory_mask=mask)
    decoder = decoder.cuda()
    found = decoder(x.cuda(), memory.cuda(), memory_mask=mask.cuda())
    torch.testing.assert_close(found.cpu(), expected, atol=1e-4, rtol=1e-4)


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match="norm must be one of layer, rms, not 'batch'"):
        make_config(norm="batch")
    with pytest.raises(ConfigError, match="activation must be one of relu, gelu, swiglu, not 'tanh'"):
        make_config(activation="tanh")
    with pytest.raises(ConfigError, match="activation must be one of relu, gelu, swiglu, not 'tanh'"):
        FeedForward(4, 8, "tanh")
    with pytest.raises(ConfigError, match="positions must be one of none, sinusoidal"):
        make_config(positions="polar")
    with pytest.raises(ConfigError, match="layers must be 1 or more, not 0"):
        make_config(layers=0)
    with pytest.raises(ConfigError, match="heads must divide dim"):
        Encoder(make_config(heads=3))
    with pytest.raises(DataError, match="give the encoder's states"):
        Decoder(make_config())(torch.zeros(1, 2, DIM))
    with pytest.raises(DataError, match="there are 9 positions, but the model has learned 8"):
        Encoder(make_config(positions="learned", max_length=8))(torch.zeros(1, 9, DIM))
