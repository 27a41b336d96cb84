"""The report of a comparison but for its page in a browser: packing, headlines, CSV, figures, bad input."""

from __future__ import annotations

import csv
import json
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_results import results
from hypothesis import given, settings
from hypothesis import strategies as st
from page_checks import contrast

from nlptk.compare.report import to_html, write_csv, write_report
from nlptk.compare.report.content import checked, packed_sentences
from nlptk.compare.report.palette import DARK, LIGHT
from nlptk.compare.report.places import place_labels, spread
from nlptk.errors import DataError


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


# ---- sentences ---------------------------------------------------------------------------------------------


def unpacked(packed: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    """What `packed_sentences` packed, of labels."""
    found = []
    for words, gold, errors in packed["rows"]:
        labels = [packed["answers"][code] for code in gold]
        tags = {names[model]: [*labels] for model in packed["models"]}
        for unit, wrong in errors:
            for answer, models in wrong:
                for model in models:
                    tags[names[model]][unit] = packed["answers"][answer]
        found.append({"words": words, "gold": labels, "tags": tags, "text": None})
    return found


@pytest.mark.parametrize("made", [{}, {"metric": "f1"}, {"task": "classifiers"}])
def test_packed_sentences_lose_nothing(made: dict[str, Any]) -> None:
    found = results(**made)
    packed = packed_sentences(found)
    assert packed is not None
    assert unpacked(packed, [model["name"] for model in found["models"]]) == found["sentences"]


def test_entity_types_have_no_prefix() -> None:
    packed = packed_sentences(results(metric="f1"))
    assert packed is not None
    assert set(packed["types"]) == {"PER", "LOC", "ORG", "O"}
    plain = packed_sentences(results())
    assert plain is not None
    assert plain["types"] == plain["answers"]


cuts = st.lists(st.integers(1, 3), min_size=1, max_size=8)


@given(cuts, cuts)
def test_gold_words_that_a_segmenter_misses(gold_cuts: list[int], cuts: list[int]) -> None:
    text = "".join(chr(0x4E00 + k) for k in range(sum(gold_cuts)))

    def words(sizes: list[int]) -> list[str]:
        ends = [end for end in np.cumsum(sizes).tolist() if end < len(text)]
        return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]

    def spans(words: list[str]) -> set[tuple[int, int]]:
        ends = np.cumsum([*map(len, words)]).tolist()
        return {*zip([0, *ends], ends, strict=False)}

    gold, found = words(gold_cuts), words(cuts)
    packed = packed_sentences(
        {
            "task": "segmenters", "metric": "f1", "models": [{"name": "a"}],
            "sentences": [{"words": gold, "gold": gold, "tags": {"a": found}}],
        }
    )  # fmt: skip
    assert packed is not None
    ((kept, _, errors),) = packed["rows"]
    assert kept == gold
    right = [gold[unit] for unit in {*range(len(gold))} - {unit for unit, _ in errors}]
    assert {(text.index(word), text.index(word) + len(word)) for word in right} == spans(gold) & spans(found)
    for unit, wrong in errors:
        assert [models for _, models in wrong] == [[0]]
        over = packed["answers"][wrong[0][0]].split(" ")
        assert set(over) <= {*found}
        assert set(gold[unit]) <= set("".join(over))


def test_left_out_texts_are_in_no_file(tmp_path: Path) -> None:
    found = results(texts=False)
    assert packed_sentences(found) is None
    assert data_of(to_html(found))["browser"] is None
    assert "sentences" not in data_of(to_html(results()))  # packed instead


# ---- CSV ---------------------------------------------------------------------------------------------------


def test_all_numbers_are_in_the_csv(tmp_path: Path) -> None:
    found = results(seeds=2, failed=("bert",))
    write_csv(found, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]

    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict):
            kept = [
                one
                for key, one in value.items()
                if key not in ("size", "seed", "from", "to", "tokens", "scores")
            ]
            return [number for one in kept for number in numbers(one)]
        if isinstance(value, list):
            return [number for one in value for number in numbers(one)]
        return [value] if isinstance(value, (int, float)) else []

    parts = [found["models"], found["differences"], found["disagreements"]]
    expected = sorted(number for part in parts for number in numbers(part))
    given = [row[name] for row in rows for name in ("value", "low", "high")]
    assert sorted(float(number) for number in given if number) == pytest.approx(expected)
    failed = [row for row in rows if row["status"] == "failed"]
    assert {(row["model"], row["size"], row["why"]) for row in failed} == {
        ("bert", "12544", "killed by signal 9 (out of memory?)")
    }
    assert {row["part"] for row in rows} == {
        "cells", "curve", "best", "per label", "by length", "robustness", "differences", "disagreements",
    }  # fmt: skip


# ---- figures -----------------------------------------------------------------------------------------------


def test_the_files_of_a_report(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    written = write_report(results(models=3, labels=5), tmp_path / "new" / "out")
    names = ["frontier", "learning_curves", "per_label", "by_length", "robustness", "differences"]
    assert [path.relative_to(tmp_path / "new" / "out").as_posix() for path in written] == [
        "report.html", "results.csv", *(f"figures/{n}.{form}" for n in names for form in ("png", "svg")),
    ]  # fmt: skip
    for path in written[2:]:
        data = path.read_bytes()
        if path.suffix == ".png":
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert min(struct.unpack(">II", data[16:24])) >= 250
        else:
            text = data.decode()
            assert "<dc:date>" not in text
            assert "bilstm-crf" in text  # text, not shapes
    assert "12 figures as PNG and SVG" in data_of(written[0].read_text("utf-8"))["note"]

    # A report of less removes what it has no figure for.
    few = write_report(results(models=1, sizes=(300,), texts=False), tmp_path / "new" / "out")
    assert not (tmp_path / "new" / "out" / "figures" / "differences.png").exists()
    assert all(path.exists() for path in few)


def test_without_matplotlib_all_but_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "frontier.svg").write_text("of an earlier report")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    written = write_report(results(models=2), tmp_path)
    assert [path.name for path in written] == ["report.html", "results.csv"]
    assert "pip install 'nlptk[plot]'" in data_of(written[0].read_text("utf-8"))["note"]
    assert [*(tmp_path / "figures").iterdir()] == []


