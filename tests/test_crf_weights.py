"""The 16-bit form of a trained CRF: rounding, pruning, and arrays that are not what they should be."""

from __future__ import annotations

import numpy as np
import pytest
from crf_oracle import random_set
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.crf import CrfSettings, CrfWeights, quantize, train_crf
from nlptk.errors import ModelError

DATA = random_set(11, labels=5, sequences=30)
WEIGHTS = train_crf(DATA.keys, DATA.offsets, DATA.gold, 5, CrfSettings(dense_freq=6))


def rounded(parameters: np.ndarray, prune: float = 0.0, **options) -> tuple[CrfWeights, np.ndarray]:
    """Quantized weights, and the emissions that the parameters give unrounded."""
    trainer = DATA.trainer(**options)
    parameters = np.resize(parameters, trainer.parameters).astype(np.float32)
    rows = (trainer.keys, trainer.row_starts, trainer.row_labels)
    parameters[: len(rows[2])][rows[2] >= 5] = 0  # padding, which training leaves at 0
    emissions = np.zeros((len(DATA.gold), 5))
    starts = trainer.row_starts.astype(int)
    for f, key in enumerate(trainer.keys):
        times = (DATA.keys == key).sum(axis=1)
        for p in range(starts[f], starts[f + 1]):
            if abs(parameters[p]) >= prune and rows[2][p] < 5:
                emissions[:, rows[2][p]] += times * parameters[p]
    return quantize(*rows, parameters, 5, prune), emissions


@pytest.mark.parametrize("options", [{}, {"dense_freq": 1}, {"dense_freq": 6, "min_freq": 2}])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("prune", [0.0, 0.5])
def test_rounding_moves_a_score_by_half_a_step_for_each_feature(options, scale, prune):
    values = np.random.default_rng(0).normal(0, scale, 997)
    weights, expected = rounded(values, prune * scale, **options)
    found = weights.compile().emissions(DATA.keys)
    width = DATA.keys.shape[1]
    assert np.abs(found - expected).max() <= width * weights.scale * 0.501 + 1e-5 * scale
    assert np.all(np.diff(weights.keys.astype(np.int64)) > 0)
    assert np.abs(weights.pair_weights).max() == 32767
    assert weights.row_sizes.sum() == len(weights.pair_labels)


def test_pruning_drops_small_weights_and_empty_rows():
    trainer = DATA.trainer()
    parameters = np.zeros(trainer.parameters, np.float32)
    parameters[0], parameters[1] = 1.0, 0.01
    weights = quantize(trainer.keys, trainer.row_starts, trainer.row_labels, parameters, 5, 0.1)
    assert weights.keys.tolist() == [trainer.keys[0]]
    assert weights.row_sizes.tolist() == [1]
    assert weights.pair_labels.tolist() == [trainer.row_labels[0]]


def test_all_zero_parameters_give_a_model_without_features():
    weights, _ = rounded(np.zeros(3))
    assert len(weights.keys) == len(weights.pair_weights) == 0
    assert not weights.compile().emissions(DATA.keys).any()


def test_arrays_come_back_as_they_were():
    arrays = WEIGHTS.to_arrays()
    assert arrays["row_sizes"].dtype == arrays["pair_labels"].dtype == np.uint8
    back = CrfWeights.from_arrays(arrays)
    assert back.scale == pytest.approx(WEIGHTS.scale)
    for name in ("keys", "row_sizes", "pair_labels", "pair_weights", "transitions", "start", "end"):
        before, after = getattr(WEIGHTS, name), getattr(back, name)
        assert after.dtype == arrays[name].dtype
        assert np.array_equal(before, after)
    found = back.compile().predict(DATA.keys, DATA.offsets)
    assert np.array_equal(found, WEIGHTS.compile().predict(DATA.keys, DATA.offsets))


def test_many_labels_keep_16_bits():
    data = random_set(1, labels=300, sequences=60)
    weights = train_crf(data.keys, data.offsets, data.gold, 300, CrfSettings("ap", max_iterations=2))
    assert weights.to_arrays()["pair_labels"].dtype == np.uint16
    assert CrfWeights.from_arrays(weights.to_arrays()).compile().labels == 300


def test_masks_forbid():
    masks = np.zeros((5, 5), np.float32), np.zeros(5, np.float32), np.zeros(5, np.float32)
    masks[0][:, 2] = masks[1][2] = -np.inf
    found = WEIGHTS.masked(*masks).compile().predict(DATA.keys, DATA.offsets)
    assert 2 not in found
    assert 2 in WEIGHTS.compile().predict(DATA.keys, DATA.offsets)


@pytest.mark.parametrize("name", sorted(WEIGHTS.to_arrays()))
def test_an_array_of_another_kind_is_refused(name):
    arrays = WEIGHTS.to_arrays()
    array = arrays[name]
    wrong = [array.astype(np.float64), array.reshape(-1)[0], array[None], array[:-1], np.append(array, array)]
    for other in wrong:
        with pytest.raises(ModelError):
            CrfWeights.from_arrays({**arrays, name: other}).compile()
    with pytest.raises(ModelError, match=name):
        CrfWeights.from_arrays({k: v for k, v in arrays.items() if k != name})


@pytest.mark.parametrize("name", ["transitions", "start", "end", "scale"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_numbers_that_do_not_add_up_are_refused(name, value):
    arrays = {**WEIGHTS.to_arrays(), name: WEIGHTS.to_arrays()[name].copy()}
    arrays[name].reshape(-1)[-1] = value
    with pytest.raises(ModelError, match="not usable"):
        CrfWeights.from_arrays(arrays).compile()


@settings(max_examples=300)
@given(st.data())
def test_any_altered_bytes_give_a_model_or_a_model_error(data):
    arrays = {name: array.copy() for name, array in WEIGHTS.to_arrays().items()}
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(arrays)))
        raw = arrays[name].view(np.uint8).reshape(-1)
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        model = CrfWeights.from_arrays(arrays).compile()
    except ModelError:
        return
    found = model.predict(DATA.keys, DATA.offsets)
    assert found.min() >= 0
    assert found.max() < 5
