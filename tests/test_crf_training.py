"""CRF training against plain NumPy: likelihood, gradient, optimum, and that it repeats, stops and says no."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from crf_oracle import Oracle, TrainingSet, random_set, unpacked
from interrupts import ctrl_c_after
from scipy.optimize import minimize

from nlptk import _core
from nlptk.crf import ALGORITHMS, CrfSettings, CrfWeights, train_crf
from nlptk.errors import ConfigError, DataError

# A set whose best weights no algorithm reaches at once: a quarter of its units carry the wrong hint.
NOISY = random_set(1, labels=4, sequences=40)


def train(data: TrainingSet, settings: CrfSettings, **options) -> CrfWeights:
    return train_crf(data.keys, data.offsets, data.gold, data.labels, settings, **options)


def go_on(info, parameters) -> bool:
    return True


def lbfgs(trainer: _core.CrfTrainer, c1: float, c2: float) -> np.ndarray:
    return trainer.lbfgs(c1, c2, 1000, 6, 1e-7, 10, 0.0, 20, go_on)


def count(weights: CrfWeights) -> int:
    return sum(map(len, unpacked(weights).values()))


def accuracy(weights: CrfWeights, data: TrainingSet) -> float:
    return float(np.mean(weights.compile().predict(data.keys, data.offsets) == data.gold))


@pytest.mark.parametrize("labels", [1, 2, 5, 8, 9])
@pytest.mark.parametrize("dense_freq", [0, 1, 6])
@pytest.mark.parametrize("min_freq", [1, 3])
def test_objective_and_gradient_are_the_oracles(labels, dense_freq, min_freq):
    data = random_set(labels, labels, 15)
    trainer = data.trainer(min_freq=min_freq, dense_freq=dense_freq, threads=2)
    parameters = np.random.default_rng(0).normal(0, 1, trainer.parameters).astype(np.float32)
    loss, gradient = trainer.objective(parameters)
    expected_loss, expected = Oracle(data, trainer)(parameters)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    np.testing.assert_allclose(gradient, expected, atol=2e-4)


def lists_of(data: TrainingSet) -> tuple[np.ndarray, np.ndarray]:
    """The same features as lists: where each unit's begin, and their numbers."""
    there = data.keys > 0
    return np.concatenate([[0], np.cumsum(there.sum(axis=1))]), data.keys[there]


def test_features_in_lists_with_all_weights_are_the_keys():
    data = random_set(4, 5, 30)
    starts, ids = lists_of(data)
    by_keys = data.trainer(dense_freq=1, threads=2)
    by_lists = _core.CrfTrainer.from_features(
        starts, ids, np.ones(len(ids)), data.offsets, data.gold, 5, all_states=True, all_transitions=True
    )
    assert by_lists.keys.tolist() == by_keys.keys.tolist()
    parameters = np.random.default_rng(0).normal(0, 1, by_keys.parameters).astype(np.float32)
    loss, gradient = by_keys.objective(parameters)
    assert by_lists.objective(parameters)[0] == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(by_lists.objective(parameters)[1], gradient, atol=1e-5)


def test_what_was_not_seen_has_no_weight_in_lists():
    data = random_set(4, 5, 30)
    starts, ids = lists_of(data)
    trainer = _core.CrfTrainer.from_features(starts, ids, None, data.offsets, data.gold, 5, boundaries=False)
    units = np.repeat(np.arange(len(data.gold)), np.diff(starts))
    seen = {(key, label) for key, label in zip(ids.tolist(), data.gold[units].tolist(), strict=True)}
    rows = np.repeat(trainer.keys, np.diff(trainer.row_starts))
    kept = trainer.row_labels < 5
    assert set(zip(rows[kept].tolist(), trainer.row_labels[kept].tolist(), strict=True)) == seen
    parameters = lbfgs(trainer, 0.0, 0.1)
    assert not parameters[: len(kept)][~kept].any()
    assert not parameters[-10:].any()  # start and end
    assert parameters[len(kept) : -10].any()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"starts": [0, 1]}, "starts"),
        ({"values": [1.0, np.nan, 1.0]}, "finite"),
        ({"values": [1.0]}, "parallel"),
        ({"gold": [0]}, "gold"),
        ({"gold": [0, 7]}, "gold label"),
        ({"offsets": [0, 1]}, "offsets"),
    ],
)
def test_lists_that_do_not_fit_are_refused(change, named):
    good = {"starts": [0, 2, 3], "ids": [1, 2, 1], "values": None, "offsets": [0, 2], "gold": [0, 1]}
    good["labels"] = 2
    _core.CrfTrainer.from_features(**good)
    with pytest.raises(ValueError, match=named):
        _core.CrfTrainer.from_features(**{**good, **change})


def test_gradient_is_that_of_finite_differences():
    data = random_set(3, 3, 10)
    trainer = data.trainer(dense_freq=4)
    oracle = Oracle(data, trainer)
    parameters = np.random.default_rng(0).normal(0, 1, trainer.parameters).astype(np.float32)
    gradient = trainer.objective(parameters)[1]
    step = 1e-5
    for p in range(0, len(parameters), 3):
        shift = np.zeros(len(parameters))
        shift[p] = step
        slope = (oracle(parameters + shift)[0] - oracle(parameters - shift)[0]) / (2 * step)
        assert gradient[p] == pytest.approx(slope, abs=2e-4)


