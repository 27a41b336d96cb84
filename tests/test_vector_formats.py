"""Files of word vectors: written and read back, and read by gensim and fastText."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.errors import DataError
from nlptk.vectors import formats

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def numbers_of(path: Path) -> list[list[str]]:
    return [line.split(" ")[1:] for line in path.read_text("utf-8").splitlines()[1:]]


# ---- text ----


@given(
    values=st.lists(FLOATS | st.integers(-(10**7), 10**7).map(lambda n: n / 64), min_size=1),
    digits=st.integers(1, 9),
)
def test_numbers_are_those_of_printf(
    values: list[float], digits: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    matrix = np.array(values, np.float32)[:, None]
    formats.save(path, [f"w{i}" for i in range(len(values))], matrix, digits=digits)
    assert numbers_of(path) == [[f"{x:.{digits}g}"] for x in matrix[:, 0]]


@given(values=st.lists(FLOATS, min_size=1))
def test_all_digits_read_back_as_the_same_floats(
    values: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    matrix = np.array([values], np.float32)
    formats.save(path, ["w"], matrix, digits=0)
    (row,) = numbers_of(path)
    assert np.array(row, np.float32).tobytes() == matrix.tobytes()


@pytest.mark.parametrize(("threads", "dim"), [(1, 1), (1, 7), (2, 300)])
def test_many_blocks_keep_their_order(tmp_path: Path, threads: int, dim: int) -> None:
    rng = np.random.default_rng(dim)
    wide = rng.standard_normal((300_000 * threads // dim, dim + 3)).astype(np.float32)
    matrix = wide[:, :dim]  # rows that lie apart
    words = [f"词{i}" if i % 3 else f"w{i}" for i in range(len(matrix))]
    path = tmp_path / "a.txt.gz"
    formats.save(path, words, matrix, threads=threads)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        assert next(lines) == f"{len(matrix)} {dim}\n"
        for word, row, line in zip(words, matrix, lines, strict=True):
            assert line == " ".join([word, *(f"{x:.6g}" for x in row.tolist())]) + "\n"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_written(tmp_path: Path, bad: float) -> None:
    matrix = np.zeros((3, 2), np.float32)
    matrix[1, 1] = bad
    with pytest.raises(DataError, match=r"row 1 \(b\) holds NaN or an infinity"):
        formats.save(tmp_path / "a.txt", ["a", "b", "c"], matrix)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("New York", "word 1 .*white space"),
        ("", "word 1 is empty"),
        ("a\n", "white space"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_words_that_a_line_cannot_carry(tmp_path: Path, word: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        formats.save(tmp_path / "a.txt", ["a", word], np.zeros((2, 2), np.float32))
    assert list(tmp_path.iterdir()) == []
