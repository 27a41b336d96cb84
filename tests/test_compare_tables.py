"""What a comparison gives back: tables, files, and no texts where none are wanted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from compare_toys import in_process, tagged, toy  # noqa: F401

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