def test_the_objective_stays_finite_for_large_weights():
    trainer = NOISY.trainer()
    for scale in (30.0, 1e4):
        parameters = np.random.default_rng(0).normal(0, scale, trainer.parameters).astype(np.float32)
        loss, gradient = trainer.objective(parameters)
        expected_loss, expected = Oracle(NOISY, trainer)(parameters)
        assert loss == pytest.approx(expected_loss, rel=1e-4)
        np.testing.assert_allclose(gradient, expected, atol=0.05)


@pytest.mark.parametrize("c2", [0.05, 1.0])
def test_lbfgs_finds_the_optimum_that_scipy_finds(c2):
    trainer = NOISY.trainer(dense_freq=1)
    oracle = Oracle(NOISY, trainer)

    def objective(w):
        loss, gradient = oracle(w)
        return loss + c2 * w @ w, gradient + 2 * c2 * w

    start = np.zeros(trainer.parameters)
    best = minimize(objective, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-13})
    found = lbfgs(trainer, 0.0, c2).astype(np.float64)
    assert objective(found)[0] == pytest.approx(best.fun, rel=1e-6)
    np.testing.assert_allclose(found, best.x, atol=0.01)


@pytest.mark.parametrize(("c1", "c2"), [(0.3, 0.0), (1.0, 0.1)])
def test_owlqn_reaches_the_l1_optimum(c1, c2):
    trainer = NOISY.trainer(dense_freq=1)
    w = lbfgs(trainer, c1, c2).astype(np.float64)
    slope = Oracle(NOISY, trainer)(w)[1] + 2 * c2 * w
    # At the optimum 0 is a subgradient: the slope is -c1 sign(w) where w is not 0, at most c1 where it is.
    zero = w == 0
    np.testing.assert_allclose(slope[~zero], -c1 * np.sign(w[~zero]), atol=0.02)
    assert np.abs(slope[zero]).max() <= c1 + 0.02
    assert 0.2 < zero.mean() < 1


def test_more_l1_leaves_fewer_weights():
    kept = [count(train(NOISY, CrfSettings(c1=c1, c2=0.0))) for c1 in (0.1, 1.0, 10.0)]
    assert kept[0] > kept[1] > kept[2]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_learns(algorithm):
    clear = random_set(2, labels=5, sequences=80, noise=0)
    assert accuracy(train(clear, CrfSettings(algorithm, c2=0.01)), clear) > 0.99
    blank = CrfWeights.from_pairs(
        *(np.zeros(0, dtype) for dtype in (np.uint32, np.uint16, np.uint16, np.int16)),
        1.0,
        np.zeros((4, 4), np.float32),
        np.zeros(4, np.float32),
        np.zeros(4, np.float32),
    )
    assert accuracy(train(NOISY, CrfSettings(algorithm)), NOISY) > accuracy(blank, NOISY) + 0.3


def test_transitions_are_learned():
    # The keys tell nothing: labels alternate, and a sequence starts with label 1.
    offsets = np.arange(0, 101, 5, dtype=np.int64)
    gold = np.tile(np.array([1, 0, 1, 0, 1], np.int32), 20)
    data = TrainingSet(np.full((100, 1), 9, np.uint32), offsets, gold, 2)
    for algorithm in ALGORITHMS:
        assert accuracy(train(data, CrfSettings(algorithm, c2=0.01)), data) == 1.0


def test_sgd_comes_close_to_the_optimum():
    trainer = NOISY.trainer(dense_freq=1)
    best, found = lbfgs(trainer, 0.0, 1.0), trainer.sgd(1.0, 200, 1, go_on)

    def value(w):
        return trainer.objective(w)[0] + float(np.dot(w, w))

    assert value(found) < value(best) * 1.01
    assert value(best) < value(np.zeros_like(best)) * 0.9


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_bytes(algorithm):
    runs = [train(NOISY, CrfSettings(algorithm, max_iterations=7, seed=s, threads=1)) for s in (5, 5, 6)]
    first, again, other = [{k: v.tobytes() for k, v in run.to_arrays().items()} for run in runs]
    assert first == again
    assert first != other


@pytest.mark.parametrize("c1", [0.0, 0.1])
def test_lbfgs_does_not_depend_on_threads(c1):
    data = random_set(4, labels=6, sequences=14_000, longest=20)  # several parts, each summed by one thread
    one, two, five = [
        train(data, CrfSettings(c1=c1, max_iterations=8, dense_freq=5, threads=threads))
        for threads in (1, 2, 5)
    ]
    for other in (two, five):
        for name, array in one.to_arrays().items():
            assert np.array_equal(array, other.to_arrays()[name]), name


