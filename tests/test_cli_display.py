"""Progress lines and plain tables."""

from __future__ import annotations

import pytest

from nlptk.cli.progress import Progress
from nlptk.cli.tables import pairs, table


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("train", unit="iterations", every=0.0) as progress:
        progress.update(1, total=4, note="objective 3")
        progress.update(4)
        progress.line("a line of its own")
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second, third = captured.err.splitlines()
    assert first.startswith("train: 25%, ")
    assert "objective 3" in first
    assert first.endswith(" left")
    assert second.startswith("train: 100%, ")
    assert third == "a line of its own"


def test_progress_without_a_total_tells_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("read", unit="lines", every=0.0) as progress:
        progress.update(10_000_000)
    assert "lines/s" in capsys.readouterr().err


def test_progress_waits_between_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("train", every=3600.0) as progress:
        for done in range(100):
            progress.update(done, total=100)
    assert capsys.readouterr().err == ""


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("train", every=0.0, quiet=True) as progress:
        progress.update(1, total=2)
        progress.line("hidden")
    assert capsys.readouterr().err == ""


def test_pairs_align_nested_values() -> None:
    answer = {
        "name": "中文",
        "n": 1234,
        "f": 0.5,
        "none": None,
        "data": {"a": {"b": 1}},
        "list": ["x", "y\x1b"],
    }
    assert pairs(answer).splitlines() == [
        "name  中文",
        "n     1,234",
        "f     0.5000",
        "none  -",
        "data  a:",
        "        b: 1",
        "list  x, y␛",
    ]


def test_table_aligns_numbers_right_and_wide_labels() -> None:
    assert table(("label", "gold"), [("地名", "7"), ("PER", "1,000")]).splitlines() == [
        "label   gold",
        "地名       7",
        "PER    1,000",
    ]
