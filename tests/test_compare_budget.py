"""Budgets: how long a cell will take, what is left out, and where one is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from compare_toys import adding, always, in_process, script, tagged, toy  # noqa: F401

import nlptk
from nlptk.compare import budget, registry
from nlptk.compare.budget import estimate
from nlptk.compare.comparison import Comparison
from nlptk.compare.contestant import Contestant
from nlptk.compare.data import read_sources
from nlptk.compare.grid import Cell, Grid


def compare(**changes: object) -> Comparison:
    return nlptk.compare("taggers", **{**toy("taggers"), **changes})


@pytest.mark.usefixtures("in_process")
def test_a_budget_leaves_out_what_does_not_fit(add: Callable[[Contestant], None], tmp_path: Path) -> None:
    add(always("dear", "X", cost=1e6))
    found = compare(models=["dear", "hmm"], budget="10m", out=tmp_path / "out")
    dear, hmm = (one["cells"][0] for one in found.results["models"])
    assert hmm["status"] == "done"
    assert dear["status"] == "left out"
    assert "it would take about" in dear["why"]
    assert not list((tmp_path / "out" / "cells").glob("dear*"))
    assert any(one.startswith("dear left out at 30: it would take") for one in found.problems())


def test_estimates_grow_with_the_training_set() -> None:
    sources = read_sources("taggers", tagged(100, 1), tagged(9, 2), tagged(9, 3), column="upos")
    model = always("x", "X", cost=1.0)
    grid = Grid(
        "taggers", "upos", sources, [model], [10, 100], [1], "en", "cpu", None, {}, None
    )  # fmt: skip
    one, ten = Cell(10, "x", 1), Cell(100, "x", 1)
    assert estimate(grid, model, one, {}) < estimate(grid, model, ten, {})
    before = {one: {"status": "done", "seconds": 9.0, "train_seconds": 4.0}}
    learnt, scored = sources.train.part.tokens, 0.3 * sources.dev.part.tokens
    more = (learnt + scored) / (learnt / 10 + scored)
    assert estimate(grid, model, ten, before) == pytest.approx(5 + 4 * more)
    often = replace(model, epochs=lambda tokens: 1 if tokens > learnt / 2 else 8)  # few are read more often
    assert estimate(grid, often, ten, before) == pytest.approx(5 + 4 * more / 8)
    untrained = {one: {"status": "done", "seconds": 9.0, "train_seconds": None}}
    assert estimate(grid, model, ten, untrained) == 9.0


def test_the_schedule_of_a_network_is_known_before_it_is_trained() -> None:
    pytest.importorskip("torch", reason="networks need it")
    for name, task in (("bilstm-crf", "taggers"), ("bert", "taggers"), ("cnn", "classifiers")):
        few, many = map(registry.contestants(task)[name].epochs, (1_000, 1_000_000))
        assert few > many > 1


def test_a_cell_is_stopped_at_the_end_of_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", script(tmp_path, "sleep 60"))
    monkeypatch.setattr(budget, "_START", 0.0)
    start = time.monotonic()
    found = compare(models=["hmm"], budget=0.4)
    assert time.monotonic() - start < 30
    (one,) = found.results["models"][0]["cells"]
    assert one["status"] == "left out"
    assert "the budget was spent" in one["why"]
