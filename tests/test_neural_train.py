"""The trainer: what it learns, where it stops, and that it goes on exactly where it was."""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import signal
import socket
import time
from pathlib import Path
from typing import Any

import neural_toy as toy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neural_toy import Classifier, accuracy, run, source, weights

from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.batches import Batches
from nlptk.neural.optimizers import OPTIMIZERS, Schedule, make_optimizer
from nlptk.neural.train import TrainSettings

SETTINGS = TrainSettings(learning_rate=0.02, epochs=4, device="cpu")


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def changed(**settings: Any) -> TrainSettings:
    return TrainSettings(**{"learning_rate": 0.02, "epochs": 4, "device": "cpu", **settings})


# ---- learning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(optimizer):
    rate = {"sgd": 0.5, "momentum": 0.1, "nesterov": 0.1}.get(optimizer, 0.02)
    model, log = run(changed(optimizer=optimizer, learning_rate=rate, epochs=12), evaluate=accuracy)
    assert log.entries[-1]["loss"] < 0.6 * log.entries[0]["loss"]
    assert accuracy(model) == log.best > 0.8


def test_beta2_is_adams_alone():
    model = Classifier()
    betas = [group["betas"] for group in make_optimizer("adam", model, 0.1, beta2=0.98).param_groups]
    assert set(betas) == {(0.9, 0.98)}
    assert "betas" not in make_optimizer("adagrad", model, 0.1, beta2=0.98).param_groups[0]


def test_the_gradient_is_the_mean_over_all_terms_of_an_update():
    whole, _ = run(
        changed(optimizer="sgd", epochs=1), Classifier(0.0), source=Batches(toy.LENGTHS, 80, shuffle=False)
    )
    parts, _ = run(
        changed(optimizer="sgd", epochs=1, accumulate=10**6),
        Classifier(0.0),
        source=Batches(toy.LENGTHS, 10**6, sentences=40, shuffle=False),
    )
    one, _ = run(
        changed(optimizer="sgd", epochs=1),
        Classifier(0.0),
        source=Batches(toy.LENGTHS, 10**6, shuffle=False),
    )
    assert not same(weights(whole), weights(one))
    for a, b in zip(weights(parts), weights(one), strict=True):
        torch.testing.assert_close(a, b)


def test_one_step_of_sgd_is_what_is_written_in_the_books():
    model = Classifier(0.0)
    before = weights(model)
    loss, count = model(toy.collate(range(len(toy.X))))
    gradients = torch.autograd.grad(loss / count, list(model.parameters()))
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
    limit = norm / 2
    every = Batches(toy.LENGTHS, 10**6)
    run(changed(optimizer="sgd", learning_rate=0.5, epochs=1, max_grad_norm=limit), model, source=every)
    for old, gradient, new in zip(before, gradients, weights(model), strict=True):
        torch.testing.assert_close(new, old - 0.5 * gradient * limit / norm, rtol=1e-4, atol=1e-6)


def test_bfloat16_learns_too():
    model, _ = run(changed(precision="bfloat16", epochs=12))
    assert accuracy(model) > 0.8


def test_schedules():
    linear = Schedule("linear", 4, 12)
    assert [linear(step) for step in (0, 1, 3, 4, 8, 12, 20)] == [0.25, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    cosine = Schedule("cosine", 0, 10)
    assert [round(cosine(step), 6) for step in (0, 5, 10)] == [1.0, 0.5, 0.0]
    noam = Schedule("inverse_sqrt", 100, 10**6)
    assert noam(99) == 1.0
    assert noam(399) == pytest.approx(0.5)
    assert Schedule("constant", 2, 10)(9) == 1.0
    with pytest.raises(ConfigError, match="no schedule 'step'; choose one of constant, linear"):
        Schedule("step", 0, 10)


def test_parameters_are_grouped():
    model = Classifier()
    optimizer = make_optimizer("adamw", model, 0.1, 0.01, {"layers.3": 10.0})
    groups = {(g["scale"], g["weight_decay"]): g for g in optimizer.param_groups}
    assert {key: len(g["params"]) for key, g in groups.items()} == {
        (1.0, 0.01): 1, (1.0, 0.0): 1, (10.0, 0.01): 1, (10.0, 0.0): 1,
    }  # fmt: skip
    assert groups[10.0, 0.0]["lr"] == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="no parameter that begins with 'head'"):
        make_optimizer("adamw", model, 0.1, 0.0, {"head": 2.0})
    with pytest.raises(ConfigError, match="there is no optimizer 'lion'; choose one of adamw"):
        make_optimizer("lion", model, 0.1)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(ConfigError, match="no parameter of the model learns"):
        make_optimizer("sgd", model, 0.1)


