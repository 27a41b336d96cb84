"""BERT's encoder: transformers as its oracle, and every way of laying out a batch gives the same."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="neural models need torch")

import torch
from bert_models import SMALL, random_ids, real_checkpoint, small

from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural import bert as bert_module
from nlptk.neural import linear
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.packing import Packed
from nlptk.neural.windows import windows
from nlptk.neural.workers import infer_each

LENGTHS = [5, 3, 32, 17, 5, 1, 20, 3, 5]


def close(a: torch.Tensor, b: torch.Tensor, atol: float = 1e-5) -> None:
    torch.testing.assert_close(a, b, atol=atol, rtol=1e-4)


def alone(bert: Bert, sentence: list[int], types: list[int] | None = None) -> torch.Tensor:
    with torch.no_grad():
        return bert(Packed.of([sentence], None if types is None else [types])).states


# ---- against transformers ---------------------------------------------------------------------------------


def test_every_hidden_state_of_the_real_checkpoint_is_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    folder = real_checkpoint()
    peer = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    ours = Bert.from_pretrained(folder)
    sentences = random_ids([1, 2, 3, 7, 7, 19, 33, 64, 100, 128, 311, 512], 30522)
    types = [[int(i > len(s) // 2) for i in range(len(s))] for s in sentences]
    batch = Packed.of(sentences, types)
    with torch.inference_mode():
        found = ours(batch, hidden_states=True, attentions=True)
        for i, (sentence, kinds) in enumerate(zip(sentences, types, strict=True)):
            told = peer(
                torch.tensor([sentence]),
                token_type_ids=torch.tensor([kinds]),
                output_hidden_states=True,
                output_attentions=True,
            )
            assert len(found.hidden_states) == len(told.hidden_states) == 7
            for mine, theirs in zip(found.hidden_states, told.hidden_states, strict=True):
                close(batch.split(mine)[i], theirs[0], 1e-4)
            for mine, theirs in zip(found.attentions, told.attentions, strict=True):
                close(mine[i], theirs[0], 1e-4)
            close(found.pooled[i], told.pooler_output[0], 1e-4)
            close(batch.split(found.states)[i], told.last_hidden_state[0], 1e-4)


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu", "gelu_pytorch_tanh"])
def test_activations_are_transformers(act: str, tmp_path: object) -> None:
    transformers = pytest.importorskip("transformers")
    ours = small(hidden_act=act)
    ours.save_pretrained(str(tmp_path))
    peer = transformers.BertModel.from_pretrained(str(tmp_path)).eval()
    [sentence] = random_ids([20])
    with torch.no_grad():
        close(alone(ours, sentence), peer(torch.tensor([sentence])).last_hidden_state[0])
    with torch.enable_grad():  # by torch's linear layer
        close(ours(Packed.of([sentence])).states, peer(torch.tensor([sentence])).last_hidden_state[0])


# ---- layouts ----------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.lists(st.integers(1, 32), min_size=1, max_size=12), st.sampled_from([0.0, 0.25, 100.0]))
def test_packed_equals_one_by_one(lengths: list[int], waste: float) -> None:
    bert, sentences = small(), random_ids(lengths)
    types = [[i % 2 for i in range(n)] for n in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bert_module, "_WASTE", {"cpu": waste})
        batch = Packed.of(sentences, types)
        with torch.no_grad():
            found = bert(batch, hidden_states=True, attentions=True)
            plain = bert(batch)
    close(found.states, plain.states)  # the fused kernel and the explicit form
    close(found.hidden_states[-1], found.states)
    for i, (sentence, kinds) in enumerate(zip(sentences, types, strict=True)):
        with torch.no_grad():
            told = bert(Packed.of([sentence], [kinds]), hidden_states=True, attentions=True)
        for mine, theirs in zip(found.hidden_states, told.hidden_states, strict=True):
            close(batch.split(mine)[i], theirs)
        for mine, theirs in zip(found.attentions, told.attentions, strict=True):
            close(mine[i], theirs[0])
            close(mine[i].sum(-1), torch.ones(3, len(sentence)))
        close(found.pooled[i], told.pooled[0])


def test_padded_equals_packed() -> None:
    bert, sentences = small(), random_ids(LENGTHS)
    longest = max(LENGTHS)
    ids = torch.tensor([[*one, *[0] * (longest - len(one))] for one in sentences])
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in sentences])
    batch = Packed.of_padded(ids, mask, ids % 2)
    packed = Packed.of(sentences, [[i % 2 for i in one] for one in sentences])
    assert torch.equal(batch.ids, packed.ids)
    assert torch.equal(batch.type_ids, packed.type_ids)
    np.testing.assert_array_equal(batch.lengths, LENGTHS)
    with torch.no_grad():
        states = bert(batch).states
    padded = batch.pad(states)
    assert padded.shape == (len(LENGTHS), longest, 24)
    for row, one, n in zip(padded, batch.split(states), LENGTHS, strict=True):
        assert torch.equal(row[:n], one)
        assert not row[n:].any()


def test_encode_is_one_by_one_for_any_batch_size() -> None:
    bert, sentences = small(), random_ids(LENGTHS)
    types = [[1] * n for n in LENGTHS]
    for batch_tokens in (1, 20, 1000):
        found = bert.encode(sentences, types, batch_tokens=batch_tokens)
        for mine, sentence, kinds in zip(found, sentences, types, strict=True):
            close(mine, alone(bert, sentence, kinds))
    assert bert.encode([]) == []


def test_mean_over_sentences() -> None:
    batch = Packed.of(random_ids(LENGTHS))
    states = torch.randn(sum(LENGTHS), 4)
    close(batch.mean(states), torch.stack([rows.mean(0) for rows in batch.split(states)]))


def test_gradients_are_those_of_one_by_one() -> None:
    bert, sentences = small(), random_ids(LENGTHS)
    torch.manual_seed(3)
    direction = torch.randn(24)
    bert(Packed.of(sentences)).states.matmul(direction).square().sum().backward()
    together = {name: p.grad.clone() for name, p in bert.named_parameters() if p.grad is not None}
    bert.zero_grad()
    for sentence in sentences:
        bert(Packed.of([sentence])).states.matmul(direction).square().sum().backward()
    assert len(together) == len(list(bert.named_parameters())) - 2  # all but the pooler
    for name, p in bert.named_parameters():
        if name in together:
            torch.testing.assert_close(together[name], p.grad, atol=1e-3, rtol=1e-3)


def test_dropout_is_of_training_alone() -> None:
    bert, batch = small(), Packed.of(random_ids(LENGTHS))
    torch.manual_seed(0)
    plain = bert(batch).states
    assert torch.equal(plain, bert(batch).states)
    bert.train()
    assert not torch.allclose(bert(batch).states, bert(batch).states)
    close(bert.encode(random_ids(LENGTHS))[0], batch.split(plain)[0])  # encodes in evaluation mode
    assert bert.training


def test_autocast_keeps_the_residuals_whole() -> None:
    bert, batch = small(), Packed.of(random_ids(LENGTHS))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        states = bert(batch).states
        assert bert.encode(random_ids(LENGTHS))[0].dtype == torch.float32
    assert states.dtype == torch.float32
    with torch.no_grad():
        told = bert(batch).states
    assert 0 < (states - told).abs().max() < 0.3


# ---- threads ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_batches_side_by_side_are_in_order() -> None:
    bert = small()
    sentences = random_ids(np.random.default_rng(0).integers(1, 33, 200).tolist())
    found = bert.encode(sentences)
    assert torch.get_num_threads() == 2
    for mine, sentence in zip(found[::20], sentences[::20], strict=True):
        close(mine, alone(bert, sentence))

    seen = set()

    def run(number: int) -> int:
        seen.add((threading.get_ident(), torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return -number

    assert list(infer_each(run, range(50), torch.device("cpu"))) == list(range(0, -50, -1))
    assert {told[1:] for told in seen} == {(1, True)}
    assert threading.get_ident() not in {told[0] for told in seen}


@pytest.mark.usefixtures("two_threads")
def test_an_error_in_a_thread_is_raised_and_ends_the_rest() -> None:
    ran = []

    def run(number: int) -> None:
        ran.append(number)
        if number == 3:
            raise DataError("three")

    with pytest.raises(DataError, match="three"):
        list(infer_each(run, range(10_000), torch.device("cpu")))
    assert len(ran) < 10_000
    assert torch.get_num_threads() == 2


# ---- the linear layer -------------------------------------------------------------------------------------


@pytest.mark.skipif(not linear._AVAILABLE, reason="this torch has no oneDNN operators")
def test_changed_weights_are_seen() -> None:
    layer, x = linear.Linear(8, 5, "gelu"), torch.randn(3, 8)
    with torch.no_grad():
        for change in (
            lambda: None,
            lambda: layer.weight.mul_(2),
            lambda: layer.load_state_dict({"weight": torch.ones(5, 8), "bias": torch.ones(5)}),
            lambda: setattr(layer, "weight", torch.nn.Parameter(torch.eye(5, 8))),
        ):
            change()
            told = torch.nn.functional.gelu(torch.nn.functional.linear(x, layer.weight, layer.bias))
            close(layer(x), told)
            assert layer._blocked is not None
        blocked = layer._blocked
        layer.eval()(x)
        assert layer._blocked is blocked
        layer.weight.data.fill_(0.5)  # behind torch's back, but a mode is set after training
        close(layer.train().eval()(x), torch.nn.functional.gelu(0.5 * x.sum(1, keepdim=True) + layer.bias))


def test_the_layer_without_onednn_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    bert, sentences = small(), random_ids(LENGTHS)
    fast = bert.encode(sentences)
    monkeypatch.setattr(linear, "_AVAILABLE", False)
    for mine, plain in zip(fast, bert.encode(sentences), strict=True):
        close(mine, plain)


def test_copies_and_pickles() -> None:
    bert, sentences = small(), random_ids([4, 7])
    found = bert.encode(sentences)
    for other in (copy.deepcopy(bert), pickle.loads(pickle.dumps(bert))):
        for a, b in zip(found, other.encode(sentences), strict=True):
            close(a, b)


# ---- windows ----------------------------------------------------------------------------------------------


@given(st.integers(0, 200), st.integers(1, 30), st.data())
def test_windows_own_each_token_where_it_is_furthest_from_an_edge(
    length: int, size: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, size))
    plan = windows(length, size, stride)
    assert plan.starts[0] == 0
    assert plan.ends[-1] == length
    assert (plan.ends - plan.starts <= size).all()
    assert (np.diff(plan.starts) <= stride).all()
    assert len(plan.owner) == length
    assert (np.diff(plan.owner) >= 0).all()  # what a window owns is a run

    def margin(token: int, window: int) -> float:
        start, end = plan.starts[window], plan.ends[window]
        left = np.inf if start == 0 else token - start
        right = np.inf if end == length else end - 1 - token
        return min(left, right) if start <= token < end else -1

    for token in range(length):
        margins = [margin(token, window) for window in range(len(plan.starts))]
        assert margins[plan.owner[token]] == max(margins) >= 0


def test_long_sentences_are_joined_of_windows() -> None:
    bert = small()
    sentences = random_ids([70, 5, 32, 33])
    types = [[1] * len(one) for one in sentences]
    found = bert.encode(sentences, types, stride=15)
    assert [len(rows) for rows in found] == [70, 5, 32, 33]
    for i in (1, 2):
        close(found[i], alone(bert, sentences[i], types[i]))
    plan = windows(68, 30, 15)
    long = sentences[0]
    for token in (0, 14, 15, 40, 67):
        w = plan.owner[token]
        start, end = plan.starts[w], plan.ends[w]
        part = [long[0], *long[1 + start : 1 + end], long[-1]]
        close(found[0][1 + token], alone(bert, part, [1] * len(part))[1 + token - start])
    assert plan.owner[40] not in (0, len(plan.starts) - 1)
    first = [*long[:31], long[-1]]
    close(found[0][0], alone(bert, first, [1] * 32)[0])


# ---- bad input --------------------------------------------------------------------------------------------


def test_bad_batches() -> None:
    bert = small()
    with pytest.raises(DataError, match=r"has 33 tokens, and the model has positions for 32: encode.*stride"):
        bert.encode(random_ids([4, 33]))
    with pytest.raises(DataError, match="id 60 is outside the model's vocabulary of 60"):
        bert.encode([[3, 60]])
    with pytest.raises(DataError, match="id -1 is outside"):
        bert.encode([[-1]])
    with pytest.raises(DataError, match="sentence 1 has no tokens"):
        bert(Packed.of([[1], []]))
    with pytest.raises(DataError, match="there are no sentences to encode"):
        bert(Packed.of([]))
    with pytest.raises(DataError, match="2 ids need as many type ids, not 1"):
        Packed.of([[1, 2]], [[0]])
    with pytest.raises(DataError, match="lengths of 3 tokens do not fit ids of shape"):
        Packed(torch.zeros(2, dtype=torch.long), np.array([3]))
    with pytest.raises(DataError, match=r"need as many type ids, not \[1\]"):
        Packed(torch.zeros(2, dtype=torch.long), np.array([2]), torch.zeros(1, dtype=torch.long))
    with pytest.raises(DataError, match="pad at the right"):
        Packed.of_padded(torch.zeros(1, 3, dtype=torch.long), torch.tensor([[0, 1, 1]]))
    with pytest.raises(DataError, match=r"not \[3\], \[1, 3\]"):
        Packed.of_padded(torch.zeros(3, dtype=torch.long), torch.ones(1, 3))
    for stride in (0, 31):
        with pytest.raises(ConfigError, match="stride must be from 1 to the 30 tokens of a window"):
            bert.encode([[1]], stride=stride)
    with pytest.raises(ConfigError, match="stride must be from 1 to the 4 tokens"):
        windows(10, 4, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 25}, "hidden_size 25 is no multiple of num_attention_heads 3"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be a whole number of at least 1, not 0"),
        ({"vocab_size": True}, "vocab_size must be a whole number"),
        ({"hidden_dropout_prob": 1.0}, "hidden_dropout_prob must be a number from 0 to below 1"),
    ],
)
def test_bad_configs(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(SMALL, **change)
    with pytest.raises(ModelError, match=f"here: {message}"):
        BertConfig.from_json({**SMALL.to_json(), **change}, "here")


def test_an_unknown_activation() -> None:
    with pytest.raises(ConfigError, match="hidden_act 'swish' is not known: there are gelu, "):
        small(hidden_act="swish")
