"""What a comparison gives back: tables, files, and no texts where none are wanted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from compare_toys import in_process, tagged, toy, write_columns  # noqa: F401

import nlptk
from nlptk.compare.comparison import Comparison
from nlptk.errors import DataError, MissingDependencyError


def compare(**changes: object) -> Comparison:
    return nlptk.compare("taggers", **{**toy("taggers"), "models": ["hmm", "crf"], **changes})


@pytest.mark.usefixtures("in_process")
def test_texts_can_be_left_out(tmp_path: Path) -> None:
    found = compare(texts=False, out=tmp_path / "out")
    assert found.results["sentences"] is None
    word = tagged(12, 2)[0][0][-1]
    for path in (tmp_path / "out").rglob("*.json"):
        assert f'"{word}"' not in path.read_text("utf-8")


def test_nothing_of_a_file_rules_the_terminal(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    train, test = (write_columns(tmp_path / f"{name}.conll", 12, i) for i, name in enumerate("ab"))
    test = test.rename(tmp_path / "b\x1b[31m.conll")
    test.write_text(test.read_text("utf-8") + "\nHi\t\x1b[2J\nyou\tNOUN\nall\tNOUN\n", "utf-8")
    status, out, err = run(
        "compare", "taggers", "--train", train, "--test", test, "--column", "1", "--models", "hmm",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert status == 0, err
    assert "has labels that a.conll (train) has not" in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("in_process")
def test_a_table_has_no_empty_columns() -> None:
    titles, cells = nlptk.compare("classifiers", **{**toy("classifiers"), "models": ["linear"]}).summary()
    assert not {"known", "unknown"} & set(titles)
    assert {len(row) for row in cells} == {len(titles)}
    assert all(map(all, cells))
    assert "known" in compare().summary()[0]


@pytest.mark.usefixtures("in_process")
def test_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = compare()
    rows = found.rows()
    assert [row["model"] for row in rows] == ["hmm", "crf"]
    lines = found.to_markdown().splitlines()
    assert sum(line.startswith("| hmm - crf |") for line in lines) == 1
    found.to_json(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == found.results
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        found.to_pandas()
    with pytest.raises(DataError, match="no results of a comparison"):
        Comparison.load(tmp_path)
    (tmp_path / "results.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match="not what a comparison writes"):
        Comparison.load(tmp_path)