HOSTILE = [
    "</script><script>document.title='no'</script>",
    "<!--",
    "\ud800\0",
    "\u202eabc",
    "אבג",
    "$x$",
    "x" * 300,
]


def test_figures_of_any_text(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = results(models=2, labels=7, sizes=(10, 100), seeds=2)
    found["title"] = "".join(HOSTILE)
    for model in found["models"]:
        labels = model["best"]["per_label"]
        model["best"]["per_label"] = dict(zip(HOSTILE, labels.values(), strict=True))
        model["best"]["per_label"]["x" * 300]["f1"] = None
        model["robustness"]["also: $\ud800\U0010fffd"] = {"score": 0.5, "interval": [0.4, 0.6]}
        model["best"]["by_length"][0]["score"] = None
        model["best"]["tokens_per_second"] = float("nan") if model["name"] == "hmm" else 1e3
    assert len(write_report(found, tmp_path)) == 14
    assert "No installed font has" in data_of((tmp_path / "report.html").read_text("utf-8"))["note"]


points = st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(points, st.integers(10, 120))
def test_labels_lie_clear(points: list[tuple[float, float]], width: int) -> None:
    sizes = [(float(width), 14.0)] * len(points)
    places = place_labels(points, sizes, (0, 0, 300, 200))
    boxes = [(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    for place in places:
        if place is None:
            assert len(points) > 1 or width > 100
            continue
        x, y = place
        box = (x - width / 2, y - 7, x + width / 2, y + 7)
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= 300
        assert box[3] <= 200
        for other in boxes:
            apart = max(other[0] - box[2], box[0] - other[2], other[1] - box[3], box[1] - other[3])
            assert apart > -1e-6
        boxes.append(box)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_spread_keeps_order_and_gap(places: list[float]) -> None:
    found = spread(places, 8.0, 0.0, 100.0)
    gap = min(8.0, 100 / max(1, len(places) - 1))
    assert np.diff(sorted(found)).min(initial=gap) >= gap - 1e-6
    assert min(found) >= -1e-6
    assert max(found) <= 100 + 1e-6
    assert [found[i] for i in np.argsort(places, kind="stable")] == sorted(found)
    if np.diff(sorted(places)).min(initial=8.0) >= 8.0:
        assert found == pytest.approx(places)


# ---- the page's text, and bad input ------------------------------------------------------------------------


def test_the_page_needs_nothing_and_holds_any_text() -> None:
    found = results()
    found["title"] = "@DATA@ @SCRIPT@ " + "".join(HOSTILE)
    found["warnings"] = HOSTILE
    page = to_html(found, note="@TITLE@")
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|src=|@import|url\(", page)
    assert page.count("<script") == page.count("</script>") == 2
    assert page.count("@DATA@ @SCRIPT@ &lt;/script&gt;") == 2
    assert data_of(page)["warnings"][2:4] == ["\ufffd␀", "\ufffdabc"]
    assert data_of(page)["note"] == "@TITLE@"
    page.encode("utf-8")


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_readable(dark: bool) -> None:
    light_part, dark_part = to_html(results(models=1)).split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light_part))
    if dark:
        colours.update(re.findall(r"--(\w+): (#[0-9a-f]{6})", dark_part))
    on_page, on_card = ("ink", "soft", "hot"), ("ink", "soft", "hot", "good", "bad", "warned")
    pairs = [*((name, "page") for name in on_page), *((name, "card") for name in on_card), ("warned", "warn")]
    poor = {
        pair: contrast(*(colours[name] for name in pair))
        for pair in [*pairs, ("ink", "plus"), ("ink", "minus")]
    }
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    palette = DARK if dark else LIGHT
    assert [colours[f"m{k}"] for k in range(12)] == [*palette]
    assert [c for c in palette if contrast(c, colours["card"]) < 3] == []
    assert len(set(palette)) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "results of schema 2 cannot be shown: this version reads schema 1"),
        ({"schema": None}, "results of schema None"),
        ({"models": None}, "the results lack 'models'"),
    ],
)
def test_results_that_are_none(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    found = {name: value for name, value in {**results(), **change}.items() if value is not None}
    for make in (
        to_html,
        lambda found: write_report(found, tmp_path),
        lambda f: write_csv(f, tmp_path / "a.csv"),
    ):
        with pytest.raises(DataError, match=message):
            make(found)
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(DataError, match="schema None"):
        to_html([])  # type: ignore[arg-type]


def test_sentences_that_do_not_fit() -> None:
    found = results()
    found["sentences"][1]["tags"]["crf"].append("X")
    with pytest.raises(DataError, match=r"sentence 2: 'crf' has \d+ labels for \d+ words"):
        to_html(found)
    found["sentences"] = [{"words": ["a"], "gold": ["X"], "tags": {"nobody": ["X"]}}]
    with pytest.raises(DataError, match="sentence 1 has answers of 'nobody', which is none of the models"):
        to_html(found)


def test_numbers_that_are_none() -> None:
    found = checked({**results(), "title": "a\0", "x": [float("nan"), float("inf"), 1.5, (True, None)]})
    assert found["x"] == [None, None, 1.5, [True, None]]
    assert found["title"] == "a␀"


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        write_report(results(models=1), tmp_path / "file" / "out")
