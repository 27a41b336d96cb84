"""The search for nearest rows against NumPy in double: exact, whatever the threads and the shapes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_process import environment
from hypothesis import given
from hypothesis import strategies as st

from nlptk.errors import DataError
from nlptk.vectors.nearest import NearestIndex

Array = np.ndarray[Any, Any]


def cosines(matrix: Array, query: Array) -> Array:
    """In double; rows of zeros have cosine 0."""
    wide, query = matrix.astype(np.float64), query.astype(np.float64)
    norms = np.sqrt((wide * wide).sum(1))
    return np.divide(wide @ query, norms, out=np.zeros(len(wide)), where=norms > 0)


def scores(matrix: Array, terms: Array, positives: int, multiply: bool) -> Array:
    if not multiply:
        return cosines(matrix, terms[0])
    shifted = [(1 + cosines(matrix, term)) / 2 for term in terms]
    return np.prod(shifted[:positives], axis=0) / (np.prod(shifted[positives:], axis=0) + 1e-6)


def check(
    matrix: Array,
    terms: Array,
    found: Array,
    given_scores: Array,
    positives: int,
    multiply: bool,
    begin: int,
    end: int,
) -> None:
    """The rows found are the best, in order, as far as rounding in double lets one tell."""
    for query, rows, values in zip(terms, found, given_scores, strict=True):
        wanted = scores(matrix, query, positives, multiply)
        order = np.argsort(-wanted[begin:end], kind="stable")[: len(rows)] + begin
        assert len(set(rows.tolist())) == len(rows)
        close = np.float32(2e-6) * np.maximum(1, np.abs(wanted[order]))
        assert (np.abs(wanted[rows] - wanted[order]) <= 1e-12 * np.maximum(1, np.abs(wanted[order]))).all()
        assert (np.abs(values - wanted[rows]) <= close).all()


def unit(rows: Array) -> Array:
    return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-30)).astype(np.float32)


@given(
    rows=st.integers(1, 200),
    dim=st.integers(1, 80),
    queries=st.integers(1, 40),
    top=st.integers(1, 30),
    threads=st.integers(1, 3),
    kind=st.sampled_from(["normal", "integers", "spikes", "tiny", "huge", "zeros", "equal"]),
    codes=st.booleans(),
    shape=st.sampled_from([(1, 0, False), (1, 0, True), (2, 1, True), (1, 2, True), (3, 0, True)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_matrix(
    rows: int, dim: int, queries: int, top: int, threads: int, kind: str, codes: bool,
    shape: tuple[int, int, bool], seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    positives, negatives, multiply = shape
    matrix = rng.standard_normal((rows, dim)).astype(np.float32)
    if codes or kind == "integers":  # many ties
        matrix = rng.integers(-2, 3, (rows, dim)).astype(np.float32)
    elif kind == "spikes":
        matrix = np.where(rng.random((rows, dim)) < 0.1, matrix * 1e4, matrix)
    elif kind in ("tiny", "huge"):
        matrix *= np.float32(1e-20 if kind == "tiny" else 1e18)
    elif kind == "zeros":
        matrix[rng.random(rows) < 0.5] = 0
    elif kind == "equal":
        matrix[:] = matrix[0]
    terms = unit(rng.standard_normal((queries, positives + negatives, dim)))
    begin, end = sorted(rng.integers(0, rows + 1, 2).tolist())
    index = NearestIndex(matrix.astype(np.int8) if codes else matrix, [], threads)
    found, values = index.nearest(terms, top, positives=positives, multiply=multiply, begin=begin, end=end)
    assert found.shape == values.shape == (queries, min(top, end - begin))
    check(matrix, terms, found, values, positives, multiply, begin, end)


@given(
    rows=st.integers(600, 3000),
    dim=st.integers(1, 70),
    queries=st.integers(1, 3),
    top=st.integers(1, 4),
    threads=st.integers(1, 3),
    kind=st.sampled_from(
        ["normal", "columns", "integers", "spikes", "tiny", "huge", "one huge", "zeros", "equal"]
    ),
    codes=st.booleans(),
    whole=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_few_queries_of_many_rows(
    rows: int, dim: int, queries: int, top: int, threads: int, kind: str, codes: bool, whole: bool, seed: int
) -> None:
    """Groups of 64 rows are passed over by their 4-bit copies."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, dim)).astype(np.float32)
    if codes:
        matrix = np.clip(np.rint(matrix * 40), -127, 127).astype(np.float32)
    elif kind == "columns":
        matrix *= np.float32(10.0) ** rng.integers(-6, 3, dim)
    elif kind == "integers":
        matrix = np.rint(matrix)
    elif kind == "spikes":
        matrix = np.where(rng.random((rows, dim)) < 0.05, matrix * 1e4, matrix)
    elif kind in ("tiny", "huge"):
        matrix *= np.float32(1e-30 if kind == "tiny" else 5e37)
    if kind == "one huge" and not codes:
        matrix[rng.integers(rows)] *= np.float32(5e37)
    elif kind == "zeros":
        matrix[rng.random(rows) < 0.7] = 0
    elif kind == "equal":
        matrix[:] = matrix[0]
    terms = unit(rng.standard_normal((queries, 1, dim)))
    if rng.random() < 0.5:  # like a row
        terms = unit(matrix[rng.integers(0, rows, queries), None].astype(np.float64))
    begin, end = (0, rows) if whole else sorted(rng.integers(0, rows + 1, 2).tolist())
    index = NearestIndex(matrix.astype(np.int8) if codes else matrix, [], threads)
    found, values = index.nearest(terms, top, begin=begin, end=end)
    assert found.shape == values.shape == (queries, min(top, end - begin))
    check(matrix, terms, found, values, 1, False, begin, end)


