"""The linear-chain kernel against plain NumPy: results, ties, limits and bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from chain_oracle import Batch, all_paths, random_batch
from chain_oracle import forward_backward as oracle_forward_backward
from chain_oracle import viterbi as oracle_viterbi
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk import chain

# Every width up to two AVX-512 vectors, then the odd sizes round the multiples of 4, 8 and 16.
WIDTHS = [
    *range(1, 36),
    39,
    40,
    41,
    44,
    47,
    48,
    49,
    55,
    63,
    64,
    65,
    79,
    80,
    81,
    95,
    96,
    97,
    112,
    127,
    128,
    129,
    130,
]
LENGTHS = [0, 1, 7, 2, 0, 12, 3]


def assert_viterbi(batch: Batch) -> None:
    paths, scores = chain.viterbi(batch.emissions, **batch.scores)
    for s in range(len(batch.lengths)):
        rows = batch.rows(s)
        path, score = oracle_viterbi(batch.emissions[rows], batch.transitions, batch.start, batch.end)
        assert paths[rows].tolist() == path
        assert scores[s] == score


def assert_forward_backward(batch: Batch, tolerance: float = 1e-5) -> None:
    result = chain.forward_backward(batch.emissions, **batch.scores)
    totals = chain.log_partition(batch.emissions, **batch.scores)
    expected = np.zeros_like(result.transitions)
    start = np.zeros_like(result.start)
    end = np.zeros_like(result.end)
    for s, length in enumerate(batch.lengths):
        rows = batch.rows(s)
        total, marginals, transitions = oracle_forward_backward(
            batch.emissions[rows], batch.transitions, batch.start, batch.end
        )
        # Sums of float32 scores: relative to the magnitude of what is added.
        assert result.log_partition[s] == pytest.approx(total, rel=1e-6, abs=tolerance)
        assert totals[s] == result.log_partition[s]
        np.testing.assert_allclose(result.marginals[rows], marginals, atol=tolerance)
        expected += transitions
        if length:
            start += marginals[0]
            end += marginals[-1]
    np.testing.assert_allclose(result.transitions, expected, rtol=1e-4, atol=10 * tolerance)
    np.testing.assert_allclose(result.start, start, atol=10 * tolerance)
    np.testing.assert_allclose(result.end, end, atol=10 * tolerance)


@pytest.mark.parametrize("labels", WIDTHS)
def test_matches_numpy(labels: int) -> None:
    for forbid in (0.0, 0.3):
        batch = random_batch(labels, labels, LENGTHS, forbid=forbid)
        assert_viterbi(batch)
        assert_forward_backward(batch)


@pytest.mark.parametrize("labels", WIDTHS)
def test_lowest_label_wins_ties(labels: int) -> None:
    assert_viterbi(random_batch(labels, labels, LENGTHS, integers=True))
    assert_viterbi(random_batch(labels, labels, LENGTHS, integers=True, forbid=0.5))


@pytest.mark.parametrize("labels", [1, 2, 3, 17, 44])
def test_large_ragged_batch(labels: int) -> None:
    lengths = np.random.default_rng(0).integers(0, 30, 150).tolist()
    assert_viterbi(random_batch(1, labels, lengths, integers=True, forbid=0.1))
    assert_viterbi(random_batch(2, labels, lengths))


def test_all_equal_gives_label_zero() -> None:
    paths, scores = chain.viterbi(np.zeros((9, 40)), np.zeros((40, 40)))
    assert paths.tolist() == [0] * 9
    assert scores.tolist() == [0.0]


def test_brute_force() -> None:
    for seed in range(20):
        batch = random_batch(seed, 3, [4], integers=True, forbid=0.2)
        ranked = all_paths(batch.emissions, batch.transitions, batch.start, batch.end)
        paths, scores = chain.viterbi(batch.emissions, **batch.scores)
        result = chain.forward_backward(batch.emissions, **batch.scores)
        if not ranked:
            assert scores[0] == -np.inf
            assert result.log_partition[0] == -np.inf
            continue
        assert (scores[0], tuple(paths)) == ranked[0]
        weights = np.exp([score for score, _ in ranked])
        assert result.log_partition[0] == pytest.approx(np.log(weights.sum()), abs=1e-5)
        marginals = np.zeros((4, 3))
        for weight, (_, path) in zip(weights / weights.sum(), ranked, strict=True):
            marginals[np.arange(4), path] += weight
        np.testing.assert_allclose(result.marginals, marginals, atol=1e-6)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_properties(data: st.DataObject) -> None:
    labels = data.draw(st.integers(1, 20))
    lengths = data.draw(st.lists(st.integers(0, 8), max_size=4))
    scale = data.draw(st.sampled_from([0.1, 1.0, 10.0, 100.0, 1000.0]))
    forbid = data.draw(st.sampled_from([0.0, 0.1, 0.6, 1.0]))
    batch = random_batch(data.draw(st.integers(0, 10**6)), labels, lengths, forbid=forbid, scale=scale)
    assert_viterbi(batch)
    assert_forward_backward(batch, tolerance=1e-5 * max(1.0, scale / 10))
    paths, scores = chain.viterbi(batch.emissions, **batch.scores)
    result = chain.forward_backward(batch.emissions, **batch.scores)
    assert paths.min(initial=0) >= 0
    assert paths.max(initial=0) < labels
    # The best path is one term of the sum, and there are labels ** length of them.
    slack = 1e-4 * max(1.0, scale)
    assert (result.log_partition >= scores - slack).all()
    for s, length in enumerate(lengths):
        row_sums = result.marginals[batch.rows(s)].sum(axis=1)
        allowed = result.log_partition[s] > -np.inf
        np.testing.assert_allclose(row_sums, np.full(length, float(allowed)), atol=1e-4)
        assert result.log_partition[s] <= scores[s] + length * np.log(labels) + slack
    np.testing.assert_allclose(
        result.transitions.sum(),
        sum(max(0, n - 1) for n, z in zip(lengths, result.log_partition, strict=True) if z > -np.inf),
        atol=1e-3,
    )


@pytest.mark.parametrize("labels", [2, 5, 17, 33])
def test_wide_ranges_fall_back_to_log_space(labels: int) -> None:
    """A path of weight e^-300 that the end forces: float32 loses it, the answer must not."""
    batch = random_batch(3, labels, [6], scale=1.0)
    batch.emissions[:, 1] -= 300
    batch.start[:] = -np.inf
    batch.start[1] = 0
    batch.transitions[1] = -np.inf
    batch.transitions[1, 1] = 0
    assert_forward_backward(batch, tolerance=1e-3)
    result = chain.forward_backward(batch.emissions, **batch.scores)
    np.testing.assert_array_equal(result.marginals[:, 1], 1.0)


def test_lost_state_that_returns() -> None:
    """Label 1 falls to e^-200 of label 0, and the last emission brings it back."""
    emissions = np.zeros((12, 3), np.float32)
    emissions[:10, 1] = -20
    emissions[:10, 2] = -15
    emissions[11] = [-np.inf, 60, 0]
    transitions = np.where(np.eye(3) > 0, 0.0, -np.inf)
    batch = Batch(emissions, np.array([0, 12]), transitions.astype(np.float32), np.zeros(3), np.zeros(3))
    assert_forward_backward(batch, tolerance=1e-5)


def test_nothing_allowed() -> None:
    forbidden = np.full((3, 3), -np.inf)
    paths, scores = chain.viterbi(np.zeros((4, 3)), forbidden)
    assert paths.tolist() == [0, 0, 0, 0]
    assert scores.tolist() == [-np.inf]
    result = chain.forward_backward(np.zeros((4, 3)), forbidden)
    assert result.log_partition.tolist() == [-np.inf]
    assert not result.marginals.any()
    assert not result.transitions.any()
    assert not result.start.any()
    assert chain.viterbi_nbest(np.zeros((4, 3)), forbidden, 5)[0][0].shape == (0, 4)
    everything = chain.viterbi(np.full((4, 3), -np.inf), forbidden, start=forbidden[0], end=forbidden[0])
    assert everything[0].tolist() == [0, 0, 0, 0]


def test_forbidden_sequence_leaves_the_others_alone() -> None:
    batch = random_batch(5, 9, [4, 3, 5])
    batch.emissions[5] = -np.inf
    assert_viterbi(batch)
    assert_forward_backward(batch)


def test_empty() -> None:
    paths, scores = chain.viterbi(np.zeros((0, 3)), np.zeros((3, 3)), offsets=[0])
    assert (len(paths), len(scores)) == (0, 0)
    paths, scores = chain.viterbi(np.zeros((0, 3)), np.zeros((3, 3)), offsets=[0, 0, 0])
    assert scores.tolist() == [0.0, 0.0]
    result = chain.forward_backward(np.zeros((0, 3)), np.zeros((3, 3)), offsets=[0, 0])
    assert result.log_partition.tolist() == [0.0]
    [(paths, scores)] = chain.viterbi_nbest(np.zeros((0, 3)), np.zeros((3, 3)), 4)
    assert paths.shape == (1, 0)
    assert scores.tolist() == [0.0]


def test_long_sequence_keeps_its_precision() -> None:
    batch = random_batch(7, 5, [20_000])
    total, marginals, transitions = oracle_forward_backward(
        batch.emissions, batch.transitions, batch.start, batch.end
    )
    result = chain.forward_backward(batch.emissions, **batch.scores)
    assert result.log_partition[0] == pytest.approx(total, rel=1e-6)
    np.testing.assert_allclose(result.marginals, marginals, atol=1e-5)
    np.testing.assert_allclose(result.transitions, transitions, rtol=1e-5)
    assert_viterbi(batch)


def test_start_and_end_default_to_zero() -> None:
    batch = random_batch(8, 6, [5, 2])
    zeros = np.zeros(6)
    for function in (chain.viterbi, chain.forward_backward):
        plain = function(batch.emissions, batch.transitions, offsets=batch.offsets)
        given_zeros = function(
            batch.emissions, batch.transitions, offsets=batch.offsets, start=zeros, end=zeros
        )
        for a, b in zip(plain, given_zeros, strict=True):
            np.testing.assert_array_equal(a, b)


def test_nbest_matches_brute_force() -> None:
    for seed in range(30):
        labels, length = (2, 5) if seed % 2 else (3, 3)
        batch = random_batch(seed, labels, [length], integers=True, forbid=0.2)
        ranked = all_paths(batch.emissions, batch.transitions, batch.start, batch.end)
        for n in (1, 2, 7, 1000):
            [(paths, scores)] = chain.viterbi_nbest(batch.emissions, n=n, **batch.scores)
            found = [(float(score), tuple(path)) for score, path in zip(scores, paths.tolist(), strict=True)]
            assert found == ranked[:n]


@pytest.mark.parametrize("labels", [1, 4, 17, 40])
def test_nbest_begins_with_viterbi(labels: int) -> None:
    batch = random_batch(9, labels, [6, 0, 11], integers=True)
    paths, scores = chain.viterbi(batch.emissions, **batch.scores)
    for s, (ranked, ranked_scores) in enumerate(chain.viterbi_nbest(batch.emissions, n=5, **batch.scores)):
        assert ranked[0].tolist() == paths[batch.rows(s)].tolist()
        assert ranked_scores[0] == scores[s]
        assert (np.diff(ranked_scores) <= 0).all()
        assert len({tuple(path) for path in ranked.tolist()}) == len(ranked)


def test_any_number_of_threads_gives_the_same() -> None:
    lengths = np.random.default_rng(1).integers(0, 40, 300).tolist()
    batch = random_batch(10, 17, lengths, forbid=0.05)
    for function in (chain.viterbi, chain.forward_backward):
        one = function(batch.emissions, **batch.scores, threads=1)
        for threads in (2, 5):
            several = function(batch.emissions, **batch.scores, threads=threads)
            for a, b in zip(one, several, strict=True):
                np.testing.assert_array_equal(a, b)


def test_batch_equals_each_sequence_alone() -> None:
    lengths = np.random.default_rng(2).integers(0, 25, 100).tolist()
    for labels in (3, 17, 22, 45):
        batch = random_batch(11, labels, lengths)
        paths, scores = chain.viterbi(batch.emissions, **batch.scores)
        for s in range(len(lengths)):
            path, score = chain.viterbi(
                batch.emissions[batch.rows(s)], batch.transitions, start=batch.start, end=batch.end
            )
            np.testing.assert_array_equal(paths[batch.rows(s)], path)
            assert scores[s] == score[0]


ISA_PROGRAM = """
import hashlib, json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from chain_oracle import random_batch
from nlptk import _core, chain

