"""Bad input to the linear-chain functions is named by sequence and position; odd layouts are taken."""

from __future__ import annotations

import numpy as np
import pytest
from chain_oracle import random_batch

from nlptk import chain

BAD_SCORES = [np.nan, np.inf, 2e30, -3e38]


@pytest.mark.parametrize("bad", BAD_SCORES)
@pytest.mark.parametrize(
    "function",
    [
        chain.viterbi,
        chain.forward_backward,
        chain.log_partition,
        lambda *a, **k: chain.viterbi_nbest(*a, 2, **k),
    ],
)
def test_bad_scores_are_named(function, bad: float) -> None:
    emissions = np.zeros((600, 3), np.float32)
    offsets = [0, 2, 2, 500, 600]
    emissions[430, 1] = bad
    with pytest.raises(ValueError, match="emissions of sequence 2 at position 428, label 1"):
        function(emissions, np.zeros((3, 3)), offsets=offsets)
    transitions = np.zeros((3, 3))
    transitions[2, 1] = bad
    with pytest.raises(ValueError, match="transitions at label 2 to 1"):
        function(np.zeros((4, 3)), transitions)
    edge = np.zeros(3)
    edge[2] = bad
    with pytest.raises(ValueError, match="start at label 2"):
        function(np.zeros((4, 3)), np.zeros((3, 3)), start=edge)
    with pytest.raises(ValueError, match="end at label 2"):
        function(np.zeros((4, 3)), np.zeros((3, 3)), end=edge)


def test_doubles_too_large_for_float32_are_named() -> None:
    with pytest.raises(ValueError, match="position 1, label 0 holds"):
        chain.viterbi(np.array([[0.0], [1e300]]), np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"emissions": np.zeros(3)}, "emissions must have 2 dimensions"),
        ({"emissions": np.zeros((4, 0)), "transitions": np.zeros((0, 0))}, "at least one label"),
        ({"transitions": np.zeros((3, 2))}, r"transitions must be \[3, 3\]"),
        ({"transitions": np.zeros(9)}, "transitions must have 2 dimensions"),
        ({"start": np.zeros(2)}, "start must have one score for each of the 3 labels"),
        ({"end": np.zeros((3, 1))}, "end must have 1 dimension"),
        ({"offsets": []}, "offsets must be"),
        ({"offsets": np.zeros(0, np.int64)}, "offsets must begin with 0"),
        ({"offsets": [1, 4]}, "offsets must begin with 0"),
        ({"offsets": [0, 3, 2, 4]}, "sequence 1: 3 to 2"),
        ({"offsets": [0, 3]}, "end with the number of emission rows, 4, not 3"),
        ({"offsets": [0, 9, 4]}, "sequence 1: 9 to 4"),
        ({"offsets": [0.0, 4.0]}, "offsets must be integers"),
        ({"emissions": np.array([["a"] * 3] * 4)}, "emissions must be numbers"),
    ],
)
def test_bad_arrays_are_named(changes: dict, message: str) -> None:
    arguments = {"emissions": np.zeros((4, 3)), "transitions": np.zeros((3, 3)), **changes}
    with pytest.raises(ValueError, match=message):
        chain.viterbi(**arguments)


def test_bad_n() -> None:
    for n in (0, -1):
        with pytest.raises(ValueError, match="n must be at least 1"):
            chain.viterbi_nbest(np.zeros((1, 1)), np.zeros((1, 1)), n)


def test_arrays_of_any_layout() -> None:
    batch = random_batch(12, 6, [9])
    expected, _ = chain.viterbi(batch.emissions, batch.transitions)
    for emissions in (
        np.asfortranarray(batch.emissions),
        batch.emissions.astype(np.float64),
        batch.emissions.tolist(),
    ):
        np.testing.assert_array_equal(chain.viterbi(emissions, batch.transitions)[0], expected)
    read_only = batch.emissions.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(chain.viterbi(read_only, batch.transitions)[0], expected)