def test_progress_and_dev_scores_are_reported():
    seen: list[dict] = []
    scores = iter([0.3, 0.9, 0.5, 0.1, 0.1])
    kept: list[CrfWeights] = []

    def evaluate(weights):
        kept.append(weights)
        return next(scores)

    settings = CrfSettings("ap", max_iterations=4, epsilon=0.0)
    weights = train(NOISY, settings, progress=seen.append, evaluate=evaluate)
    assert [(info["iteration"], info["of"], info["dev_score"]) for info in seen] == [
        (1, 4, 0.3),
        (2, 4, 0.9),
        (3, 4, 0.5),
        (4, 4, 0.1),
    ]
    assert weights is kept[1]


def test_lbfgs_objective_falls_at_every_step():
    seen: list[float] = []
    train(NOISY, CrfSettings(), progress=lambda info: seen.append(info["objective"]))
    assert len(seen) > 5
    assert all(b < a for a, b in pairwise(seen))


def test_an_error_in_a_callback_comes_through():
    class Odd(Exception):
        pass

    def fail(info):
        raise Odd("stop here")

    for algorithm in ALGORITHMS:
        with pytest.raises(Odd, match="stop here"):
            train(NOISY, CrfSettings(algorithm), progress=fail)


@pytest.fixture(scope="module")
def slow_trainer():
    """One pass over it takes longer than the kernels go without looking for a signal."""
    data = random_set(7, labels=400, sequences=5000, longest=20, width=1)
    return data.trainer(dense_freq=1, threads=1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ctrl_c_stops_training(slow_trainer, algorithm):
    start = {
        "lbfgs": lambda: slow_trainer.lbfgs(0.0, 1.0, 10**6, 6, 0.0, 10, 0.0, 20, go_on),
        "ap": lambda: slow_trainer.averaged_perceptron(10**6, 0.0, 1, go_on),
        "pa": lambda: slow_trainer.passive_aggressive(1, 1.0, True, True, 10**6, 0.0, 1, go_on),
        "arow": lambda: slow_trainer.arow(1.0, 1.0, 10**6, -1.0, 1, go_on),
        "sgd": lambda: slow_trainer.sgd(1.0, 10**6, 1, go_on),
    }[algorithm]
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.1):
        start()


def test_ctrl_c_is_seen_inside_one_evaluation(slow_trainer):
    # objective() calls no Python: only the kernel itself can notice.
    parameters = np.zeros(slow_trainer.parameters, np.float32)
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.1):
        slow_trainer.objective(parameters)


def test_features_that_all_are_too_rare_leave_the_chain():
    weights = train(NOISY, CrfSettings(min_freq=10**6))
    assert len(weights.keys) == 0
    assert len(set(weights.compile().predict(NOISY.keys, NOISY.offsets).tolist())) >= 1


def test_sequences_without_units_are_passed_over():
    empty = np.zeros((0, 3), np.uint32)
    for algorithm in ALGORITHMS:
        settings = CrfSettings(algorithm, max_iterations=2)
        weights = train_crf(empty, np.zeros(4, np.int64), np.zeros(0, np.int32), 2, settings)
        assert weights.labels == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": np.array([0, 2, 0], np.int32)}, "gold label"),
        ({"gold": np.array([0, -1, 0], np.int32)}, "gold label"),
        ({"gold": np.zeros(2, np.int32)}, "gold"),
        ({"labels": 0}, "labels"),
        ({"labels": 5000}, "4096 labels"),
        ({"offsets": np.array([0, 2], np.int64)}, "end at 3"),
        ({"offsets": np.array([1, 3], np.int64)}, "start at 0"),
        ({"offsets": np.array([0, 3, 2, 3], np.int64)}, "not decrease"),
        ({"offsets": np.zeros(0, np.int64)}, "offsets"),
        ({"keys": np.zeros(3, np.uint32)}, "keys"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    arguments = {
        "keys": np.ones((3, 2), np.uint32),
        "offsets": np.array([0, 1, 3], np.int64),
        "gold": np.array([0, 1, 0], np.int32),
        "labels": 2,
    }
    with pytest.raises(DataError, match=message):
        train_crf(**{**arguments, **change}, settings=CrfSettings())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("algorithm", "adam"),
        ("algorithm", None),
        ("c1", -1.0),
        ("c2", float("nan")),
        ("c2", float("inf")),
        ("c2", 1e300),
        ("c2", "1"),
        ("c2", None),
        ("max_iterations", 0),
        ("max_iterations", 2.5),
        ("max_iterations", 10**12),
        ("min_freq", -1),
        ("min_freq", 1.0),
        ("dense_freq", "2"),
        ("period", 0),
        ("epsilon", -1e-9),
        ("delta", float("nan")),
        ("prune", -1.0),
        ("seed", -1),
        ("threads", -1),
        ("threads", 1.5),
    ],
)
def test_settings_out_of_range_are_named(setting, value):
    with pytest.raises(ConfigError, match=setting):
        CrfSettings(**{setting: value})


@pytest.mark.parametrize("algorithm", ["ap", "pa", "arow", "sgd"])
def test_l1_needs_lbfgs(algorithm):
    with pytest.raises(ConfigError, match="c1"):
        CrfSettings(algorithm, c1=0.1)