digest, floats = hashlib.sha256(), []
for labels in (1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 22, 31, 32, 33, 44, 65, 128, 130):
    lengths = np.random.default_rng(labels).integers(0, 15, 40).tolist()
    for forbid in (0.0, 0.2):
        batch = random_batch(labels, labels, lengths, forbid=forbid)
        for array in chain.viterbi(batch.emissions, **batch.scores):
            digest.update(array.tobytes())
        result = chain.forward_backward(batch.emissions, **batch.scores)
        floats += np.nan_to_num(result.log_partition, neginf=-1e6).tolist()
        floats += result.transitions[0].tolist()
        floats += result.marginals[::7, 0].tolist()
print(json.dumps([_core.isa(), digest.hexdigest(), floats]))
"""


def test_instruction_sets_agree() -> None:
    seen = {}
    for isa in ("baseline", "avx2", "avx512"):
        output = subprocess.run(
            [sys.executable, "-c", ISA_PROGRAM, os.path.dirname(__file__)],
            env={**os.environ, "NLPTK_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        name, digest, floats = json.loads(output)
        seen[name] = (digest, floats)
    reference = seen.pop("baseline")
    for digest, floats in seen.values():
        assert digest == reference[0]  # Viterbi: the same bytes
        np.testing.assert_allclose(floats, reference[1], rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_interrupt_stops_a_long_call() -> None:
    program = textwrap.dedent("""
        import numpy as np
        from nlptk import chain
        emissions = np.zeros((600_000, 128), np.float32)
        offsets = np.arange(0, 600_001, 20)
        print("ready", flush=True)
        for _ in range(1000):
            chain.forward_backward(emissions, np.zeros((128, 128)), offsets=offsets)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