def test_seeds():
    first, again = (run(SETTINGS)[0] for _ in range(2))
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(run(changed(seed=2))[0]))


# ---- when it ends ------------------------------------------------------------------------------------------


def scores(values: list[float]):
    left = iter(values)
    return lambda model: next(left)


def test_the_best_weights_are_kept_and_patience_ends_training():
    model, log = run(changed(epochs=9, patience=2), evaluate=scores([0.1, 0.5, 0.4, 0.5]))
    assert (log.best, log.best_step) == (0.5, log.entries[1]["step"])
    assert [entry["dev_score"] for entry in log.entries] == [0.1, 0.5, 0.4, 0.5]
    shorter, _ = run(changed(epochs=9, max_steps=log.best_step))  # another length of the schedule
    assert not same(weights(model), weights(shorter))
    constant = changed(epochs=9, patience=2, schedule="constant")
    model, log = run(constant, evaluate=scores([0.1, 0.5, 0.4, 0.5]))
    shorter, _ = run(changed(epochs=9, schedule="constant", max_steps=log.best_step))
    assert same(weights(model), weights(shorter))


def test_evaluation_by_updates():
    steps = len(source())
    _, log = run(changed(epochs=2, evaluate_every=4), evaluate=accuracy)
    assert [entry["step"] for entry in log.entries] == sorted({*range(4, log.steps, 4), log.steps})
    assert abs(log.steps - 2 * steps) <= 2


def test_the_number_of_updates_is_bounded():
    _, log = run(changed(max_steps=7))
    assert log.steps == 7


def test_progress_is_told():
    seen: list[dict[str, Any]] = []
    run(changed(epochs=2), evaluate=accuracy, progress=seen.append)
    assert [info["epoch"] for info in seen if "dev_score" in info] == [1, 2]
    assert all(info["iteration"] <= info["of"] and math.isfinite(info["loss"]) for info in seen)


def stop_at(step: int):
    class Stop(Classifier):
        calls = 0

        def forward(self, batch):
            self.calls += 1
            if self.calls == step:
                raise KeyboardInterrupt
            return super().forward(batch)

    return Stop()


def test_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        run(SETTINGS, stop_at(9))
    model, log = run(SETTINGS, stop_at(20), evaluate=accuracy, on_interrupt="best")
    assert log.interrupted
    assert log.steps == 19
    assert accuracy(model) == log.best


# ---- going on ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamw", "momentum", "adagrad", "rmsprop"])
@pytest.mark.parametrize("every", [1, 3])
def test_a_training_that_failed_goes_on_exactly(tmp_path, optimizer, every):
    settings = changed(optimizer=optimizer, accumulate=2, evaluate_every=5)
    straight, log = run(settings, evaluate=accuracy)
    for step in (3, 5, 7, 11, 10**9):
        model = stop_at(step)
        options: dict[str, Any] = {"checkpoint": tmp_path, "checkpoint_every": every, "resume": True}
        try:
            again = run(settings, model, evaluate=accuracy, **options)[1]
        except KeyboardInterrupt:
            continue
    assert again == log
    assert same(weights(straight), weights(model))


def start(settings: TrainSettings, options: dict[str, Any], output: Path, **environment: str) -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo"])  # what an optimizer imports late
    process = context.Process(target=toy.child, args=(settings, options, output, environment))
    process.start()
    return process


