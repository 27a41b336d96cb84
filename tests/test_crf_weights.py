"""The 16-bit form of a trained CRF: rounding, pruning, and arrays that are not what they should be."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from crf_oracle import random_set, unpacked
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.crf import CrfSettings, CrfWeights, quantize, train_crf
from nlptk.crf_compact import compact
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
    assert max(abs(weight) for row in unpacked(weights).values() for weight in row.values()) == 32767


def test_pruning_drops_small_weights_and_empty_rows():
    trainer = DATA.trainer()
    parameters = np.zeros(trainer.parameters, np.float32)
    parameters[0], parameters[1] = 1.0, 0.01
    weights = quantize(trainer.keys, trainer.row_starts, trainer.row_labels, parameters, 5, 0.1)
    assert unpacked(weights) == {trainer.keys[0]: {trainer.row_labels[0]: 32767}}


def test_all_zero_parameters_give_a_model_without_features():
    weights, _ = rounded(np.zeros(3))
    assert len(weights.keys) == len(weights.blocks) == 0
    assert not weights.compile().emissions(DATA.keys).any()


def test_arrays_come_back_as_they_were():
    arrays = WEIGHTS.to_arrays()
    back = CrfWeights.from_arrays(arrays)
    assert back.scale == pytest.approx(WEIGHTS.scale)
    for name in ("rows", "blocks", "transitions", "start", "end"):
        before, after = getattr(WEIGHTS, name), getattr(back, name)
        assert after.dtype == arrays[name].dtype
        assert np.array_equal(before, after)
    found = back.compile().predict(DATA.keys, DATA.offsets)
    assert np.array_equal(found, WEIGHTS.compile().predict(DATA.keys, DATA.offsets))


PAIRS = st.integers(1, 40).flatmap(
    lambda labels: st.dictionaries(
        st.integers(1, 2**32 - 1),
        st.dictionaries(
            st.integers(0, labels - 1),
            st.integers(-32768, 32767).filter(bool),
            min_size=1,
        ),
        max_size=30,
    ).map(lambda rows: (labels, rows))
)


def packed(labels: int, rows: dict[int, dict[int, int]]) -> tuple[CrfWeights, dict[str, np.ndarray]]:
    """Weights of these rows, and the arrays in which older files have them."""
    ordered = [(key, sorted(row.items())) for key, row in sorted(rows.items())]
    narrow = np.uint8 if labels <= 255 else np.uint16
    arrays = {
        "keys": np.array([key for key, _ in ordered], np.uint32),
        "row_sizes": np.array([len(row) for _, row in ordered], narrow),
        "pair_labels": np.array([label for _, row in ordered for label, _ in row], narrow),
        "pair_weights": np.array([weight for _, row in ordered for _, weight in row], np.int16),
        "scale": np.array([0.25], np.float32),
        "transitions": np.zeros((labels, labels), np.float32),
        "start": np.zeros(labels, np.float32),
        "end": np.zeros(labels, np.float32),
    }
    return CrfWeights.from_pairs(**{**arrays, "scale": 0.25}), arrays


@given(PAIRS, st.randoms())
def test_packed_rows_hold_the_pairs_and_add_up(model, random):
    labels, rows = model
    weights, old = packed(labels, rows)
    assert unpacked(weights) == rows
    back = CrfWeights.from_arrays(old)  # older files hold pairs
    assert np.array_equal(back.rows, weights.rows)
    assert np.array_equal(back.blocks, weights.blocks)
    again = compact({**weights.to_arrays(), "other": np.ones(2)})  # and so do the embedded pipelines
    assert again.keys() == {*old, "other"}
    for name, array in old.items():
        assert again[name].dtype == array.dtype
        assert np.array_equal(again[name], array)
    near = [key + step for key in rows for step in (-1, 0, 1) if 0 <= key + step < 2**32]
    keys = np.array([random.choices([0, *near, *rows], k=5) for _ in range(20)], np.uint32)
    expected = np.zeros((len(keys), labels))
    for unit, row in enumerate(keys.tolist()):
        for key in row:
            for label, weight in rows.get(key, {}).items():
                expected[unit, label] += weight * 0.25
    assert np.array_equal(weights.compile().emissions(keys), expected)


@pytest.mark.parametrize("labels", [8, 40, 300, 1024, 1025, 2000])
def test_rows_of_any_length_are_packed(labels):
    rng = np.random.default_rng(labels)
    sizes = [n for n in (1, 2, 4, 5, 100, 244, 248, 249, labels // 2, labels) if n <= labels]
    rows = {
        int(key): {int(label): 7 for label in rng.permutation(labels)[:size]}
        for key, size in zip(rng.integers(1, 2**32, len(sizes)), sizes, strict=True)
    }
    weights, old = packed(labels, rows)
    assert unpacked(weights) == rows
    assert unpacked(CrfWeights.from_arrays(old)) == rows
    again = compact(weights.to_arrays())
    assert all(np.array_equal(again[name], array) for name, array in old.items())
    scores = weights.compile().emissions(np.array([[key] for key in rows], np.uint32))
    assert (scores > 0).sum(axis=1).tolist() == sizes


def test_the_model_uses_the_arrays_where_they_lie():
    rows, blocks = WEIGHTS.rows.copy(), WEIGHTS.blocks.copy()
    weights = CrfWeights.from_arrays({**WEIGHTS.to_arrays(), "rows": rows, "blocks": blocks})
    assert np.shares_memory(weights.rows, rows)
    assert np.shares_memory(weights.blocks, blocks)
    kept = weakref.ref(weights.blocks)
    model = weights.compile()
    del weights, rows, blocks
    assert kept() is not None
    assert np.array_equal(model.emissions(DATA.keys), WEIGHTS.compile().emissions(DATA.keys))
    del model
    assert kept() is None


def test_an_array_that_is_not_aligned_is_copied():
    arrays = WEIGHTS.to_arrays()
    raw = b"." + arrays["rows"].tobytes()
    arrays["rows"] = np.ndarray(arrays["rows"].shape, np.uint32, raw, 1)
    assert not arrays["rows"].flags.aligned
    weights = CrfWeights.from_arrays(arrays)
    assert weights.rows.flags.aligned
    expected = WEIGHTS.compile().emissions(DATA.keys)
    assert np.array_equal(weights.compile().emissions(DATA.keys), expected)


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
    wrong = [array.astype(np.float64), array.reshape(-1)[0], array[None], np.append(array, array)]
    wrong += [array[:, :-1]] if name == "rows" else [array[:-1]]  # one row fewer is a model
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
