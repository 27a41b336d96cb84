"""What a process costs: sizes on disk, single items spread over a file, energy where the system tells."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from compare_toys import adding, always, in_process, tagged, toy  # noqa: F401

import nlptk
from nlptk.compare import measure


def counter(folder: Path, domain: int, joules: float) -> None:
    """A package domain of RAPL, whose counter is in millionths."""
    place = folder / f"intel-rapl:{domain}"
    place.mkdir(exist_ok=True)
    (place / "energy_uj").write_text(f"{round(joules * 1e6)}\n", "ascii")


def test_energy_is_that_of_a_run_and_of_all_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_ENERGY", tmp_path)
    used = itertools.count(1)

    def predict(items: list[Any]) -> list[Any]:
        for domain in (0, 1):
            counter(tmp_path, domain, next(used) * 3.0)
        return items

    predict([])
    answers, seconds, latency, joules = measure.speeds(predict, ["a", "b"])
    assert answers == ["a", "b"]
    assert seconds > 0
    assert latency is not None
    assert joules == pytest.approx(12)  # each of two counters goes on by 6


def test_no_energy_is_claimed_where_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_ENERGY", tmp_path / "none")
    assert measure.speeds(lambda items: items, ["a"])[3] is None
    monkeypatch.setattr(measure, "_ENERGY", tmp_path)
    counter(tmp_path, 0, 7.0)
    readings = iter([9.0, 8.0] * 3)  # the counter begins anew in each run
    monkeypatch.setattr(measure, "_energy", lambda: next(readings))
    assert measure.speeds(lambda items: items, ["a"])[3] is None


@pytest.mark.parametrize("count", [1, 299, 300, 599, 2077])
def test_single_items_are_spread_over_all(count: int) -> None:
    asked: list[int] = []

    def predict(items: list[int]) -> list[int]:
        asked.extend(items)
        return items

    measure._single_times(predict, list(range(1, count + 1)))
    timed = asked[min(count, 10) :]
    assert len(timed) <= 300
    assert len(timed) > min(count, 300) / 2
    assert max(timed) > count - -(-count // 300)
    assert len({after - before for before, after in itertools.pairwise(sorted(timed))}) <= 1


def test_percentiles_are_nearest_ranks() -> None:
    values = list(range(1, 101))
    assert [measure.percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert measure.percentile([7.0], 0.5) == 7.0


@pytest.mark.usefixtures("in_process")
def test_a_model_elsewhere_counts_and_what_learns_nothing_has_no_time(add: Any, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"0" * 1000)
    add(always("given", "NOUN", trained=False, elsewhere=lambda how: [tmp_path]))
    found = nlptk.compare("taggers", **toy("taggers"), models=["given"])
    best = found.results["models"][0]["best"]
    assert best["disk_bytes"] == 1000
    assert best["train_seconds"] is None
    assert "| given |" in found.to_markdown()


@pytest.mark.usefixtures("in_process")
def test_no_unknown_words_are_no_score(add: Any) -> None:
    given = {**toy("taggers"), "test": tagged(5, 1)}
    found = nlptk.compare("taggers", **{**given, "train": tagged(30, 1)}, models=["hmm"])
    best = found.results["models"][0]["best"]
    assert best["known"]["score"] == best["score"]
    assert best["unknown"] is None
    assert found.rows()[0]["unknown"] is None


@pytest.mark.usefixtures("in_process")
def test_entities_of_any_scheme_are_told_alike(add: Any) -> None:
    words = [["Ada", "Lovelace", "ran"], ["to", "Rome", "he", "went"]] * 3
    iob1 = [["I-PER", "I-PER", "O"], ["O", "I-LOC", "O", "O"]] * 3
    part = (words, iob1)

    def answers(items: list[list[str]]) -> list[list[str]]:
        return [["B-PER", "I-PER", "O"] if len(row) == 3 else ["O"] * 4 for row in items]

    add(always("begins", "O", load=lambda folder, how: answers))
    found = nlptk.compare("taggers", train=part, dev=part, test=part, column="ner", models=["begins"])
    (first, *_) = sentences = found.results["sentences"]
    assert found.results["erring_sentences"] == len(sentences) == 3  # those with Rome
    assert first["gold"] == ["O", "B-LOC", "O", "O"]