def test_a_row_that_float32_just_holds_is_found() -> None:
    matrix = np.tile(np.float32([1, 0]), (512, 1))
    matrix[:384] = [1, 0.5]
    matrix[400] = [0, 3e38]
    found, _ = NearestIndex(matrix, []).nearest(np.float32([[[0, 1]]]), 1, end=512)
    assert found.tolist() == [[400]]


@pytest.mark.parametrize("size", [1e-40, 1e-20, 1e20, 1e35])
def test_queries_of_any_length(size: float) -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((2000, 9)).astype(np.float32)
    query = unit(rng.standard_normal((1, 1, 9)))
    wanted, _ = NearestIndex(matrix, []).nearest(query, 5, end=2000)
    found, _ = NearestIndex(matrix, []).nearest((query * size).astype(np.float32), 5, end=2000)
    assert set(found[0].tolist()) == set(wanted[0].tolist())


def test_vectors_without_dimensions_have_no_likeness() -> None:
    empty = np.zeros((3, 0), np.float32)
    found, values = NearestIndex(empty, []).nearest(np.zeros((1, 1, 0), np.float32), 2, end=3)
    assert found.tolist() == [[0, 1]]
    assert values.tolist() == [[0, 0]]


def test_equal_scores_come_by_row() -> None:
    matrix = np.ones((5000, 20), np.float32)
    matrix[::7] = -1
    for queries in (1, 50):
        terms = np.ones((queries, 1, 20), np.float32)
        found, _ = NearestIndex(matrix, [], 3).nearest(terms, 8, end=5000)
        assert (found == [1, 2, 3, 4, 5, 6, 8, 9]).all()


@pytest.mark.parametrize("queries", [1, 3, 4, 33, 300])
def test_threads_and_batches_do_not_show(queries: int) -> None:
    rng = np.random.default_rng(queries)
    matrix = rng.standard_normal((7001, 100)).astype(np.float32)
    terms = unit(matrix[:queries, None] + 0)
    found, values = NearestIndex(matrix, [], 1).nearest(terms, 11, end=7001)
    assert (found[:, 0] == np.arange(queries)).all()
    for threads in (2, 5):
        again, same = NearestIndex(matrix, [], threads).nearest(terms, 11, end=7001)
        assert (again == found).all()
        assert (same == values).all()
    one = np.concatenate([NearestIndex(matrix, []).nearest(t[None], 11, end=7001)[0] for t in terms[:40]])
    assert (one == found[:40]).all()


DIGEST = """
import hashlib, numpy as np
from nlptk import _core
from nlptk.vectors.nearest import NearestIndex
rng = np.random.default_rng(5)
matrix = rng.standard_normal((3001, 77)).astype(np.float32)
terms = rng.standard_normal((40, 3, 77))
terms = (terms / np.linalg.norm(terms, axis=-1, keepdims=True)).astype(np.float32)
index = NearestIndex(matrix, [])
digest = hashlib.sha256()
for some, positives, multiply in ((terms[:, :1], 1, False), (terms[:2, :1], 1, False), (terms, 2, True)):
    for array in index.nearest(some, 12, positives=positives, multiply=multiply, end=3001):
        digest.update(array.tobytes())
print(_core.isa(), digest.hexdigest())
"""


def test_instruction_sets_do_not_show() -> None:
    seen = {}
    for isa in ("baseline", "avx2", "avx512"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**environment(), "NLPTK_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        name, digest = done.stdout.split()
        seen[name] = digest
    assert len(set(seen.values())) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_names_its_word(bad: float) -> None:
    matrix = np.ones((3000, 8), np.float32)
    matrix[2500, 3] = bad
    with pytest.raises(DataError, match=r"vector of 'w2500': row 2500 holds NaN or an infinity"):
        NearestIndex(matrix, [f"w{i}" for i in range(3000)])
    with pytest.raises(ValueError, match="must have length 1"):
        NearestIndex(matrix[:10], []).nearest(np.ones((1, 2, 8), np.float32), 3, multiply=True, end=10)
    with pytest.raises(ValueError, match="query"):
        NearestIndex(matrix[:10], []).nearest(np.full((1, 1, 8), bad, np.float32), 3, end=10)


def test_rows_that_lie_apart_and_mapped_ones(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((500, 40)).astype(np.float32)
    terms = unit(wide[:5, None, :30])
    found, _ = NearestIndex(wide[:, :30], []).nearest(terms, 5, end=500)
    check(
        wide[:, :30],
        terms,
        found,
        np.take_along_axis(np.stack([cosines(wide[:, :30], t[0]) for t in terms]), found, 1),
        1,
        False,
        0,
        500,
    )
    path = tmp_path / "m"
    path.write_bytes(wide.tobytes())
    mapped: Array = np.memmap(path, np.float32, "r", 0, (500, 40))
    terms = unit(wide[:5, None])
    assert (
        NearestIndex(mapped, []).nearest(terms, 5, end=500)[0]
        == NearestIndex(wide, []).nearest(terms, 5, end=500)[0]
    ).all()
