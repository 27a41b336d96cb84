"""Recurrent networks: the cells written out against torch's kernels; lengths, states, words of characters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.characters import CHARACTERS, CharacterCnn, CharacterLstm, Highway  # noqa: E402
from nlptk.neural.initializers import INITIALIZERS, initialize  # noqa: E402
from nlptk.neural.recurrent import KINDS, Recurrent, lstm_cell  # noqa: E402


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def pair(kind: str, **settings: Any) -> tuple[Recurrent, Recurrent]:
    """Fused and written out, of the same weights."""
    fused, explicit = (Recurrent(kind, 3, 4, fused=way, **settings).eval() for way in (True, False))
    explicit.load_state_dict(fused.state_dict())
    return fused, explicit


@settings(max_examples=40)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    layers=st.integers(1, 3),
    both=st.booleans(),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    padded=st.booleans(),
    stated=st.booleans(),
)
def test_cells_are_torchs_kernels(
    kind: str, layers: int, both: bool, lengths: list[int], padded: bool, stated: bool
) -> None:
    networks = pair(kind, layers=layers, bidirectional=both)
    x = torch.randn(len(lengths), 6, 3)
    shape = (layers * (1 + both), len(lengths), 4)
    state = tuple(torch.randn(shape) for _ in range(networks[0].parts)) if stated else None
    results, gradients = [], []
    for network in networks:
        leaf = x.clone().requires_grad_()
        outputs, last = network(leaf, torch.tensor(lengths) if padded else None, state)
        (outputs.sum() + sum(part.square().sum() for part in last)).backward()
        results.append([outputs, *last])
        gradients.append([leaf.grad, *(parameter.grad for parameter in network.parameters())])
    for fused, explicit in zip(*results, strict=True):
        torch.testing.assert_close(fused, explicit, atol=1e-6, rtol=1e-6)
    for fused, explicit in zip(*gradients, strict=True):
        torch.testing.assert_close(fused, explicit, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_padding_changes_nothing(kind: str, fused: bool) -> None:
    network = Recurrent(kind, 3, 4, layers=2, bidirectional=True, fused=fused)
    x, lengths = torch.randn(3, 5, 3), torch.tensor([5, 1, 3])
    outputs, state = network(x, lengths)
    spoiled = x.masked_fill((torch.arange(5) >= lengths[:, None])[..., None], 1e6)
    again, last = network(torch.cat([spoiled, torch.ones(3, 2, 3)], 1), lengths)
    assert torch.equal(again[:, :5], outputs)
    assert not again[:, 5:].any()
    assert not outputs[1, 1:].any()
    for row, length in enumerate(lengths.tolist()):
        alone, end = network(x[row : row + 1, :length])
        torch.testing.assert_close(outputs[row : row + 1, :length], alone)
        for one, other, whole in zip(state, last, end, strict=True):
            assert torch.equal(one, other)
            torch.testing.assert_close(one[:, row : row + 1], whole)


def test_one_direction_sees_nothing_of_what_comes() -> None:
    network = Recurrent("gru", 3, 4, layers=2)
    x = torch.randn(1, 6, 3)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = network(x)[0], network(changed)[0]
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_lstm_cell_is_the_formula() -> None:
    h, c, x = torch.tensor([[0.5]]), torch.tensor([[2.0]]), torch.tensor([[1.0]])
    zero = torch.zeros(4)
    w = torch.tensor([[0.0], [100.0], [0.3], [0.0]])  # i = o = 1/2, f = 1, g = tanh(0.3)
    new, cell = lstm_cell(x, (h, c), (w, torch.zeros(4, 1), zero, zero))
    torch.testing.assert_close(cell, 2.0 + 0.5 * torch.tensor([[0.3]]).tanh())
    torch.testing.assert_close(new, 0.5 * cell.tanh())


@pytest.mark.parametrize("fused", [True, False])
def test_dropout_between_layers(fused: bool) -> None:
    network = Recurrent("lstm", 3, 4, layers=2, dropout=0.5, fused=fused)
    x = torch.randn(2, 5, 3)
    assert not torch.equal(network(x)[0], network(x)[0])
    network.eval()
    assert torch.equal(network(x)[0], network(x)[0])
    assert torch.equal(*(Recurrent("rnn", 3, 4, dropout=0.5, fused=fused)(x * 0)[0] * 0 for _ in range(2)))


def test_bad_input() -> None:
    with pytest.raises(
        ConfigError, match="there is no recurrent network 'sru'; choose one of rnn, lstm, gru"
    ):
        Recurrent("sru", 3, 4)
    with pytest.raises(ConfigError, match="layers must be 1 or more, not 0"):
        Recurrent("rnn", 3, 4, layers=0)
    network = Recurrent("rnn", 3, 4)
    for lengths in ([0, 2], [1, 6], [1]):
        with pytest.raises(DataError, match="lengths must be 2 numbers from 1 to 5"):
            network(torch.zeros(2, 5, 3), torch.tensor(lengths))
    with pytest.raises(ConfigError, match="dim of a character LSTM must be even"):
        CharacterLstm(5, 3, 7)
    for widths in ((), (0,), (1, 2, 3)):
        with pytest.raises(ConfigError, match="widths must be 1 to dim = 2 numbers"):
            CharacterCnn(5, 3, 2, widths=widths)
    with pytest.raises(ConfigError, match="there is no initializer 'glorot'; choose one of xavier_uniform"):
        initialize(network, "glorot")


# ---- words of characters -----------------------------------------------------------------------------------


def encoders() -> list[torch.nn.Module]:
    made: list[torch.nn.Module] = [kind(9, 5, 8) for kind in CHARACTERS.values()]
    return [*made, CharacterCnn(9, 5, 8, widths=(1, 2, 3, 4, 5), highway=2)]


def test_words_see_only_their_own_characters() -> None:
    words = [[3, 1, 4], [1], [5, 8, 2, 6, 5, 3], []]
    ids = torch.tensor([word + [0] * (6 - len(word)) for word in words])
    for encoder in encoders():
        found = encoder(ids)
        assert found.shape == (4, 8)
        torch.testing.assert_close(encoder(torch.cat([ids, torch.zeros_like(ids)], 1)), found)
        for row, word in enumerate(words[:3]):
            torch.testing.assert_close(encoder(torch.tensor([word]))[0], found[row], atol=1e-6, rtol=1e-5)
        assert not found[3].any()
        assert not torch.allclose(encoder(ids.flip(0)[1:2]), encoder(torch.tensor([[3, 5, 6, 2, 8, 5]])))
        found.sum().backward()
        for name, parameter in encoder.named_parameters():
            assert torch.isfinite(parameter.grad).all(), name
        assert encoder(ids[:0]).shape == (0, 8)
        assert not encoder(torch.zeros(2, 0, dtype=torch.int64)).any()


def test_convolution_is_the_formula() -> None:
    encoder = CharacterCnn(9, 2, 3, widths=(3,))
    word = [4, 7, 1, 2]
    vectors = [torch.zeros(2), *encoder.table(torch.tensor(word)), torch.zeros(2)]
    filters = encoder.filters[0]
    answers = [
        torch.einsum("ocw,wc->o", filters.weight, torch.stack(vectors[i : i + 3])) + filters.bias
        for i in range(4)
    ]
    torch.testing.assert_close(encoder(torch.tensor([word]))[0], torch.stack(answers).amax(0).relu())


def test_recurrent_words_are_the_last_states() -> None:
    encoder = CharacterLstm(9, 2, 4)
    ids = torch.tensor([[4, 7, 1, 0], [2, 0, 0, 0]])
    network = Recurrent("lstm", 2, 2, bidirectional=True)
    renamed = {f"{name}_reverse": value for name, value in encoder.backwards.state_dict().items()}
    network.net.load_state_dict({**encoder.forwards.state_dict(), **renamed})
    _, (h, _) = network(encoder.table(ids), torch.tensor([3, 1]))
    torch.testing.assert_close(encoder(ids), torch.cat([h[0], h[1]], 1))


def test_highway_begins_by_carrying_on() -> None:
    x = torch.randn(4, 6)
    layer = Highway(6)
    mostly = layer(x) - x
    assert mostly.abs().mean() < 0.3 * x.abs().mean()
    t = torch.sigmoid(layer.gate(x))
    torch.testing.assert_close(layer(x), t * torch.relu(layer.change(x)) + (1 - t) * x)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", *CHARACTERS])
def test_under_autocast(name: str) -> None:
    if name in KINDS:
        network = Recurrent(name, 3, 4, bidirectional=True)
        x, lengths = torch.randn(2, 5, 3), torch.tensor([5, 2])
        exact = network(x, lengths)[0]
        with torch.autocast("cpu", torch.bfloat16):
            found = network(x, lengths)[0]
    else:
        encoder, ids = CHARACTERS[name](9, 5, 8), torch.tensor([[1, 2, 3], [4, 0, 0], [0, 0, 0]])
        exact = encoder(ids)
        with torch.autocast("cpu", torch.bfloat16):
            found = encoder(ids)
    torch.testing.assert_close(found.float(), exact, atol=0.03, rtol=0.03)


# ---- initializers ------------------------------------------------------------------------------------------

VARIANCES = {
    "xavier": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "kaiming": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}


@pytest.mark.parametrize("rule", sorted(VARIANCES))
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_variance_is_the_rules(rule: str, shape: str) -> None:
    layer = initialize(torch.nn.Conv1d(100, 60, 3), f"{rule}_{shape}", gain=2.0)
    variance = 4 * VARIANCES[rule](300, 180)
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.05)
    assert abs(layer.weight.mean().item()) < 0.05 * variance**0.5
    edge = (3 * variance) ** 0.5
    assert (layer.weight.abs().max().item() <= edge) == (shape == "uniform")
    assert not layer.bias.any()


def test_gates_are_matrices_of_their_own() -> None:
    network = torch.nn.LSTM(20, 8)
    initialize(network, "orthogonal")
    for gate in network.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=1e-5)
    assert not network.bias_ih_l0.any()
    initialize(network, "xavier_uniform")
    assert (
        network.weight_ih_l0.abs().max() > (6 / (20 + 32)) ** 0.5
    )  # the edge, were it one matrix of 32 rows
    assert network.weight_ih_l0.abs().max() <= (6 / (20 + 8)) ** 0.5


def test_gates_of_cells_and_of_networks_with_a_projection() -> None:
    cell, network = torch.nn.GRUCell(20, 8), torch.nn.LSTM(20, 8, proj_size=3)
    for module in (cell, network):
        initialize(module, "orthogonal")
    for gate in (*cell.weight_hh.chunk(3), *cell.weight_ih.chunk(3), *network.weight_ih_l0.chunk(4)):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=1e-5)
    for gate in network.weight_hh_l0.chunk(4):  # [8, 3]
        torch.testing.assert_close(gate.T @ gate, torch.eye(3), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        network.weight_hr_l0 @ network.weight_hr_l0.T, torch.eye(3), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_all_names_leave_norms_and_padding_alone(name: str) -> None:
    module = torch.nn.ModuleDict(
        {
            "table": torch.nn.Embedding(6, 4, padding_idx=2),
            "norm": torch.nn.LayerNorm(4),
            "layer": torch.nn.Linear(4, 5),
        }
    )
    generators = [torch.Generator().manual_seed(seed) for seed in (7, 7, 8)]
    drawn = [
        {k: v.clone() for k, v in initialize(module, name, generator=generator).state_dict().items()}
        for generator in generators
    ]
    assert all(torch.equal(drawn[0][key], drawn[1][key]) for key in drawn[0])
    assert torch.equal(drawn[0]["layer.weight"], drawn[2]["layer.weight"]) == (name in ("zeros", "ones"))
    assert torch.equal(module["norm"].weight, torch.ones(4))
    assert not module["table"].weight[2].any()
    assert bool(module["table"].weight[1].any()) == (name != "zeros")
    if name == "truncated_normal":
        assert module["layer"].weight.abs().max() <= 0.04
