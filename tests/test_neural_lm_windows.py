"""Windows of a long text, the state that is carried over them, caches, and trainings that go on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from nlptk.errors import DataError  # noqa: E402
from nlptk.neural.lm import NeuralLM  # noqa: E402
from nlptk.neural.lm_data import Shuffled, Streams, Window  # noqa: E402
from nlptk.neural.lm_models import LanguageNetwork, Training, make_network  # noqa: E402
from nlptk.neural.positions import POSITIONS  # noqa: E402
from nlptk.neural.train import TrainSettings, train  # noqa: E402

VOCABULARY, WINDOW = 11, 8
IDS = np.random.default_rng(1).integers(0, VOCABULARY, 203).astype(np.int32)
KINDS = ("rnn", "lstm", "gru", "transformer")


def network(kind: str, **options: Any) -> LanguageNetwork[Any]:
    torch.manual_seed(3)
    made = NeuralLM(kind, dim=16, heads=2, window=WINDOW, **options)
    return make_network(made, VOCABULARY, 2, 0.0).eval()


def probabilities(model: LanguageNetwork[Any], ids: np.ndarray) -> np.ndarray:
    """Of each token after all before it, in one go."""
    tokens = torch.from_numpy(ids.astype(np.int64))
    with torch.no_grad():
        logits, _ = model(tokens[None, :-1])
    return logits[0].log_softmax(-1).gather(1, tokens[1:, None])[:, 0].numpy()


# ---- windows -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    length=st.integers(2, 120), batch=st.integers(1, 6), window=st.integers(1, 12), epoch=st.integers(0, 3)
)
def test_windows_cover_the_text_once(length: int, batch: int, window: int, epoch: int) -> None:
    ids = np.arange(length, dtype=np.int32)
    if length - 1 < window:
        for cut in (Streams, Shuffled):
            with pytest.raises(DataError, match="fewer than a window"):
                cut(ids, batch, window)
        return
    for source in (Streams(ids, batch, window, seed=5), Shuffled(ids, batch, window, seed=5)):
        batches = list(source.epoch(epoch))
        assert len(batches) == len(source)
        assert batches == list(source.epoch(epoch))
        found: list[int] = []
        for examples in batches:
            made = source.collate(examples)
            assert made.inputs.shape == made.targets.shape == (len(examples), window)
            assert (made.targets == made.inputs + 1).all()
            found += made.targets.flatten().tolist()
        assert len(found) == len(set(found))
        lost = length - 1 - len(found)
        assert lost < (window * source.batch + source.batch if isinstance(source, Streams) else window)


def test_streams_go_on_where_they_ended() -> None:
    source = Streams(np.arange(1000, dtype=np.int32), 4, 7)
    batches = [source.collate(examples) for examples in source.epoch(2)]
    assert [bool(batch.fresh.all()) for batch in batches] == [True] + [False] * (len(batches) - 1)
    for before, after in pairwise(batches):
        assert (after.inputs[:, 0] == before.targets[:, -1]).all()
    firsts = {next(iter(source.epoch(number)))[0].start for number in range(20)}
    assert len(firsts) > 1


# ---- one pass, many windows --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_carried_state_equals_one_long_pass(kind: str) -> None:
    model = network(kind)
    whole = probabilities(model, IDS)
    for window in (1, 7, 500):
        np.testing.assert_allclose(model.text_log_probs(IDS, 1, window), whole, atol=1e-5)
    # In parts, each begins anew.
    parts = np.concatenate([probabilities(model, IDS[at : at + 52]) for at in range(0, 203, 51)])
    np.testing.assert_allclose(model.text_log_probs(IDS, 4, 7), parts[: len(IDS) - 1], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_the_loss_carries_the_state_of_each_row(kind: str) -> None:
    """Windows one after the other have the loss of one long pass, whatever order the rows come in."""
    model = network(kind)
    source = Streams(IDS, 3, 9)
    training = Training(model, source.batch)
    total = 0.0
    for number, examples in enumerate(source.epoch(0)):
        order = examples[number % 3 :] + examples[: number % 3]
        total += sum(training(source.collate(part))[0].item() for part in (order[:2], order[2:]))
    first = next(iter(source.epoch(0)))
    length = len(source) * 9 + 1
    expected = -sum(probabilities(model, IDS[row.start : row.start + length]).sum() for row in first)
    assert total == pytest.approx(expected, rel=1e-5)
    # And a new epoch begins with nothing carried.
    once = training(source.collate(first))[0].item()
    assert once == pytest.approx(Training(model, 3)(source.collate(first))[0].item(), rel=1e-6)


def test_gradients_end_at_the_window() -> None:
    model = network("lstm")
    training = Training(model, 1)
    source = Streams(IDS, 1, 9)
    for examples in list(source.epoch(0))[:2]:
        loss, _ = training(source.collate(examples))
        loss.backward()  # would raise where the graph of the window before was part of it
    assert training.carried is not None
    assert not training.carried.requires_grad


@pytest.mark.parametrize("window", [4, 5, 8, 500])
def test_overlapping_windows_of_the_transformer(window: int) -> None:
    model = network("transformer")
    found = model.text_log_probs(IDS, 3, window)
    size = min(window, len(IDS) - 1)
    half = size // 2
    assert len(found) == len(IDS) - 1
    for place in {0, 1, size - 1, size, size + 1, 77, 100, 201} - {202, 203}:
        # The window in whose second half it is.
        begin = 0 if place < size else half * -(-(place + 1 - size) // half)
        expected = probabilities(model, IDS[begin : place + 2])[-1]
        assert found[place] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_as_the_whole(kind: str) -> None:
    for positions in POSITIONS if kind == "transformer" else ("rope",):
        model = network(kind, positions=positions)
        tokens = torch.from_numpy(IDS[:WINDOW].astype(np.int64)).repeat(3, 1)
        tokens[1] = tokens[1].flip(0)
        with torch.no_grad():
            whole = model(tokens)[0].log_softmax(-1)
            state = model.read(tokens[:, :3], model.start(3))
            for at in range(3, WINDOW):
                log_probs, state = model.step(tokens[:, at], state)
                torch.testing.assert_close(log_probs, whole[:, at])
                if at == 4:  # rows chosen, repeated and dropped
                    rows = torch.tensor([1, 1, 0, 2])
                    state, tokens, whole = model.reorder(state, rows), tokens[rows], whole[rows]


def test_the_transformer_looks_back_one_window() -> None:
    """Beyond its window the attention of each layer sees the last tokens alone."""
    one, other = (network("transformer", layers=None) for _ in range(2))
    tokens = torch.from_numpy(IDS[:40].astype(np.int64))[None]
    changed = tokens.clone()
    changed[0, 0] += 1
    with torch.no_grad():
        found = []
        for model, given_ in ((one, tokens), (other, changed)):
            state, rows = model.start(1), []
            for at in range(40):
                log_probs, state = model.step(given_[:, at] % VOCABULARY, state)
                rows.append(log_probs[0])
            found.append(torch.stack(rows))
    same = (found[0] == found[1]).all(1)
    reach = 2 * (WINDOW - 1)  # two layers
    assert not same[: reach + 1].any()
    assert same[reach + 1 :].all()


# ---- going on ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_a_training_goes_on_exactly(kind: str, precision: Any, tmp_path: Path) -> None:
    """Stopped in the middle of the second epoch, where a state is carried."""
    cut = Streams if kind == "lstm" else Shuffled

    class Stopping(cut):  # type: ignore[valid-type, misc]
        stop = False

        def epoch(self, number: int) -> Iterator[list[Window]]:
            for at, examples in enumerate(super().epoch(number)):
                if self.stop and (number, at) == (1, 5):
                    raise KeyboardInterrupt
                yield examples

    how = TrainSettings(epochs=3, learning_rate=3e-3, precision=precision)

    def run(stop: bool, **options: Any) -> dict[str, torch.Tensor]:
        source = Stopping(IDS, 3, WINDOW)
        source.stop = stop
        model = Training(network(kind), source.batch)
        train(model, source, source.collate, how, **options)
        return model.state_dict()

    options: Any = {"checkpoint": tmp_path, "checkpoint_every": 4}
    whole = run(False)
    with pytest.raises(KeyboardInterrupt):
        run(True, **options)
    for name, value in run(False, resume=True, **options).items():
        assert torch.equal(value, whole[name]), name


def test_fit_goes_on(tmp_path: Path) -> None:
    lines = ["some words that are read", "and others that follow"] * 10

    def fit(**options: Any) -> NeuralLM:
        model = NeuralLM("gru", dim=16, window=16, batch_size=2, epochs=4)
        return model.fit(lines, lines[:2], checkpoint=tmp_path / "here", **options)

    def stop(info: dict[str, Any]) -> None:
        if info["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(progress=stop)
    again = fit(resume=True)
    whole = NeuralLM("gru", dim=16, window=16, batch_size=2, epochs=4).fit(lines, lines[:2])
    assert again.log_.entries == whole.log_.entries
    assert again.perplexity(lines) == whole.perplexity(lines)