def test_killed_ten_times_it_ends_with_the_same_weights(tmp_path):
    settings = changed(epochs=150)
    straight, _ = run(settings)
    options = {"checkpoint": tmp_path / "state", "checkpoint_every": 7, "resume": True}
    rng, states, kills = random.Random(5), set(), 0
    while kills < 10:
        process = start(settings, dict(options), tmp_path / "weights")
        state = tmp_path / "state" / "training.safetensors"
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.is_alive() and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(rng.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        if (tmp_path / "weights").exists():
            break  # the machine was faster
        states.add(state.stat().st_mtime_ns)
        kills += 1
    assert kills == len(states) >= 3
    process = start(settings, options, tmp_path / "weights")
    process.join()
    assert same(torch.load(tmp_path / "weights"), weights(straight))


def test_a_state_of_another_training_is_refused(tmp_path):
    run(changed(epochs=1), checkpoint=tmp_path)
    with pytest.raises(ConfigError, match="holds the state of a training; resume it, or name a new folder"):
        run(changed(epochs=1), checkpoint=tmp_path)
    with pytest.raises(ConfigError, match=r"of another training \(seed 1 there, 2 here\)"):
        run(changed(epochs=1, seed=2), checkpoint=tmp_path, resume=True)
    model = Classifier()
    model.layers[0] = torch.nn.Linear(6, 17)
    with pytest.raises(ModelError, match="does not fit"):
        run(changed(epochs=1), model, checkpoint=tmp_path, resume=True)
    state = tmp_path / "training.safetensors"
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.raises(ModelError, match="truncated or altered"):
        run(changed(epochs=1), checkpoint=tmp_path, resume=True)


def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write the checkpoint"):
        run(SETTINGS, checkpoint=tmp_path / "file")


# ---- processes ---------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_two_processes_learn_what_one_does(tmp_path):
    settings = changed(epochs=2, accumulate=2)
    alone, _ = run(settings, Classifier(0.0))
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    # Not forked: a server that has imported torch may hold threads, which a fork does not copy.
    context = multiprocessing.get_context("spawn")
    crew = [
        context.Process(
            target=toy.child,
            args=(
                settings,
                {"dropout": 0.0},
                tmp_path / str(rank),
                {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            ),
        )
        for rank in range(2)
    ]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    first, second = (torch.load(tmp_path / str(rank)) for rank in range(2))
    assert same(first, second)
    for a, b in zip(first, weights(alone), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


# ---- bad input ---------------------------------------------------------------------------------------------


class Hungry(Classifier):
    """Has memory for 12 examples."""

    def forward(self, batch):
        if len(batch[1]) > 12:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(batch)


def test_where_memory_runs_out_batches_are_halved_once_when_asked_to():
    batches = Batches(toy.LENGTHS, 10**6, sentences=20)
    with pytest.raises(DataError, match=r"no memory left for a batch of 20 examples: .* or halve_on_oom"):
        run(SETTINGS, Hungry(), source=batches)
    plain, _ = run(SETTINGS, Classifier(0.0), source=batches)
    with pytest.warns(UserWarning, match="no memory for a batch of 20 examples: batches are halved"):
        halved, _ = run(changed(halve_on_oom=True), Hungry(0.0), source=batches)
    for a, b in zip(weights(plain), weights(halved), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    with pytest.warns(UserWarning, match="halved"), pytest.raises(DataError, match=r"use smaller batches$"):
        run(changed(halve_on_oom=True), Hungry(), source=Batches(toy.LENGTHS, 10**6, sentences=40))


def test_a_loss_that_is_not_finite_is_said():
    class Broken(Classifier):
        def forward(self, batch):
            loss, count = super().forward(batch)
            return loss * math.nan, count

    with pytest.raises(DataError, match=r"the loss is nan after \d+ updates: use a smaller learning_rate"):
        run(SETTINGS, Broken())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs must be an integer of at least 1, not 0"),
        ({"max_steps": 0}, "max_steps must be an integer of at least 1 or None"),
        ({"learning_rate": math.nan}, "learning_rate must be a number above 0"),
        ({"max_grad_norm": -1}, "max_grad_norm must be a number of at least 0"),
        ({"precision": "half"}, "precision must be 'float32' or 'bfloat16'"),
    ],
)
def test_wrong_settings_are_said(wrong, message):
    with pytest.raises(ConfigError, match=message):
        changed(**wrong)


def test_nothing_to_train_on():
    with pytest.raises(DataError, match="nothing to train on"):
        run(SETTINGS, source=Batches([], 10))


# ---- batches -----------------------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(0, 30), max_size=60),
    tokens=st.integers(1, 80),
    sentences=st.integers(0, 5),
    epoch=st.integers(0, 3),
    shuffle=st.booleans(),
)
def test_batches_hold_each_example_once_and_no_more_tokens_than_asked(
    lengths, tokens, sentences, epoch, shuffle
):
    batches = Batches(lengths, tokens, sentences=sentences, shuffle=shuffle)
    found = list(batches.epoch(epoch))
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    assert found == list(Batches(lengths, tokens, sentences=sentences, shuffle=shuffle).epoch(epoch))
    for batch in found:
        longest = max(lengths[i] for i in batch)
        assert longest * len(batch) <= tokens or len(batch) == 1
        assert not sentences or len(batch) <= sentences


def test_epochs_have_orders_of_their_own_and_little_padding():
    lengths = [1 + i * 7 % 40 for i in range(1000)]
    batches = Batches(lengths, 400)
    first, second = (list(batches.epoch(number)) for number in (0, 1))
    assert first != second
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in first)
    assert padded < 1.05 * sum(lengths)
    with pytest.raises(ConfigError, match="at least one token"):
        Batches(lengths, 0)
