"""Networks of sequence to sequence: losses and steps against formulas, a cache against none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

import torch.nn.functional as F  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import Tensor  # noqa: E402

from nlptk.errors import ConfigError  # noqa: E402
from nlptk.neural.dropout import Dropout  # noqa: E402
from nlptk.neural.seq2seq_models import BOS, EOS, PAD, Seq2SeqModel, collate_pairs, collate_sources  # noqa: E402
from nlptk.neural.seq2seq_recurrent import ATTENTIONS, RecurrentSeq2Seq, teacher_forcing  # noqa: E402
from nlptk.neural.seq2seq_transformer import TransformerSeq2Seq  # noqa: E402
from nlptk.neural.smoothing import smoothed_loss  # noqa: E402
from nlptk.neural.transformer import TransformerConfig  # noqa: E402

WORDS, DIM = 11, 8
PAIRS = [([3, 4, 5], [6, 7]), ([8], [9, 10, 3, 4]), ([5, 5, 6, 7, 8], [3])]


def recurrent(kind: str = "gru", attention: str = "bahdanau", **options: object) -> RecurrentSeq2Seq:
    torch.manual_seed(1)
    made = RecurrentSeq2Seq([WORDS], DIM, 0.1, kind=kind, hidden=6, attention=attention, **options)  # type: ignore[arg-type]
    return made.eval()


def transformer(pre_norm: bool = True) -> TransformerSeq2Seq:
    torch.manual_seed(1)
    config = TransformerConfig(dim=DIM, heads=2, layers=2, hidden=12, pre_norm=pre_norm, activation="relu")
    return TransformerSeq2Seq([WORDS, WORDS + 2], config, 0.1).eval()


MODELS: dict[str, Callable[[], Seq2SeqModel]] = {
    "transformer": transformer,
    "post-norm": lambda: transformer(False),
    "lstm of two layers": lambda: recurrent("lstm", layers=2),
    "no feeding": lambda: recurrent("gru", "dot", input_feeding=False),
    **{name: lambda name=name: recurrent("gru", name) for name in ATTENTIONS},  # type: ignore[misc]
}
every_model = pytest.mark.parametrize("name", MODELS)


# ---- the loss ----------------------------------------------------------------------------------------------


@given(rows=st.integers(1, 1100), smoothing=st.sampled_from([0.0, 0.1, 0.5]), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_smoothed_loss_and_its_gradients_are_those_of_the_formula(
    rows: int, smoothing: float, seed: int
) -> None:
    torch.manual_seed(seed)
    states = torch.randn(rows, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    gold = torch.randint(7, (rows,))
    shares = (states @ weight.T).log_softmax(-1)
    wanted = torch.full((rows, 7), smoothing / 7, dtype=torch.float64)
    wanted[torch.arange(rows), gold] += 1 - smoothing
    formula = -(wanted * shares).sum()
    expected = torch.autograd.grad(3 * formula, (states, weight))
    single = states.detach().float().requires_grad_(), weight.detach().float().requires_grad_()
    loss = smoothed_loss(*single, gold, smoothing)
    assert float(loss.detach()) == pytest.approx(float(formula.detach()), rel=1e-5)
    for found, right in zip(torch.autograd.grad(3 * loss, single), expected, strict=True):
        torch.testing.assert_close(found.double(), right, rtol=1e-4, atol=1e-4 * math.sqrt(rows))


def test_smoothed_loss_under_autocast_is_near_that_of_float32() -> None:
    torch.manual_seed(0)
    states, weight = torch.randn(50, 16), torch.randn(20, 16, requires_grad=True)
    gold = torch.randint(20, (50,))
    exact = smoothed_loss(states, weight, gold, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        near = smoothed_loss(states, weight, gold, 0.1)
    assert near.dtype is torch.float32
    assert float(near.detach()) == pytest.approx(float(exact.detach()), rel=0.01)
    slopes = [torch.autograd.grad(loss, weight)[0] for loss in (exact, near)]
    assert float(F.cosine_similarity(slopes[0].flatten(), slopes[1].flatten(), 0)) > 0.999


@every_model
def test_loss_is_that_of_each_pair_alone(name: str) -> None:
    model = MODELS[name]()
    loss, count = model(collate_pairs(PAIRS))
    alone = [model(collate_pairs([pair])) for pair in PAIRS]
    assert count == sum(n for _, n in alone) == 10
    assert float(loss.detach()) == pytest.approx(sum(float(one.detach()) for one, _ in alone), rel=1e-5)


def test_batches_hold_the_special_tokens() -> None:
    batch = collate_pairs(PAIRS)
    assert batch.source.ids.tolist()[1] == [8, EOS, PAD, PAD, PAD, PAD]
    assert batch.inputs.tolist()[2] == [BOS, 3, EOS, EOS, EOS]
    assert batch.gold.tolist() == [6, 7, EOS, 9, 10, 3, 4, EOS, 3, EOS]
    assert batch.places is not None
    assert batch.inputs.flatten()[batch.places].tolist() == [BOS, 6, 7, BOS, 9, 10, 3, 4, BOS, 3]
    assert collate_pairs(PAIRS[:1]).places is None


# ---- decoding ----------------------------------------------------------------------------------------------


@every_model
@torch.no_grad()
def test_steps_with_a_cache_are_those_without_and_those_of_training(name: str) -> None:
    model = MODELS[name]()
    source = collate_sources([source for source, _ in PAIRS])
    fast, slow = model.start(source), model.start(source, cached=False)
    written = torch.tensor([[BOS, 3, 9, 4], [BOS, 10, 5, 5], [BOS, 8, 8, 3]])
    whole = F.linear(model.decode(model.encode(source), written), model.output)
    whole[..., [PAD, BOS]] = -torch.inf
    rows = torch.arange(3)
    for place in range(4):
        shares, fast = model.step(written[rows, place], fast)
        others, slow = model.step(written[rows, place], slow)
        torch.testing.assert_close(shares, others, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(shares, whole[rows, place].log_softmax(-1), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(shares.exp().sum(-1), torch.ones(len(rows)))
        # Rows of other sources, some twice, and some gone.
        order = torch.tensor([[2, 0, 0, 1], [3, 0, 1, 1], [1, 0], [0, 1]][place])
        fast, slow, rows = model.reorder(fast, order), model.reorder(slow, order), rows[order]


@every_model
@torch.no_grad()
def test_attention_sums_to_one_and_keeps_off_padding(name: str) -> None:
    batch = collate_pairs(PAIRS)
    weights = MODELS[name]().looks(batch)  # [batch, layers, heads, time, keys]
    assert weights.shape[0] == 3
    assert weights.shape[-2:] == (5, 6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert not weights[1, ..., 2:].any()


# ---- recurrent models against NumPy ------------------------------------------------------------------------


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def gru(x: np.ndarray, h: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    w, u = p["decoder.net.weight_ih_l0"], p["decoder.net.weight_hh_l0"]
    a, b = w @ x + p["decoder.net.bias_ih_l0"], u @ h + p["decoder.net.bias_hh_l0"]
    r, z = sigmoid(a[:6] + b[:6]), sigmoid(a[6:12] + b[6:12])
    return (1 - z) * np.tanh(a[12:] + r * b[12:]) + z * h


def scores(attention: str, s: np.ndarray, memory: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    if attention == "dot":
        return memory @ s
    if attention == "general":
        return memory @ p["look.key.weight"].T @ s
    keys = memory @ p["look.key.weight"].T + p["look.key.bias"]
    return np.tanh(keys + p["look.query.weight"] @ s) @ p["look.score.weight"][0]


@pytest.mark.parametrize("attention", ATTENTIONS)
@torch.no_grad()
def test_the_decoder_is_that_of_the_papers(attention: str) -> None:
    model = recurrent("gru", attention)
    memory = model.encode(collate_sources([PAIRS[0][0]]))
    weights: list[Tensor] = []
    found = model.decode(memory, torch.tensor([[BOS, 7, 4]]), weights)[0].numpy()
    p = {name: value.double().numpy() for name, value in model.state_dict().items()}
    values, s = memory.values[0].double().numpy(), memory.first[0][0, 0].double().numpy()
    before = np.zeros(DIM)
    for place, token in enumerate([BOS, 7, 4]):
        x = p["tables.0.weight"][token]
        if attention == "bahdanau":
            shares = softmax(scores(attention, s, values, p))
            context = shares @ values
            s = gru(np.concatenate([x, context]), s, p)
            joined = np.concatenate([s, context, x])
        else:
            s = gru(np.concatenate([x, before]), s, p)
            shares = softmax(scores(attention, s, values, p))
            joined = np.concatenate([shares @ values, s])
        before = np.tanh(p["readout.weight"] @ joined + p["readout.bias"])
        np.testing.assert_allclose(found[place], before, atol=1e-5)
        np.testing.assert_allclose(weights[0][0, 0, place].numpy(), shares, atol=1e-5)


@given(sampled=st.floats(0, 1), decay=st.sampled_from(["linear", "exponential", "sigmoid"]))
def test_teacher_forcing_falls_from_one_to_what_is_left(sampled: float, decay: str) -> None:
    path = [teacher_forcing(done / 10, sampled, decay) for done in range(11)]
    assert path == sorted(path, reverse=True)
    assert path[0] == pytest.approx(1, abs=0.003)
    assert path[-1] == pytest.approx(1 - sampled, abs=0.003)


def test_scheduled_sampling_reads_own_tokens_in_training_alone() -> None:
    model, plain = recurrent(sampled=1.0), recurrent()
    batch = collate_pairs(PAIRS)
    assert torch.equal(model(batch)[0], plain(batch)[0])
    model.train().smoothing = plain.train().smoothing = 0.0
    model.total = 1  # so that all is sampled from the first update on
    assert not torch.equal(model(batch)[0], plain(batch)[0])
    assert int(model.updates) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"attention": "general2"}, "there is no attention 'general2'"),
        ({"sampled": 2.0}, "scheduled_sampling must be from 0 to 1, not 2.0"),
        ({"decay": "steep"}, "there is no sampling_decay 'steep'"),
    ],
)
def test_wrong_settings_of_recurrent_models(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        recurrent(**options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="hidden must be even"):
        RecurrentSeq2Seq([WORDS], DIM, 0.0, kind="gru", hidden=5)


# ---- dropout -----------------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_follows_the_seed_and_passes_the_gradient_of_what_it_keeps() -> None:
    layer, x = Dropout(0.3), torch.ones(400, 500, requires_grad=True)
    torch.manual_seed(5)
    y = layer(x)
    assert float((y == 0).float().mean().detach()) == pytest.approx(0.3, abs=0.005)
    assert float(y.mean().detach()) == pytest.approx(1, abs=0.005)
    y.sum().backward()
    assert torch.equal(x.grad, y)
    torch.manual_seed(5)
    assert torch.equal(layer(x), y)
    assert not torch.equal(layer(x), y)
    assert layer.eval()(x) is x
